//! Every number that WAP-230-WSP appendix A and the Open Mobile Naming Authority assign, once.
//!
//! Text stands in for whatever has no number here, so that a missing row costs octets, never meaning.

/// MIBenum of UTF-8.
pub const UTF_8: u16 = 106;
/// MIBenum of ISO-10646-UCS-2.
pub const UCS_2: u64 = 1000;
/// MIBenum of ISO-10646-UCS-4.
pub const UCS_4: u64 = 1001;
/// MIBenum of UTF-16BE.
pub const UTF_16BE: u64 = 1013;
/// MIBenum of UTF-16LE.
pub const UTF_16LE: u64 = 1014;
/// MIBenum of UTF-16.
pub const UTF_16: u64 = 1015;

/// The last content-type code that all decoders we know of understand; types above it are written as text.
const LAST_SAFE_TYPE: u16 = 0x4D;
/// Codes that decoders disagree about: one's wta-event is another's channel.
const DISPUTED_TYPES: [u16; 2] = [0x0A, 0x16];

/// Content types (WAP-230-WSP table 40 and the OMNA list), by code. 0x0201 and up are registered, not well-known.
pub const CONTENT_TYPES: &[(u16, &str)] = &[
    (0x00, "*/*"),
    (0x01, "text/*"),
    (0x02, "text/html"),
    (0x03, "text/plain"),
    (0x04, "text/x-hdml"),
    (0x05, "text/x-ttml"),
    (0x06, "text/x-vCalendar"),
    (0x07, "text/x-vCard"),
    (0x08, "text/vnd.wap.wml"),
    (0x09, "text/vnd.wap.wmlscript"),
    (0x0A, "text/vnd.wap.wta-event"),
    (0x0B, "multipart/*"),
    (0x0C, "multipart/mixed"),
    (0x0D, "multipart/form-data"),
    (0x0E, "multipart/byteranges"),
    (0x0F, "multipart/alternative"),
    (0x10, "application/*"),
    (0x11, "application/java-vm"),
    (0x12, "application/x-www-form-urlencoded"),
    (0x13, "application/x-hdmlc"),
    (0x14, "application/vnd.wap.wmlc"),
    (0x15, "application/vnd.wap.wmlscriptc"),
    (0x16, "application/vnd.wap.wta-eventc"),
    (0x17, "application/vnd.wap.uaprof"),
    (0x18, "application/vnd.wap.wtls-ca-certificate"),
    (0x19, "application/vnd.wap.wtls-user-certificate"),
    (0x1A, "application/x-x509-ca-cert"),
    (0x1B, "application/x-x509-user-cert"),
    (0x1C, "image/*"),
    (0x1D, "image/gif"),
    (0x1E, "image/jpeg"),
    (0x1F, "image/tiff"),
    (0x20, "image/png"),
    (0x21, "image/vnd.wap.wbmp"),
    (0x22, "application/vnd.wap.multipart.*"),
    (0x23, "application/vnd.wap.multipart.mixed"),
    (0x24, "application/vnd.wap.multipart.form-data"),
    (0x25, "application/vnd.wap.multipart.byteranges"),
    (0x26, "application/vnd.wap.multipart.alternative"),
    (0x27, "application/xml"),
    (0x28, "text/xml"),
    (0x29, "application/vnd.wap.wbxml"),
    (0x2A, "application/x-x968-cross-cert"),
    (0x2B, "application/x-x968-ca-cert"),
    (0x2C, "application/x-x968-user-cert"),
    (0x2D, "text/vnd.wap.si"),
    (0x2E, "application/vnd.wap.sic"),
    (0x2F, "text/vnd.wap.sl"),
    (0x30, "application/vnd.wap.slc"),
    (0x31, "text/vnd.wap.co"),
    (0x32, "application/vnd.wap.coc"),
    (0x33, "application/vnd.wap.multipart.related"),
    (0x34, "application/vnd.wap.sia"),
    (0x35, "text/vnd.wap.connectivity-xml"),
    (0x36, "application/vnd.wap.connectivity-wbxml"),
    (0x37, "application/pkcs7-mime"),
    (0x38, "application/vnd.wap.hashed-certificate"),
    (0x39, "application/vnd.wap.signed-certificate"),
    (0x3A, "application/vnd.wap.cert-response"),
    (0x3B, "application/xhtml+xml"),
    (0x3C, "application/wml+xml"),
    (0x3D, "text/css"),
    (0x3E, "application/vnd.wap.mms-message"),
    (0x3F, "application/vnd.wap.rollover-certificate"),
    (0x40, "application/vnd.wap.locc+wbxml"),
    (0x41, "application/vnd.wap.loc+xml"),
    (0x42, "application/vnd.syncml.dm+wbxml"),
    (0x43, "application/vnd.syncml.dm+xml"),
    (0x44, "application/vnd.syncml.notification"),
    (0x45, "application/vnd.wap.xhtml+xml"),
    (0x46, "application/vnd.wv.csp.cir"),
    (0x47, "application/vnd.oma.dd+xml"),
    (0x48, "application/vnd.oma.drm.message"),
    (0x49, "application/vnd.oma.drm.content"),
    (0x4A, "application/vnd.oma.drm.rights+xml"),
    (0x4B, "application/vnd.oma.drm.rights+wbxml"),
    (0x4C, "application/vnd.wv.csp+xml"),
    (0x4D, "application/vnd.wv.csp+wbxml"),
    (0x4E, "application/vnd.syncml.ds.notification"),
    (0x4F, "audio/*"),
    (0x50, "video/*"),
    (0x51, "application/vnd.oma.dd2+xml"),
    (0x52, "application/mikey"),
    (0x53, "application/vnd.oma.dcd"),
    (0x54, "application/vnd.oma.dcdc"),
    (0x55, "text/x-vMessage"),
    (0x56, "application/vnd.omads-email+wbxml"),
    (0x57, "text/x-vBookmark"),
    (0x58, "application/vnd.syncml.dm.notification"),
    (0x5A, "application/octet-stream"),
    (0x201, "application/vnd.uplanet.cacheop-wbxml"),
    (0x202, "application/vnd.uplanet.signal"),
    (0x203, "application/vnd.uplanet.alert-wbxml"),
    (0x204, "application/vnd.uplanet.list-wbxml"),
    (0x205, "application/vnd.uplanet.listcmd-wbxml"),
    (0x206, "application/vnd.uplanet.channel-wbxml"),
    (0x207, "application/vnd.uplanet.provisioning-status-uri"),
    (0x208, "x-wap.multipart/vnd.uplanet.header-set"),
    (0x209, "application/vnd.uplanet.bearer-choice-wbxml"),
    (0x20A, "application/vnd.phonecom.mmc-wbxml"),
    (0x20B, "application/vnd.nokia.syncset+wbxml"),
    (0x20C, "image/x-up-wpng"),
    (0x300, "application/iota.mmc-wbxml"),
    (0x301, "application/iota.mmc-xml"),
    (0x302, "application/vnd.syncml+xml"),
    (0x303, "application/vnd.syncml+wbxml"),
    (0x304, "text/vnd.wap.emn+xml"),
    (0x305, "text/calendar"),
    (0x306, "application/vnd.omads-email+xml"),
    (0x307, "application/vnd.omads-file+xml"),
    (0x308, "application/vnd.omads-folder+xml"),
    (0x309, "text/directory;profile=vCard"),
    (0x30A, "application/vnd.wap.emn+wbxml"),
    (0x30B, "application/vnd.nokia.ipdc-purchase-response"),
    (0x30C, "application/vnd.motorola.screen3+xml"),
    (0x30D, "application/vnd.motorola.screen3+gzip"),
    (0x30E, "application/vnd.cmcc.setting+wbxml"),
    (0x30F, "application/vnd.cmcc.bombing+wbxml"),
    (0x310, "application/vnd.docomo.pf"),
    (0x311, "application/vnd.docomo.ub"),
    (0x312, "application/vnd.omaloc-supl-init"),
    (0x313, "application/vnd.oma.group-usage-list+xml"),
    (0x314, "application/oma-directory+xml"),
    (0x315, "application/vnd.docomo.pf2"),
    (0x316, "application/vnd.oma.drm.roap-trigger+wbxml"),
    (0x317, "application/vnd.sbm.mid2"),
    (0x318, "application/vnd.wmf.bootstrap"),
    (0x319, "application/vnc.cmcc.dcd+xml"),
    (0x31A, "application/vnd.sbm.cid"),
    (0x31B, "application/vnd.oma.bcast.provisioningtrigger"),
];

