//! Septets packed into octets, low bits first (TS 23.038 6.1.2.1.1).

/// Packs septets behind `fill` bits of zero (0 to 6): what brings text behind a header to a septet's beginning
/// (TS 23.040 9.2.3.24). The high bit of a septet is left out.
pub fn pack(septets: &[u8], fill: usize) -> Vec<u8> {
    let mut octets = vec![0u8; (fill + septets.len() * 7).div_ceil(8)];
    for (number, septet) in septets.iter().enumerate() {
        let at = fill + number * 7;
        let bits = u16::from(septet & 0x7F) << (at % 8);
        octets[at / 8] |= bits as u8; // the low half
        if let (Some(next), high @ 1..) = (octets.get_mut(at / 8 + 1), bits >> 8) {
            *next |= high as u8;
        }
    }
    octets
}

/// The `count` septets behind `fill` bits; fewer when the octets end before.
pub fn unpack(octets: &[u8], fill: usize, count: usize) -> Vec<u8> {
    let there = (octets.len() * 8).saturating_sub(fill) / 7;
    let septet = |number: usize| {
        let at = fill + number * 7;
        let low = u16::from(octets[at / 8]);
        let high = u16::from(octets.get(at / 8 + 1).copied().unwrap_or(0));
        ((high << 8 | low) >> (at % 8)) as u8 & 0x7F
    };
    (0..count.min(there)).map(septet).collect()
}
