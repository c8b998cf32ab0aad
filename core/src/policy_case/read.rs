//! From a case file to cases, or to every mistake in it.

use super::clearing::WORDS;
use super::fields::{Fields, Keys, Mistakes, Placed, Value, instead, listed};
use super::scene::{Change, Given, Scene, Served};
use super::{CASES_LIMIT, Expected, PolicyCase};
use crate::facts::{CiState, Facts, ScanCounts};
use crate::ids::{EnvironmentKey, EnvironmentName, PersonId, TeamName};
use crate::person::{Directory, Person};
use crate::plan::{Plan, PlanKind};
use crate::policy::{Action, PolicyMistake, Vocabulary};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::DeTable;

/// How many commits, migrations or unknown authors a case may have.
const COUNT_LIMIT: usize = Plan::COMMITS_LIMIT;
/// How many commits a case may have; so many more than are listed.
const COMMITS_LIMIT: usize = 10_000;

/// What a case may say.
const CASE_KEYS: Keys = &[
    ("name", r#""Nobody approves their own release""#),
    ("expect", r#""deny""#),
    ("reasons", r#"["ci-green"]"#),
    ("clears", r#"{ ci-green = "facts" }"#),
    ("rules", r#"'''@id("x") permit (principal, action, resource);'''"#),
    ("mistakes", r#"["rules:1:1"]"#),
    ("people", r#"{ ana = ["developers"], bob = ["release"] }"#),
    ("unknown_people", r#"["mallory"]"#),
    ("action", r#""execute""#),
    ("who", r#""bob""#),
    ("owner", r#""bob""#),
    ("service", r#""goals""#),
    ("environment", r#""production""#),
    ("kind", r#""deploy""#),
    ("requester", r#""ana""#),
    ("authors", r#"["ana"]"#),
    ("unknown_authors", "0"),
    ("commits", "1"),
    ("base_known", "true"),
    ("migrations", "0"),
    ("destructive", "false"),
    ("locks", "false"),
    ("rewrites_rows", "false"),
    ("reversible", "true"),
    ("approvals", r#"["bob"]"#),
    ("approvals_of_another_plan", r#"["bob"]"#),
    ("vetoes", r#"["bob"]"#),
    ("vetoes_of_another_plan", r#"["bob"]"#),
    ("override", r#""bob""#),
    ("override_of_another_plan", r#""bob""#),
    ("ci", r#""green""#),
    ("after", r#""staging""#),
    ("served", r#""45m""#),
    ("serves", "true"),
    ("served_image", r#""same""#),
    ("healthy", "true"),
    ("known_good", "false"),
    ("now", r#""2026-11-25 12:00""#),
    ("timezone", r#""UTC""#),
    ("known_bad", "false"),
    ("bypasses", "0"),
    ("scan", "{ critical = 0, high = 2 }"),
    ("takes_out", "0"),
];
/// How many of them only a case may say.
const OF_A_CASE: usize = 6;
/// What `[base]` may say.
const BASE_KEYS: Keys = CASE_KEYS.split_at(OF_A_CASE).1;

const FILE_KEYS: [&str; 2] = ["base", "case"];

/// All cases of a file.
pub(super) fn file(file: &str, text: &str, vocabulary: &Vocabulary) -> Result<Vec<PolicyCase>, Vec<PolicyMistake>> {
    let mut m = Mistakes::new(file, text);
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            let mend = "Compare with the policies/tests that came with Slipway.";
            m.add(at, format!("This is not TOML: {}.", error.message()), mend);
            return Err(m.sorted());
        }
    };
    let cases = tables(&mut m, document.get_ref());
    let mut taken = BTreeSet::new();
    let read: Vec<_> = cases.iter().filter_map(|fields| case(&mut m, fields, vocabulary, &mut taken)).collect();
    let mistakes = m.sorted();
    if mistakes.is_empty() { Ok(read) } else { Err(mistakes) }
}

/// The `[[case]]` tables, each over `[base]`.
fn tables<'t>(m: &mut Mistakes<'_>, document: &'t DeTable<'t>) -> Vec<Fields<'t>> {
    for (key, _) in document {
        if !FILE_KEYS.contains(&&**key.get_ref()) {
            let message = format!("There is no section \"{}\".", key.get_ref());
            m.add(key.span().start, message, "Write [base] once for what all cases share, and [[case]] for each case.");
        }
    }
    let base = match document.get("base").map(|value| (value, value.get_ref().as_table())) {
        Some((value, Some(table))) => Some(Fields::open(m, table, value.span().start, BASE_KEYS)),
        Some((value, None)) => {
            m.add(value.span().start, "\"base\" must be a section.", "Write [base] on a line of its own.");
            None
        }
        None => None,
    };
    let Some(cases) = document.get("case") else {
        m.add(0, "There is no case in this file.", "Write [[case]] on a line of its own, and what it says below.");
        return Vec::new();
    };
    let items = cases.get_ref().as_array().map_or(&[][..], |items| items);
    if items.is_empty() || items.len() > CASES_LIMIT {
        let mend = format!("Write 1 to {CASES_LIMIT} sections [[case]], with two brackets.");
        m.add(cases.span().start, "\"case\" must be a list of sections.", mend);
    }
    let open = |item: &'t Value<'t>| {
        let fields = Fields::open(m, item.get_ref().as_table()?, item.span().start, CASE_KEYS);
        Some(match &base {
            Some(base) => fields.over(base),
            None => fields,
        })
    };
    items.iter().take(CASES_LIMIT).filter_map(open).collect()
}

/// One case; `None` when something without which there is none is wrong.
fn case(
    m: &mut Mistakes<'_>,
    fields: &Fields<'_>,
    vocabulary: &Vocabulary,
    taken: &mut BTreeSet<String>,
) -> Option<PolicyCase> {
    let name = fields.need(m, "name");
    if let Some(name) = &name
        && !taken.insert(name.text.clone())
    {
        m.add(name.at, "Another case of this file has this name.", "Give each case a name of its own.");
    }
    let expected = expected(m, fields);
    let rules = fields.text(m, "rules").map(|rules| rules.text);
    let scene = scene(m, fields, vocabulary)?;
    let (file, line) = (m.file().to_owned(), m.line_of(fields.at));
    Some(PolicyCase { name: name?.text, file, line, scene, rules, expected: expected? })
}

fn expected(m: &mut Mistakes<'_>, fields: &Fields<'_>) -> Option<Expected> {
    fields.need(m, "expect");
    let words = [("allow", "allow"), ("deny", "deny"), ("mistakes", "mistakes")];
    let expect = fields.one_of(m, "expect", &words)?;
    for (key, of) in [("reasons", "deny"), ("clears", "deny"), ("mistakes", "mistakes"), ("rules", expect)] {
        if let Some(value) = fields.value(key).filter(|_| of != expect) {
            let mend = format!("Write expect = \"{of}\", or remove it.");
            m.add(value.span().start, format!("\"{key}\" means nothing where {expect} is expected."), mend);
        }
    }
    let list = |m: &mut Mistakes<'_>, key: &str, of: &str| {
        let texts: Vec<_> = fields.texts(m, key).into_iter().map(|placed| placed.text).collect();
        if texts.is_empty() {
            m.add(fields.at, format!("This case does not say which {key} it expects."), format!("Add {key} = [{of}]."));
        }
        texts
    };
    Some(match expect {
        "allow" => Expected::Allow,
        "mistakes" => Expected::Mistakes(list(m, "mistakes", "\"rules:1:1\"")),
        _ => {
            let reasons: BTreeSet<_> = list(m, "reasons", "\"the-id-of-each-rule\"").into_iter().collect();
            Expected::Deny { clears: clears(m, fields, &reasons), reasons }
        }
    })
}

fn clears(m: &mut Mistakes<'_>, fields: &Fields<'_>, reasons: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut clears = BTreeMap::new();
    for (id, value) in fields.table(m, "clears") {
        if !reasons.contains(&id.text) {
            m.add(id.at, format!("\"{}\" is none of the reasons of this case.", id.text), "Add it to reasons.");
        }
        let text = value.get_ref().as_str().unwrap_or_default();
        let word = text.split(':').next().unwrap_or_default();
        if !WORDS.contains(&word) {
            let mend = instead(word, &WORDS);
            m.add(value.span().start, format!("Nothing is cleared by \"{text}\"."), mend);
        }
        clears.insert(id.text, text.to_owned());
    }
    clears
}

/// The names that a case may use.
struct Names<'a> {
    vocabulary: &'a Vocabulary,
    /// The people it has, and those whom it calls unknown.
    people: Vec<String>,
}

impl Names<'_> {
    fn person(&self, m: &mut Mistakes<'_>, placed: &Placed) -> PersonId {
        let person = PersonId::new(&placed.text);
        if !person.is_slipway() && !self.people.contains(&placed.text) {
            let known: Vec<_> = self.people.iter().map(String::as_str).collect();
            let message = format!("There is nobody called \"{}\" in this case.", placed.text);
            m.add(placed.at, message, format!("{} Or add them to people.", instead(&placed.text, &known)));
        }
        person
    }

    fn people(&self, m: &mut Mistakes<'_>, fields: &Fields<'_>, key: &str) -> Vec<PersonId> {
        fields.texts(m, key).iter().map(|placed| self.person(m, placed)).collect()
    }

    fn environment(&self, m: &mut Mistakes<'_>, placed: &Placed) -> EnvironmentName {
        let name = EnvironmentName::new(&placed.text);
        if !self.vocabulary.environments.contains(&name) {
            let known: Vec<_> = self.vocabulary.environments.iter().map(EnvironmentName::as_str).collect();
            m.add(placed.at, format!("There is no environment \"{name}\"."), instead(&placed.text, &known));
        }
        name
    }

    fn team(&self, m: &mut Mistakes<'_>, placed: &Placed) -> TeamName {
        let name = TeamName::new(&placed.text);
        if !self.vocabulary.teams.contains(&name) {
            let known: Vec<_> = self.vocabulary.teams.iter().map(TeamName::as_str).collect();
            m.add(placed.at, format!("There is no team \"{name}\"."), instead(&placed.text, &known));
        }
        name
    }
}

fn scene(m: &mut Mistakes<'_>, fields: &Fields<'_>, vocabulary: &Vocabulary) -> Option<Scene> {
    let mut names = Names { vocabulary, people: Vec::new() };
    let people = people(m, fields, &mut names);
    let requester = fields.need(m, "requester").map(|placed| names.person(m, &placed));
    let person = |m: &mut Mistakes<'_>, key| fields.text(m, key).map(|placed| names.person(m, &placed));
    let (who, owner) = (person(m, "who"), person(m, "owner"));
    let action =
        fields.one_of(m, "action", &Action::ALL.map(|action| (action.name(), action))).unwrap_or(Action::Execute);
    let (timezone_name, timezone) = timezone(m, fields);
    let now = now(m, fields, &timezone);
    let change = change(m, fields, &names);
    let (approvals, waiver) = given(m, fields, &names);
    let vetoes = votes(m, fields, &names, "vetoes");
    let served = served(m, fields, &names);
    let ci = [
        ("green", CiState::Green),
        ("pending", CiState::Pending),
        ("red", CiState::Red),
        ("missing", CiState::Missing),
    ];
    let ci = fields.one_of(m, "ci", &ci).unwrap_or(CiState::Green);
    let known_good = fields.flag(m, "known_good").unwrap_or(false);
    let known_bad = fields.flag(m, "known_bad").unwrap_or(false);
    let bypasses = fields.count(m, "bypasses", Facts::BYPASSES_LIMIT).unwrap_or(0);
    let scan = scan(m, fields);
    let requester = requester?;
    let who = who.unwrap_or_else(|| requester.clone());
    asked_by_somebody(m, fields, action, &who, &people);
    Some(Scene {
        action,
        owner: owner.unwrap_or_else(|| requester.clone()),
        who,
        requester,
        people,
        change: change?,
        approvals,
        vetoes,
        waiver,
        ci,
        served,
        known_good,
        now: now?,
        timezone,
        timezone_name,
        known_bad,
        bypasses,
        scan,
    })
}

/// How many findings of each severity a scan has; none where there is no scan.
fn scan(m: &mut Mistakes<'_>, fields: &Fields<'_>) -> Option<ScanCounts> {
    const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];
    if !fields.has("scan") {
        return None;
    }
    let mut counts = ScanCounts::default();
    for (name, value) in fields.table(m, "scan") {
        let number = value.get_ref().as_integer();
        let number = number.and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok());
        let of_severity = match name.text.as_str() {
            "critical" => &mut counts.critical,
            "high" => &mut counts.high,
            "medium" => &mut counts.medium,
            "low" => &mut counts.low,
            other => {
                m.add(name.at, format!("There is no severity \"{other}\"."), instead(other, &SEVERITIES));
                continue;
            }
        };
        match number {
            Some(number) => *of_severity = number,
            None => {
                m.add(value.span().start, "A count of findings must be a whole number.", "Write a number such as 2.")
            }
        }
    }
    Some(counts)
}

/// Somebody unknown is refused by Slipway itself before any rule is asked, except for votes and overrides.
fn asked_by_somebody(m: &mut Mistakes<'_>, fields: &Fields<'_>, action: Action, who: &PersonId, people: &Directory) {
    let by_slipway = match action {
        Action::Request
        | Action::Rollback
        | Action::Migrate
        | Action::Lock
        | Action::Unlock
        | Action::Cancel
        | Action::Ship
        | Action::Bump => true,
        Action::Approve | Action::Veto | Action::Override | Action::Execute => false,
    };
    if by_slipway && people.get(who).is_none() {
        let message = format!("No rule is asked what {who} may do, because nobody knows them.");
        m.add(fields.at, message, "Name one of people in \"who\".");
    }
}

fn people(m: &mut Mistakes<'_>, fields: &Fields<'_>, names: &mut Names<'_>) -> Directory {
    let mut people = Vec::new();
    if !fields.has("people") {
        m.add(fields.at, "This case has no people.", "Write people = { ana = [\"developers\"] } in [base].");
    }
    for (name, teams) in fields.table(m, "people") {
        let Some(teams) = listed(teams) else {
            m.add(name.at, format!("{} has no list of teams.", name.text), "Write a list such as [\"developers\"].");
            continue;
        };
        let teams = teams.iter().map(|team| names.team(m, team)).collect();
        people.push(Person { id: PersonId::new(&name.text), teams, identities: vec![] });
        names.people.push(name.text);
    }
    for unknown in fields.texts(m, "unknown_people") {
        if names.people.contains(&unknown.text) {
            let message = format!("\"{}\" is known and unknown at the same time.", unknown.text);
            m.add(unknown.at, message, "Name them in people or in unknown_people.");
        }
        names.people.push(unknown.text);
    }
    Directory::new(people)
}

fn timezone(m: &mut Mistakes<'_>, fields: &Fields<'_>) -> (String, TimeZone) {
    let Some(Placed { text, at }) = fields.text(m, "timezone") else { return ("UTC".to_owned(), TimeZone::UTC) };
    match TimeZone::get(&text) {
        Ok(timezone) => (text, timezone),
        Err(_) => {
            m.add(at, format!("There is no time zone \"{text}\"."), "Write a name such as \"Europe/Berlin\".");
            ("UTC".to_owned(), TimeZone::UTC)
        }
    }
}

fn now(m: &mut Mistakes<'_>, fields: &Fields<'_>, timezone: &TimeZone) -> Option<Timestamp> {
    if !fields.has("now") {
        m.add(fields.at, "This case has no moment.", "Write now = \"2026-11-25 12:00\" there, or in [base].");
    }
    let Placed { text, at } = fields.moment(m, "now")?;
    let instant = text.parse::<Timestamp>().ok();
    let local = || Some(timezone.to_zoned(text.parse::<DateTime>().ok()?).ok()?.timestamp());
    let now = instant.or_else(local);
    if now.is_none() {
        let mend = "Write local time such as \"2026-11-25 12:00\", or an instant such as \"2026-11-25T12:00:00Z\".";
        m.add(at, format!("\"{text}\" is no moment."), mend);
    }
    now
}

fn change(m: &mut Mistakes<'_>, fields: &Fields<'_>, names: &Names<'_>) -> Option<Change> {
    let service = fields.need(m, "service");
    let environment = fields.need(m, "environment").map(|placed| names.environment(m, &placed));
    let kinds = [("deploy", PlanKind::Deploy), ("rollback", PlanKind::Rollback), ("migrate", PlanKind::MigrateUp)];
    let kind = fields.one_of(m, "kind", &kinds);
    let authors = names.people(m, fields, "authors");
    let count = |m: &mut Mistakes<'_>, key| fields.count(m, key, COUNT_LIMIT).unwrap_or(0);
    let unknown_authors = count(m, "unknown_authors");
    let commits = fields.count(m, "commits", COMMITS_LIMIT).unwrap_or(0);
    let migrations = count(m, "migrations");
    let flag = |m: &mut Mistakes<'_>, key, default| fields.flag(m, key).unwrap_or(default);
    let dangers = ["destructive", "locks", "rewrites_rows"].map(|key| flag(m, key, false));
    let [destructive, locks, rewrites_rows] = dangers;
    let reversible = flag(m, "reversible", true);
    let has_migration = dangers.contains(&true) || !reversible;
    Some(Change {
        key: EnvironmentKey { service: service?.text.as_str().into(), environment: environment? },
        kind: kind.unwrap_or(PlanKind::Deploy),
        commits: commits.max(authors.len() + unknown_authors).min(COMMITS_LIMIT),
        authors,
        unknown_authors,
        migrations: migrations.max(usize::from(has_migration)),
        base_known: flag(m, "base_known", true),
        destructive,
        locks,
        rewrites_rows,
        reversible,
        takes_out: count(m, "takes_out"),
    })
}

/// Votes of a kind: those on this plan, and those on another.
fn votes(m: &mut Mistakes<'_>, fields: &Fields<'_>, names: &Names<'_>, key: &str) -> Vec<Given> {
    let mut votes = Vec::new();
    for (key, on_this_plan) in [(key.to_owned(), true), (format!("{key}_of_another_plan"), false)] {
        votes.extend(names.people(m, fields, &key).into_iter().map(|by| Given { by, on_this_plan }));
    }
    votes
}

/// Approvals and the override.
fn given(m: &mut Mistakes<'_>, fields: &Fields<'_>, names: &Names<'_>) -> (Vec<Given>, Option<Given>) {
    let approvals = votes(m, fields, names, "approvals");
    let mut waiver = None;
    for (key, on_this_plan) in [("override", true), ("override_of_another_plan", false)] {
        if let Some(placed) = fields.text(m, key) {
            waiver = Some(Given { by: names.person(m, &placed), on_this_plan });
        }
    }
    (approvals, waiver)
}

fn served(m: &mut Mistakes<'_>, fields: &Fields<'_>, names: &Names<'_>) -> Option<Served> {
    const OF_AFTER: [&str; 4] = ["served", "serves", "served_image", "healthy"];
    let for_s = fields.text(m, "served").map(|Placed { text, at }| match text.parse::<SignedDuration>() {
        Ok(duration) if !duration.is_negative() => duration.as_secs(),
        _ => {
            m.add(at, format!("\"{text}\" is no length of time."), "Write one such as \"45m\" or \"1h 30m\".");
            0
        }
    });
    let serves = fields.flag(m, "serves");
    let same_image = fields.one_of(m, "served_image", &[("same", true), ("another", false)]).unwrap_or(true);
    let healthy = fields.flag(m, "healthy").unwrap_or(true);
    let Some(after) = fields.text(m, "after") else {
        for value in OF_AFTER.iter().filter_map(|key| fields.value(key)) {
            let mend = "Write after = \"staging\" there, or in [base].";
            m.add(value.span().start, "No environment comes before, in which it could have served.", mend);
        }
        return None;
    };
    Some(Served {
        environment: names.environment(m, &after),
        serves: serves.unwrap_or(for_s.is_some()),
        for_s: for_s.unwrap_or(0),
        same_image,
        healthy,
    })
}
