//! Failures that can be asked for.

/// A failure to come.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The method's name: `usergroups.users.list`; `hooks` for what is sent to a response URL.
    pub method: String,
    /// What happens.
    pub kind: FaultKind,
    /// How many times.
    pub times: u32,
}

/// What happens to a call. Nothing is done, but with [`FaultKind::AnswerLost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No answer ever comes.
    Timeout,
    /// This status is answered.
    Status(u16),
    /// 429 with `Retry-After`.
    RateLimited {
        /// What the header says, in seconds.
        retry_after_s: u32,
    },
    /// 200 with something that is no JSON.
    Garbled,
    /// 200 with an answer of so many bytes.
    Huge(usize),
    /// The call is done, and the connection breaks off before anything of the answer's body.
    AnswerLost,
}
