//! `--when`: what a deployment waits for before it is asked for, as people type it. Which moment a time stands for
//! depends on the clock and the time zone of whoever types it, and is settled elsewhere.

use super::lock::duration_s;
use super::words::nearest;
use super::{Args, Command, Mistake};
use crate::ids::EnvironmentName;
use crate::message::Line;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// The option.
pub(super) const WHEN: &str = "when";
/// What comes after [`WHEN`], as an example.
pub(super) const WHEN_EXAMPLE: &str = "green|unlocked|15:00|\"monday 9:00\"";
/// The days of the week, from Monday.
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// How many letters of a weekday are enough.
const WEEKDAY_SHORT_CHARS: usize = 3;
/// What may be meant by a word that is nothing.
const SINGLE_WORDS: [&str; 4] = ["green", "unlocked", "today", "tomorrow"];

/// What a deployment waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Green CI of what is to be deployed.
    Green,
    /// The end of the environment's lock.
    Unlocked,
    /// A time of a day.
    At {
        /// Which day.
        day: Day,
        /// Local time.
        time: Time,
    },
    /// So many seconds from now.
    In(u32),
}

/// A day, as people say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Today, or tomorrow when that time has passed today.
    Next,
    /// Today.
    Today,
    /// Tomorrow.
    Tomorrow,
    /// The next one of these; 0 is Monday.
    Weekday(u8),
    /// Exactly this one.
    Date(Date),
}

impl Day {
    /// `None`: the word is no day.
    fn of_word(word: &str) -> Option<Self> {
        let is_weekday = |name: &&str| *name == word || (word.len() == WEEKDAY_SHORT_CHARS && name.starts_with(word));
        match word {
            "today" => Some(Self::Today),
            "tomorrow" => Some(Self::Tomorrow),
            _ => match WEEKDAYS.iter().position(is_weekday) {
                Some(number) => u8::try_from(number).ok().map(Self::Weekday),
                None => word.parse().ok().filter(|_| is_a_date(word)).map(Self::Date),
            },
        }
    }
}

/// `2026-12-01`, and no other way of writing a date.
fn is_a_date(word: &str) -> bool {
    word.len() == 10
        && word.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() })
}

/// `9:00` or `15:30`: hours of 24 and two digits of minutes.
fn time(word: &str) -> Option<Time> {
    let (hours, minutes) = word.split_once(':')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !(1..=2).contains(&hours.len()) || minutes.len() != 2 || !digits(hours) || !digits(minutes) {
        return None;
    }
    Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0).ok()
}

/// Whether the word after the value belongs to it: `--when monday 9:00`, `--when in 2 hours`. No branch can be named like
/// a time, so that nothing else is taken away from the line.
pub(super) fn goes_on(value: &str, next: &str) -> bool {
    let value = value.to_lowercase();
    let is_number = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
    match value.strip_prefix("in") {
        Some("") => is_number(next) || duration_s(next).is_some(),
        Some(number) if is_number(number.trim_start()) => duration_s(&format!("{number} {next}")).is_some(),
        _ => Day::of_word(&value).is_some() && next.contains(':'),
    }
}

/// What the option's value means.
fn read(args: &Args<'_>, value: &str) -> Result<When, Mistake> {
    let lower = value.to_lowercase();
    let words: Vec<_> = lower.split_whitespace().filter(|word| *word != "at").collect();
    let at = |day: Day, word: &str| match time(word) {
        Some(time) => Ok(When::At { day, time }),
        None => Err(no_time(args, word)),
    };
    match words[..] {
        ["in", ref duration @ ..] if !duration.is_empty() => {
            let duration = duration.join(" ");
            duration_s(&duration).map(When::In).ok_or_else(|| {
                let line =
                    Line::plain("\"").untrusted(duration).text("\" is no time between 1 minute and 30 days: write ");
                args.usage(line.code("in 30m").text(" or ").code("in 2h").text("."))
            })
        }
        ["green"] => Ok(When::Green),
        ["unlocked"] => Ok(When::Unlocked),
        [day] if Day::of_word(day).is_some() => {
            let line = Line::plain("At what time? Write ").code(format!("--{WHEN} \"{day} 9:00\"")).text(".");
            Err(args.usage(line))
        }
        [word] if word.starts_with(|c: char| c.is_ascii_digit()) => at(Day::Next, word),
        [day, word] => match Day::of_word(day) {
            Some(day) => at(day, word),
            None if is_a_date(day) => {
                let line = Line::plain("There is no day ").untrusted(day).text(" in the calendar.");
                Err(args.usage(line))
            }
            None => Err(unknown(args, value, day)),
        },
        _ => Err(unknown(args, value, words.first().copied().unwrap_or_default())),
    }
}

