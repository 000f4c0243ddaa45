use super::*;

#[test]
fn the_browser_and_the_wish() {
    let texts = Texts::default();
    assert_eq!(texts.choose(Some("de-AT,de;q=0.9,en;q=0.8"), None), "de");
    assert_eq!(texts.choose(Some("pt, fr;q=0.3, nl;q=0.7"), None), "nl");
    assert_eq!(texts.choose(Some("en;q=0, es"), None), "es");
    assert_eq!(texts.choose(Some("pt;q=1, *"), None), "en");
    assert_eq!(texts.choose(Some("de"), Some("FR_ca")), "fr");
    assert_eq!(texts.choose(Some("de"), Some("../../etc")), "de");
}
