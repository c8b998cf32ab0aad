//! At which moments a rule may change its mind, read from Cedar's JSON form of it.

use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a rule sees of the time. `today` and `weekday` change at midnight only, however they are used; `minute`,
/// `now` and `soak` at the constants that they are compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Clockwork {
    /// It looks at the clock, or at what grows with it.
    pub(super) looks: bool,
    /// Minutes since midnight that `minute` is compared with.
    pub(super) minutes: BTreeSet<i64>,
    /// Moments that `now` is compared with, in milliseconds since 1970.
    pub(super) instants_ms: BTreeSet<i64>,
    /// Seconds that `soak` is compared with.
    pub(super) soaks_s: BTreeSet<i64>,
    /// It does something else with them than to compare them with constants.
    pub(super) calculates: bool,
}

const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// Something that changes with time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dial {
    /// At midnight only.
    Day,
    Minute,
    Now,
    Soak,
}

impl Clockwork {
    pub(super) fn of(rule: &Value) -> Self {
        let mut clockwork = Self::default();
        clockwork.read(rule);
        clockwork
    }

    fn read(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.read(item)),
            Value::Object(members) => {
                if let Some(dial) = dial(value) {
                    // A dial that no comparison has taken.
                    self.looks = true;
                    self.calculates |= dial != Dial::Day;
                    return;
                }
                for (key, member) in members {
                    if !(COMPARISONS.contains(&key.as_str()) && self.comparison(member)) {
                        self.read(member);
                    }
                }
            }
            _ => {}
        }
    }

    /// Takes `dial < constant` or `constant < dial`; false when it is something else.
    fn comparison(&mut self, sides: &Value) -> bool {
        let side = |name: &str| sides.get(name).unwrap_or(&Value::Null);
        let (left, right) = (side("left"), side("right"));
        let (dial, constant) = match (dial(left), dial(right)) {
            (Some(dial), None) => (dial, right),
            (None, Some(dial)) => (dial, left),
            _ => return false,
        };
        let (list, constant) = match dial {
            Dial::Minute => (&mut self.minutes, number(constant)),
            Dial::Soak => (&mut self.soaks_s, number(constant)),
            Dial::Now => (&mut self.instants_ms, instant_ms(constant)),
            Dial::Day => return false,
        };
        let Some(constant) = constant else { return false };
        list.insert(constant);
        self.looks = true;
        true
    }
}

fn dial(value: &Value) -> Option<Dial> {
    let access = value.get(".")?;
    let attribute = access.get("attr")?.as_str()?;
    let of = access.get("left")?;
    let is_context = |value: &Value| value.get("Var").is_some_and(|var| var == "context");
    if attribute == "soak" && is_context(of) {
        return Some(Dial::Soak);
    }
    let of_time = of.pointer("/./attr").is_some_and(|attr| attr == "time");
    match attribute {
        "minute" if of_time => Some(Dial::Minute),
        "today" | "weekday" if of_time => Some(Dial::Day),
        "now" if of_time => Some(Dial::Now),
        // The whole of it, whatever that is for, changes each second.
        "time" if is_context(of) => Some(Dial::Now),
        _ => None,
    }
}

/// A whole number, or a calculation with such.
fn number(value: &Value) -> Option<i64> {
    if let Some(literal) = value.get("Value") {
        return literal.as_i64();
    }
    let side = |operation: &Value, name: &str| number(operation.get(name)?);
    let both = |name: &str, of: fn(i64, i64) -> Option<i64>| {
        let operation = value.get(name)?;
        of(side(operation, "left")?, side(operation, "right")?)
    };
    both("*", i64::checked_mul)
        .or_else(|| both("+", i64::checked_add))
        .or_else(|| both("-", i64::checked_sub))
        .or_else(|| side(value.get("neg")?, "arg")?.checked_neg())
}

/// `datetime("…")`.
fn instant_ms(value: &Value) -> Option<i64> {
    let text = value.pointer("/datetime/0/Value")?.as_str()?;
    let timestamp = text.parse::<Timestamp>().ok();
    let midnight = || Some(text.parse::<jiff::civil::Date>().ok()?.in_tz("UTC").ok()?.timestamp());
    Some(timestamp.or_else(midnight)?.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cedar_policy::Policy;

    fn of(condition: &str) -> Clockwork {
        let text = format!("forbid (principal, action, resource) when {{ {condition} }};");
        Clockwork::of(&text.parse::<Policy>().unwrap().to_json().unwrap())
    }

    fn looks() -> Clockwork {
        Clockwork { looks: true, ..Clockwork::default() }
    }

    #[test]
    fn constants_are_found_on_either_side() {
        assert_eq!(of("context.time.minute >= 16 * 60 + 7"), Clockwork { minutes: [967].into(), ..looks() });
        assert_eq!(of("8 * 60 - 1 < context.time.minute"), Clockwork { minutes: [479].into(), ..looks() });
        assert_eq!(of("context has soak && context.soak < 30 * 60"), Clockwork { soaks_s: [1_800].into(), ..looks() });
        let launch = of("context.time.now >= datetime(\"2026-11-23T18:42:00Z\")");
        assert_eq!(launch.instants_ms, [1_795_459_320_000].into());
        assert!(!launch.calculates);
        let day = of("context.time.now < datetime(\"2026-11-23\")");
        assert_eq!(day.instants_ms, [1_795_392_000_000].into());
    }

    #[test]
    fn days_need_no_constants() {
        assert_eq!(of("context.time.weekday == Weekday::\"friday\""), looks());
        assert_eq!(of("[Weekday::\"friday\"].contains(context.time.weekday)"), looks());
        assert_eq!(of("context.time.today.offset(duration(\"1d\")) > datetime(\"2026-12-21\")"), looks());
    }

    #[test]
    fn calculations_are_told() {
        for condition in [
            "[480, 481].contains(context.time.minute)",
            "context.time.minute > context.soak",
            "context.time.now.offset(duration(\"1h\")) > datetime(\"2026-12-21\")",
            "context.soak + 1 > 3",
            "context.time.minute > 60 * resource.commits",
        ] {
            assert!(of(condition).calculates, "{condition}");
        }
    }

    #[test]
    fn what_is_not_about_time_is_left_alone() {
        assert_eq!(of("resource.commits > 3 && context.vetoes == 0"), Clockwork::default());
        assert_eq!(of("resource.soak > 3"), Clockwork::default());
    }
}
