//! Numbers as people and mailers write them, brought to E.164.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::party::{MAX_DIGITS, Msisdn};

/// How national numbers of this node's default region are written (ITU-T E.164, E.123).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NumberPlan {
    /// Country code that numbers without one belong to. Without it only international numbers are taken.
    #[schemars(example = &"44")]
    pub country_code: Option<String>,
    /// What is dialled before a country code in place of the plus sign.
    #[schemars(example = &"00")]
    pub international_prefix: Option<String>,
    /// What is dialled before a national number and is not part of it.
    #[schemars(example = &"0")]
    pub national_prefix: Option<String>,
    /// How many digits a national number has, without its prefix; empty accepts any length.
    #[schemars(example = [10])]
    pub national_lengths: Vec<u8>,
}

impl NumberPlan {
    /// What cannot be: prefixes are digits. An error is `(key, message)`.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        for (key, prefix) in [
            ("country_code", &self.country_code),
            ("international_prefix", &self.international_prefix),
            ("national_prefix", &self.national_prefix),
        ] {
            let Some(prefix) = prefix else { continue };
            if prefix.is_empty() || prefix.len() > MAX_DIGITS || !prefix.bytes().all(|b| b.is_ascii_digit()) {
                return Err((key, format!("\"{prefix}\" is not what is dialled: write digits, without a plus sign")));
            }
        }
        let most = MAX_DIGITS - self.country_code.as_ref().map_or(1, String::len);
        match self.national_lengths.iter().find(|n| !(1..=most).contains(&usize::from(**n))) {
            Some(length) => {
                Err(("national_lengths", format!("{length} digits with a country code are no number (E.164)")))
            }
            None => Ok(()),
        }
    }

    /// Reads `+1 555 123 4567`, `(555) 123-4567`, `555-123-4567`, `0044…`, `+44 (0)7700 900123`, with or without country
    /// code.
    pub fn parse(&self, text: &str) -> Option<Msisdn> {
        let text = text.trim();
        let tag = text.to_ascii_uppercase().rfind("/TYPE=PLMN");
        let text = tag.map_or(text, |at| &text[..at]);
        let plus = text.starts_with('+');
        // "(0)" is what people write for "only when dialled at home": it is no part of an international number.
        let text = if plus { &text.replacen("(0)", "", 1) } else { text };
        let mut digits = String::new();
        for c in text.chars().skip(usize::from(plus)) {
            match c {
                '0'..='9' if digits.len() < 2 * MAX_DIGITS => digits.push(c),
                ' ' | '-' | '.' | '(' | ')' | '/' => {}
                _ => return None,
            }
        }
        if plus {
            return Msisdn::new(&digits);
        }
        let international = self.international_prefix.as_deref().filter(|p| !p.is_empty());
        if let Some(rest) = international.and_then(|prefix| digits.strip_prefix(prefix)) {
            return Msisdn::new(rest);
        }
        let country = self.country_code.as_deref()?;
        let prefix = self.national_prefix.as_deref().filter(|p| !p.is_empty());
        if let Some(national) = prefix.and_then(|prefix| digits.strip_prefix(prefix)) {
            return self.national(country, national);
        }
        let with_country = digits.strip_prefix(country).filter(|rest| self.length_fits(rest));
        match with_country {
            // "15551234567": the country code without its plus, unless the number is already a whole national one.
            Some(_) if self.national_lengths.is_empty() || !self.length_fits(&digits) => Msisdn::new(&digits),
            _ => self.national(country, &digits),
        }
    }

    fn national(&self, country: &str, national: &str) -> Option<Msisdn> {
        self.length_fits(national).then(|| Msisdn::new(&format!("{country}{national}"))).flatten()
    }

    fn length_fits(&self, national: &str) -> bool {
        let lengths = &self.national_lengths;
        if lengths.is_empty() { national.len() >= 6 } else { lengths.iter().any(|n| usize::from(*n) == national.len()) }
    }
}
