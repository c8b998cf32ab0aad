//! Failures that can be asked for.

/// A failure to come.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Which calls, as the table of routes has them: `POST /channels/{channel}/messages`.
    pub method: String,
    /// What happens.
    pub kind: FaultKind,
    /// How many times.
    pub times: u32,
}

impl Fault {
    /// One failure of a kind.
    #[must_use]
    pub fn once(method: &str, kind: FaultKind) -> Self {
        Self { method: method.to_owned(), kind, times: 1 }
    }
}

/// What happens to a call. Nothing is done, but with [`FaultKind::AnswerLost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No answer ever comes.
    Timeout,
    /// This status is answered.
    Status(u16),
    /// 404 as Discord words it, with this code of its own.
    Unknown(u32),
    /// 429 as Discord words it.
    RateLimited {
        /// What it says, in milliseconds.
        retry_after_ms: i64,
        /// All of the app's calls have to wait.
        global: bool,
    },
    /// 200 with something that is no JSON.
    Garbled,
    /// 200 with an answer of so many bytes.
    Huge(usize),
    /// The call is done, and the connection breaks off before anything of the answer's body.
    AnswerLost,
}
