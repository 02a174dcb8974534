//! The code pages of PROV (OMA-WAP-ProvCont-v1_1 7; page 0 is WAP-183-PROVCONT 7 and what was added to it).
//!
//! A name without a row is written as text, and a token without one is read as [`unknown`] text that writing turns back into
//! the token.

use crate::wbxml::Name;

/// One page's tokens.
type Page = &'static [(u8, &'static str)];

/// `type` of a characteristic, page 0.
const TYPES_0: Page = &[
    (0x51, "PXLOGICAL"),
    (0x52, "PXPHYSICAL"),
    (0x53, "PORT"),
    (0x54, "VALIDITY"),
    (0x55, "NAPDEF"),
    (0x56, "BOOTSTRAP"),
    (0x57, "VENDORCONFIG"),
    (0x58, "CLIENTIDENTITY"),
    (0x59, "PXAUTHINFO"),
    (0x5A, "NAPAUTHINFO"),
    (0x5B, "ACCESS"),
];
/// `type` of a characteristic, page 1.
const TYPES_1: Page = &[
    (0x53, "PORT"),
    (0x55, "APPLICATION"),
    (0x56, "APPADDR"),
    (0x57, "APPAUTH"),
    (0x58, "CLIENTIDENTITY"),
    (0x59, "RESOURCE"),
];
/// Added later: read, and written as text, which every phone takes.
const TYPES_LATER: [Page; 2] = [&[(0x5C, "BEARERINFO"), (0x5D, "DNS-ADDRINFO")], &[(0x5A, "WLAN")]];

/// `name` of a parameter, page 0.
const NAMES_0: Page = &[
    (0x07, "NAME"),
    (0x08, "NAP-ADDRESS"),
    (0x09, "NAP-ADDRTYPE"),
    (0x0A, "CALLTYPE"),
    (0x0B, "VALIDUNTIL"),
    (0x0C, "AUTHTYPE"),
    (0x0D, "AUTHNAME"),
    (0x0E, "AUTHSECRET"),
    (0x0F, "LINGER"),
    (0x10, "BEARER"),
    (0x11, "NAPID"),
    (0x12, "COUNTRY"),
    (0x13, "NETWORK"),
    (0x14, "INTERNET"),
    (0x15, "PROXY-ID"),
    (0x16, "PROXY-PROVIDER-ID"),
    (0x17, "DOMAIN"),
    (0x18, "PROVURL"),
    (0x19, "PXAUTH-TYPE"),
    (0x1A, "PXAUTH-ID"),
    (0x1B, "PXAUTH-PW"),
    (0x1C, "STARTPAGE"),
    (0x1D, "BASAUTH-ID"),
    (0x1E, "BASAUTH-PW"),
    (0x1F, "PUSHENABLED"),
    (0x20, "PXADDR"),
    (0x21, "PXADDRTYPE"),
    (0x22, "TO-NAPID"),
    (0x23, "PORTNBR"),
    (0x24, "SERVICE"),
    (0x25, "LINKSPEED"),
    (0x26, "DNLINKSPEED"),
    (0x27, "LOCAL-ADDR"),
    (0x28, "LOCAL-ADDRTYPE"),
    (0x29, "CONTEXT-ALLOW"),
    (0x2A, "TRUST"),
    (0x2B, "MASTER"),
    (0x2C, "SID"),
    (0x2D, "SOC"),
    (0x2E, "WSP-VERSION"),
    (0x2F, "PHYSICAL-PROXY-ID"),
    (0x30, "CLIENT-ID"),
    (0x31, "DELIVERY-ERR-SDU"),
    (0x32, "DELIVERY-ORDER"),
    (0x33, "TRAFFIC-CLASS"),
    (0x34, "MAX-SDU-SIZE"),
    (0x35, "MAX-BITRATE-UPLINK"),
    (0x36, "MAX-BITRATE-DNLINK"),
    (0x37, "RESIDUAL-BER"),
    (0x38, "SDU-ERROR-RATIO"),
    (0x39, "TRAFFIC-HANDL-PRIO"),
    (0x3A, "TRANSFER-DELAY"),
    (0x3B, "GUARANTEED-BITRATE-UPLINK"),
    (0x3C, "GUARANTEED-BITRATE-DNLINK"),
    (0x3D, "PXADDR-FQDN"),
    (0x3E, "PROXY-PW"),
    (0x3F, "PPGAUTH-TYPE"),
    (0x47, "PULLENABLED"),
    (0x48, "DNS-ADDR"),
    (0x49, "MAX-NUM-RETRY"),
    (0x4A, "FIRST-RETRY-TIMEOUT"),
    (0x4B, "REREG-THRESHOLD"),
    (0x4C, "T-BIT"),
    (0x4E, "AUTH-ENTITY"),
    (0x4F, "SPI"),
];
/// `name` of a parameter, page 1. Those that page 0 has too are written on page 0: not every decoder knows them here.
const NAMES_1: Page = &[
    (0x07, "NAME"),
    (0x14, "INTERNET"),
    (0x1C, "STARTPAGE"),
    (0x22, "TO-NAPID"),
    (0x23, "PORTNBR"),
    (0x24, "SERVICE"),
    (0x2E, "AACCEPT"),
    (0x2F, "AAUTHDATA"),
    (0x30, "AAUTHLEVEL"),
    (0x31, "AAUTHNAME"),
    (0x32, "AAUTHSECRET"),
    (0x33, "AAUTHTYPE"),
    (0x34, "ADDR"),
    (0x35, "ADDRTYPE"),
    (0x36, "APPID"),
    (0x37, "APROTOCOL"),
    (0x38, "PROVIDER-ID"),
    (0x39, "TO-PROXY"),
    (0x3A, "URI"),
    (0x3B, "RULE"),
];
/// Added later: read, and written as text.
const NAMES_LATER: [Page; 2] = [&[], &[(0x3C, "APPREF"), (0x3D, "TO-APPREF")]];