fn no_time(args: &Args<'_>, word: &str) -> Mistake {
    let line =
        Line::plain("\"").untrusted(word).text("\" is no time of a day: write hours of 24 and minutes, such as ");
    args.usage(line.code("9:00").text(" or ").code("15:30").text("."))
}

fn unknown(args: &Args<'_>, value: &str, first: &str) -> Mistake {
    let line = Line::plain("I do not know when \"").untrusted(value).text("\" is.");
    match nearest(first, SINGLE_WORDS.into_iter().chain(WEEKDAYS)) {
        Some(near) => args.usage(line.text(" Did you mean ").code(near).text("?")),
        None => {
            let line = line.text(" There are: green, unlocked, 15:00, \"monday 9:00\", \"tomorrow 9:00\", ");
            args.usage(line.text("\"2026-12-01 9:00\" and \"in 2h\"."))
        }
    }
}

/// The rest of `/deploy <environment> [reference] --when …`.
pub(super) fn deploy(
    mut args: Args<'_>,
    environment: EnvironmentName,
    reference: Option<String>,
    when: &str,
) -> Result<Command, Mistake> {
    if let Some(other) = ["dry-run", "config"].into_iter().find(|other| args.flag(other)) {
        let line = Line::default().code(format!("--{WHEN}")).text(" does not go together with ");
        return Err(args.usage(line.code(format!("--{other}")).text(".")));
    }
    let when = read(&args, when)?;
    let service = args.service(&environment)?;
    let reason = args.option("reason");
    args.end()?;
    Ok(Command::DeployWhen { environment, service, reference, when, reason })
}

#[cfg(test)]
mod tests {
    use super::super::{Words, parse};
    use super::*;
    use expect_test::expect;

    fn words() -> Words {
        Words {
            services: vec!["goals".into()],
            environments: [("goals".into(), vec!["production".into()])].into(),
            default_service: Some("goals".into()),
            people: vec![],
        }
    }

