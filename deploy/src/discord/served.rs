//! A Discord that answers what a test says, in turn, and is gone afterwards.

use super::Discord;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the tests' client has for a token.
pub(super) const TOKEN: &str = "MTk4NjIyNDgzNDcxOTI1MjQ4.hunter2";

/// A request as it came.
pub(super) struct Seen {
    /// Method and address, without the version of the API.
    pub(super) line: String,
    pub(super) head: String,
    pub(super) body: Value,
}

/// One answer.
pub(super) struct Says {
    pub(super) status: u16,
    /// Further headers, each with its line end.
    pub(super) headers: &'static str,
    pub(super) body: String,
}

/// What is told with 200.
pub(super) fn says(body: &Value) -> Says {
    Says { status: 200, headers: "", body: body.to_string() }
}

/// A refusal.
pub(super) fn refuses(status: u16, code: u64) -> Says {
    let body = serde_json::json!({ "message": "No", "code": code }).to_string();
    Says { status, headers: "", body }
}

/// A client, and what it will have asked when all answers are given.
pub(super) async fn served(answers: impl IntoIterator<Item = Says>) -> (Discord, JoinHandle<Vec<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let answers: Vec<Says> = answers.into_iter().collect();
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        for says in answers {
            let (stream, _) = listener.accept().await.unwrap();
            seen.push(exchange(stream, says).await);
        }
        seen
    });
    (Discord::new(&origin, &TOKEN.into()).unwrap(), seen)
}

async fn exchange(mut stream: TcpStream, says: Says) -> Seen {
    let mut read = Vec::new();
    let (head, body) = loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= length(head)
        {
            break (head.to_owned(), body.to_owned());
        }
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "half a request: {text}");
    };
    let Says { status, headers, body: answer } = says;
    let length = answer.len();
    let answer =
        format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{answer}");
    stream.write_all(answer.as_bytes()).await.unwrap();
    let line = head.lines().next().unwrap().replace("/api/v10", "").replace(" HTTP/1.1", "");
    Seen { line, head: head.to_lowercase(), body: serde_json::from_str(&body).unwrap_or_default() }
}

fn length(head: &str) -> usize {
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().unwrap())
}
