//! Connections, bounded in number and in time: whoever holds one open without asking for anything, or sends the head of a
//! request byte by byte, keeps nobody else out. `axum::serve` has neither bound.

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, error};

/// How many connections there are at once. Half of the 1,024 files that a process may usually have open: the store and
/// the clients need some too.
const CONNECTIONS_LIMIT: usize = 512;
/// How long a connection may wait for the head of its next request to be there whole. Longer than the minute for which load
/// balancers keep idle connections: were it shorter, they would send a request into one that is just being closed.
const HEAD_LIMIT: Duration = Duration::from_secs(75);
/// How much of a connection is read ahead; a longer head is refused.
const BUFFER_LIMIT_BYTES: usize = 64 * 1024;
/// How long an answer may take to be on its way from a connection that is to be closed.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);
/// How many such there are at once; of more the answer is given up.
const LEAVING_LIMIT: usize = 64;
/// How long the one that waited longest may take to give its place up before the next one is asked.
const CLOSE_LIMIT: Duration = Duration::from_millis(100);
/// The rest after a connection could not be accepted, as when too many files are open.
const ACCEPT_REST: Duration = Duration::from_secs(1);

/// Serves for ever.
pub async fn serve(listener: TcpListener, router: Router) {
    serve_within(listener, router, CONNECTIONS_LIMIT, HEAD_LIMIT).await;
}

async fn serve_within(listener: TcpListener, router: Router, connections_limit: usize, head_limit: Duration) {
    let (waiting, leaving) = (Arc::new(Waiting::default()), Arc::new(Semaphore::new(LEAVING_LIMIT)));
    let mut connections = JoinSet::new();
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                error!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        // The newcomer has its place before it has said anything, and loses it last: so no number of silent connections
        // keeps a delivery out. Where all are being answered it waits, as answers end.
        while connections.len() >= connections_limit {
            waiting.close_longest();
            // One that was to be closed may have been asked something at that very moment, and stays.
            let _ = timeout(CLOSE_LIMIT, connections.join_next()).await;
        }
        connections.spawn(converse(stream, router.clone(), Seat::new(waiting.clone()), leaving.clone(), head_limit));
    }
}

/// Answers one request after the other.
async fn converse(stream: TcpStream, router: Router, seat: Seat, leaving: Arc<Semaphore>, head_limit: Duration) {
    let (seat, router) = (Arc::new(seat), TowerToHyperService::new(router));
    let asked = seat.clone();
    let service = service_fn(move |request| {
        let (busy, answer) = (Busy::new(asked.clone()), router.call(request));
        async move {
            let answer = answer.await;
            drop(busy);
            answer
        }
    });
    // HTTP/1 alone: telling it from HTTP/2 by its first bytes would be one more wait without an end.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_limit)
        .max_buf_size(BUFFER_LIMIT_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = Box::pin(connection);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    debug!(%error, "a connection broke off");
                }
                return;
            }
            () = seat.close.notified() => if !seat.is_busy() { break },
        }
    }
    debug!("a connection that waited gives its place to a new one");
    // The last answer may still be on its way out. Its place is free all the same: whoever reads nothing keeps nobody out.
    if seat.has_asked.load(Ordering::Relaxed)
        && let Ok(permit) = leaving.try_acquire_owned()
    {
        connection.as_mut().graceful_shutdown();
        tokio::spawn(async move {
            let _ = timeout(LEAVE_LIMIT, connection).await;
            drop(permit);
        });
    }
}

/// Whether only the connection failed that was to be accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// The connections in which nothing is being answered.
#[derive(Debug, Default)]
struct Waiting(Mutex<Line>);

#[derive(Debug, Default)]
struct Line {
    next: u64,
    /// By when they began to wait.
    seats: BTreeMap<u64, Arc<Notify>>,
}

impl Waiting {
    fn join(&self, close: &Arc<Notify>) -> u64 {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = line.next;
        line.next += 1;
        line.seats.insert(place, close.clone());
        place
    }

    fn leave(&self, place: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).seats.remove(&place);
    }

    /// Closes the one that has waited longest, if any waits.
    fn close_longest(&self) {
        let longest = self.0.lock().unwrap_or_else(PoisonError::into_inner).seats.pop_first();
        if let Some((_, close)) = longest {
            close.notify_one();
        }
    }
}

/// One connection's place among those that wait.
#[derive(Debug)]
struct Seat {
    waiting: Arc<Waiting>,
    close: Arc<Notify>,
    /// Its place in the line; `None`: something is being answered.
    place: Mutex<Option<u64>>,
    /// Whether any request has come whole.
    has_asked: AtomicBool,
}

impl Seat {
    fn new(waiting: Arc<Waiting>) -> Self {
        let close = Arc::new(Notify::new());
        let place = Mutex::new(Some(waiting.join(&close)));
        Self { waiting, close, place, has_asked: AtomicBool::new(false) }
    }

    fn is_busy(&self) -> bool {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn set(&self, waits: bool) {
        let place = waits.then(|| self.waiting.join(&self.close));
        let before = std::mem::replace(&mut *self.place.lock().unwrap_or_else(PoisonError::into_inner), place);
        if let Some(before) = before {
            self.waiting.leave(before);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// While it lives something is being answered.
struct Busy(Arc<Seat>);

impl Busy {
    fn new(seat: Arc<Seat>) -> Self {
        seat.has_asked.store(true, Ordering::Relaxed);
        seat.set(false);
        Self(seat)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[cfg(test)]
mod tests;
