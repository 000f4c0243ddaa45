use std::io::Write;

use super::*;

const SUM: &str = "ef631291961286f2b01ad396af6d5c77a5b5ed68e8a2d39c0ba680f903c874e9";

fn packages() -> String {
    let one = |package: &str, version: &str, more: &str| {
        format!(
            "Package: {package}\nVersion: {version}\nArchitecture: all\n{more}Description: one line\n and more\n .\n\
             Filename: ./stable/{package}_{version}_all.deb\nSize: 7\nMD5sum: 0\nSHA256: {SUM}\n\n"
        )
    };
    [
        one("jicofo", "1.0-1183-1", ""),
        one("jicofo", "1.0-1189-1", ""),
        one("jicofo", "1.0-999-1", ""),
        one(
            "jitsi-meet",
            "2.0.11146-1",
            "Depends: jicofo (= 1.0-1189-1), a | b (= 1),\n jitsi-videobridge2 (=2.3-307-g4bb0aead1-1), nginx (>= 1)\n",
        ),
    ]
    .concat()
}

#[test]
fn packages_plain_and_packed() {
    let index = Index::parse(&packages()).unwrap();
    assert_eq!(index.entries.len(), 4);
    assert_eq!(index.newest("jicofo").unwrap().version, "1.0-1189-1");
    assert_eq!(index.newest("prosody"), None);
    let found = index.file("jicofo_1.0-1183-1_all.deb").unwrap();
    assert_eq!((found.size, found.sha256.as_str()), (7, SUM));
    assert_eq!(index.release("jicofo", "1.0-1183"), Some(found));
    assert_eq!(index.release("jicofo", "1.0-1183-1"), Some(found));
    let pins = index.newest("jitsi-meet").unwrap().pins();
    assert_eq!(pins["jicofo"], "1.0-1189-1");
    assert_eq!(pins["jitsi-videobridge2"], "2.3-307-g4bb0aead1-1");
    // An alternative pins nothing that one could rely on.
    assert_eq!(pins.get("nginx"), None);

    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(packages().as_bytes()).unwrap();
    assert_eq!(Index::read(&gz.finish().unwrap()).unwrap(), index);
    let mut xz = crate::package::xz::writer(Vec::new(), 1).unwrap();
    xz.write_all(packages().as_bytes()).unwrap();
    let xz = xz.finish().unwrap();
    assert_eq!(Index::read(&xz).unwrap(), index);
    for cut in [7, xz.len() / 2, xz.len() - 1] {
        assert!(Index::read(&xz[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let good = packages();
    for (from, to) in [
        (SUM, "ef63"),
        ("Size: 7", "Size: many"),
        ("Size: 7", "Size: -7"),
        ("Package: jicofo", "Package: ji cofo"),
        ("Package: jicofo", "Packag: jicofo"),
        ("Version: 1.0-999-1", "Version: $(id)"),
        ("./stable/", "../../etc/"),
        ("SHA256:", "SHA512:"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(Index::parse(&bad).is_err(), "{from} {to}");
    }
    assert_eq!(Index::parse("").unwrap(), Index::default());
    // Many bytes of nothing in a few.
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
    for _ in 0..33 {
        xz.write_all(&[b'\n'; 1 << 20]).unwrap();
    }
    let error = Index::read(&xz.finish().unwrap()).unwrap_err();
    assert!(error.to_string().contains("far too large"), "{error}");
}

#[test]
fn a_release() {
    let text = format!(
        "Origin: jitsi.org\nSuite: stable\nMD5Sum:\n 0 1 Packages\nSHA256:\n {SUM}  12 Packages\n {SUM} 5 ./Packages.gz\n"
    );
    let release = ReleaseFile::parse(&text).unwrap();
    assert_eq!(release.files["Packages.gz"], (SUM.to_owned(), 5));
    assert_eq!(release.files["Packages"].1, 12);
    assert_eq!(release.valid_until, None);
    for bad in [
        "",
        "Origin: x\n",
        "SHA256:\n x y z\n",
        "SHA256:\n\nSHA256:\n",
    ] {
        assert!(ReleaseFile::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn text_and_signature() {
    let good = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nOrigin: x  \n- -----odd\n\nlast\n\
                -----BEGIN PGP SIGNATURE-----\n\nabcd\n=ef01\n-----END PGP SIGNATURE-----\n\n";
    let (text, signature) = clear_signed(good).unwrap();
    assert_eq!(text, "Origin: x\n-----odd\n\nlast");
    assert!(signature.contains("\n=ef01\n") && signature.ends_with("END PGP SIGNATURE-----\n"));
    let bad = [
        format!("Origin: y\n{good}"),
        format!("{good}Origin: y\n"),
        good.replace("Hash: SHA512", "Comment: x"),
        good.replace("- -----odd", "-----odd"),
        good.replace("-----END PGP SIGNATURE-----", ""),
        good.replace("-----BEGIN PGP SIGNATURE-----", ""),
        "Origin: x\n".to_owned(),
        String::new(),
    ];
    for file in bad {
        assert!(clear_signed(&file).is_err(), "{file}");
    }
}
