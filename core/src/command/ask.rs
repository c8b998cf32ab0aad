//! `/release status|history|show|why|queue|help`: questions.

use super::args::Args;
use super::{Command, Definition, Mistake, SERVICE_OPTION, WhyAbout, slots};
use crate::message::Line;

pub(super) static STATUS: Definition = Definition {
    path: &["release", "status"],
    usage: "/release status [environment]",
    summary: "what runs where, since when, and what waits",
    options: &[],
    slots: &[slots::ONLY_ENVIRONMENT],
    examples: &["/release status"],
    build: |mut args| {
        let environment = args.environment_if_any()?;
        args.end()?;
        Ok(Command::Status { environment })
    },
};

pub(super) static HISTORY: Definition = Definition {
    path: &["release", "history"],
    usage: "/release history [environment]",
    summary: "the newest releases and how they ended",
    options: &[],
    slots: &[slots::ONLY_ENVIRONMENT],
    examples: &["/release history production"],
    build: |mut args| {
        let environment = args.environment_if_any()?;
        args.end()?;
        Ok(Command::History { environment })
    },
};

pub(super) static SHOW: Definition = Definition {
    path: &["release", "show"],
    usage: "/release show <release>",
    summary: "everything about one release",
    options: &[],
    slots: &[slots::RELEASE],
    examples: &["/release show 01JD7Q4N"],
    build: |mut args| {
        let release = args.release()?.ok_or_else(|| args.usage(Line::plain("Which release?")))?;
        args.end()?;
        Ok(Command::Show { release })
    },
};

pub(super) static WHY: Definition = Definition {
    path: &["release", "why"],
    usage: "/release why <release>, or /release why deploy <environment> [service]",
    summary: "why a release does not run, what would clear it, and who can",
    options: &[SERVICE_OPTION],
    slots: &[slots::RELEASE_IF_ANY, slots::ENVIRONMENT_TO_DEPLOY, slots::SERVICE],
    examples: &["/release why 01JD7Q4N", "/release why deploy production"],
    build: why,
};

fn why(mut args: Args<'_>) -> Result<Command, Mistake> {
    let about = if args.keyword("deploy") {
        let environment = args.environment()?;
        let service = args.service(&environment)?;
        WhyAbout::Deploy { environment, service }
    } else {
        WhyAbout::Release(args.release()?.ok_or_else(|| args.usage(Line::plain("About what?")))?)
    };
    args.end()?;
    Ok(Command::Why { about })
}

pub(super) static QUEUE: Definition = Definition {
    path: &["release", "queue"],
    usage: "/release queue [environment], or /release queue --bump <release>",
    summary: "who waits for what, in which order; --bump puts a waiting release first",
    options: &[("bump", Some("01JD7Q4N"))],
    slots: &[slots::ONLY_ENVIRONMENT, slots::BUMP],
    examples: &["/release queue", "/release queue --bump 01JD7Q4N"],
    build: queue,
};

fn queue(mut args: Args<'_>) -> Result<Command, Mistake> {
    let bump = args.option("bump").map(|text| args.release_named(text)).transpose()?;
    if let Some(release) = bump {
        args.end()?;
        return Ok(Command::Bump { release });
    }
    let environment = args.environment_if_any()?;
    args.end()?;
    Ok(Command::Queue { environment })
}

pub(super) static HELP: Definition = Definition {
    path: &["release", "help"],
    usage: "/release help [command]",
    summary: "this list, or more about one command",
    options: &[],
    slots: &[slots::TOPIC],
    examples: &["/release help deploy"],
    build: |mut args| {
        let topic = args.rest();
        args.end()?;
        Ok(Command::Help { topic })
    },
};
