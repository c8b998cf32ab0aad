//! `/release lock|unlock`.

use super::args::Args;
use super::{Command, Definition, Mistake, SERVICE_OPTION, slots};
use crate::message::Line;
use jiff::{Span, SpanRelativeTo};

/// The shortest lock.
const LOCK_MIN_S: u32 = 60;
/// The longest lock.
const LOCK_MAX_S: u32 = 30 * 24 * 60 * 60;

pub(super) static LOCK: Definition = Definition {
    path: &["release", "lock"],
    usage: "/release lock <environment> \"reason\" [service] [--for 2h] [--to bob]",
    summary: "keep everybody else's releases from an environment; again: prolong it, --to: hand it over",
    options: &[SERVICE_OPTION, ("for", Some("2h")), ("to", Some("bob"))],
    slots: &[slots::ENVIRONMENT, slots::LOCK_REASON, slots::SERVICE, slots::FOR, slots::TO],
    examples: &["/release lock production \"load test\" --for 2h", "/release lock production --to bob"],
    build: lock,
};

fn lock(mut args: Args<'_>) -> Result<Command, Mistake> {
    let environment = args.environment()?;
    // `/release lock production goals` names a service and says no reason.
    let reason = if args.only_a_service_is_left() { None } else { args.text() };
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    let to = args.option("to").map(|text| args.person_named(&text)).transpose()?;
    if reason.is_none() && to.is_none() {
        return Err(args.usage(Line::plain("A lock needs a reason, in quotation marks.")));
    }
    let service = args.service(&environment)?;
    let for_s = match args.option("for") {
        None => None,
        Some(text) => Some(duration_s(&text).ok_or_else(|| {
            let line = Line::untrusted(Line::default(), text);
            args.usage(line.text(" is no time between 1 minute and 30 days: write 30m, 2h, 1h30m or 2d."))
        })?),
    };
    args.end()?;
    Ok(match (to, reason) {
        (Some(to), reason) => Command::HandOver { environment, service, to, reason, for_s },
        (None, reason) => Command::Lock { environment, service, reason: reason.unwrap_or_default(), for_s },
    })
}

pub(super) static UNLOCK: Definition = Definition {
    path: &["release", "unlock"],
    usage: "/release unlock <environment> [service]",
    summary: "end a lock",
    options: &[SERVICE_OPTION],
    slots: &[slots::ENVIRONMENT, slots::SERVICE],
    examples: &["/release unlock production"],
    build: |mut args| {
        let environment = args.environment()?;
        let service = args.service(&environment)?;
        args.end()?;
        Ok(Command::Unlock { environment, service })
    },
};

/// `2h`, `90m`, `1h30m`, `2 days` in seconds, within the limits of a lock. A day has 24 hours.
pub(super) fn duration_s(text: &str) -> Option<u32> {
    let span: Span = text.trim().to_ascii_lowercase().parse().ok()?;
    let seconds = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.as_secs();
    u32::try_from(seconds).ok().filter(|seconds| (LOCK_MIN_S..=LOCK_MAX_S).contains(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_bounds() {
        for (text, seconds) in [
            ("2h", 7_200),
            ("90m", 5_400),
            ("1h30m", 5_400),
            ("2D", 172_800),
            ("1m", 60),
            ("30d", LOCK_MAX_S),
            ("2 h", 7_200),
            ("2 hours", 7_200),
            ("1 Hour 30 mins", 5_400),
            ("1 day", 86_400),
        ] {
            assert_eq!(duration_s(text), Some(seconds), "{text}");
        }
        for bad in ["", "2", "h", "0m", "31d", "5w", "2mo", "1h30", "-2h", "2h ago", "99999999999d"] {
            assert_eq!(duration_s(bad), None, "{bad}");
        }
    }
}
