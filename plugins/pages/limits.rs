//! Every maximum of this crate.

use std::time::Duration;

/// Octets of a request's header.
pub const HEADER: usize = 16 << 10;
/// How long a browser may take to send a request's header, and to be idle between two requests.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection lasts; players go on with a range on another.
pub const LIFE: Duration = Duration::from_secs(15 * 60);
/// Octets read from the store at once while content goes out.
pub const PIECE: u64 = 256 << 10;

/// Octets of one text shown; the rest is behind a link.
pub const TEXT: u64 = 32 << 10;
/// Octets of all texts that are read for a page.
pub const TEXTS: u64 = 256 << 10;
/// Octets of one mail text that is read to be made readable.
pub const MAIL_TEXT: u64 = 2 << 20;
/// Octets of all mail texts of one message.
pub const MAIL_TEXTS: u64 = 8 << 20;
/// Parts on a page; what is beyond is not shown.
pub const ITEMS: usize = 100;
/// Characters of a subject or a sender's name.
pub const LINE: usize = 200;
/// Characters of a file name.
pub const FILE_NAME: usize = 120;
/// Octets of a card that is shown as a contact; a larger one is a file.
pub const CARD: u64 = 256 << 10;
/// Lines of a card that are read, as they are stored: a photograph within [`CARD`] has fewer.
pub const CARD_LINES: usize = 8_192;
/// Numbers, addresses and the like of a contact.
pub const CONTACT_LINES: usize = 24;

/// Octets of a picture's beginning that are read to learn its size.
pub const PICTURE_HEAD: u64 = 64 << 10;
/// Octets of a picture that is scaled; a larger one is a file.
pub const PICTURE: u64 = 48 << 20;
/// Pixels of a picture that is scaled: what phones' cameras make has 50 million at most, and some.
pub const PIXELS: u64 = 64_000_000;
/// Pixels of a picture in one direction.
pub const SIDE: u32 = 20_000;
/// Memory of all pictures that are read to be decoded, as they are stored, in MiB; who comes beyond that waits before reading.
pub const READING_MIB: u32 = 96;
/// Memory of the pixels of all pictures being decoded, in MiB; who comes beyond that waits.
pub const DECODING_MIB: u32 = 384;
/// How long a picture waits for its turn.
pub const TURN: Duration = Duration::from_secs(20);
/// Octets of an animation, which goes out as it is.
pub const ANIMATION: u64 = 4 << 20;
/// Octets of a colour profile that is taken over.
pub const COLOUR_PROFILE: usize = 32 << 10;
/// Octets of scaled pictures kept, and of what is remembered of those that cannot be scaled.
pub const SCALED: usize = 32 << 20;
/// Octets that one of them counts at least.
pub const KEPT: usize = 256;
/// Octets of pages kept.
pub const PAGES: usize = 16 << 20;

/// Octets of a WML deck's text: phones of 1999 take 1400 octets of a compiled deck (WAP-190-WAESpec 6).
pub const DECK: usize = 1_000;
/// Octets of an XHTML-MP page's text.
pub const MOBILE_PAGE: usize = 6_000;
/// Decks of one message; what is beyond is cut.
pub const DECKS: usize = 64;

/// Messages and addresses whose requests are counted, each.
pub const COUNTED: usize = 65_536;
/// Browsers remembered of one message.
pub const VIEWERS: usize = 4;
