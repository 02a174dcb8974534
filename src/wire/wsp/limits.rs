//! The named maximum of everything that repeats in WSP input (I-4).

/// Octets of a uintvar (WAP-230-WSP 8.1.2: 32 bits, seven in each octet).
pub const UINTVAR_OCTETS: usize = 5;
/// Octets of a Long-integer on the wire (WAP-230-WSP 8.4.2.1: Short-length).
pub const LONG_INTEGER_OCTETS: usize = 30;
/// Octets of a Long-integer after its leading zeros: what fits a `u64`.
pub const INTEGER_USEFUL_OCTETS: usize = 8;
/// Parameters of one header value; those after it are left out.
pub const PARAMETERS: usize = 32;
/// Header fields of one part; those after it are left out.
pub const PART_HEADERS: usize = 64;
/// Parts of one message, at all depths together.
pub const PARTS: usize = 1024;
/// Multiparts inside one another, the outermost counted.
pub const DEPTH: usize = 4;
