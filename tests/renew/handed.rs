//! What hooks hand over, and what is wrong with it.

use super::*;

#[test]
fn every_client_is_found_by_its_hook_and_without_one() {
    // source, chain, key, the hook's environment; paths as the caller sees them, the tree is `r`
    type Environment = &'static [(&'static str, &'static str)];
    let cases: [(&str, &str, &str, Environment); 6] = [
        (
            "acme.sh",
            "r/root/.acme.sh/meet.example.org_ecc/fullchain.cer",
            "r/root/.acme.sh/meet.example.org_ecc/meet.example.org.key",
            &[
                (
                    "CERT_FULLCHAIN_PATH",
                    "r/root/.acme.sh/meet.example.org_ecc/fullchain.cer",
                ),
                (
                    "CERT_KEY_PATH",
                    "r/root/.acme.sh/meet.example.org_ecc/meet.example.org.key",
                ),
                ("Le_Domain", NAME),
            ],
        ),
        (
            "acme.sh",
            "r/root/.acme.sh/meet.example.org/fullchain.cer",
            "r/root/.acme.sh/meet.example.org/meet.example.org.key",
            &[],
        ),
        (
            "certbot",
            "r/etc/letsencrypt/live/meet.example.org/fullchain.pem",
            "r/etc/letsencrypt/live/meet.example.org/privkey.pem",
            &[
                ("RENEWED_LINEAGE", "r/etc/letsencrypt/live/meet.example.org"),
                ("RENEWED_DOMAINS", NAME),
            ],
        ),
        // Several names: the lineage has the name of the first.
        (
            "certbot",
            "r/etc/letsencrypt/live/www.example.org-0001/fullchain.pem",
            "r/etc/letsencrypt/live/www.example.org-0001/privkey.pem",
            &[],
        ),
        (
            "lego",
            "r/root/.lego/certificates/meet.example.org.crt",
            "r/root/.lego/certificates/meet.example.org.key",
            &[
                (
                    "LEGO_CERT_PATH",
                    "r/root/.lego/certificates/meet.example.org.crt",
                ),
                (
                    "LEGO_CERT_KEY_PATH",
                    "r/root/.lego/certificates/meet.example.org.key",
                ),
            ],
        ),
        (
            "lego",
            "r/root/.lego/certificates/_.example.org.crt",
            "r/root/.lego/certificates/_.example.org.key",
            &[],
        ),
    ];
    for (source, chain, key, env) in cases {
        let desk = Desk::new(&format!("source = \"{source}\""));
        let own = desk.shown();
        succeeds(&desk.run("renew", &[]), "nothing to do");
        let names: &[&str] = if chain.contains("_.") {
            &["*.example.org"]
        } else {
            &["www.example.org", NAME]
        };
        let issued = desk.issue(&Wish { names, ..GOOD }, chain, key);
        let dry = desk.run("renew --dry-run", env);
        succeeds(&dry, "nginx: would change (2 files)");
        assert_eq!(desk.shown(), own, "a dry run writes nothing");
        succeeds(&desk.run("renew", env), "videobridge: renewed (1 file)");
        assert_eq!(desk.shown(), issued, "{source} {chain}");
        let before = desk.stamps();
        succeeds(&desk.run("renew", env), "nothing to do");
        assert_eq!(desk.stamps(), before);
        let plan = text(&desk.run("plan", &[]));
        assert!(
            plan.contains("0 to create, 0 to change, 0 to remove"),
            "{plan}"
        );
        let history = text(&desk.run("history", &[]));
        assert_eq!(
            history.lines().count(),
            1,
            "no generation of its own: {history}"
        );
    }
}

#[test]
fn what_is_wrong_is_refused_whole() {
    let desk = Desk::new("source = \"lego\"");
    let own = desk.shown();
    let before = desk.stamps();
    let cases: [(Wish<'_>, &str); 2] = [
        (
            Wish {
                days: (-90, -2),
                ..GOOD
            },
            "ended 2 days ago",
        ),
        (
            Wish {
                days: (2, 90),
                ..GOOD
            },
            "is not valid yet",
        ),
    ];
    for (wish, words) in cases {
        desk.issue(&wish, "in/fullchain.pem", "in/privkey.pem");
        fails(&desk.run("renew --cert-dir in", &[]), words);
    }
    desk.issue(&GOOD, "in/fullchain.pem", "in/privkey.pem");
    desk.issue(&GOOD, "other/fullchain.pem", "other/privkey.pem");
    fails(
        &desk.run("renew --cert in/fullchain.pem --key other/privkey.pem", &[]),
        "does not match the certificate",
    );
    let chain = std::fs::read_to_string(desk.path("in/fullchain.pem")).unwrap();
    for (name, content, words) in [
        ("empty", "", "is not PEM"),
        ("cut", &chain[..chain.len() / 2], "is cut"),
        (
            "noise",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "damaged",
        ),
    ] {
        std::fs::write(desk.path("in/fullchain.pem"), content).unwrap();
        let said = desk.run("renew --cert-dir in", &[]);
        assert_eq!(said.status.code(), Some(1), "{name}: {}", text(&said));
        assert!(text(&said).contains(words), "{name}: {}", text(&said));
    }
    std::fs::create_dir(desk.path("nothing")).unwrap();
    fails(
        &desk.run("renew --cert-dir nothing", &[]),
        "holds no chain with its key",
    );
    // For others, and so none of its business: hooks are called for every certificate.
    let wish = Wish {
        names: &["other.example.org", "example.org", "*.meet.example.org"],
        ..GOOD
    };
    desk.issue(&wish, "in/fullchain.pem", "in/privkey.pem");
    succeeds(
        &desk.run("renew", &[("RENEWED_LINEAGE", "in")]),
        "nothing to do",
    );
    assert_eq!(desk.shown(), own);
    assert_eq!(desk.stamps(), before, "nothing was touched");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("r")).unwrap();
    let bare = Desk(folder);
    bare.site("source = \"lego\"");
    fails(&bare.run("renew", &[]), "nothing is laid out here yet");
}

