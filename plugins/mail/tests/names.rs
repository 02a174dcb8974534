//! Parties as mail addresses.

use packetboat_api::mime::Headers;
use packetboat_plugin_mail::names::Names;

fn names() -> Names {
    Names { domain: "mms.test".to_owned() }
}

#[test]
fn every_kind_of_party_has_an_address() {
    for (party, wanted) in [
        ("+447700900123", "+447700900123@mms.test"),
        ("7777", "7777@mms.test"),
        ("Bob@Example.NET", "Bob@example.net"),
        ("zoë@exämple.org", "zoë@xn--exmple-cua.org"),
        ("192.0.2.1/TYPE=IPv4", "192.0.2.1/TYPE=IPv4@mms.test"),
        ("2001:db8::1/TYPE=IPv6", "\"2001:db8::1/TYPE=IPv6\"@mms.test"),
    ] {
        let address = names().address(&party.parse().expect(party)).expect(party);
        assert_eq!(address.to_string(), wanted);
    }
}

#[test]
fn numbers_in_header_fields_get_a_domain_and_nothing_else_changes() {
    for (written, wanted) in [
        ("+447700900123/TYPE=PLMN", Some("+447700900123@mms.test")),
        ("+447700900123/type=plmn, 7777/TYPE=PLMN", Some("+447700900123@mms.test, 7777@mms.test")),
        ("\"B, Ann\" <ann@three.test>, bob@one.test", Some("\"B, Ann\" <ann@three.test>, bob@one.test")),
        ("undisclosed-recipients:;", Some("undisclosed-recipients:;")),
        ("", None),
    ] {
        let mut headers = Headers::default();
        headers.push("To", written);
        headers.push("Subject", "+447700900123/TYPE=PLMN");
        names().rewrite(&mut headers);
        assert_eq!(headers.first("To"), wanted, "{written}");
        assert_eq!(headers.first("Subject"), Some("+447700900123/TYPE=PLMN"));
    }
}
