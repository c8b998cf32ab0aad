//! What people type: the grammar, its mistakes with the nearest correct spelling, and its help, all from one
//! set of definitions.

mod act;
mod args;
mod ask;
mod bad;
mod config;
mod deploy;
mod flow;
mod later;
mod lexer;
mod link;
mod lock;
mod migrate;
mod mistake;
mod options;
mod overriding;
mod parse;
mod quote;
mod ship;
mod slash;
mod slots;
mod when;
mod words;

#[cfg(test)]
mod tests;

pub use args::ALL_SERVICES;
pub use lexer::TEXT_LIMIT_CHARS;
pub use migrate::TAKEN_BACK_LIMIT;
pub use mistake::{Mistake, MistakeKind};
pub use options::{CommandForm, CommandOption, DESCRIPTION_LIMIT_CHARS, OptionKind, forms, line_of, option_kind};
pub use parse::{help, parse};
pub use quote::quoted;
pub use slash::{HINT_LIMIT_CHARS, SlashCommand, slash_commands};
pub use when::{Day, When};
pub use words::Words;

pub(crate) use words::nearest;

use crate::ids::{EnvironmentName, PersonId, ServiceName};
use crate::link::Code;
use crate::person::Platform;
use args::Args;
use serde::{Deserialize, Serialize};

