//! `/release ship`: a pull request, merged and brought to an environment.

use super::args::Args;
use super::words::nearest;
use super::{Command, Definition, Mistake, SERVICE_OPTION, slots};
use crate::message::Line;
use crate::pull;

pub(super) static SHIP: Definition = Definition {
    path: &["release", "ship"],
    usage: "/release ship <pull request> [environment] [service] [--dry-run] [--reason \"…\"]",
    summary: "squash-merge a pull request once its checks and reviews are green, then deploy the merge commit",
    options: &[SERVICE_OPTION, ("dry-run", None), ("reason", Some("\"…\""))],
    slots: &[slots::PULL_REQUEST, slots::SHIP_TO, slots::SERVICE, slots::SHIP_DRY_RUN, slots::REASON],
    examples: &["/release ship 123", "/release ship 123 staging --dry-run"],
    build: ship,
};

fn ship(mut args: Args<'_>) -> Result<Command, Mistake> {
    let Some(word) = args.text() else { return Err(args.usage(Line::plain("Which pull request?"))) };
    let Some((pull, repository)) = pull::named(&word) else {
        let line = Line::plain("\"").untrusted(word).text("\" is no pull request: it is a number such as ");
        return Err(args.usage(line.code("123").text(", or its address.")));
    };
    if !(args.is_over() || args.is_an_environment() || args.only_a_service_is_left()) {
        return Err(no_environment(&mut args, &word));
    }
    let environment = if args.only_a_service_is_left() { None } else { args.environment_if_any()? };
    let service = args.service_if_any()?;
    let (dry_run, reason) = (args.flag("dry-run"), args.option("reason"));
    args.end()?;
    Ok(Command::Ship { pull, repository, environment, service, dry_run, reason })
}

/// The nearest one, with the pull request before it.
fn no_environment(args: &mut Args<'_>, pull: &str) -> Mistake {
    let typed = args.text().unwrap_or_default();
    let known = args.known.all_environments();
    let line = Line::plain("There is no environment \"").untrusted(typed.as_str()).text("\".");
    match nearest(&typed, known.iter().copied()) {
        Some(near) => Mistake::new(line.text(" Did you mean ").code(format!("/release ship {pull} {near}")).text("?")),
        None => args.usage(line.text(format!(" There are: {}.", known.join(", ")))),
    }
}