/// Character sets (IANA MIBenum), with the name that MIME prefers.
pub const CHARSETS: &[(u16, &str)] = &[
    (3, "us-ascii"),
    (4, "iso-8859-1"),
    (5, "iso-8859-2"),
    (6, "iso-8859-3"),
    (7, "iso-8859-4"),
    (8, "iso-8859-5"),
    (9, "iso-8859-6"),
    (10, "iso-8859-7"),
    (11, "iso-8859-8"),
    (12, "iso-8859-9"),
    (13, "iso-8859-10"),
    (17, "shift_jis"),
    (18, "euc-jp"),
    (36, "ks_c_5601-1987"),
    (37, "iso-2022-kr"),
    (38, "euc-kr"),
    (39, "iso-2022-jp"),
    (57, "gb_2312-80"),
    (106, "utf-8"),
    (109, "iso-8859-13"),
    (110, "iso-8859-14"),
    (111, "iso-8859-15"),
    (112, "iso-8859-16"),
    (113, "gbk"),
    (114, "gb18030"),
    (1000, "iso-10646-ucs-2"),
    (1001, "iso-10646-ucs-4"),
    (1012, "utf-7"),
    (1013, "utf-16be"),
    (1014, "utf-16le"),
    (1015, "utf-16"),
    (2025, "gb2312"),
    (2026, "big5"),
    (2084, "koi8-r"),
    (2088, "koi8-u"),
    (2109, "windows-874"),
    (2250, "windows-1250"),
    (2251, "windows-1251"),
    (2252, "windows-1252"),
    (2253, "windows-1253"),
    (2254, "windows-1254"),
    (2255, "windows-1255"),
    (2256, "windows-1256"),
    (2257, "windows-1257"),
    (2258, "windows-1258"),
    (2259, "tis-620"),
];

