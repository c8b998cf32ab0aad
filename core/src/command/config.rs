//! `/release config`, and `/deploy … --config`.

use super::args::Args;
use super::{Command, Definition, Mistake, slots};
use crate::ids::EnvironmentName;
use crate::message::Line;

pub(super) static CONFIG: Definition = Definition {
    path: &["release", "config"],
    usage: "/release config [environment]",
    summary: "the keys of the configuration, and which changed since what runs was started; never values",
    options: &[],
    slots: &[slots::ONLY_ENVIRONMENT],
    examples: &["/release config staging"],
    build: |mut args| {
        let environment = args.environment_if_any()?;
        args.end()?;
        Ok(Command::Config { environment })
    },
};

/// The rest of `/deploy <environment> --config`: what runs is deployed once more, so there is no commit to choose.
pub(super) fn deploy(
    mut args: Args<'_>,
    environment: EnvironmentName,
    reference: Option<&str>,
) -> Result<Command, Mistake> {
    if reference.is_some() {
        let line =
            Line::default().code("--config").text(" deploys what runs already; it takes no branch, tag or commit.");
        return Err(args.usage(line));
    }
    let service = args.service(&environment)?;
    let (dry_run, reason) = (args.flag("dry-run"), args.option("reason"));
    args.end()?;
    Ok(Command::DeployConfig { environment, service, dry_run, reason })
}
