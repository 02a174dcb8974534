//! [`packetboat_fuzz::at_lines`] with whatever libFuzzer thinks of.
#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| packetboat_fuzz::at_lines(input));
