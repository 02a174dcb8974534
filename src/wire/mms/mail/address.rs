//! Addresses between MM1 and MIME header fields (OMA-TS-MMS_ENC 8, RFC 4356 2.1.1).

/// Precedes the kind of an address that is no mail address.
const TYPE: &str = "/TYPE=";

/// An address of a MIME message as MM1 writes it: `+447700900123/TYPE=PLMN` for numbers, mail addresses as they are.
///
/// A number gets its type, and a typed address loses the domain that carried it through mail. A number at a domain
/// without a type is a mail address: only the caller knows which domains are its own.
pub fn mm1_address(address: &str) -> String {
    let address = address.trim();
    if let Some(at) = find_type(address) {
        let (value, kind) = address.split_at(at);
        let kind = kind[TYPE.len()..].split('@').next().unwrap_or_default();
        return format!("{value}{TYPE}{kind}");
    }
    match is_number(address) {
        true => format!("{address}{TYPE}PLMN"),
        false => address.to_owned(),
    }
}

fn find_type(address: &str) -> Option<usize> {
    let at = address.as_bytes().windows(TYPE.len()).position(|window| window.eq_ignore_ascii_case(TYPE.as_bytes()))?;
    Some(at)
}

fn is_number(address: &str) -> bool {
    let digits = address.strip_prefix('+').unwrap_or(address);
    !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit())
}

/// An MM1 address as one member of an address field: controls out, and a display name with specials quoted, so that
/// a comma in it does not make two addresses of one.
pub(super) fn member(address: &str) -> String {
    let clean = super::fields::one_line(address);
    let Some((name, spec)) = clean.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) else {
        return clean.replace([',', ';'], " ");
    };
    let name = name.trim().trim_matches('"');
    packetboat_mime::Mailbox {
        name: (!name.is_empty()).then(|| name.to_owned()),
        address: spec.trim().replace([',', ';', '<', '>'], " "),
    }
    .to_string()
}
