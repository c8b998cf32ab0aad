//! What the sandbox answers.

use crate::spoilt;
use axum::body::Body;
use axum::response::Response;
use serde_json::{Value, json};
use std::fmt;

/// An error in AWS's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// HTTP status.
    pub(super) status: u16,
    /// The error's name.
    pub(super) code: &'static str,
    /// Its text.
    pub(super) message: String,
}

impl Refusal {
    /// One of the caller's mistakes: status 400.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// One call's result.
pub(super) type Answer = Result<Value, Refusal>;

/// The answer as HTTP, in the version of AWS's JSON protocol that the service speaks.
pub(super) fn http(answer: Answer, content_type: &str, request_id: &str) -> Response {
    let (status, body) = body(&answer);
    build(status, content_type, request_id, Body::from(body.to_string()))
}

/// Its status and what it says.
pub(super) fn body(answer: &Answer) -> (u16, Value) {
    match answer {
        Ok(body) => (200, body.clone()),
        // App Runner and Secrets Manager spell it `Message`, ECR and the front door `message`; clients read both.
        Err(Refusal { status, code, message }) => {
            (*status, json!({ "__type": code, "message": message, "Message": message }))
        }
    }
}

/// The headers of an answer whose body breaks off: the caller cannot learn what became of the request.
pub(super) fn broken(content_type: &str, request_id: &str) -> Response {
    let stream = futures::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("the answer is lost")) });
    build(200, content_type, request_id, Body::from_stream(stream))
}

/// The answer of which only the first half comes.
pub(super) fn cut(answer: &Answer, content_type: &str, request_id: &str) -> Response {
    let (status, body) = body(answer);
    build(status, content_type, request_id, spoilt::cut(body.to_string().as_bytes()))
}

/// A bare status, as a load balancer in front of the service gives it.
pub(super) fn bare(status: u16) -> Response {
    build(status, "text/plain", "-", Body::from("Service Unavailable"))
}

fn build(status: u16, content_type: &str, request_id: &str, body: Body) -> Response {
    let response = Response::builder()
        .status(status)
        .header("content-type", content_type)
        .header("x-amzn-requestid", request_id)
        .body(body);
    // Cannot fail: all parts are written above or made of hex digits.
    response.unwrap_or_else(|_| Response::new(Body::empty()))
}
