//! `/migrate`: migrations by themselves.

use super::args::Args;
use super::words::nearest;
use super::{Command, Definition, MigrateAct, Mistake, SERVICE_OPTION, slots};
use crate::message::Line;

/// How many migrations one request takes back at most.
pub const TAKEN_BACK_LIMIT: u32 = 100;

pub(super) static MIGRATE: Definition = Definition {
    path: &["migrate"],
    usage: "/migrate <environment> [status | plan [reference] | up [reference] | down N] [service] [--continue] [--reason \"…\"]",
    summary: "what is applied (status), what is pending (plan); apply it (up) or take the last N back (down N)",
    options: &[SERVICE_OPTION, ("continue", None), ("reason", Some("\"…\""))],
    slots: &[
        slots::ENVIRONMENT,
        slots::MIGRATE_ACT,
        slots::TAKEN_BACK,
        slots::REFERENCE,
        slots::SERVICE,
        slots::CONTINUE,
        slots::REASON,
    ],
    examples: &["/migrate staging", "/migrate staging plan", "/migrate production up", "/migrate production down 1"],
    build: migrate,
};

fn migrate(mut args: Args<'_>) -> Result<Command, Mistake> {
    let environment = args.environment()?;
    let act = act(&mut args)?;
    // In quotation marks it is a branch, and here is no place for one.
    if let (true, MigrateAct::Status | MigrateAct::Down { .. }) = (args.is_quoted(), &act) {
        let line = Line::plain("Only ").code("plan").text(" and ").code("up").text(" take a branch, tag or commit.");
        return Err(args.usage(line));
    }
    let service = args.service(&environment)?;
    let (goes_on, reason) = (args.flag("continue"), args.option("reason"));
    let act = match act {
        MigrateAct::Up { reference, .. } => MigrateAct::Up { reference, goes_on },
        _ if goes_on => {
            let line = Line::default().code("--continue").text(" is for ").code("up").text(" only.");
            return Err(args.usage(line));
        }
        act => act,
    };
    if let (Some(_), MigrateAct::Status | MigrateAct::Plan { .. }) = (&reason, &act) {
        return Err(args.usage(Line::plain("Looking needs no reason.")));
    }
    args.end()?;
    Ok(Command::Migrate { environment, service, act, reason })
}

fn act(args: &mut Args<'_>) -> Result<MigrateAct, Mistake> {
    if args.is_over() || args.only_a_service_is_left() || args.keyword("status") {
        return Ok(MigrateAct::Status);
    }
    if args.keyword("plan") {
        return Ok(MigrateAct::Plan { reference: reference(args)? });
    }
    if args.keyword("up") {
        return Ok(MigrateAct::Up { reference: reference(args)?, goes_on: false });
    }
    if args.keyword("down") {
        return Ok(MigrateAct::Down { count: count(args)? });
    }
    let typed = args.text().unwrap_or_default();
    let line = Line::plain("There is no ").untrusted(typed.as_str()).text(" of migrations.");
    Err(match nearest(&typed, slots::MIGRATE_ACTS.iter().copied()) {
        Some(near) => Mistake::new(line.text(" Did you mean ").code(near).text("?")),
        None => args.usage(line),
    })
}

fn reference(args: &mut Args<'_>) -> Result<Option<String>, Mistake> {
    if args.only_a_service_is_left() {
        return Ok(None);
    }
    if args.is_a_number() {
        let line = Line::plain("Only ").code("down").text(" takes a number.");
        return Err(args.usage(line));
    }
    args.name()
}

fn count(args: &mut Args<'_>) -> Result<u32, Mistake> {
    let typed = args.text().unwrap_or_default();
    match typed.parse() {
        Ok(count) if (1..=TAKEN_BACK_LIMIT).contains(&count) => Ok(count),
        _ if typed.is_empty() => Err(args.usage(Line::plain("How many are to be taken back?"))),
        _ => {
            let line = Line::default().untrusted(typed);
            Err(args.usage(line.text(format!(" is no number from 1 to {TAKEN_BACK_LIMIT}."))))
        }
    }
}
