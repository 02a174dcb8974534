//! TP-DCS: how the user data is written (TS 23.038 4).

/// How characters or octets stand in the user data, and what TP-UDL counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coding {
    /// Septets of the default alphabet, packed; the length counts septets.
    Septets,
    /// Octets: binary data, or text that was compressed.
    Octets,
    /// 16-bit characters; the length counts octets.
    Ucs2,
}

/// The data coding scheme, as the octet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataCoding(pub u8);

impl DataCoding {
    /// Text in the default alphabet, no class.
    pub const TEXT: DataCoding = DataCoding(0x00);
    /// Octets, no class: what WAP pushes travel as.
    pub const BINARY: DataCoding = DataCoding(0x04);
    /// Text in UCS-2, no class.
    pub const UCS2: DataCoding = DataCoding(0x08);

    /// How the user data is written. What is reserved counts as the default alphabet, as the specification wants.
    pub fn coding(self) -> Coding {
        let alphabet = match self.0 >> 4 {
            // General data coding, and the same for messages to be deleted once read: compressed, or one of four alphabets.
            0b0000..=0b0111 if self.0 & 0b0010_0000 != 0 => 1,
            0b0000..=0b0111 => self.0 >> 2 & 0b11,
            // Message waiting, store, UCS-2.
            0b1110 => 2,
            // Data coding and message class.
            0b1111 => self.0 >> 2 & 1,
            _ => 0,
        };
        match alphabet {
            1 => Coding::Octets,
            2 => Coding::Ucs2,
            _ => Coding::Septets,
        }
    }

    /// The message class, 0 to 3, when there is one: 0 is shown at once and not kept, 2 is for the SIM.
    pub fn class(self) -> Option<u8> {
        let has_class = match self.0 >> 4 {
            0b0000..=0b0111 => self.0 & 0b0001_0000 != 0,
            group => group == 0b1111,
        };
        has_class.then_some(self.0 & 0b11)
    }
}
