//! What is due without anybody asking: sign-ups that expire, the mail about all who wait, and what
//! has outlived its use. Several
//! instances share the work: who counts first in a window does it.

use std::time::Duration;

use tokio::sync::watch;

use crate::account::act::{Failure, expire, notify, settings};
use crate::account::{Actor, Office};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How often the list is looked through.
const LOOK: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Expire,
    Digest,
    Sessions,
    Limits,
    Links,
    Outbox,
    Audit,
}

impl Job {
    /// What is to be done, and after how many seconds again.
    const ALL: [(Self, &'static str, i64); 7] = [
        (Self::Expire, "expire", 5 * MINUTE),
        (Self::Digest, "digest", 5 * MINUTE),
        (Self::Sessions, "sessions", 15 * MINUTE),
        (Self::Limits, "limits", 15 * MINUTE),
        (Self::Links, "links", HOUR),
        (Self::Outbox, "outbox", HOUR),
        (Self::Audit, "audit", HOUR),
    ];

    /// Does it; how much there was.
    async fn run(self, office: &Office) -> Result<u64, Failure> {
        let (store, now) = (&office.store, office.world.now());
        Ok(match self {
            Self::Expire => {
                let gone = expire::run(office).await?;
                gone.unconfirmed + gone.pending
            }
            Self::Digest => notify::digest(office).await?,
            Self::Sessions => store.prune_sessions(now).await?,
            Self::Limits => store.prune_limits(now).await?,
            // Kept for a while, so that "expired" and "used" can be told from "unknown".
            Self::Links => {
                store.prune_tokens(now - 7 * DAY).await?
                    + store.prune_invites(now - 30 * DAY).await?
            }
            Self::Outbox => store.prune_outbox(now - 14 * DAY).await?,
            Self::Audit => match settings::policy(office).await?.audit_days {
                0 => 0,
                days => {
                    let actor = Actor {
                        name: "timer".into(),
                        ..Actor::default()
                    };
                    let before = (now - days * DAY) * 1000;
                    store.prune_audit(&*office.world, &actor, before).await?
                }
            },
        })
    }
}

/// Works until the service leaves.
pub(super) async fn work(office: Office, mut leaving: watch::Receiver<bool>) {
    // Instances that start together do not look together.
    let mut chance = [0; 1];
    office.world.fill(&mut chance);
    let mut pause = Duration::from_millis(1000 + u64::from(chance[0]) * 8);
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = leaving.wait_for(|leaving| *leaving) => return,
        }
        pause = LOOK + Duration::from_millis(u64::from(chance[0]) * 8);
        for (job, name, period) in Job::ALL {
            match due(&office, job, name, period).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(job = name, count, "did what was due"),
                Err(error) => tracing::warn!(job = name, %error, "this is tried again"),
            }
        }
    }
}

async fn due(office: &Office, job: Job, name: &str, period: i64) -> Result<u64, Failure> {
    let name = format!("timer {name}");
    let now = office.world.now();
    // Looked at first: in most rounds it is not due, and nothing is written.
    if office.store.counted(&name, now).await? > 0
        || office.store.count(&name, now, period).await? != 1
    {
        return Ok(0);
    }
    let done = job.run(office).await;
    if done.is_err() {
        office.store.uncount(&name).await?;
    }
    done
}
