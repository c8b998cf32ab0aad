//! `/release ship`: a pull request, merged and brought to an environment.

use super::args::Args;
use super::{Command, Definition, Mistake, SERVICE_OPTION, slots};
use crate::message::Line;
use crate::pull;

pub(super) static SHIP: Definition = Definition {
    path: &["release", "ship"],
    usage: "/release ship <pull request> [environment] [service] [--dry-run] [--reason \"…\"]",
    summary: "squash-merge it once its checks and reviews are green, and deploy it: to staging, if nothing else is said",
    options: &[SERVICE_OPTION, ("dry-run", None), ("reason", Some("\"…\""))],
    slots: &[slots::PULL_REQUEST, slots::SHIP_TO, slots::SERVICE, slots::DRY_RUN, slots::REASON],
    examples: &["/release ship 123", "/release ship 123 staging --dry-run"],
    build: ship,
};

fn ship(mut args: Args<'_>) -> Result<Command, Mistake> {
    let Some(word) = args.text() else { return Err(args.usage(Line::plain("Which pull request?"))) };
    let Some((pull, repository)) = pull::named(&word) else {
        let line = Line::plain("\"").untrusted(word).text("\" is no pull request: it is a number such as ");
        return Err(args.usage(line.code("123").text(", or its address.")));
    };
    let environment = if args.only_a_service_is_left() { None } else { args.environment_if_any()? };
    let service = args.service_if_any()?;
    let (dry_run, reason) = (args.flag("dry-run"), args.option("reason"));
    args.end()?;
    Ok(Command::Ship { pull, repository, environment, service, dry_run, reason })
}
