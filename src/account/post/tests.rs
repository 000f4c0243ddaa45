//! More is proved from outside, in `tests/mails.rs`.

use super::paper::{NAMES, is_mail};

#[test]
fn only_templates_of_mails_are_taken() {
    assert!(is_mail("confirm.txt") && is_mail("layout.html"));
    assert!(!is_mail("confirm.exe") && !is_mail("../confirm.txt"));
    assert!(NAMES.contains(&"somebody-waits"));
}