/// `value` of a parameter, page 0.
const VALUES_0: Page = &[
    (0x85, "IPV4"),
    (0x86, "IPV6"),
    (0x87, "E164"),
    (0x88, "ALPHA"),
    (0x89, "APN"),
    (0x8A, "SCODE"),
    (0x8B, "TETRA-ITSI"),
    (0x8C, "MAN"),
    (0x90, "ANALOG-MODEM"),
    (0x91, "V.120"),
    (0x92, "V.110"),
    (0x93, "X.31"),
    (0x94, "BIT-TRANSPARENT"),
    (0x95, "DIRECT-ASYNCHRONOUS-DATA-SERVICE"),
    (0x9A, "PAP"),
    (0x9B, "CHAP"),
    (0x9C, "HTTP-BASIC"),
    (0x9D, "HTTP-DIGEST"),
    (0x9E, "WTLS-SS"),
    (0x9F, "MD5"),
    (0xA2, "GSM-USSD"),
    (0xA3, "GSM-SMS"),
    (0xA4, "ANSI-136-GUTS"),
    (0xA5, "IS-95-CDMA-SMS"),
    (0xA6, "IS-95-CDMA-CSD"),
    (0xA7, "IS-95-CDMA-PACKET"),
    (0xA8, "ANSI-136-CSD"),
    (0xA9, "ANSI-136-GPRS"),
    (0xAA, "GSM-CSD"),
    (0xAB, "GSM-GPRS"),
    (0xAC, "AMPS-CDPD"),
    (0xAD, "PDC-CSD"),
    (0xAE, "PDC-PACKET"),
    (0xAF, "IDEN-SMS"),
    (0xB0, "IDEN-CSD"),
    (0xB1, "IDEN-PACKET"),
    (0xB2, "FLEX/REFLEX"),
    (0xB3, "PHS-SMS"),
    (0xB4, "PHS-CSD"),
    (0xB5, "TETRA-SDS"),
    (0xB6, "TETRA-PACKET"),
    (0xB7, "ANSI-136-GHOST"),
    (0xB8, "MOBITEX-MPAK"),
    (0xB9, "CDMA2000-1X-SIMPLE-IP"),
    (0xBA, "CDMA2000-1X-MOBILE-IP"),
    (0xC5, "AUTOBAUDING"),
    (0xCA, "CL-WSP"),
    (0xCB, "CO-WSP"),
    (0xCC, "CL-SEC-WSP"),
    (0xCD, "CO-SEC-WSP"),
    (0xCE, "CL-SEC-WTA"),
    (0xCF, "CO-SEC-WTA"),
    (0xD0, "OTA-HTTP-TO"),
    (0xD1, "OTA-HTTP-TLS-TO"),
    (0xD2, "OTA-HTTP-PO"),
    (0xD3, "OTA-HTTP-TLS-PO"),
    (0xE0, "AAA"),
    (0xE1, "HA"),
];
/// Page 1, and what page 0 got later: read, and written as text, so that no page switch stands inside a value.
const VALUES_LATER: [Page; 2] = [
    &[(0xBB, "3G-GSM"), (0xBC, "WLAN")],
    &[
        (0x86, "IPV6"),
        (0x87, "E164"),
        (0x88, "ALPHA"),
        (0x8D, "APPSRV"),
        (0x8E, "OBEX"),
        (0x90, ","),
        (0x91, "HTTP-"),
        (0x92, "BASIC"),
        (0x93, "DIGEST"),
    ],
];

