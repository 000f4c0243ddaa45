//! From which address a request comes: the peer's own, or what a trusted proxy says.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;

/// The other end of the connection; whoever serves the router puts it into each request's extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A Unix socket: only this machine's web server can be there.
    Socket,
    /// TCP.
    Tcp(IpAddr),
}

/// A network whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: u128,
    bits: u32,
}

/// Not an address with or without `/bits`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network\nhint: write it like 192.0.2.0/24 or 2001:db8::/32")]
pub struct NetworkError(String);

impl Network {
    /// Reads `192.0.2.0/24`, `2001:db8::/32` or a single address.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (most, shift) = if address.is_ipv4() {
            (32, 96)
        } else {
            (128, 0)
        };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(wrong());
        }
        let bits = bits + shift;
        Ok(Self {
            base: number(address) & mask(bits),
            bits,
        })
    }

    /// Whether an address is inside.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        number(address) & mask(self.bits) == self.base
    }
}

/// The network that limits are counted for: the address itself in IPv4, its /64 in IPv6.
#[must_use]
pub fn neighbourhood(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(_) => number(address),
        IpAddr::V6(_) => number(address) & mask(64),
    }
}

/// The client: the peer, unless it is trusted; then the right-most address in `X-Forwarded-For`
/// that is not trusted itself. What stands left of that may be invented.
#[must_use]
pub fn client(peer: Option<Peer>, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let believed = |address: IpAddr| trusted.iter().any(|network| network.has(address));
    let mut last = match peer? {
        Peer::Socket => None,
        Peer::Tcp(address) => Some(address.to_canonical()),
    };
    if last.is_some_and(|address| !believed(address)) {
        return last;
    }
    let all: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .collect();
    for text in all.into_iter().rev() {
        let Ok(address) = text.trim().parse::<IpAddr>() else {
            // Whoever writes nonsense is behind the last one that made sense.
            return last;
        };
        last = Some(address.to_canonical());
        if !believed(address.to_canonical()) {
            return last;
        }
    }
    last
}

fn number(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn mask(bits: u32) -> u128 {
    u128::from(Ipv6Addr::from(u128::MAX))
        .checked_shl(128 - bits)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: Peer, forwarded: &[&'static str]) -> Option<String> {
        let trusted =
            ["127.0.0.0/8", "::1", "10.0.0.0/8"].map(|text| Network::parse(text).unwrap());
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        client(Some(peer), &headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let tcp = |text: &str| Peer::Tcp(text.parse().unwrap());
        let is = |found: Option<String>, wanted: &str| assert_eq!(found.as_deref(), Some(wanted));
        is(seen(tcp("192.0.2.7"), &["198.51.100.1"]), "192.0.2.7");
        is(seen(tcp("127.0.0.1"), &["198.51.100.1"]), "198.51.100.1");
        is(
            seen(tcp("::ffff:127.0.0.1"), &["198.51.100.1"]),
            "198.51.100.1",
        );
        is(
            seen(Peer::Socket, &["1.1.1.1, 198.51.100.1"]),
            "198.51.100.1",
        );
        is(
            seen(Peer::Socket, &["1.1.1.1", "198.51.100.1, 10.1.2.3"]),
            "198.51.100.1",
        );
        is(
            seen(Peer::Socket, &["1.1.1.1, nonsense, 10.1.2.3"]),
            "10.1.2.3",
        );
        is(seen(Peer::Socket, &["::ffff:192.0.2.9"]), "192.0.2.9");
        is(seen(tcp("127.0.0.1"), &[]), "127.0.0.1");
        assert_eq!(seen(Peer::Socket, &[]), None);
        assert_eq!(client(None, &HeaderMap::new(), &[]), None);
    }

    #[test]
    fn networks_are_read_and_neighbourhoods_found() {
        let v6 = Network::parse("2001:db8::/32").unwrap();
        assert!(v6.has("2001:db8:1::7".parse().unwrap()));
        assert!(!v6.has("2001:db9::7".parse().unwrap()));
        assert!(
            Network::parse("0.0.0.0/0")
                .unwrap()
                .has("192.0.2.1".parse().unwrap())
        );
        assert!(
            !Network::parse("0.0.0.0/0")
                .unwrap()
                .has("2001:db8::1".parse().unwrap())
        );
        assert!(
            Network::parse("::/0")
                .unwrap()
                .has("2001:db8::1".parse().unwrap())
        );
        for wrong in ["", "192.0.2.0/33", "2001:db8::/129", "host", "192.0.2.0/-1"] {
            assert!(Network::parse(wrong).is_err(), "{wrong}");
        }
        let near = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(near("2001:db8::1"), near("2001:db8::ffff:1"));
        assert_ne!(near("2001:db8::1"), near("2001:db8:0:1::1"));
        assert_ne!(near("192.0.2.1"), near("192.0.2.2"));
        assert_eq!(near("192.0.2.1"), near("::ffff:192.0.2.1"));
    }
}
