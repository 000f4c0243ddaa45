//! Figures of the database, on each of them.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::databases::{Database, KINDS};
use crate::service::Site;

#[test]
fn every_account_is_counted() {
    for kind in KINDS {
        let Some(database) = Database::fresh(kind) else {
            continue;
        };
        let mut site = Site::on(&database, "");
        let mut list = "login,email,state\n".to_owned();
        for one in 0..1500 {
            let state = if one % 5 == 0 { "suspended" } else { "active" };
            writeln!(list, "person{one},person{one}@example.org,{state}").unwrap();
        }
        let list = site.put("list.csv", &list, 0o600);
        let said = site.gives(&["import", "csv", list.to_str().unwrap()]);
        assert!(said.contains("1500 taken over"), "{said}");
        site.serve();
        let begun = Instant::now();
        let page = site.internal("GET /metrics HTTP/1.1\r\n").body;
        assert!(begun.elapsed() < Duration::from_secs(3));
        for (state, count) in [
            ("unconfirmed", 0),
            ("pending", 0),
            ("active", 1200),
            ("rejected", 0),
            ("suspended", 300),
            ("deleted", 0),
        ] {
            let line = format!("jitsi_accounts_accounts{{state=\"{state}\"}} {count}");
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        // They are kept for a while.
        site.gives(&["users", "enable", "person0"]);
        let again = site.internal("GET /metrics HTTP/1.1\r\n").body;
        assert!(again.contains("{state=\"active\"} 1200\n"), "{again}");
    }
}
