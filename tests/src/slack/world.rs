//! What Slack knows, in memory.

use std::collections::BTreeMap;

/// Calls are remembered for assertions, up to here.
const CALLS_LIMIT: usize = 10_000;

/// A failure to come.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The method's name: `usergroups.users.list`.
    pub method: String,
    /// What happens.
    pub kind: FaultKind,
    /// How many times.
    pub times: u32,
}

/// What happens to a call. Nothing is done.
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
}

pub(super) struct World {
    /// Members by the group's id.
    pub(super) groups: BTreeMap<String, Vec<String>>,
    pub(super) scopes: Vec<String>,
    pub(super) revoked: bool,
    pub(super) faults: Vec<Fault>,
    pub(super) calls: Vec<String>,
}

impl World {
    pub(super) fn new(scopes: Vec<String>) -> Self {
        Self { groups: BTreeMap::new(), scopes, revoked: false, faults: Vec::new(), calls: Vec::new() }
    }

    pub(super) fn heard(&mut self, call: String) {
        if self.calls.len() < CALLS_LIMIT {
            self.calls.push(call);
        }
    }

    /// The next fault for a method, used up by one.
    pub(super) fn fault_for(&mut self, method: &str) -> Option<FaultKind> {
        let fault = self.faults.iter_mut().find(|fault| fault.times > 0 && fault.method == method)?;
        fault.times -= 1;
        Some(fault.kind)
    }
}