/// Something a person asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// `/deploy <environment> [reference] [service] [--dry-run] [--reason "…"]`
    Deploy {
        /// Where to.
        environment: EnvironmentName,
        /// Which service; always filled in (the only one, or the named one).
        service: ServiceName,
        /// Branch, tag or commit; `None` is the default branch. Untrusted text.
        reference: Option<String>,
        /// Only show the plan.
        dry_run: bool,
        /// Why. Untrusted text.
        reason: Option<String>,
    },
    /// `/rollback <environment> [release] [service] [--migrations]`
    Rollback {
        /// Where.
        environment: EnvironmentName,
        /// Which service.
        service: ServiceName,
        /// To the state after this release; `None` is the last good one before what runs.
        release: Option<String>,
        /// Why. Untrusted text.
        reason: Option<String>,
        /// Take migrations back too, that the older version does not know.
        #[serde(default)]
        migrations: bool,
    },
    /// `/migrate <environment> [status|plan|up|down N] [service]`
    Migrate {
        /// Where.
        environment: EnvironmentName,
        /// Which service.
        service: ServiceName,
        /// What about its migrations.
        act: MigrateAct,
        /// Why. Untrusted text.
        reason: Option<String>,
    },
    /// `/release status [environment] [service]`
    Status {
        /// Only this environment.
        environment: Option<EnvironmentName>,
    },
    /// `/release history [environment]`
    History {
        /// Only this environment.
        environment: Option<EnvironmentName>,
    },
    /// `/release show <release>`
    Show {
        /// A release id or a unique prefix of one.
        release: String,
    },
    /// `/release why <release>` or `/release why deploy <environment>`
    Why {
        /// What is asked about.
        about: WhyAbout,
    },
    /// `/release approve [release]`
    Approve {
        /// `None`: the only release that waits for approval.
        release: Option<String>,
    },
    /// `/release veto [release]`
    Veto {
        /// As in `Approve`.
        release: Option<String>,
    },
    /// `/release withdraw [release]`: takes back one's vote.
    Withdraw {
        /// As in `Approve`.
        release: Option<String>,
    },
    /// `/release cancel [release]`
    Cancel {
        /// `None`: the only release that has not ended.
        release: Option<String>,
    },
    /// `/release retry [release] [--rerun]`: the same request again, as a new release.
    Retry {
        /// `None`: the newest one that failed.
        release: Option<String>,
        /// Whether the failed jobs of its run are run again first.
        rerun: bool,
    },
    /// `/release lock <environment> "reason" [--for 2h] [service]`
    Lock {
        /// Which environment.
        environment: EnvironmentName,
        /// Of which service.
        service: ServiceName,
        /// Why. Untrusted text.
        reason: String,
        /// For how many seconds; `None` is until unlocked.
        for_s: Option<u32>,
    },
    /// `/release lock <environment> --to bob ["reason"] [--for 2h] [service]`: the lock becomes another's.
    HandOver {
        /// Which environment.
        environment: EnvironmentName,
        /// Of which service.
        service: ServiceName,
        /// Whose it becomes.
        to: Whom,
        /// Why; `None` is for the reason that it was taken for. Untrusted text.
        reason: Option<String>,
        /// For how many seconds; `None` is until the end that it has.
        for_s: Option<u32>,
    },
    /// `/release unlock <environment> [service]`
    Unlock {
        /// Which environment.
        environment: EnvironmentName,
        /// Of which service.
        service: ServiceName,
    },
    /// `/release override <release> --incident ID --reason "…"`: sets rules aside for one plan.
    Override {
        /// A release id or a unique prefix of one.
        release: String,
        /// The incident that it is for. Untrusted text.
        incident: String,
        /// Why. Untrusted text.
        reason: String,
    },
    /// `/release link [code]`, `/release link confirm|refuse`, `/release link remove <chat>`
    Link {
        /// What about the link.
        act: LinkAct,
    },
    /// `/release queue [environment]`
    Queue {
        /// Only this environment.
        environment: Option<EnvironmentName>,
    },
    /// `/release help [command]`
    Help {
        /// About one command.
        topic: Option<String>,
    },
    /// `/release config [environment]`
    Config {
        /// Only this environment.
        environment: Option<EnvironmentName>,
    },
    /// `/deploy <environment> --config`: what runs, once more.
    DeployConfig {
        /// Where.
        environment: EnvironmentName,
        /// Which service.
        service: ServiceName,
        /// Only show the plan.
        dry_run: bool,
        /// Why. Untrusted text.
        reason: Option<String>,
    },
    /// `/release bad <release or environment> ["reason"] [--undo]`
    Bad {
        /// Which release.
        which: WhichRelease,
        /// Why. Untrusted text.
        reason: Option<String>,
        /// Take the mark away.
        undo: bool,
    },
    /// `/release ship <pull request> [environment] [service]`
    Ship {
        /// Its number.
        pull: u64,
        /// Its repository, where its address was typed. Untrusted text.
        repository: Option<String>,
        /// Where to; `None` is where what is merged goes first.
        environment: Option<EnvironmentName>,
        /// Which service; `None` is the only one, or the one of that repository.
        service: Option<ServiceName>,
        /// Only say what is missing.
        dry_run: bool,
        /// Why. Untrusted text.
        reason: Option<String>,
    },
    /// `/deploy <environment> [reference] [service] --when …`: a deployment that is asked for later.
    DeployWhen {
        /// Where to.
        environment: EnvironmentName,
        /// Which service.
        service: ServiceName,
        /// As in `Deploy`, looked up then.
        reference: Option<String>,
        /// When.
        when: When,
        /// Why. Untrusted text.
        reason: Option<String>,
    },
    /// `/release queue --bump <release>`: puts a release that waits before the others.
    Bump {
        /// A release id or a unique prefix of one.
        release: String,
    },
    /// `/release resume [environment] [service]`: releases begin by themselves again.
    Resume {
        /// Where; `None`: wherever they have stopped, if that is one environment.
        environment: Option<EnvironmentName>,
        /// Which service; known where the environment is.
        service: Option<ServiceName>,
    },
    /// `/deploy <environment> [reference] all [--dry-run] [--reason "…"]`: several services, one approval.
    DeployAll {
        /// Where to.
        environment: EnvironmentName,
        /// Every service that has it, by name; at least two.
        services: Vec<ServiceName>,
        /// As in `Deploy`, looked up in each repository. Untrusted text.
        reference: Option<String>,
        /// Only show the plans.
        dry_run: bool,
        /// Why. Untrusted text.
        reason: Option<String>,
    },
}

/// A release, as somebody speaks of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichRelease {
    /// By its id, or a unique prefix of it.
    Named(String),
    /// The one that brought what runs there.
    LiveOn {
        /// Where.
        environment: EnvironmentName,
        /// Of which service.
        service: ServiceName,
    },
}

/// What is done about migrations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MigrateAct {
    /// Say what is applied.
    Status,
    /// Say what is pending.
    Plan {
        /// With the files of this branch, tag or commit; `None` is the default branch. Untrusted text.
        reference: Option<String>,
    },
    /// Apply what is pending.
    Up {
        /// As in `Plan`.
        reference: Option<String>,
        /// Go on with a file that an earlier run left half done.
        goes_on: bool,
    },
    /// Take back what was applied last.
    Down {
        /// How many migrations.
        count: u32,
    },
}