/// Names under which mailers know charsets of [`CHARSETS`].
const CHARSET_ALIASES: &[(&str, &str)] = &[
    ("ascii", "us-ascii"),
    ("latin1", "iso-8859-1"),
    ("latin-1", "iso-8859-1"),
    ("utf8", "utf-8"),
    ("ucs-2", "iso-10646-ucs-2"),
    ("sjis", "shift_jis"),
    ("shift-jis", "shift_jis"),
    ("cp1251", "windows-1251"),
    ("cp1252", "windows-1252"),
];

/// Header field names (WAP-230-WSP table 39, code page 1): the index is the field number.
pub const HEADERS: &[&str] = &[
    "Accept",                    // 00
    "Accept-Charset",            // 01
    "Accept-Encoding",           // 02
    "Accept-Language",           // 03
    "Accept-Ranges",             // 04
    "Age",                       // 05
    "Allow",                     // 06
    "Authorization",             // 07
    "Cache-Control",             // 08
    "Connection",                // 09
    "Content-Base",              // 0A
    "Content-Encoding",          // 0B
    "Content-Language",          // 0C
    "Content-Length",            // 0D
    "Content-Location",          // 0E
    "Content-MD5",               // 0F
    "Content-Range",             // 10
    "Content-Type",              // 11
    "Date",                      // 12
    "ETag",                      // 13
    "Expires",                   // 14
    "From",                      // 15
    "Host",                      // 16
    "If-Modified-Since",         // 17
    "If-Match",                  // 18
    "If-None-Match",             // 19
    "If-Range",                  // 1A
    "If-Unmodified-Since",       // 1B
    "Location",                  // 1C
    "Last-Modified",             // 1D
    "Max-Forwards",              // 1E
    "Pragma",                    // 1F
    "Proxy-Authenticate",        // 20
    "Proxy-Authorization",       // 21
    "Public",                    // 22
    "Range",                     // 23
    "Referer",                   // 24
    "Retry-After",               // 25
    "Server",                    // 26
    "Transfer-Encoding",         // 27
    "Upgrade",                   // 28
    "User-Agent",                // 29
    "Vary",                      // 2A
    "Via",                       // 2B
    "Warning",                   // 2C
    "WWW-Authenticate",          // 2D
    "Content-Disposition",       // 2E
    "X-Wap-Application-Id",      // 2F
    "X-Wap-Content-URI",         // 30
    "X-Wap-Initiator-URI",       // 31
    "Accept-Application",        // 32
    "Bearer-Indication",         // 33
    "Push-Flag",                 // 34
    "Profile",                   // 35
    "Profile-Diff",              // 36
    "Profile-Warning",           // 37
    "Expect",                    // 38
    "TE",                        // 39
    "Trailer",                   // 3A
    "Accept-Charset",            // 3B
    "Accept-Encoding",           // 3C
    "Cache-Control",             // 3D
    "Content-Range",             // 3E
    "X-Wap-Tod",                 // 3F
    "Content-ID",                // 40
    "Set-Cookie",                // 41
    "Cookie",                    // 42
    "Encoding-Version",          // 43
    "Profile-Warning",           // 44
    "Content-Disposition",       // 45
    "X-WAP-Security",            // 46
    "Cache-Control",             // 47
    "Content-Transfer-Encoding", // 48
];

