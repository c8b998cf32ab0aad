//! The commands and actions that migrate, deploy or push.

use super::lines::{Command, Workflow};
use std::collections::BTreeSet;

/// Tools that change schemas, and with which of their words.
const MIGRATORS: [(&str, &[&str]); 18] = [
    ("goose", &["up", "up-by-one", "up-to", "down", "down-to", "redo", "reset"]),
    ("dbmate", &["up", "migrate", "down", "rollback"]),
    ("migrate", &["up", "down", "goto", "force"]),
    ("sql-migrate", &["up", "down", "redo"]),
    ("sqlx", &["run", "revert", "setup", "reset"]),
    ("flyway", &["migrate", "undo", "clean", "repair", "baseline"]),
    ("atlas", &["apply"]),
    ("liquibase", &["update", "rollback"]),
    ("prisma", &["deploy", "push"]),
    ("alembic", &["upgrade", "downgrade"]),
    ("diesel", &["run", "revert", "redo"]),
    ("tern", &["migrate"]),
    ("manage.py", &["migrate"]),
    ("rails", &["db:migrate", "db:rollback"]),
    ("rake", &["db:migrate", "db:rollback"]),
    ("knex", &["migrate:latest", "migrate:up", "migrate:down", "migrate:rollback"]),
    ("sequelize", &["db:migrate", "db:migrate:undo"]),
    ("drizzle-kit", &["migrate", "push"]),
];
/// Clients that run statements.
const CLIENTS: [&str; 4] = ["psql", "mysql", "mariadb", "sqlite3"];
/// How a client is given a file or a change of the schema.
const CLIENT_WORDS: [&str; 7] = ["-f", "--file", "<", "alter", "create", "drop", "truncate"];
/// Programs that run what a file of the repository names.
const RUNNERS: [&str; 7] = ["make", "just", "task", "npm", "pnpm", "yarn", "mage"];
/// What a target of theirs is about when it changes nothing that serves.
const HARMLESS: [&str; 12] =
    ["test", "lint", "check", "new", "create", "status", "valid", "gen", "diff", "docs", "pages", "preview"];
/// Actions that deploy.
const DEPLOY_ACTIONS: [&str; 4] = [
    "awslabs/amazon-app-runner-deploy",
    "aws-actions/amazon-app-runner-deploy",
    "aws-actions/amazon-ecs-deploy-task-definition",
    "aws-actions/amazon-ecs-deploy-express-service",
];
/// Commands of AWS's that deploy, by service.
const AWS_DEPLOYS: [(&str, &[&str]); 2] = [
    ("apprunner", &["start-deployment", "update-service", "create-service"]),
    (
        "ecs",
        &[
            "update-service",
            "create-service",
            "deploy",
            "update-express-gateway-service",
            "create-express-gateway-service",
        ],
    ),
];
/// Commands that only show their words.
const SAYS: [&str; 5] = ["echo", "printf", "cat", "grep", "which"];

/// The tool by which a command changes a schema.
pub(super) fn migrates(command: &Command) -> Option<String> {
    let words = acting(command)?;
    for (at, word) in words.iter().enumerate() {
        let (name, rest) = (program(word), &words[at + 1..]);
        if let Some((tool, _)) = MIGRATORS.iter().find(|(tool, verbs)| *tool == name && has_any(rest, verbs)) {
            return Some((*tool).to_owned());
        }
        if at == 0 && CLIENTS.contains(&name) {
            let lower: Vec<_> = rest.iter().map(|word| word.to_ascii_lowercase()).collect();
            let runs = |word: &String| {
                let word = word.trim_start_matches(['"', '\'']);
                CLIENT_WORDS.contains(&word) || word.starts_with("--file=") || word.starts_with('<')
            };
            return lower.iter().any(runs).then(|| name.to_owned());
        }
    }
    run_target(words, &["migrat", "goose", "dbmate"])
}

/// The command or action by which something is deployed.
pub(super) fn deploys(command: &Command) -> Option<String> {
    if let [uses, action] = &command.words[..]
        && uses == "uses:"
    {
        let name = action.split('@').next().unwrap_or(action);
        return DEPLOY_ACTIONS.iter().find(|known| name.eq_ignore_ascii_case(known)).map(|known| (*known).to_owned());
    }
    let words = acting(command)?;
    if let Some(at) = words.iter().position(|word| program(word) == "aws") {
        let rest = &words[at + 1..];
        let of_service = |(service, verbs): &(&str, &[&str])| {
            let after = rest.iter().position(|word| word == service)? + 1;
            let verb = verbs.iter().find(|verb| rest.get(after).is_some_and(|word| word == *verb))?;
            Some(format!("aws {service} {verb}"))
        };
        return AWS_DEPLOYS.iter().find_map(of_service);
    }
    run_target(words, &["deploy"])
}

