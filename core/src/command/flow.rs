//! `/release resume`: what began by itself goes on.

use super::{Command, Definition, SERVICE_OPTION, slots};

pub(super) static RESUME: Definition = Definition {
    path: &["release", "resume"],
    usage: "/release resume [environment] [service]",
    summary: "let releases start by themselves again after a failure or a rollback",
    options: &[SERVICE_OPTION],
    slots: &[slots::ONLY_ENVIRONMENT, slots::SERVICE],
    examples: &["/release resume staging"],
    build: |mut args| {
        let environment = args.environment_if_any()?;
        let service = environment.as_ref().map(|environment| args.service(environment)).transpose()?;
        args.end()?;
        Ok(Command::Resume { environment, service })
    },
};
