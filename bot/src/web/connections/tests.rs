use super::*;
use axum::routing::get;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(60 * 60);

/// A server with such bounds, and where it is.
async fn served(connections_limit: usize, head_limit: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/healthz", get(|| async { "ok\n" }));
    tokio::spawn(serve_within(listener, router, connections_limit, head_limit));
    address
}

async fn sent(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// All that comes until the other side closes.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    // What was sent and never read makes the end of it a reset.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8(all).unwrap()
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    while !all.ends_with(b"ok\n") {
        assert_ne!(stream.read_buf(&mut all).await.unwrap(), 0, "closed after {}", String::from_utf8_lossy(&all));
    }
    String::from_utf8(all).unwrap()
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let address = served(4, SHORT).await;
    let begun = sent(address, b"GET /healthz HTTP/1.1\r\nhost: lo").await;
    let silent = sent(address, b"").await;
    assert_eq!(until_closed(begun).await, "");
    assert_eq!(until_closed(silent).await, "");
}

#[tokio::test]
async fn a_connection_that_asks_nothing_more_is_closed() {
    let address = served(4, SHORT).await;
    let answered = until_closed(sent(address, REQUEST).await).await;
    assert!(answered.starts_with("HTTP/1.1 200 OK\r\n") && answered.ends_with("\r\n\r\nok\n"), "{answered}");
}

#[tokio::test]
async fn one_connection_has_many_answers() {
    let address = served(4, LONG).await;
    let mut stream = sent(address, REQUEST).await;
    answer(&mut stream).await;
    stream.write_all(REQUEST).await.unwrap();
    answer(&mut stream).await;
}

#[tokio::test]
async fn silent_connections_keep_nobody_out() {
    let address = served(2, LONG).await;
    let mut first = sent(address, REQUEST).await;
    answer(&mut first).await;
    let begun = sent(address, b"GET /healthz HTTP/1.1\r\nhost: lo").await;
    let mut third = sent(address, REQUEST).await;
    answer(&mut third).await;
    let mut fourth = sent(address, REQUEST).await;
    answer(&mut fourth).await;
    assert_eq!(until_closed(first).await, "");
    assert_eq!(until_closed(begun).await, "");
    third.write_all(REQUEST).await.unwrap();
    answer(&mut third).await;
}

#[tokio::test]
async fn whoever_began_to_wait_first_gives_its_place_and_nobody_who_is_being_answered() {
    let waiting = Arc::new(Waiting::default());
    let [first, second, third] = std::array::from_fn(|_| Arc::new(Seat::new(waiting.clone())));
    // It has asked and been answered: it waits since then.
    drop(Busy::new(first.clone()));
    let _busy = Busy::new(second.clone());
    waiting.close_longest();
    third.close.notified().await;
    waiting.close_longest();
    first.close.notified().await;
    waiting.close_longest();
    assert!(waiting.0.lock().unwrap().seats.is_empty());
    assert!(timeout(Duration::ZERO, second.close.notified()).await.is_err());
}

#[tokio::test]
async fn a_head_has_a_size() {
    let address = served(4, LONG).await;
    let mut long = REQUEST[..REQUEST.len() - 2].to_vec();
    long.extend_from_slice(b"x: ");
    long.resize(long.len() + BUFFER_LIMIT_BYTES, b'x');
    let refused = until_closed(sent(address, &long).await).await;
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 431 "), "{refused}");
}