#[test]
fn what_is_handed_in_is_taken_in_and_an_older_one_is_not() {
    let desk = Desk::new("source = \"lego\"");
    let home = "r/root/.lego/certificates/meet.example.org";
    let wish = Wish {
        days: (-3, 60),
        ..GOOD
    };
    let first = desk.issue(&wish, &format!("{home}.crt"), &format!("{home}.key"));
    succeeds(&desk.run("renew", &[]), "renewed");
    let handed = desk.issue(&GOOD, "in/x.crt", "in/x.key");
    succeeds(&desk.run("renew --cert-dir in", &[]), "took in");
    assert_eq!(desk.shown(), handed);
    let kept = desk.path("r/var/lib/jitsi-install/certificate/key.pem");
    assert_eq!(std::fs::metadata(kept).unwrap().mode() & 0o7777, 0o600);
    // What apply and the daily look find is the same.
    succeeds(&desk.run("apply --yes", &[]), "nothing had to be changed");
    succeeds(&desk.run("renew", &[]), "nothing to do");
    // The source's own, handed in again, is older: it stays aside.
    let said = desk.run("renew --cert root.crt --key root.key", &[]);
    assert_eq!(said.status.code(), Some(1), "{}", text(&said));
    let said = desk.run(&format!("renew --cert {home}.crt --key {home}.key"), &[]);
    succeeds(&said, "was issued before");
    assert_eq!(desk.shown(), handed);
    assert_ne!(first, handed);
    // A newer one of the source wins again.
    let wish = Wish {
        days: (0, 90),
        ..GOOD
    };
    let newest = desk.issue(&wish, &format!("{home}.crt"), &format!("{home}.key"));
    succeeds(&desk.run("renew", &[]), "renewed");
    assert_eq!(desk.shown(), newest);
    // A site that says "self-signed" is not talked into another certificate.
    desk.site("source = \"self-signed\"");
    fails(&desk.run("renew --cert-dir in", &[]), "self-signed");
}

#[test]
fn a_client_that_lost_its_folder_takes_no_certificate_away() {
    let desk = Desk::new("source = \"lego\"");
    let home = "r/root/.lego/certificates/meet.example.org";
    let issued = desk.issue(&GOOD, &format!("{home}.crt"), &format!("{home}.key"));
    succeeds(&desk.run("renew", &[]), "renewed");
    std::fs::remove_dir_all(desk.path("r/root/.lego")).unwrap();
    succeeds(
        &desk.run("plan", &[]),
        "the one that is laid out already stays",
    );
    succeeds(&desk.run("renew", &[]), "nothing to do");
    succeeds(&desk.run("apply --yes", &[]), "nothing had to be changed");
    assert_eq!(desk.shown(), issued);
    fails(
        &desk.run("certificates status", &[]),
        "it has none any more; what is laid out stays",
    );
}

#[test]
fn what_no_apply_has_laid_out_is_left_to_it() {
    let desk = Desk::new("source = \"lego\"");
    let with = std::fs::read_to_string(desk.path("s.toml")).unwrap();
    let without = with.replace("websockets = true", "websockets = false");
    std::fs::write(desk.path("s.toml"), without).unwrap();
    succeeds(&desk.run("apply --yes", &[]), "steps taken");
    std::fs::write(desk.path("s.toml"), with).unwrap();
    let home = "r/root/.lego/certificates/meet.example.org";
    let issued = desk.issue(&GOOD, &format!("{home}.crt"), &format!("{home}.key"));
    let said = desk.run("renew", &[]);
    succeeds(&said, "prosody: renewed");
    assert!(!text(&said).contains("videobridge"), "{}", text(&said));
    assert!(!desk.path(&format!("r/{}", COPIES[2])).exists());
    succeeds(&desk.run("apply --yes", &[]), "steps taken");
    assert_eq!(desk.shown(), issued);
    // New secrets would fit nothing that is laid out.
    let secrets = desk.path("r/etc/jitsi-install/secrets.toml");
    std::fs::remove_file(&secrets).unwrap();
    fails(&desk.run("renew", &[]), "secrets.toml` is gone");
    assert!(!secrets.exists());
}

#[test]
fn one_that_cannot_have_it_is_named_and_the_others_get_theirs() {
    let desk = Desk::new("source = \"lego\"");
    let home = "r/root/.lego/certificates/meet.example.org";
    let old = desk.shown();
    let issued = desk.issue(&GOOD, &format!("{home}.crt"), &format!("{home}.key"));
    // The second of Prosody's two files cannot be written: the first must go back too.
    let key = desk.path("r/etc/prosody/certs/meet.example.org.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    std::fs::create_dir(&key).unwrap();
    let crt = desk.path("r/etc/prosody/certs/meet.example.org.crt");
    let before = std::fs::read(&crt).unwrap();
    let said = desk.run("renew", &[]);
    fails(&said, "prosody has its old certificate: ");
    assert!(text(&said).contains("nginx: renewed") && text(&said).contains("videobridge: renewed"));
    assert_eq!(std::fs::read(&crt).unwrap(), before);
    std::fs::remove_dir(&key).unwrap();
    std::fs::write(&key, kept).unwrap();
    succeeds(&desk.run("renew", &[]), "prosody: renewed");
    assert_eq!(desk.shown(), issued);
    assert_ne!(old, issued);
}
