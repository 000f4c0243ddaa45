//! Connections: taken in while there is room, cut when they are slow, led to their end when the
//! service stops.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tower::Service as _;

use super::paced::Paced;
use super::sockets::{Door, Visit};
use crate::desk::metrics::Metrics;
use crate::web::Peer;

/// What a connection may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Connections at the same time; more wait in the kernel.
    pub(super) connections: usize,
    /// Until the first byte.
    pub(super) first_byte: Duration,
    /// For the head of a request, and for the pause between two.
    pub(super) head: Duration,
    /// From the head of a request to the head of its answer, its body included.
    pub(super) request: Duration,
    /// For an answer that nobody takes.
    pub(super) stall: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 16_000,
            first_byte: Duration::from_mins(1),
            head: Duration::from_secs(15),
            request: Duration::from_mins(1),
            stall: Duration::from_secs(30),
        }
    }
}

/// How far the service is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// It serves.
    Open,
    /// Nobody new; every answer says that it is the last on its connection.
    Leaving,
    /// Connections on which nothing is asked are closed.
    Closing,
    /// All are.
    Cut,
}

/// A connection's place, counted as long as it lives.
struct Counted {
    metrics: Arc<Metrics>,
    _place: OwnedSemaphorePermit,
}

impl Counted {
    fn new(place: OwnedSemaphorePermit, metrics: &Arc<Metrics>) -> Self {
        metrics.connected();
        Self {
            metrics: Arc::clone(metrics),
            _place: place,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.disconnected();
    }
}

/// Takes connections until the service leaves, and returns when the last of them has ended.
pub(super) async fn hold(
    door: Door,
    pages: Router,
    bounds: Bounds,
    stage: watch::Receiver<Stage>,
    metrics: Arc<Metrics>,
) {
    let room = Arc::new(Semaphore::new(bounds.connections));
    let mut leaving = stage.clone();
    loop {
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await.ok()?;
            Some((door.accept().await, place))
        };
        tokio::select! {
            biased;
            () = reached(&mut leaving, Stage::Leaving) => break,
            next = next => match next {
                Some((Ok(visit), place)) => begin(visit, &pages, bounds, &stage, Counted::new(place, &metrics)),
                // Out of file numbers, or a client that was gone before it was let in.
                Some((Err(error), _)) => {
                    tracing::debug!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                None => break,
            },
        }
    }
    // What the kernel has let in already is served, unless a successor has the same socket.
    if !door.outlives_us() {
        door.shut();
        while let Ok(place) = Arc::clone(&room).try_acquire_owned()
            && let Ok(visit) = door.waiting()
        {
            begin(visit, &pages, bounds, &stage, Counted::new(place, &metrics));
        }
    }
    drop(door);
    let all = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    let _ = room.acquire_many(all).await;
}

/// Waits for a stage, or for the end of the whole.
async fn reached(stage: &mut watch::Receiver<Stage>, at: Stage) {
    let _ = stage.wait_for(|stage| *stage >= at).await;
}

fn begin(
    visit: Visit,
    pages: &Router,
    bounds: Bounds,
    stage: &watch::Receiver<Stage>,
    counted: Counted,
) {
    let pages = pages.clone();
    let mut stage = stage.clone();
    tokio::spawn(async move {
        // A connection that says nothing costs a small task, and no buffers.
        let begun = tokio::select! {
            begun = timeout(bounds.first_byte, first_byte(&visit)) => matches!(begun, Ok(Ok(()))),
            // Perhaps something has come that nobody has told us of yet.
            () = reached(&mut stage, Stage::Closing) => {
                peek(&visit).is_ok() && first_byte(&visit).await.is_ok()
            }
        };
        if !begun {
            return;
        }
        conversation(visit, pages, bounds, stage).await;
        drop(counted);
    });
}

/// Waits for the first byte, or the end. That a socket is readable is sometimes said of one that
/// is not, so it is looked at.
async fn first_byte(visit: &Visit) -> io::Result<()> {
    loop {
        let seen = match visit {
            Visit::Tcp(stream, _) => {
                stream.readable().await?;
                stream.try_io(Interest::READABLE, || peek(visit))
            }
            Visit::Unix(stream) => {
                stream.readable().await?;
                stream.try_io(Interest::READABLE, || peek(visit))
            }
        };
        match seen {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            seen => return seen,
        }
    }
}

/// Whether something, or the end, can be read at once.
fn peek(visit: &Visit) -> io::Result<()> {
    use rustix::net::{RecvFlags, recv};
    let (mut byte, flags) = ([0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
    match visit {
        Visit::Tcp(stream, _) => recv(stream, &mut byte, flags)?,
        Visit::Unix(stream) => recv(stream, &mut byte, flags)?,
    };
    Ok(())
}

/// What follows takes kilobytes, and so has a box of its own.
fn conversation(
    visit: Visit,
    pages: Router,
    bounds: Bounds,
    stage: watch::Receiver<Stage>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    match visit {
        Visit::Tcp(stream, from) => {
            let stream = Paced::new(stream, bounds.stall);
            Box::pin(talk(stream, Peer::Tcp(from), pages, bounds, stage))
        }
        Visit::Unix(stream) => {
            let stream = Paced::new(stream, bounds.stall);
            Box::pin(talk(stream, Peer::Socket, pages, bounds, stage))
        }
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Peer,
    pages: Router,
    bounds: Bounds,
    mut stage: watch::Receiver<Stage>,
) {
    let now = stage.clone();
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let answer = pages.clone().call(request.map(Body::new));
        let now = &now;
        async move {
            let mut answer = timeout(bounds.request, answer)
                .await
                .unwrap_or_else(|_| Ok(too_slow()))?;
            if *now.borrow() >= Stage::Leaving {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(header::CONNECTION, close);
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // The connection is looked at first: a request that has come is read before anything is closed.
    tokio::select! {
        biased;
        _ = &mut connection => return,
        () = reached(&mut stage, Stage::Closing) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = &mut connection => {}
        () = reached(&mut stage, Stage::Cut) => {}
    }
}

fn too_slow() -> Response<Body> {
    let mut answer = Response::new(Body::from("this took too long\n"));
    *answer.status_mut() = StatusCode::REQUEST_TIMEOUT;
    let close = HeaderValue::from_static("close");
    answer.headers_mut().insert(header::CONNECTION, close);
    answer
}
