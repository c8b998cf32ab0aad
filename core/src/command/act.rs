//! `/release approve|veto|withdraw|cancel|retry`: what one does to a release.

use super::{Command, Definition, slots};

pub(super) static APPROVE: Definition = Definition {
    path: &["release", "approve"],
    usage: "/release approve [release]",
    summary: "vote for the plan; without a release the only one that waits (or react with ✅)",
    options: &[],
    slots: &[slots::RELEASE_IF_ANY],
    examples: &["/release approve"],
    build: |mut args| {
        let release = args.release()?;
        args.end()?;
        Ok(Command::Approve { release })
    },
};

pub(super) static VETO: Definition = Definition {
    path: &["release", "veto"],
    usage: "/release veto [release]",
    summary: "hold it until you take the veto back (or react with ❌)",
    options: &[],
    slots: &[slots::RELEASE_IF_ANY],
    examples: &["/release veto 01JD7Q4N"],
    build: |mut args| {
        let release = args.release()?;
        args.end()?;
        Ok(Command::Veto { release })
    },
};

pub(super) static WITHDRAW: Definition = Definition {
    path: &["release", "withdraw"],
    usage: "/release withdraw [release]",
    summary: "take back your vote, until the release runs",
    options: &[],
    slots: &[slots::RELEASE_IF_ANY],
    examples: &["/release withdraw"],
    build: |mut args| {
        let release = args.release()?;
        args.end()?;
        Ok(Command::Withdraw { release })
    },
};

pub(super) static CANCEL: Definition = Definition {
    path: &["release", "cancel"],
    usage: "/release cancel [release]",
    summary: "stop a release while its step can be stopped, or take back a deployment for later",
    options: &[],
    slots: &[slots::RELEASE_IF_ANY],
    examples: &["/release cancel", "/release cancel 01JD7Q4N"],
    build: |mut args| {
        let release = args.release()?;
        args.end()?;
        Ok(Command::Cancel { release })
    },
};

pub(super) static RETRY: Definition = Definition {
    path: &["release", "retry"],
    usage: "/release retry [release] [--rerun]",
    summary: "the same commit again, as a new release; without one the newest that failed or was cancelled",
    options: &[("rerun", None)],
    slots: &[slots::RELEASE_IF_ANY, slots::RERUN],
    examples: &["/release retry", "/release retry --rerun"],
    build: |mut args| {
        let release = args.release()?;
        let rerun = args.flag("rerun");
        args.end()?;
        Ok(Command::Retry { release, rerun })
    },
};
