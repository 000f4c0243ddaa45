//! A bridge is restarted when no meeting runs on it, or as the administrator says.

use std::time::Duration;

use super::{Args, Manner};
use crate::cli::report::Report;
use crate::host::{self, bridge};
use crate::keystore::{self, Store};
use crate::name::ServiceId;
use crate::plan::{Plan, State};
use crate::resource::Resource;

/// A certificate with fewer days left has no time to wait for a quiet hour.
const PRESSING_DAYS: i64 = 7;

/// How the bridge comes to its new certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It is restarted.
    Restart,
    /// It is restarted, and takes no new meetings since it was drained.
    Drained,
    /// It ends by itself after the last meeting, and comes back.
    ByItself,
}

/// May the bridge be restarted for this? Says how, or why the consumer has to wait.
pub(super) fn may_restart(
    plan: &Plan,
    args: &Args,
    port: u16,
    password: &str,
    report: &mut Report,
) -> Result<Way, String> {
    let runs = plan.steps.iter().any(|step| {
        matches!(&step.thing, Some(Resource::Service(service)) if service.id == ServiceId::Videobridge)
            && matches!(step.before, State::Service { running: true, .. })
    });
    if !runs || args.bridge == Manner::Now {
        return Ok(Way::Restart);
    }
    let meetings = match bridge::conferences(port) {
        Some(0) => return Ok(Way::Restart),
        Some(count) => format!("{count} meetings run on the bridge"),
        None => "the bridge does not say whether meetings run".to_owned(),
    };
    if args.bridge == Manner::Wait && days_left(plan, password) >= PRESSING_DAYS {
        return Err(format!(
            "{meetings}: a later run restarts it when there are none, and drains it in the last {PRESSING_DAYS} days"
        ));
    }
    if args.bridge == Manner::Shutdown {
        bridge::shut_down(port).map_err(|why| format!("{meetings}, and it does not end: {why}"))?;
        report.note(&format!(
            "{meetings}: it takes no new ones, ends by itself after these, and comes back"
        ));
        return Ok(Way::ByItself);
    }
    bridge::drain(port, true)
        .map_err(|why| format!("{meetings}, and it cannot be drained: {why}"))?;
    report.note(&format!(
        "{meetings}: it takes no new ones, and the end of these is waited for"
    ));
    if bridge::await_quiet(port, Duration::from_secs(args.patience.saturating_mul(60))) {
        return Ok(Way::Drained);
    }
    let _ = bridge::drain(port, false);
    Err(format!(
        "{meetings}, and {} minutes were not enough for them",
        args.patience
    ))
}

/// Days that the certificates last which the bridge shows and trusts now; what cannot be told is
/// pressing.
fn days_left(plan: &Plan, password: &str) -> i64 {
    let ends = plan.steps.iter().filter_map(|step| match &step.before {
        State::File { bytes, .. } => {
            let store = Store::open(bytes, Some(password)).ok()?;
            let leaf = store.entries.first()?.chain.first()?;
            Some(
                keystore::describe(leaf)
                    .ok()?
                    .validity
                    .days_left(host::now()),
            )
        }
        _ => None,
    });
    ends.min().unwrap_or(0)
}
