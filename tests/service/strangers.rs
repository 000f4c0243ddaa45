//! Strangers who try passwords through Prosody, and the people whose names they use.

use crate::service::Site;

const WORD: &str = "a long and quiet word";
const CHEAP: &str = "[passwords]\nargon2_memory = 7168\nargon2_passes = 1\n";

/// Wrong passwords for a name from an address; the statuses.
fn wrong(site: &Site, address: &str, name: &str, times: usize) -> Vec<u16> {
    (0..times)
        .map(|_| site.prosody_from(address, name, "wrong").status)
        .collect()
}

#[test]
fn a_stranger_uses_up_his_own_tries_and_nobody_elses() {
    let mut site = Site::new("", CHEAP);
    site.person("ann", WORD);
    site.person("ben", WORD);
    site.serve();
    let ann = |address: &str| site.prosody_from(address, "ann", WORD).status;

    // Far more than he may: what is refused is not counted against ann's name.
    let statuses = wrong(&site, "198.51.100.7", "ann", 80);
    assert_eq!(statuses[..10], [403; 10]);
    assert_eq!(statuses[10..], [429; 70]);
    let refused = site.prosody_from("198.51.100.7", "ann", WORD);
    assert_eq!(refused.status, 429, "the right one neither");
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    assert_eq!(ann("192.0.2.1"), 200, "her own network");
    assert_eq!(ann("198.51.100.8"), 200, "his neighbour's");
    assert_eq!(
        site.prosody_from("198.51.100.7", "ben", WORD).status,
        200,
        "somebody else beside him"
    );

    // A network of IPv6 is one place, in whatever form it is written.
    let (one, other) = ("2001:db8::1", "2001:0db8:0000:0000:ffff::9");
    assert_eq!(wrong(&site, one, "ann", 5), [403; 5]);
    assert_eq!(
        wrong(&site, other, "ann", 6),
        [403, 403, 403, 403, 403, 429]
    );
    assert_eq!(ann("2001:db8:0:1::1"), 200, "the next network");
    assert_eq!(wrong(&site, "::ffff:203.0.113.4", "ann", 9), [403; 9]);
    assert_eq!(wrong(&site, "203.0.113.4", "ann", 2), [403, 429]);

    // Many networks together: new places wait, those that she came from do not.
    for network in 20..40 {
        wrong(&site, &format!("203.0.113.{network}"), "ann", 3);
    }
    assert_eq!(ann("203.0.113.99"), 429, "a new place");
    assert_eq!(ann("192.0.2.1"), 200, "where she was before");
    assert_eq!(wrong(&site, "192.0.2.1", "ann", 11)[10], 429);
    assert_eq!(ann("192.0.2.1"), 429, "guessed at from there too");

    // The page counts in the same places.
    let sign_in = |address: &str| {
        let form = format!("name=ann&password={}", WORD.replace(' ', "+"));
        let from = format!("X-Forwarded-For: {address}\r\n");
        site.post("/accounts/sign-in", &form, &from).status
    };
    assert_eq!(sign_in("198.51.100.7"), 429);
    let trail = site.gives(&[
        "users", "audit", "--action", "signin", "--limit", "500", "--json",
    ]);
    for address in ["198.51.100.7", "2001:db8::1", "203.0.113.4"] {
        assert!(
            trail.contains(&format!("\"{address}\"")),
            "{address} is in the trail"
        );
    }
}

#[test]
fn a_network_that_tries_many_names_is_held_up() {
    let mut site = Site::new("", CHEAP);
    site.person("ann", WORD);
    site.serve();
    let site = &site;
    // Right ones are not counted, however many: a school behind one address.
    let right = |times: usize| {
        std::thread::scope(|scope| {
            let all = [0; 4].map(|_| {
                scope.spawn(move || {
                    (0..times / 4)
                        .all(|_| site.prosody_from("192.0.2.1", "ann", WORD).status == 200)
                })
            });
            all.into_iter().all(|one| one.join().unwrap())
        })
    };
    assert!(right(120), "{}", site.log());
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let all = [0, 1, 2, 3].map(|client| {
            scope.spawn(move || {
                (0..26)
                    .map(|one| {
                        let name = format!("guess{client}x{one}");
                        site.prosody_from("198.51.100.9", &name, "wrong").status
                    })
                    .collect::<Vec<_>>()
            })
        });
        all.into_iter()
            .flat_map(|one| one.join().unwrap())
            .collect()
    });
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(403), count(429)), (100, 4), "{statuses:?}");
    assert_eq!(site.prosody_from("198.51.100.9", "ann", WORD).status, 429);
    assert_eq!(site.prosody_from("192.0.2.1", "ann", WORD).status, 200);
}

#[test]
fn an_address_is_one_or_the_question_is_refused() {
    let mut site = Site::new("", CHEAP);
    site.person("ann", WORD);
    site.serve();
    for word in [
        "\"\"",
        "\"somewhere\"",
        "\"192.0.2.1:80\"",
        "\"192.0.2.1 \"",
        "\"192.0.2.0/24\"",
        "\"192.0.2.256\"",
        "\"192.0.2.01\"",
        "\"fe80::1%eth0\"",
        "\"[2001:db8::1]\"",
        "5",
        "[\"192.0.2.1\"]",
        "{\"V4\":[192,0,2,1]}",
    ] {
        let body = format!("{{\"username\":\"ann\",\"password\":\"{WORD}\",\"address\":{word}}}");
        assert_eq!(site.question(&body).status, 400, "{word}");
    }
    for word in ["null", "\"192.0.2.1\"", "\"2001:db8::1\""] {
        let body = format!("{{\"username\":\"ann\",\"password\":\"{WORD}\",\"address\":{word}}}");
        assert_eq!(site.question(&body).status, 200, "{word}");
    }
    // Who does not say from where has one count for a name, as before.
    for _ in 0..30 {
        assert_eq!(site.prosody("ann", "wrong").status, 403);
    }
    assert_eq!(site.prosody("ann", WORD).status, 429);
    assert_eq!(site.prosody_from("192.0.2.1", "ann", WORD).status, 200);
}