/// How a parameter's value is written (WAP-230-WSP table 38).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Well-known-charset.
    Charset,
    /// A field name: a code or a text.
    Field,
    /// Integer-value, Date-value, Delta-seconds-value or Short-integer.
    Integer,
    /// Constrained-encoding: a content type.
    Media,
    /// No-value.
    Nothing,
    /// Q-value.
    Quality,
    /// Text-string or Text-value.
    Text,
    /// Version-value.
    Version,
}

/// One row of [`PARAMETERS`].
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The assigned number; 0x80 is added on the wire.
    pub code: u8,
    /// The name, lower case.
    pub name: &'static str,
    /// The grammar of the value.
    pub kind: ParameterKind,
    /// The encoding version that brought it: major, minor.
    pub since: (u8, u8),
}

const fn parameter(code: u8, name: &'static str, kind: ParameterKind, minor: u8) -> Parameter {
    Parameter { code, name, kind, since: (1, minor) }
}

/// Parameters (WAP-230-WSP table 38). A name that stands twice has an older code, which comes first and is the one to
/// write: some phones lose the whole body over the newer one.
pub const PARAMETERS: &[Parameter] = &[
    parameter(0x00, "q", ParameterKind::Quality, 1),
    parameter(0x01, "charset", ParameterKind::Charset, 1),
    parameter(0x02, "level", ParameterKind::Version, 1),
    parameter(0x03, "type", ParameterKind::Media, 1),
    parameter(0x05, "name", ParameterKind::Text, 1),
    parameter(0x06, "filename", ParameterKind::Text, 1),
    parameter(0x07, "differences", ParameterKind::Field, 1),
    parameter(0x08, "padding", ParameterKind::Integer, 1),
    parameter(0x09, "type", ParameterKind::Media, 2),
    parameter(0x0A, "start", ParameterKind::Text, 2),
    parameter(0x0B, "start-info", ParameterKind::Text, 2),
    parameter(0x0C, "comment", ParameterKind::Text, 3),
    parameter(0x0D, "domain", ParameterKind::Text, 3),
    parameter(0x0E, "max-age", ParameterKind::Integer, 3),
    parameter(0x0F, "path", ParameterKind::Text, 3),
    parameter(0x10, "secure", ParameterKind::Nothing, 3),
    parameter(0x11, "sec", ParameterKind::Integer, 4),
    parameter(0x12, "mac", ParameterKind::Text, 4),
    parameter(0x13, "creation-date", ParameterKind::Integer, 4),
    parameter(0x14, "modification-date", ParameterKind::Integer, 4),
    parameter(0x15, "read-date", ParameterKind::Integer, 4),
    parameter(0x16, "size", ParameterKind::Integer, 4),
    parameter(0x17, "name", ParameterKind::Text, 4),
    parameter(0x18, "filename", ParameterKind::Text, 4),
    parameter(0x19, "start", ParameterKind::Text, 4),
    parameter(0x1A, "start-info", ParameterKind::Text, 4),
    parameter(0x1B, "comment", ParameterKind::Text, 4),
    parameter(0x1C, "domain", ParameterKind::Text, 4),
    parameter(0x1D, "path", ParameterKind::Text, 4),
];

