//! [`packetboat_fuzz::tpdu`] with whatever libFuzzer thinks of.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| packetboat_fuzz::tpdu(input));
