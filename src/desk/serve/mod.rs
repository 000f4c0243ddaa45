//! `serve`: the pages on one socket, what the machine itself may ask on another, until a signal.

mod connections;
mod internal;
mod log;
mod observe;
mod paced;
pub mod prosody;
mod sockets;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Global;
use super::delivery::{self, Courier};
use super::file::{self, Secrets};
use super::metrics::Metrics;
use super::report::{BAD_SETTINGS, Failure, NOT_PERMITTED};
use super::{office, timers};
use crate::account::Office;
use crate::account::settings::Settings;
use crate::web::{self, App};
use connections::{Bounds, Stage};
use internal::{Desk, Kept};
use sockets::{Door, Handed};

/// Time that requests have to end when the service stops.
const LAST_REQUESTS: Duration = Duration::from_secs(20);
/// Time in which clients learn from an answer that the connection ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// For how long a database that is not up yet is waited for; less than systemd waits for us.
const DATABASE: Duration = Duration::from_mins(1);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How the log is written, to stderr
    #[arg(
        long,
        value_name = "FORM",
        default_value = "plain",
        env = "JITSI_ACCOUNTS_LOG"
    )]
    log: log::Form,
    /// What the log tells
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "info",
        env = "JITSI_ACCOUNTS_LOG_LEVEL"
    )]
    log_level: log::Level,
    /// Threads that serve requests
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode, Failure> {
    let mut handed = Handed::take();
    // Mistakes are named before anything is opened.
    let settings = file::settings(&global.config)?;
    let secrets = file::secrets(&settings)?;
    office::not_as_root(&settings)?;
    log::start(args.log, args.log_level);
    let connections = many_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::from(args.threads))
        .thread_name("serve")
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("no threads: {error}")))?;
    let ended = runtime.block_on(stand(settings, secrets, &mut handed, connections));
    // What is still at work now was given its time.
    runtime.shutdown_background();
    ended.map(|()| ExitCode::SUCCESS)
}

async fn stand(
    settings: Settings,
    secrets: Secrets,
    handed: &mut Handed,
    connections: usize,
) -> Result<(), Failure> {
    let web = open(handed, "web", "listen", &settings.listen)?;
    let internal = open(handed, "internal", "internal", &settings.internal)?;
    let courier = Courier::new(&settings, &secrets)
        .map_err(|error| Failure::new(BAD_SETTINGS, error.to_string()))?;
    let office = office::patient(settings, &secrets, DATABASE).await?;
    let metrics = Arc::new(Metrics::default());
    let pages = pages(&office, &metrics)?;
    let desk = Desk {
        office: office.clone(),
        metrics: Arc::clone(&metrics),
        secret: secrets.prosody.clone(),
        outbox: Kept::default(),
        accounts: Kept::default(),
    };
    let own = observe::internal(internal::router(Arc::new(desk)), &metrics);
    // From before the first answer: whoever is answered may say at once that it is enough.
    let stop = told_to_stop()?;
    let (stage, _) = watch::channel(Stage::Open);
    let bounds = Bounds {
        connections,
        ..Bounds::default()
    };
    tracing::info!(web = %web, internal = %internal, version = env!("CARGO_PKG_VERSION"), "serving");
    let held = tokio::spawn(connections::hold(
        web,
        pages,
        bounds,
        stage.subscribe(),
        Arc::clone(&metrics),
    ));
    let own_bounds = Bounds {
        connections: 256,
        ..bounds
    };
    let own_held = tokio::spawn(connections::hold(
        internal,
        own,
        own_bounds,
        stage.subscribe(),
        Arc::clone(&metrics),
    ));
    let (leave, leaving) = watch::channel(false);
    let carried = tokio::spawn(delivery::work(
        office.clone(),
        courier,
        Arc::clone(&metrics),
        leaving.clone(),
    ));
    let timed = tokio::spawn(timers::work(office.clone(), leaving));
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let watchdog = tokio::spawn(watchdog());

    stop.await;
    tracing::info!("stopping");
    let _ = sd_notify::notify(&[NotifyState::Stopping]);
    watchdog.abort();
    leave.send_replace(true);
    let ended = async {
        let _ = held.await;
        let _ = own_held.await;
        let _ = carried.await;
        let _ = timed.await;
    };
    tokio::pin!(ended);
    for (next, time) in [
        (Stage::Leaving, FAREWELL),
        (Stage::Closing, LAST_REQUESTS),
        (Stage::Cut, Duration::from_secs(1)),
    ] {
        stage.send_replace(next);
        if tokio::time::timeout(time, &mut ended).await.is_ok() {
            office.store.close().await;
            tracing::info!("stopped");
            return Ok(());
        }
    }
    tracing::warn!("stopped with connections open");
    Ok(())
}

fn pages(office: &Office, metrics: &Arc<Metrics>) -> Result<axum::Router, Failure> {
    let bad = |error: web::AppError| {
        let text = error.to_string();
        match text.split_once("\nhint: ") {
            Some((what, hint)) => Failure::new(BAD_SETTINGS, what).hint(hint),
            None => Failure::new(BAD_SETTINGS, text),
        }
    };
    let app = App::new(office.clone()).map_err(bad)?;
    let prefix = app.site.prefix.clone();
    let router = web::router(app).map_err(bad)?;
    let trusted = &office.settings.trusted_proxies;
    Ok(observe::pages(router, metrics, &prefix, trusted))
}

fn open(handed: &mut Handed, name: &str, key: &str, address: &str) -> Result<Door, Failure> {
    Door::open(handed, name, address).map_err(|error| {
        let what = format!("`{key}` = \"{address}\": {error}");
        match error.kind() {
            std::io::ErrorKind::AddrInUse => Failure::failed(what)
                .hint("stop what listens there, or change the key in the file of settings"),
            std::io::ErrorKind::PermissionDenied => Failure::new(NOT_PERMITTED, what)
                .hint("the folder must be writable for the user of the service"),
            _ => Failure::failed(what).hint("change the key in the file of settings"),
        }
    })
}

/// Listens for SIGTERM and SIGINT from now on; what it gives ends with the first of them.
fn told_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let no_signal = |error| Failure::failed(format!("signals cannot be awaited: {error}"));
    let mut term = signal(SignalKind::terminate()).map_err(no_signal)?;
    let mut int = signal(SignalKind::interrupt()).map_err(no_signal)?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

/// Tells systemd that this process still turns, twice in the time that it asks for.
async fn watchdog() {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut beat = tokio::time::interval(period / 2);
    loop {
        beat.tick().await;
        let _ = sd_notify::notify(&[NotifyState::Watchdog]);
    }
}

/// Takes as many file numbers as this process may have, and says how many connections that allows.
fn many_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let found = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: found.maximum,
        maximum: found.maximum,
    };
    let limit = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => found.maximum,
        Err(_) => found.current,
    };
    // Some are for the database, mail, templates and the log.
    let files = limit.and_then(|limit| usize::try_from(limit).ok());
    files.map_or(Bounds::default().connections, |files| {
        files
            .saturating_sub(300)
            .clamp(64, Bounds::default().connections)
    })
}
