#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| jitsi_install_fuzz::bodies::page_request(bytes));
