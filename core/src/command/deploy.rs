//! `/deploy` and `/rollback`.

use super::args::Args;
use super::when::{self, WHEN, WHEN_EXAMPLE};
use super::{Command, Definition, Mistake, SERVICE_OPTION, config, slots};

pub(super) static DEPLOY: Definition = Definition {
    path: &["deploy"],
    usage: "/deploy <environment> [branch, tag or commit] [service|all] [--dry-run] [--config] [--reason \"…\"] [--when green|unlocked|15:00]",
    summary: "bring a commit to an environment; without a reference the newest of the default branch",
    options: &[
        SERVICE_OPTION,
        ("dry-run", None),
        ("reason", Some("\"…\"")),
        ("config", None),
        (WHEN, Some(WHEN_EXAMPLE)),
    ],
    slots: &[
        slots::ENVIRONMENT,
        slots::REFERENCE,
        slots::SERVICE_OR_ALL,
        slots::DRY_RUN,
        slots::REASON,
        slots::ONLY_CONFIG,
        slots::WHEN,
    ],
    examples: &[
        "/deploy staging",
        "/deploy production v1.8.0 --reason \"fixes login\"",
        "/deploy staging --dry-run",
        "/deploy staging --config",
        "/deploy production --when \"monday 9:00\"",
        "/deploy staging all",
    ],
    build: deploy,
};

/// A single word after the environment that is exactly a service's name is that service; otherwise it is a
/// reference. A branch of the same name is meant by naming the service too, or by quotation marks. `all` is every service
/// that has the environment.
fn deploy(mut args: Args<'_>) -> Result<Command, Mistake> {
    let environment = args.environment()?;
    let reference = if args.only_a_service_is_left() { None } else { args.name()? };
    if let Some(said) = args.option(WHEN) {
        return when::deploy(args, environment, reference, &said);
    }
    if args.flag("config") {
        return config::deploy(args, environment, reference.as_deref());
    }
    let all = args.all_services(&environment)?;
    let service = match &all[..] {
        [] => args.service(&environment)?,
        [first, ..] => first.clone(),
    };
    let (dry_run, reason) = (args.flag("dry-run"), args.option("reason"));
    args.end()?;
    if all.len() > 1 {
        return Ok(Command::DeployAll { environment, services: all, reference, dry_run, reason });
    }
    Ok(Command::Deploy { environment, service, reference, dry_run, reason })
}

pub(super) static ROLLBACK: Definition = Definition {
    path: &["rollback"],
    usage: "/rollback <environment> [release] [service] [--migrations] [--reason \"…\"]",
    summary: "bring back what ran before, or what a release brought; migrations stay applied without --migrations",
    options: &[SERVICE_OPTION, ("reason", Some("\"…\"")), ("migrations", None)],
    slots: &[slots::ENVIRONMENT, slots::RELEASE_IF_ANY, slots::SERVICE, slots::REASON, slots::MIGRATIONS],
    examples: &[
        "/rollback production",
        "/rollback production 01JD7Q4N --reason \"login is broken\"",
        "/rollback production --migrations",
    ],
    build: rollback,
};

fn rollback(mut args: Args<'_>) -> Result<Command, Mistake> {
    let environment = args.environment()?;
    let release = if args.only_a_service_is_left() { None } else { args.release()? };
    let service = args.service(&environment)?;
    let (reason, migrations) = (args.option("reason"), args.flag("migrations"));
    args.end()?;
    Ok(Command::Rollback { environment, service, release, reason, migrations })
}
