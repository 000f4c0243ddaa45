//! A running Videobridge's own port on loopback: how many meetings it carries, and "no more of
//! them, please" (jitsi-videobridge, `rest/prometheus/Prometheus.java` and `rest/root/colibri/drain`).

use std::time::{Duration, Instant};

use super::bosh::request;

/// How often the number of meetings is asked for.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// How many meetings run; `None` when the bridge does not say.
#[must_use]
pub fn conferences(port: u16) -> Option<u64> {
    let (status, body) = request(port, "GET /metrics", "127.0.0.1", None).ok()?;
    if status != 200 {
        return None;
    }
    count(&body)
}

/// In Prometheus' text form: `jitsi_jvb_conferences 2.0`.
fn count(metrics: &str) -> Option<u64> {
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix("jitsi_jvb_conferences "))?;
    value.split('.').next()?.trim().parse().ok()
}

/// Waits until no meeting runs any more; `false` when some still do after `patience`.
#[must_use]
pub fn await_quiet(port: u16, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    loop {
        if conferences(port) == Some(0) {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Has the bridge take new meetings, or none. Those that run go on.
///
/// # Errors
/// Why it did not answer, or what it answered.
pub fn drain(port: u16, is_draining: bool) -> Result<(), String> {
    let verb = if is_draining { "enable" } else { "disable" };
    let line = format!("POST /colibri/drain/{verb}");
    match request(port, &line, "127.0.0.1", Some(""))? {
        (200, _) => Ok(()),
        (status, _) => Err(format!("`{line}` was answered with {status}")),
    }
}

/// Has the bridge take no new meetings and end by itself after the last one
/// (`rest/root/colibri/shutdown/Shutdown.java`); `videobridge.rest_shutdown` has to be on.
///
/// # Errors
/// Why it did not answer, or what it answered.
pub fn shut_down(port: u16) -> Result<(), String> {
    let line = "POST /colibri/shutdown";
    match request(
        port,
        line,
        "127.0.0.1",
        Some("{\"graceful-shutdown\":true}"),
    )? {
        (200, _) => Ok(()),
        (status, _) => Err(format!(
            "`{line}` was answered with {status}: is `videobridge.rest_shutdown` on?"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meetings_are_read_from_the_metrics() {
        let text = "# HELP jitsi_jvb_conferences Current number of conferences.\n\
                    # TYPE jitsi_jvb_conferences gauge\njitsi_jvb_conferences 12.0\n\
                    jitsi_jvb_conferences_created_total 40.0\n";
        assert_eq!(count(text), Some(12));
        assert_eq!(count("jitsi_jvb_conferences_created_total 40.0\n"), None);
        assert_eq!(count(""), None);
    }
}