/// The followed tag that a command or an action pushes.
pub(super) fn pushes(command: &Command, workflow: &Workflow, followed: &BTreeSet<String>) -> Option<String> {
    if let [uses, action] = &command.words[..]
        && uses == "uses:"
    {
        return pushed_by_action(action, command, workflow, followed);
    }
    let words = acting(command)?;
    let tool = words
        .iter()
        .map(|word| program(word))
        .find(|name| ["docker", "podman", "buildah", "nerdctl", "crane", "skopeo", "regctl", "aws"].contains(name))?;
    let acts: &[&str] = match tool {
        "crane" | "skopeo" | "regctl" => &["push", "copy", "cp", "tag"],
        "aws" => &["put-image"],
        _ => &["push", "--push", "imagetools"],
    };
    if !has_any(words, acts) {
        return None;
    }
    let named = |tag: &&String| {
        let after_option = |pair: &[String]| pair[0] == "--image-tag" && pair[1] == **tag;
        words.iter().any(|word| tag_of(word) == Some(tag.as_str()) || *word == format!("--image-tag={tag}"))
            || words.windows(2).any(after_option)
            || (tool == "crane" && words.last() == Some(*tag))
            // Without a tag it is this one, unless a variable may hold another.
            || (tag.as_str() == "latest" && has_any(words, &["push"]) && words.last().is_some_and(|word| is_bare(word)))
    };
    followed.iter().find(named).cloned()
}

fn pushed_by_action(
    action: &str,
    command: &Command,
    workflow: &Workflow,
    followed: &BTreeSet<String>,
) -> Option<String> {
    let rows = || command.step.clone().filter_map(|at| workflow.rows.get(at));
    let pushes = || rows().any(|row| row.text.starts_with("push:") && !row.text.contains("false"));
    let makes_tags = action.starts_with("docker/metadata-action@");
    let builds_and_pushes = action.starts_with("docker/build-push-action@") && pushes();
    if !makes_tags && !builds_and_pushes {
        return None;
    }
    let has = |tag: &&String| {
        rows().flat_map(|row| row.text.split([' ', ','])).map(|word| word.trim_matches(['"', '\'', '[', ']'])).any(
            |word| {
                tag_of(word) == Some(tag.as_str())
                    || (makes_tags && word.strip_prefix("value=") == Some(tag.as_str()))
                    || (makes_tags && tag.as_str() == "latest" && word == "latest=true")
            },
        )
    };
    followed.iter().find(has).cloned()
}

/// The words of a command that does something, from its program on.
fn acting(command: &Command) -> Option<&[String]> {
    let skipped = |word: &String| {
        let assignment = word
            .split_once('=')
            .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        assignment
            || ["sudo", "env", "time", "exec", "then", "do", "if", "else", "!", "export"].contains(&word.as_str())
    };
    let from = command.words.iter().position(|word| !skipped(word))?;
    let words = &command.words[from..];
    (!SAYS.contains(&words[0].as_str()) && words[0] != "uses:").then_some(words)
}

/// `goose` of `github.com/pressly/goose/v3/cmd/goose@v3.24`, `./bin/goose` and `ghcr.io/kukymbr/goose-docker:3`.
fn program(word: &str) -> &str {
    let word = word.split('@').next().unwrap_or(word);
    let name = word.rsplit('/').next().unwrap_or(word);
    let name = name.split(':').next().unwrap_or(name);
    name.strip_suffix("-docker").or_else(|| name.strip_suffix("-cli")).unwrap_or(name)
}

fn has_any(words: &[String], any: &[&str]) -> bool {
    words.iter().any(|word| any.contains(&word.as_str()))
}

/// `make migrate-up` or `bash scripts/migrate.sh`: a name with one of these in it and nothing harmless.
fn run_target(words: &[String], about: &[&str]) -> Option<String> {
    if words.is_empty() {
        return None;
    }
    let script = words.iter().take(2).map(|word| program(word)).find(|name| name.ends_with(".sh"));
    let runner = script.unwrap_or_else(|| program(&words[0]));
    if script.is_none() && !RUNNERS.contains(&runner) {
        return None;
    }
    let (runner, words) = if script.is_some() { ("a script", words) } else { (runner, &words[1..]) };
    let names = words.iter().filter(|word| !word.starts_with('-') && !word.contains('='));
    let fits = |name: &&String| {
        let name = name.to_ascii_lowercase();
        about.iter().any(|part| name.contains(part)) && !HARMLESS.iter().any(|part| name.contains(part))
    };
    // The target's name is somebody else's text and may hold anything.
    names.into_iter().any(|name| fits(&name)).then(|| format!("{runner} …{}…", about[0]))
}

/// The tag of `registry:5000/goals:latest`.
fn tag_of(word: &str) -> Option<&str> {
    let (_, tag) = word.rsplit_once(':')?;
    (!tag.contains('/')).then_some(tag)
}

fn is_bare(word: &str) -> bool {
    !word.starts_with('-') && tag_of(word).is_none() && !word.contains('@') && word.contains('/') && {
        // `$REGISTRY/goals` is named in its last part; `$REGISTRY/$IMAGE` may hold a tag.
        word.rsplit('/').next().is_some_and(|name| !name.contains('$') && !name.contains('{'))
    }
}
