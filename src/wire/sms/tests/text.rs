//! Texts become short messages and read the same again.

use packetboat_sms::{Alphabet, Reference, alphabet_of, from_septets, from_ucs2, segment_text};
use proptest::prelude::*;

const ONE: Reference = Reference::Eight(1);

fn read(segment: &packetboat_sms::TextSegment) -> String {
    match segment.alphabet {
        Alphabet::Gsm7 => from_septets(&segment.units()),
        Alphabet::Ucs2 => from_ucs2(&segment.units()),
    }
}

#[test]
fn the_tables_are_those_of_the_specification() {
    // TS 23.038 6.2.1: corners of the table, and an escape before each of the extension.
    let septets = |text: &str| segment_text(text, ONE).unwrap()[0].units();
    assert_eq!(septets("@Δ 0¡P¿pà"), [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x7F]);
    assert_eq!(septets("€[]"), [0x1B, 0x65, 0x1B, 0x3C, 0x1B, 0x3E]);
    assert_eq!(from_septets(&[0x1B, 0x41, 0x1B, 0x65]), "A€");
}

#[test]
fn a_text_takes_as_few_messages_as_it_can() {
    let many = |text: String| segment_text(&text, ONE).unwrap().len();
    assert_eq!(
        (many("a".repeat(160)), many("a".repeat(161)), many("a".repeat(306)), many("a".repeat(307))),
        (1, 2, 2, 3)
    );
    assert_eq!(
        (many("я".repeat(70)), many("я".repeat(71)), many("я".repeat(134)), many("я".repeat(135))),
        (1, 2, 2, 3)
    );
    assert_eq!(alphabet_of("à la carte €5"), Alphabet::Gsm7);
    assert_eq!(alphabet_of("ça"), Alphabet::Ucs2);
    let error = segment_text(&"a".repeat(153 * 256), ONE).unwrap_err();
    assert_eq!(error.to_string(), "a payload of 39168 octets does not fit 255 short messages");
}

#[test]
fn no_character_is_cut() {
    let escapes = segment_text(&"€".repeat(100), ONE).unwrap();
    assert_eq!(escapes.iter().map(|s| s.units().len()).collect::<Vec<_>>(), [152, 48]);
    let pairs = segment_text(&"🚢".repeat(40), ONE).unwrap();
    assert_eq!(pairs.iter().map(|s| s.text.chars().count()).collect::<Vec<_>>(), [33, 7]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_cut_reads_the_same(text in "[ -~]{0,400}|\\PC{0,300}", wide in any::<bool>()) {
        let reference = if wide { Reference::Sixteen(7) } else { Reference::Eight(7) };
        let segments = segment_text(&text, reference).unwrap();
        let most = |segment: &packetboat_sms::TextSegment| {
            let header = segment.header.as_ref().map_or(0, packetboat_sms::Udh::encoded_len);
            match segment.alphabet {
                Alphabet::Gsm7 => 160 - (header * 8).div_ceil(7),
                Alphabet::Ucs2 => 140 - header,
            }
        };
        prop_assert!(segments.iter().all(|segment| segment.units().len() <= most(segment)));
        prop_assert_eq!(segments.iter().map(read).collect::<String>(), text);
    }

    #[test]
    fn any_octets_are_some_text(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        from_septets(&octets);
        from_ucs2(&octets);
    }
}
