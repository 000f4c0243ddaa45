//! How often one network may do what costs: token buckets in memory, a bounded number of them.
//!
//! What is counted for an account stands in the database, with the acts; how many passwords are
//! hashed at the same time is the hasher's business. Here is only the network: an IPv4 address or
//! an IPv6 /64.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::address::neighbourhood;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cost {
    /// Any form that is sent.
    Form,
    /// A password, a second factor or a link that is tried.
    Try,
    /// A mail that goes to an address typed by a visitor.
    Mail,
}

impl Cost {
    /// How many at once, and seconds until one more is free.
    const fn rule(self) -> (f64, f64) {
        match self {
            Self::Form => (60.0, 1.0),
            Self::Try => (20.0, 6.0),
            Self::Mail => (10.0, 120.0),
        }
    }
}

/// Most buckets that are kept: about 3 MB.
const MOST: usize = 32_768;

/// The buckets of all networks.
#[derive(Debug, Default)]
pub struct Limits(Mutex<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    map: HashMap<(Cost, u128), Bucket>,
    /// When full ones were last looked for, in milliseconds.
    swept: i64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: i64,
}

impl Limits {
    /// Takes one; otherwise says after how many seconds to come again. Without an address (a proxy
    /// that does not say for whom it asks) all share one bucket.
    ///
    /// # Errors
    /// Seconds to wait.
    pub fn take(&self, cost: Cost, address: Option<IpAddr>, millis: i64) -> Result<(), u64> {
        let (most, every) = cost.rule();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (cost, address.map_or(0, neighbourhood));
        if buckets.map.len() >= MOST && !buckets.map.contains_key(&key) {
            buckets.sweep(millis);
            if buckets.map.len() >= MOST {
                key.1 = 0;
            }
        }
        let bucket = buckets.map.entry(key).or_insert(Bucket {
            left: most,
            at: millis,
        });
        let left = filled(*bucket, most, every, millis);
        *bucket = Bucket {
            left: if left >= 1.0 { left - 1.0 } else { left },
            at: millis,
        };
        if left >= 1.0 {
            return Ok(());
        }
        Err((((1.0 - left) * every).ceil() as u64).max(1))
    }
}

impl Buckets {
    /// Full buckets say nothing and go; looked for once a second at most, for it takes a while.
    /// When none is full, newcomers share one.
    fn sweep(&mut self, millis: i64) {
        if (millis - self.swept).abs() < 1000 {
            return;
        }
        self.swept = millis;
        self.map.retain(|(cost, _), bucket| {
            let (most, every) = cost.rule();
            filled(*bucket, most, every, millis) < most
        });
    }
}

fn filled(bucket: Bucket, most: f64, every: f64, millis: i64) -> f64 {
    let passed = (millis - bucket.at).max(0) as f64 / 1000.0;
    (bucket.left + passed / every).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills() {
        let limits = Limits::default();
        let address = Some("192.0.2.1".parse().unwrap());
        for _ in 0..20 {
            assert_eq!(limits.take(Cost::Try, address, 0), Ok(()));
        }
        assert_eq!(limits.take(Cost::Try, address, 0), Err(6));
        assert_eq!(limits.take(Cost::Mail, address, 0), Ok(()));
        assert_eq!(
            limits.take(Cost::Try, Some("192.0.2.2".parse().unwrap()), 0),
            Ok(())
        );
        assert_eq!(limits.take(Cost::Try, address, 6_000), Ok(()));
        assert_eq!(limits.take(Cost::Try, address, 6_000), Err(6));
        // A clock that goes back gives nothing away and breaks nothing.
        assert_eq!(limits.take(Cost::Try, address, 0), Err(6));
    }

    #[test]
    fn memory_is_bounded() {
        let limits = Limits::default();
        for network in 0..100_000_u128 {
            let address = std::net::Ipv6Addr::from((0x2001_0db8_u128 << 96) | (network << 64));
            let _ = limits.take(Cost::Form, Some(address.into()), 0);
        }
        assert!(limits.0.lock().unwrap().map.len() <= MOST + 1);
        // After a while full buckets make room again.
        assert_eq!(
            limits.take(Cost::Form, Some("192.0.2.9".parse().unwrap()), 3_600_000),
            Ok(())
        );
        assert_eq!(limits.0.lock().unwrap().map.len(), 1);
    }
}
