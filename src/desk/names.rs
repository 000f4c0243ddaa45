//! Names of hosts. The C library's own look-up loads whatever `/etc/nsswitch.conf` names into the
//! process, which a statically linked program cannot do; getent(1) asks the same sources for us.

use std::net::IpAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// How long the resolver may think.
const PATIENCE: Duration = Duration::from_secs(10);

/// A host's addresses, each once, in the resolver's order; an address is its own.
///
/// # Errors
/// When the resolver has none.
pub(super) async fn addresses(host: &str) -> Result<Vec<IpAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Ok(vec![address]);
    }
    let none = || format!("the resolver has no address for `{host}`");
    let asked = Command::new("getent")
        .args(["--", "ahosts", host])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let said = match timeout(PATIENCE, asked).await {
        Ok(Ok(said)) => said,
        Ok(Err(error)) => return Err(format!("`getent`: {error}")),
        Err(_) => return Err(format!("the resolver does not answer for `{host}`")),
    };
    let found = crate::name::addresses(&String::from_utf8_lossy(&said.stdout));
    if found.is_empty() {
        Err(none())
    } else {
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hosts() {
        let found = addresses("localhost").await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty());
        assert_eq!(
            addresses("[::1]").await.unwrap(),
            ["::1".parse::<IpAddr>().unwrap()]
        );
        assert!(addresses("no-such-host.invalid").await.is_err());
        assert!(addresses("--help").await.is_err());
    }
}
