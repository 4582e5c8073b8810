#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zuoxi_outside::read("picture", bytes));
