//! What the commands' forms ask for, each once.

use super::OptionKind;

/// One thing that a command takes, with the place where it is typed.
pub(super) struct Slot {
    /// As an option of the line and of a form is called.
    pub(super) name: &'static str,
    /// What it stands for.
    pub(super) about: &'static str,
    pub(super) kind: OptionKind,
    pub(super) required: bool,
    pub(super) place: Place,
}

/// Where in the line it is typed.
pub(super) enum Place {
    /// The next word.
    Word,
    /// The next word, after this one.
    WordAfter(&'static str),
    /// After `--name`, or `--name` alone where the kind is a flag.
    Option,
}

impl Slot {
    const fn word(name: &'static str, kind: OptionKind, about: &'static str) -> Self {
        Self { name, about, kind, required: true, place: Place::Word }
    }

    const fn option(name: &'static str, kind: OptionKind, about: &'static str) -> Self {
        Self { name, about, kind, required: false, place: Place::Option }
    }

    const fn if_any(self) -> Self {
        Self { required: false, ..self }
    }

    const fn needed(self) -> Self {
        Self { required: true, ..self }
    }
}

const RELEASE_ABOUT: &str = "its id, or the beginning of it";
const ENVIRONMENT_ABOUT: &str = "which environment";

pub(super) const ENVIRONMENT: Slot = Slot::word("environment", OptionKind::Environment, ENVIRONMENT_ABOUT);
pub(super) const ONLY_ENVIRONMENT: Slot =
    Slot::word("environment", OptionKind::Environment, "only this environment").if_any();
pub(super) const ENVIRONMENT_TO_DEPLOY: Slot = Slot {
    place: Place::WordAfter("deploy"),
    ..Slot::word("environment", OptionKind::Environment, "instead of a release: what a deployment there would meet")
        .if_any()
};
pub(super) const REFERENCE: Slot = Slot::word(
    "reference",
    OptionKind::Reference,
    "branch, tag or commit; without it the newest of the default branch",
)
.if_any();
pub(super) const SERVICE: Slot =
    Slot::option("service", OptionKind::Service, "which service, where there is more than one");
/// What `/migrate` does.
pub(super) const MIGRATE_ACTS: &[&str] = &["status", "plan", "up", "down"];
pub(super) const MIGRATE_ACT: Slot = Slot::word(
    "what",
    OptionKind::Choice(MIGRATE_ACTS),
    "look (status, plan), apply what is pending (up), or take back what was applied last (down)",
)
.if_any();
pub(super) const TAKEN_BACK: Slot =
    Slot::word("count", OptionKind::Count, "for down: how many migrations are taken back").if_any();
pub(super) const CONTINUE: Slot =
    Slot::option("continue", OptionKind::Flag, "for up: go on with a file that an earlier run left half done");
pub(super) const RELEASE: Slot = Slot::word("release", OptionKind::Release, RELEASE_ABOUT);
pub(super) const RELEASE_IF_ANY: Slot = Slot::word("release", OptionKind::Release, RELEASE_ABOUT).if_any();
pub(super) const RERUN: Slot = Slot::option("rerun", OptionKind::Flag, "run the failed CI jobs again first");
pub(super) const DRY_RUN: Slot = Slot::option("dry-run", OptionKind::Flag, "only show the plan");
pub(super) const REASON: Slot = Slot::option("reason", OptionKind::Text, "why, for those who read of it");
pub(super) const REASON_NEEDED: Slot =
    Slot::option("reason", OptionKind::Text, "why, for those who read of it").needed();
pub(super) const INCIDENT: Slot = Slot::option("incident", OptionKind::Text, "the incident that it is for").needed();
pub(super) const LOCK_REASON: Slot =
    Slot::word("reason", OptionKind::Text, "why; a lock that is handed over keeps its own").if_any();
pub(super) const FOR: Slot = Slot::option("for", OptionKind::Duration, "for how long, such as 30m, 2h or 2d");
pub(super) const TO: Slot = Slot::option("to", OptionKind::Person, "whose the lock becomes");
pub(super) const CODE: Slot = Slot::word(
    "code",
    OptionKind::Text,
    "the code; or confirm, or refuse, or remove and a chat; without it you get a code",
)
.if_any();
pub(super) const ONLY_CONFIG: Slot =
    Slot::option("config", OptionKind::Flag, "only the configuration: what runs, once more, with the settings of now");
pub(super) const TOPIC: Slot = Slot::word("command", OptionKind::Text, "about one command, such as deploy").if_any();
pub(super) const MIGRATIONS: Slot = Slot::option(
    "migrations",
    OptionKind::Flag,
    "take back what the older version does not know, once that runs and is well",
);
pub(super) const BAD_RELEASE: Slot =
    Slot::word("release", OptionKind::Release, "its id, or the beginning of it; or an environment: what is live there");
pub(super) const BAD_REASON: Slot =
    Slot::word("reason", OptionKind::Text, "why it is bad, for those who read of it").if_any();
pub(super) const WHEN: Slot =
    Slot::option("when", OptionKind::Text, "later: green, unlocked, 15:00, monday 9:00, tomorrow 9:00 or in 2h");
pub(super) const BUMP: Slot = Slot::option("bump", OptionKind::Release, "put this waiting release first in its queue");
pub(super) const UNDO: Slot = Slot::option("undo", OptionKind::Flag, "take the mark away");
pub(super) const PULL_REQUEST: Slot =
    Slot::word("pull-request", OptionKind::Text, "its number, or its address on GitHub");
pub(super) const SHIP_TO: Slot =
    Slot::word("environment", OptionKind::Environment, "where to; without it where what is merged goes first").if_any();
pub(super) const SERVICE_OR_ALL: Slot =
    Slot::option("service", OptionKind::ServiceOrAll, "which service, where there is more than one; all for every one");
pub(super) const SHIP_DRY_RUN: Slot =
    Slot::option("dry-run", OptionKind::Flag, "only say what the merge waits for; nothing is merged or deployed");
