//! Which release a system is, and where a site of its own folder writes.

use super::*;

#[test]
fn releases_are_recognised() {
    let debian = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n";
    assert_eq!(recognise(Some(debian), None), Some(Release::Debian12));
    assert_eq!(
        recognise(Some("ID=debian\nVERSION_ID=\"13\"\n"), None),
        Some(Release::Debian13)
    );
    let mint = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nDEBIAN_CODENAME=bookworm\n";
    assert_eq!(recognise(Some(mint), None), Some(Release::Debian12));
    assert_eq!(
        recognise(
            Some("ID=slackware\nVERSION_ID=15.0\nVERSION_CODENAME=stable\n"),
            None
        ),
        Some(Release::Slackware15)
    );
    assert_eq!(
        recognise(None, Some("Slackware 15.0\n")),
        Some(Release::Slackware15)
    );
    assert_eq!(
        recognise(None, Some("Slackware 15.0+\n")),
        Some(Release::SlackwareCurrent)
    );
    assert_eq!(
        recognise(
            Some("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n"),
            None
        ),
        Some(Release::Debian12)
    );
    assert_eq!(recognise(Some("ID=fedora\n"), None), None);
    assert_eq!(recognise(None, None), None);
}

#[test]
fn a_site_below_a_folder_writes_nowhere_else() {
    let base = AbsPath::fixed("/tmp/try");
    for release in Release::ALL {
        let text = format!(
            "{:?}",
            release.platform().below(&base, &Owner::new("me", "us"))
        );
        for home in ["\"/etc", "\"/var"] {
            assert!(
                !text.contains(home),
                "{release:?} still writes below {home}: {text}"
            );
        }
    }
}
