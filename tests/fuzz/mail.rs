//! A mail (RFC 5322, RFC 2045): read, asked everything, rendered, read again.

use bytes::Bytes;
use packetboat_mime::compose::{self, MailOptions, Options};
use packetboat_mime::report::{dsn, loop_facts, mdn};
use packetboat_mime::{
    Mail, Transport, addresses, decode_text, html_to_text, parse, render_to_bytes, smil, strip_history,
};

/// All that is done with a mail from outside.
pub fn mime(input: &[u8]) {
    let text = decode_text(input, "utf-8");
    drop((html_to_text(&text), strip_history(&text), smil::parse(&text), addresses(&text)));
    let octets = Bytes::copy_from_slice(input);
    let mail = match parse(&octets) {
        Ok(mail) => mail,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let plan = compose::plan(&mail, &Options::default());
    let texts = plan.needs().into_iter().cloned().collect();
    assert!(!plan.finish(texts).leaves().is_empty(), "no phone takes an MMS without parts");
    let plan = compose::mail_from_mms(&mail, &MailOptions { keep_presentation: true, ..MailOptions::default() });
    let read = plan.needs().into_iter().cloned().collect();
    plan.finish(read);
    drop((compose::mms_fields(&mail.headers, false), loop_facts(&mail.headers), dsn::parse(&mail), mdn::parse(&mail)));
    smil::order(&mail.root);
    let first = rendered(&mail);
    assert_eq!(contents(&rendered(&first)), contents(&first), "what is rendered reads as what was rendered");
}

/// Types and bodies. Header fields may change once more: what is no address where one belongs is mended anew each time.
fn contents(mail: &Mail) -> Vec<(&str, &[u8])> {
    let leaves = mail.root.leaves().into_iter();
    leaves.map(|leaf| (leaf.media.essence(), leaf.content().map_or(&[][..], |body| body))).collect()
}

fn rendered(mail: &Mail) -> Mail {
    let octets = render_to_bytes(mail, Transport::SevenBit, || "=_b".to_owned());
    for line in octets.split(|octet| *octet == b'\n') {
        assert!(line.len() <= 999, "a line of {} octets", line.len());
    }
    let bare = |pair: &[u8]| (pair[0] == b'\r') != (pair[1] == b'\n');
    assert!(!octets.windows(2).any(bare), "a bare CR or LF");
    parse(&octets).expect("what is rendered is within the limits")
}