/// The parameters whose values are words of the specification; only those are written as tokens.
const ENUMERATED: [&str; 6] = ["BEARER", "LINKSPEED", "DNLINKSPEED", "SERVICE", "AUTH-ENTITY", "CALLTYPE"];

fn number(page: Page, word: &str) -> Option<u8> {
    page.iter().find(|(_, found)| *found == word).map(|(number, _)| *number)
}

fn word(page: u8, number: u8, known: [Page; 2], later: [Page; 2]) -> Option<&'static str> {
    let page = usize::from(page);
    let rows = [known.get(page)?, later.get(page)?];
    rows.into_iter().flat_map(|page| page.iter()).find(|(found, _)| *found == number).map(|(_, word)| *word)
}

fn known_type(page: u8, number: u8) -> Option<&'static str> {
    word(page, number, [TYPES_0, TYPES_1], TYPES_LATER)
}

fn known_name(page: u8, number: u8) -> Option<&'static str> {
    word(page, number, [NAMES_0, NAMES_1], NAMES_LATER)
}

fn known_value(page: u8, number: u8) -> Option<&'static str> {
    word(page, number, [VALUES_0, &[]], VALUES_LATER)
}

/// A token nobody here knows, as text: `#1:5c`.
pub(crate) fn unknown(page: u8, number: u8) -> String {
    format!("#{page}:{number:02x}")
}

/// The token that [`unknown`] made this text of.
pub(crate) fn from_unknown(text: &str) -> Option<(u8, u8)> {
    let (page, number) = text.strip_prefix('#')?.split_once(':')?;
    let (page, number) = (page.parse().ok()?, u8::from_str_radix(number, 16).ok()?);
    (unknown(page, number) == text).then_some((page, number))
}

/// The token of a text that [`unknown`] made, if it is in `range` and has no name of its own.
fn kept(text: &str, range: impl Fn(u8) -> bool, known: fn(u8, u8) -> Option<&'static str>) -> Option<(u8, u8)> {
    from_unknown(text).filter(|(page, number)| range(*number) && known(*page, *number).is_none())
}

fn is_start(number: u8) -> bool {
    matches!(number, 0x07..=0x3F | 0x45..=0x7F)
}

/// What a characteristic of this attribute start is.
pub(super) fn type_of(page: u8, number: u8) -> String {
    known_type(page, number).map_or_else(|| unknown(page, number), str::to_owned)
}

/// The attribute start of a type.
pub(super) fn type_token(kind: &str) -> Option<Name> {
    let token =
        number(TYPES_0, kind).map(|number| (0, number)).or_else(|| number(TYPES_1, kind).map(|number| (1, number)));
    let token = token.or_else(|| kept(kind, |number| is_start(number) && number != 0x50, known_type));
    token.map(|(page, number)| Name::Token { page, number })
}

/// The name of a parameter of this attribute start.
pub(super) fn name_of(page: u8, number: u8) -> String {
    known_name(page, number).map_or_else(|| unknown(page, number), str::to_owned)
}

/// The attribute start of a name.
pub(super) fn name_token(name: &str) -> Option<Name> {
    let token =
        number(NAMES_0, name).map(|number| (0, number)).or_else(|| number(NAMES_1, name).map(|number| (1, number)));
    let token = token.or_else(|| kept(name, is_start, known_name));
    token.map(|(page, number)| Name::Token { page, number })
}

/// The text of a value token.
pub(super) fn value_of(page: u8, number: u8) -> String {
    known_value(page, number).map_or_else(|| unknown(page, number), str::to_owned)
}

/// The token of a value of the parameter of this name: page and number.
pub(super) fn value_token(name: &str, value: &str) -> Option<(u8, u8)> {
    let enumerated =
        ENUMERATED.contains(&name) || name.ends_with("ADDRTYPE") || name.ends_with("AUTH-TYPE") || name == "AUTHTYPE";
    let token = number(VALUES_0, value).filter(|_| enumerated).map(|number| (0, number));
    token.or_else(|| kept(value, |number| matches!(number, 0x85..=0xBF | 0xC5..), known_value))
}
