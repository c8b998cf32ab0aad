//! `/release override`: breaking the glass.

use super::args::Args;
use super::{Command, Definition, Mistake, slots};
use crate::message::Line;

/// The longest incident reference, in characters.
const INCIDENT_LIMIT_CHARS: usize = 100;

pub(super) static OVERRIDE: Definition = Definition {
    path: &["release", "override"],
    usage: "/release override <release> --incident ID --reason \"…\"",
    summary: "break the glass: set rules aside for one plan; announced and logged, needed or not",
    options: &[("incident", Some("INC-42")), ("reason", Some("\"…\""))],
    slots: &[slots::RELEASE, slots::INCIDENT, slots::REASON_NEEDED],
    examples: &["/release override 01JD7Q4N --incident INC-42 --reason \"login is down\""],
    build: overriding,
};

/// Nothing is filled in or guessed: whoever breaks the glass says which release, for what and why.
fn overriding(mut args: Args<'_>) -> Result<Command, Mistake> {
    let release = args.release()?.ok_or_else(|| args.usage(Line::plain("Which release?")))?;
    let (incident, reason) = (args.option("incident"), args.option("reason"));
    let needs = |args: &Args<'_>, what: &str| {
        args.usage(Line::plain("An override needs ").text(what).text(", for those who read of it later."))
    };
    let incident = incident.ok_or_else(|| needs(&args, "the incident that it is for"))?;
    let reason = reason.ok_or_else(|| needs(&args, "a reason"))?;
    if incident.chars().count() > INCIDENT_LIMIT_CHARS {
        let line = format!("An incident's reference has at most {INCIDENT_LIMIT_CHARS} characters.");
        return Err(args.usage(Line::plain(line)));
    }
    args.end()?;
    Ok(Command::Override { release, incident, reason })
}
