//! What the information lines of the commands used here say. Each function takes what follows `+NAME:`.

use std::fmt;

/// Registration with the network (TS 27.007 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Registration {
    /// Not registered, and not looking for a network.
    Idle,
    /// With its own network.
    Home,
    /// Not registered, looking for a network.
    Searching,
    /// The network does not let it in.
    Denied,
    /// The modem does not know.
    Unknown,
    /// With another network.
    Roaming,
}

impl Registration {
    /// Whether short messages can be sent.
    pub fn is_registered(self) -> bool {
        matches!(self, Registration::Home | Registration::Roaming)
    }

    fn of(number: u8) -> Self {
        match number {
            0 => Registration::Idle,
            1 | 6 | 9 => Registration::Home, // 6: for short messages only; 9: those preferred not
            2 => Registration::Searching,
            3 | 8 => Registration::Denied, // 8: emergency calls only
            5 | 7 | 10 => Registration::Roaming,
            _ => Registration::Unknown,
        }
    }
}

/// In words, behind "the modem is".
impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Registration::Idle => "not registered and not looking for a network",
            Registration::Home => "registered",
            Registration::Searching => "looking for a network",
            Registration::Denied => "denied by the network",
            Registration::Unknown => "not registered as far as it knows",
            Registration::Roaming => "roaming",
        })
    }
}

/// A message of a list (`+CMGL`), or where it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listed {
    /// Its place in the memory.
    pub index: u16,
    /// Its state: 0 and 1 arrived, 2 and 3 are to be sent or were.
    pub status: u8,
}

/// `+CREG`, `+CGREG`, `+CEREG`: as the answer `n,stat,…` or as it comes unasked, `stat,…`.
pub fn registration(value: &str) -> Option<Registration> {
    let fields = fields(value);
    // Behind the state stands a location area, which is in quotes.
    let plain = value.split(',').nth(1).is_some_and(|second| !second.contains('"'));
    let state = if plain { fields.get(1) } else { fields.first() };
    number(state?).map(Registration::of)
}

/// `+CSQ`: the signal in dBm (TS 27.007 8.5); `None` when the modem does not know.
pub fn signal(value: &str) -> Option<i16> {
    let strength: i16 = number(fields(value).first()?)?;
    (0..=31).contains(&strength).then(|| strength * 2 - 113)
}

/// `+COPS`: the network's name or number.
pub fn operator(value: &str) -> Option<String> {
    fields(value).get(2).filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}

/// `+CPINR`: how many more times the SIM lets the PIN be tried (TS 27.007 8.65).
pub fn pin_retries(value: &str) -> Option<u8> {
    let fields = fields(value);
    (*fields.first()? == "SIM PIN").then(|| number(fields.get(1)?)).flatten()
}

/// `+CMGS`: the message reference (TS 27.005 3.5.1).
pub fn sent(value: &str) -> Option<u8> {
    number(fields(value).first()?)
}

/// `+CMGL`: where the message lies.
pub fn listed(value: &str) -> Option<Listed> {
    let fields = fields(value);
    Some(Listed { index: number(fields.first()?)?, status: number(fields.get(1)?)? })
}

/// `+CPMS?`: the memories that are read, written and filled by what arrives (TS 27.005 3.2.2), each with how much of it is
/// used and how much there is.
pub fn memories(value: &str) -> Vec<(String, u16, u16)> {
    let one = |memory: &[&str]| Some(((*memory.first()?).to_owned(), number(memory.get(1)?)?, number(memory.get(2)?)?));
    fields(value).chunks(3).map_while(one).collect()
}

/// The values that a test command offers for each parameter: `(0-2),(0,1),3` (ITU-T V.250 5.7.3). Texts and values above
/// 63 are left out.
pub fn offers(value: &str) -> Vec<Vec<u8>> {
    let mut groups = vec![Vec::new()];
    let mut inside = false;
    for piece in value.split_inclusive([',', '(', ')']) {
        let (text, end) = match piece.char_indices().next_back() {
            Some((at, end @ (',' | '(' | ')'))) => (&piece[..at], Some(end)),
            _ => (piece, None),
        };
        if let Some(last) = groups.last_mut() {
            last.extend(range(text));
        }
        match end {
            Some('(') => inside = true,
            Some(')') => inside = false,
            Some(',') if !inside => groups.push(Vec::new()),
            _ => {}
        }
    }
    groups
}

fn range(text: &str) -> impl Iterator<Item = u8> {
    const MOST: u8 = 63;
    let bounds = match text.split_once('-') {
        Some((from, to)) => number::<u8>(from).zip(number::<u8>(to)),
        None => number::<u8>(text).map(|one| (one, one)),
    };
    let (from, to) = bounds.unwrap_or((1, 0)); // nothing
    (from..=to.min(MOST)).take_while(|value| *value <= MOST)
}

/// The fields between commas, without quotes; a comma in quotes parts nothing.
pub(super) fn fields(value: &str) -> Vec<&str> {
    let mut quoted = false;
    let parts = value.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.map(|field| field.trim().trim_matches('"')).collect()
}

pub(super) fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.trim().parse().ok()
}
