//! Every maximum of this crate, by name (invariant I-4).
//!
//! What goes over one of these is an error when the files are loaded; at run time nothing can.

/// Rule files of one program.
pub const FILES: usize = 1_000;
/// Octets of one rule file.
pub const FILE_SIZE: u64 = 4 << 20;
/// Rules of all files together.
pub const RULES: usize = 10_000;
/// `[[test]]` blocks of all files together.
pub const TESTS: usize = 10_000;
/// Characters of a rule's name.
pub const NAME_LENGTH: usize = 100;
/// Masks of one `to` or `from`; longer lists belong into a table.
pub const MASKS: usize = 1_000;
/// Octets of one mask.
pub const MASK_LENGTH: usize = packetboat_api::party::MAX_MAIL_ADDRESS;
/// Steps of one route.
pub const ROUTE_STEPS: usize = 10;
/// Octets of a `reject` text: it must fit one SMTP reply line (RFC 5321 4.5.3.1.5).
pub const REJECT_LENGTH: usize = 400;
/// Tables of all rules together.
pub const TABLES: usize = 100;
/// Octets of one table's file.
pub const TABLE_SIZE: u64 = 128 << 20;
/// Rows of one table.
pub const TABLE_ROWS: usize = 1_000_000;
/// Columns of one table, the first included.
pub const TABLE_COLUMNS: usize = 32;
/// Rows of one table whose mask is more than a number or a prefix: these are looked at one by one.
pub const TABLE_MASKS: usize = 1_000;
/// Octets of one `when`.
pub const WHEN_LENGTH: usize = 4_000;
/// Brackets inside one another in a `when`.
pub const WHEN_BRACKETS: u16 = 32;
/// Expressions inside one another in a `when`: `1 + 1 + 1` is two; brackets do not count, nor do `&&` and `||` in a row.
/// Bounds the stack of an evaluation: 4 kB for each, 50 kB when not optimised.
pub const WHEN_DEPTH: usize = 24;
/// Octets of stack for the parser of `when`, which takes some 150 kB for a bracket when it is not optimised.
pub const PARSER_STACK: usize = 32 << 20;
/// Expressions that one evaluation of a `when` may come to, when the message has as many parts as it can have.
pub const WHEN_WORK: u64 = 1_000_000;
/// Octets of a subject, header field or file name that a `when` sees.
pub const WHEN_TEXT: usize = 16 << 10;
/// Parts of a message; this is what [`WHEN_WORK`] counts with.
pub const PARTS: usize = packetboat_api::mime::limits::PARTS;
/// Octets of memory that one compiled pattern of `matches` may take.
pub const PATTERN_SIZE: usize = 256 << 10;
/// Header fields and parts of one `[[test]]`.
pub const TEST_ITEMS: usize = 100;