    fn of(line: &str) -> (When, Option<String>) {
        match parse(line, &words()) {
            Ok(Command::DeployWhen { when, reference, .. }) => (when, reference),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_way_to_say_when() {
        let at = |day, hour, minute| When::At { day, time: Time::constant(hour, minute, 0, 0) };
        for (said, meant) in [
            ("green", When::Green),
            ("UNLOCKED", When::Unlocked),
            ("15:00", at(Day::Next, 15, 0)),
            ("9:05", at(Day::Next, 9, 5)),
            ("00:00", at(Day::Next, 0, 0)),
            ("\"monday 9:00\"", at(Day::Weekday(0), 9, 0)),
            ("monday 9:00", at(Day::Weekday(0), 9, 0)),
            ("Sun 23:59", at(Day::Weekday(6), 23, 59)),
            ("\"Friday at 9:00\"", at(Day::Weekday(4), 9, 0)),
            ("tomorrow 9:00", at(Day::Tomorrow, 9, 0)),
            ("today 9:00", at(Day::Today, 9, 0)),
            ("2026-12-01 9:00", at(Day::Date(Date::constant(2026, 12, 1)), 9, 0)),
            ("in 2h", When::In(7_200)),
            ("\"in 1h30m\"", When::In(5_400)),
            ("\"in 2 hours\"", When::In(7_200)),
            ("in 2 hours", When::In(7_200)),
            ("\"in 1 hour 30 minutes\"", When::In(5_400)),
        ] {
            assert_eq!(of(&format!("/deploy production --when {said}")), (meant.clone(), None), "{said}");
            // What comes after it is what it would be without it, and what was before stays.
            let main = Some("main".to_owned());
            assert_eq!(of(&format!("/deploy production --when {said} main")), (meant.clone(), main.clone()), "{said}");
            assert_eq!(of(&format!("/deploy production main --when {said} --reason x")), (meant, main), "{said}");
        }
        // A branch of a day's name is a branch.
        let (when, reference) = of("/deploy production --when green monday");
        assert_eq!((when, reference.as_deref()), (When::Green, Some("monday")));
    }

    #[test]
    fn what_is_no_time_is_told() {
        let said = |line: &str| {
            let text = |line: &Line| super::super::tests::text(line);
            let message = parse(line, &words()).expect_err(line).message();
            text(&message.headline)
        };
        let lines = [
            "/deploy production --when",
            "/deploy production --when gren",
            "/deploy production --when mondy",
            "/deploy production --when monday",
            "/deploy production --when monday main",
            "/deploy production --when \"monday 25:00\"",
            "/deploy production --when 9",
            "/deploy production --when 9am",
            "/deploy production --when 9:5",
            "/deploy production --when \"someday 9:00\"",
            "/deploy production --when 2026-13-01",
            "/deploy production --when \"2026-02-30 9:00\"",
            "/deploy production --when \"in 5w\"",
            "/deploy production --when in 2",
            "/deploy production --when in 2 main",
            "/deploy production --when whenever",
            "/deploy production --when green --dry-run",
            "/deploy production --when green --config",
        ];
        let all: Vec<_> = lines.iter().map(|line| format!("{line}\n  {}", said(line))).collect();
        expect![[r#"
            /deploy production --when
              --when needs a value: --when green|unlocked|15:00|"monday 9:00". Nothing was started.
            /deploy production --when gren
              I do not know when "gren" is. Did you mean green? Nothing was started.
            /deploy production --when mondy
              I do not know when "mondy" is. Did you mean monday? Nothing was started.
            /deploy production --when monday
              At what time? Write --when "monday 9:00". Nothing was started.
            /deploy production --when monday main
              At what time? Write --when "monday 9:00". Nothing was started.
            /deploy production --when "monday 25:00"
              "25:00" is no time of a day: write hours of 24 and minutes, such as 9:00 or 15:30. Nothing was started.
            /deploy production --when 9
              "9" is no time of a day: write hours of 24 and minutes, such as 9:00 or 15:30. Nothing was started.
            /deploy production --when 9am
              "9am" is no time of a day: write hours of 24 and minutes, such as 9:00 or 15:30. Nothing was started.
            /deploy production --when 9:5
              "9:5" is no time of a day: write hours of 24 and minutes, such as 9:00 or 15:30. Nothing was started.
            /deploy production --when "someday 9:00"
              I do not know when "someday 9:00" is. Did you mean today? Nothing was started.
            /deploy production --when 2026-13-01
              "2026-13-01" is no time of a day: write hours of 24 and minutes, such as 9:00 or 15:30. Nothing was started.
            /deploy production --when "2026-02-30 9:00"
              There is no day 2026-02-30 in the calendar. Nothing was started.
            /deploy production --when "in 5w"
              "5w" is no time between 1 minute and 30 days: write in 30m or in 2h. Nothing was started.
            /deploy production --when in 2
              "2" is no time between 1 minute and 30 days: write in 30m or in 2h. Nothing was started.
            /deploy production --when in 2 main
              "2" is no time between 1 minute and 30 days: write in 30m or in 2h. Nothing was started.
            /deploy production --when whenever
              I do not know when "whenever" is. There are: green, unlocked, 15:00, "monday 9:00", "tomorrow 9:00", "2026-12-01 9:00" and "in 2h". Nothing was started.
            /deploy production --when green --dry-run
              --when does not go together with --dry-run. Nothing was started.
            /deploy production --when green --config
              --when does not go together with --config. Nothing was started."#]].assert_eq(&all.join("\n"));
    }
}