/// A person as somebody types them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// By their name in the configuration.
    Named(PersonId),
    /// By a mention in the chat's own markup, which holds their account's id there.
    Mentioned(String),
}

/// What is done about the link between two accounts of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkAct {
    /// Ask for a code.
    Begin,
    /// Type the code, from the other account.
    Claim(Code),
    /// That account is mine.
    Confirm,
    /// It is not.
    Refuse,
    /// Take the link to the account in a chat away.
    Remove(Platform),
}

/// What `/release why` is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyAbout {
    /// A release, by id or unique prefix.
    Release(String),
    /// A deployment that nobody has asked for yet.
    Deploy {
        /// Where to.
        environment: EnvironmentName,
        /// Which service.
        service: ServiceName,
    },
}

/// One command as it is typed, explained and built.
struct Definition {
    /// The words it begins with.
    path: &'static [&'static str],
    /// Its form.
    usage: &'static str,
    /// What it does, in one line.
    summary: &'static str,
    /// Its options; those with a value have an example of one.
    options: &'static [(&'static str, Option<&'static str>)],
    /// What its form asks for, in the order of the line.
    slots: &'static [slots::Slot],
    /// Lines that one can type.
    examples: &'static [&'static str],
    /// Makes the command of the words after the path.
    build: fn(Args<'_>) -> Result<Command, Mistake>,
}

/// How the service can be named wherever it may be a word too. Forms say it so: a lone word may be a branch.
const SERVICE_OPTION: (&str, Option<&str>) = (args::SERVICE, Some("goals"));

impl Definition {
    /// `/release status`.
    fn line(&self) -> String {
        format!("/{}", self.path.join(" "))
    }
}

/// All commands, in the order of the help: that of a day.
static DEFINITIONS: [&Definition; 22] = [
    &deploy::DEPLOY,
    &deploy::ROLLBACK,
    &migrate::MIGRATE,
    &ship::SHIP,
    &ask::STATUS,
    &ask::HISTORY,
    &ask::SHOW,
    &ask::WHY,
    &ask::QUEUE,
    &act::APPROVE,
    &act::VETO,
    &act::WITHDRAW,
    &act::CANCEL,
    &act::RETRY,
    &bad::BAD,
    &lock::LOCK,
    &lock::UNLOCK,
    &flow::RESUME,
    &overriding::OVERRIDE,
    &config::CONFIG,
    &link::LINK,
    &ask::HELP,
];

impl Command {
    /// Its definition. A new command does not compile before it has one.
    fn definition(&self) -> &'static Definition {
        match self {
            Self::Deploy { .. } => &deploy::DEPLOY,
            Self::Rollback { .. } => &deploy::ROLLBACK,
            Self::Migrate { .. } => &migrate::MIGRATE,
            Self::Status { .. } => &ask::STATUS,
            Self::History { .. } => &ask::HISTORY,
            Self::Show { .. } => &ask::SHOW,
            Self::Why { .. } => &ask::WHY,
            Self::Approve { .. } => &act::APPROVE,
            Self::Veto { .. } => &act::VETO,
            Self::Withdraw { .. } => &act::WITHDRAW,
            Self::Cancel { .. } => &act::CANCEL,
            Self::Retry { .. } => &act::RETRY,
            Self::Lock { .. } | Self::HandOver { .. } => &lock::LOCK,
            Self::Unlock { .. } => &lock::UNLOCK,
            Self::Override { .. } => &overriding::OVERRIDE,
            Self::Link { .. } => &link::LINK,
            Self::Queue { .. } => &ask::QUEUE,
            Self::Help { .. } => &ask::HELP,
            Self::Config { .. } => &config::CONFIG,
            Self::DeployConfig { .. } | Self::DeployAll { .. } => &deploy::DEPLOY,
            Self::Bad { .. } => &bad::BAD,
            Self::Ship { .. } => &ship::SHIP,
            Self::DeployWhen { .. } => &deploy::DEPLOY,
            Self::Bump { .. } => &ask::QUEUE,
            Self::Resume { .. } => &flow::RESUME,
        }
    }

    /// Its name as it is typed: `/release status`.
    #[must_use]
    pub fn name(&self) -> String {
        self.definition().line()
    }
}
