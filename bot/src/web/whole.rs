//! Bodies read whole before anything is done with them, and not for ever: whoever sends one slowly keeps nothing open.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tokio::time::timeout;

/// How long a body may take to come.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// Goes on with a body of so many bytes at most.
pub(super) async fn read(request: Request<Body>, next: Next, limit_bytes: usize) -> Response {
    let (head, body) = request.into_parts();
    match whole(body, limit_bytes, READ_LIMIT).await {
        Ok(body) => next.run(Request::from_parts(head, body.into())).await,
        Err(refused) => refused.into_response(),
    }
}

async fn whole(body: Body, limit_bytes: usize, within: Duration) -> Result<Bytes, (StatusCode, &'static str)> {
    match timeout(within, to_bytes(body, limit_bytes)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or broke off\n")),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body did not come in time\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream::{once, pending};
    use futures::{StreamExt as _, future::ready};
    use std::convert::Infallible;

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        let begun = once(ready(Ok::<_, Infallible>(Bytes::from_static(b"{"))));
        let body = Body::from_stream(begun.chain(pending()));
        let refused = whole(body, 100, Duration::from_millis(1)).await;
        assert_eq!(refused.unwrap_err().0, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let within = Duration::from_secs(60);
        assert_eq!(whole(Body::from("1234"), 4, within).await, Ok(Bytes::from_static(b"1234")));
        assert_eq!(whole(Body::from("12345"), 4, within).await.unwrap_err().0, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
