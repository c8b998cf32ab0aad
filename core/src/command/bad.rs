//! `/release bad`: what is known of a release after its end.

use super::args::Args;
use super::{Command, Definition, Mistake, SERVICE_OPTION, WhichRelease, slots};
use crate::message::Line;

pub(super) static BAD: Definition = Definition {
    path: &["release", "bad"],
    usage: "/release bad <release or environment> [\"reason\"] [service] [--undo]",
    summary: "mark what it brought as bad: nothing brings it anywhere again, not even a rollback",
    options: &[SERVICE_OPTION, ("undo", None)],
    slots: &[slots::BAD_RELEASE, slots::BAD_REASON, slots::SERVICE, slots::UNDO],
    examples: &["/release bad 01JD7Q4N \"loses sessions\"", "/release bad production", "/release bad 01JD7Q4N --undo"],
    build: bad,
};

fn bad(mut args: Args<'_>) -> Result<Command, Mistake> {
    let (which, reason) = if args.is_an_environment() {
        let environment = args.environment()?;
        let reason = if args.only_a_service_is_left() { None } else { args.text() };
        let service = args.service(&environment)?;
        (WhichRelease::LiveOn { environment, service }, reason)
    } else {
        let release =
            args.release()?.ok_or_else(|| args.usage(Line::plain("Which release, or what is live where?")))?;
        (WhichRelease::Named(release), args.text())
    };
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    let undo = args.flag("undo");
    if undo && reason.is_some() {
        return Err(args.usage(Line::plain("A mark is taken away without a reason.")));
    }
    args.end()?;
    Ok(Command::Bad { which, reason, undo })
}
