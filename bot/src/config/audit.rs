//! `[audit]`: where the end of the audit log is written down every day.

use super::cross::Refs;
use super::model::{Audit, Channel};
use super::read::{AUDIT_KEYS, CHANNEL_LIMIT};
use super::section::{Checker, Place, Section};
use super::values;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// `anchor_at` when it is not given.
pub const ANCHOR_AT_DEFAULT: Time = jiff::civil::time(6, 0, 0, 0);

pub(super) fn audit(c: &mut Checker<'_>, root: &Section<'_, '_>, refs: &mut Refs) -> Audit {
    let mut audit = Audit { anchor: Vec::new(), anchor_at: ANCHOR_AT_DEFAULT, timezone: TimeZone::UTC };
    let Some(section) = root.table(c, "audit", AUDIT_KEYS) else { return audit };
    let channels = channels(c, &section);
    refs.channels.extend(channels.iter().cloned());
    audit.anchor = channels.into_iter().map(|(channel, _)| channel).collect();
    if let Some((anchor_at, _)) = section.read(c, "anchor_at", values::time_of_day) {
        audit.anchor_at = anchor_at;
    }
    if let Some((timezone, _)) = section.read(c, "timezone", values::timezone) {
        audit.timezone = timezone;
    }
    if !section.has_any(&["anchor"])
        && let Some(place) = section.key_place("anchor_at").or_else(|| section.key_place("timezone"))
    {
        c.absent_warning(&place, "does nothing without anchor", "add anchor = [\"slack:C024BE91L\"]");
    }
    audit
}

/// One channel, or a list of them.
fn channels(c: &mut Checker<'_>, section: &Section<'_, '_>) -> Vec<(Channel, Place)> {
    let one = section.value("anchor").is_some_and(|(value, _)| value.get_ref().as_str().is_some());
    match one {
        true => section.read(c, "anchor", values::channel).into_iter().collect(),
        false => section.list(c, "anchor", CHANNEL_LIMIT, values::channel),
    }
}