/// Field number of Content-Location.
pub const CONTENT_LOCATION: u8 = 0x0E;
/// Field number of Content-Type, as some phones repeat it among a part's headers.
pub const CONTENT_TYPE: u8 = 0x11;
/// Field number of Content-Disposition since 1.1.
pub const CONTENT_DISPOSITION: u8 = 0x2E;
/// Field number of Content-ID.
pub const CONTENT_ID: u8 = 0x40;
/// Field number of Content-Disposition since 1.4.
pub const CONTENT_DISPOSITION_14: u8 = 0x45;
/// Content-Transfer-Encoding: not assigned by WSP, used by Android.
pub const CONTENT_TRANSFER_ENCODING: u8 = 0x48;

/// Content-Disposition kinds (WAP-230-WSP 8.4.2.21): the index is the code.
pub const DISPOSITIONS: &[&str] = &["form-data", "attachment", "inline"];

/// The content type of a code.
pub fn content_type_name(code: u64) -> Option<&'static str> {
    let code = u16::try_from(code).ok()?;
    CONTENT_TYPES.binary_search_by_key(&code, |row| row.0).ok().map(|at| CONTENT_TYPES[at].1)
}

/// The short-integer code to write for a content type, in any case; `None` where text is safer.
pub fn content_type_code(name: &str) -> Option<u8> {
    let code = CONTENT_TYPES.iter().find(|row| row.1.eq_ignore_ascii_case(name))?.0;
    (code <= LAST_SAFE_TYPE && !DISPUTED_TYPES.contains(&code)).then_some(code as u8)
}

/// The name of a charset by MIBenum.
pub fn charset_name(mib: u64) -> Option<&'static str> {
    let mib = u16::try_from(mib).ok()?;
    CHARSETS.binary_search_by_key(&mib, |row| row.0).ok().map(|at| CHARSETS[at].1)
}

/// The MIBenum of a charset by name or common alias, in any case.
pub fn charset_mib(name: &str) -> Option<u16> {
    let alias = CHARSET_ALIASES.iter().find(|row| row.0.eq_ignore_ascii_case(name));
    let name = alias.map_or(name, |row| row.1);
    CHARSETS.iter().find(|row| row.1.eq_ignore_ascii_case(name)).map(|row| row.0)
}

/// The name of a header field by number.
pub fn header_name(number: u8) -> Option<&'static str> {
    HEADERS.get(usize::from(number)).copied()
}

/// The row of a parameter by code, the 0x80 taken off.
pub fn parameter_by_code(code: u8) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|row| row.code == code)
}
