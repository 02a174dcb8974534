//! What a server announces in its reply to EHLO (RFC 5321 4.1.1.1).

/// The extensions this client makes use of; STARTTLS and AUTH are lettre's to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Features {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// SIZE, with the most octets of a message; 0 is no limit (RFC 1870 4).
    pub size: Option<u64>,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub utf8: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
}

impl Features {
    /// From what was heard on a connection so far: a greeting and the reply to EHLO.
    pub fn from_talk(heard: &[u8]) -> Features {
        let text = String::from_utf8_lossy(heard);
        let lines = text.lines().filter_map(|line| line.strip_prefix("250-").or_else(|| line.strip_prefix("250 ")));
        let mut features = Features::default();
        for line in lines.skip(1) {
            let mut words = line.split_ascii_whitespace();
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "PIPELINING" => features.pipelining = true,
                "SIZE" => features.size = Some(words.next().and_then(|limit| limit.parse().ok()).unwrap_or(0)),
                "8BITMIME" => features.eight_bit = true,
                "SMTPUTF8" => features.utf8 = true,
                "DSN" => features.dsn = true,
                _ => {}
            }
        }
        features
    }

    /// Whether a message of so many octets is over the announced limit.
    pub fn is_too_large(&self, octets: u64) -> bool {
        self.size.is_some_and(|limit| limit > 0 && octets > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::Features;

    #[test]
    fn keywords_are_read_without_case_and_unknown_ones_passed_over() {
        let heard = b"220 mx ESMTP\r\n250-mx PIPELINING\r\n250-pipelining\r\n250-SIZE 1000\r\n250-X-Y z\r\n250 dsn\r\n";
        let features = Features::from_talk(heard);
        assert_eq!(features, Features { pipelining: true, size: Some(1000), dsn: true, ..Features::default() });
        assert!(features.is_too_large(1001) && !features.is_too_large(1000));
        let only_a_name = Features::from_talk(b"220 mx\r\n250 PIPELINING\r\n");
        assert_eq!(only_a_name, Features::default());
    }
}
