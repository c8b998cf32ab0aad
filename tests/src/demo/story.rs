//! The story that `make demo` plays.

use super::{DemoError, Stage};
use crate::front::Seen;
use crate::screen::Screen;
use crate::world::{TargetOption, World};
use serde_json::json;
use slipway_core::message::Mark;
use slipway_core::release::{Outcome, Phase, Release, Step};
use std::fmt;
use std::str::FromStr;

/// Which failure is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fail {
    /// A test fails.
    Ci,
    /// The build is green but pushes no image.
    Image,
    /// A migration fails.
    Migrate,
    /// App Runner rolls the deployment back.
    Deploy,
    /// The new version is live but not healthy.
    Health,
}

impl Fail {
    const ALL: [(&'static str, Self); 5] = [
        ("ci", Self::Ci),
        ("image", Self::Image),
        ("migrate", Self::Migrate),
        ("deploy", Self::Deploy),
        ("health", Self::Health),
    ];

    /// Whether a release ended just so.
    fn is_end_of(self, release: &Release) -> bool {
        let failed_in = match &release.outcome {
            Some(Outcome::Failed { step, .. }) => *step,
            _ => None,
        };
        match self {
            Self::Ci => failed_in == Some(Step::Ci),
            Self::Image => failed_in == Some(Step::Image),
            Self::Migrate => failed_in == Some(Step::Migrate),
            Self::Deploy => release.phase == Phase::RolledBack,
            Self::Health => failed_in == Some(Step::Verify),
        }
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, fail)| fail == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Fail {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, fail)| *fail);
        found.ok_or_else(|| format!("there is no failure \"{text}\": take ci, image, migrate, deploy or health"))
    }
}

/// Plays the story.
///
/// # Errors
/// When it does not go as the story says.
pub async fn play(world: &World, screen: Screen, fail: Option<Fail>) -> Result<(), DemoError> {
    let mut stage = Stage::new(world, screen);
    for remark in &world.remarks {
        stage.screen.note(remark);
    }
    match fail {
        None => succeed(&mut stage).await?,
        Some(fail) => show_failure(&mut stage, fail).await?,
    }
    closing(&mut stage, fail)
}

pub(super) async fn deploy(stage: &mut Stage<'_>, environment: &str) -> Result<usize, DemoError> {
    stage.says("ana", &format!("/deploy {environment}")).await
}

async fn succeed(stage: &mut Stage<'_>) -> Result<(), DemoError> {
    if !to_staging(stage).await? {
        stage.screen.note("Staging runs the newest commit already: commit something, then play it again.");
        return Ok(());
    }
    if stage.world.target == TargetOption::Dry {
        // Of a dry target nobody knows what runs there before it was told something, so the story would be another.
        stage
            .screen
            .note("Nothing was deployed: that is what a dry target is for. The store remembers what it was told.");
        return Ok(());
    }
    let since = stage.says("ana", "/release why deploy production").await?;
    stage.until("what production waits for", since, is_answer).await?;
    let card = ask_for_production(stage).await?;
    let since = stage.reacts("ana", &card).await?;
    stage.until("the answer to Ana's own vote", since, |m| m.only_for.as_deref() == Some("ana")).await?;
    let card = change_the_plan(stage, card).await?;
    approve_and_announce(stage, &card).await?;
    edit_the_configuration(stage).await?;
    let since = stage.says("ana", "/release status").await?;
    stage.until("the status", since, is_answer).await?;
    Ok(())
}

/// False: there is nothing newer than what runs there.
pub(super) async fn to_staging(stage: &mut Stage<'_>) -> Result<bool, DemoError> {
    let since = deploy(stage, "staging").await?;
    let ended =
        stage.until_everywhere("the end of the release to staging", since, |m| m.is_card() && m.has_ended()).await?;
    if stage.release(&ended).await?.outcome == Some(Outcome::NothingToDo) {
        return Ok(false);
    }
    must_be_live(stage, &ended).await?;
    Ok(true)
}

async fn ask_for_production(stage: &mut Stage<'_>) -> Result<Seen, DemoError> {
    let since = deploy(stage, "production").await?;
    let waits = |m: &Seen| m.is_card() && m.mark() == Mark::Waiting && m.has_buttons();
    stage.until_everywhere("the request for an approval", since, waits).await
}

/// A commit is merged after Bob has voted: his vote was for another plan. Gives the card that is waited for then.
async fn change_the_plan(stage: &mut Stage<'_>, card: Seen) -> Result<Seen, DemoError> {
    // Where one approval is enough the release would run before anything can change.
    if !stage.needs_dba(&card).await? {
        // Of a repository of the user's nobody knows what it migrates.
        return match stage.world.is_sample() {
            true => Err(DemoError::Otherwise("the plan for production was to need team dba".to_owned())),
            false => Ok(card),
        };
    }
    let since = stage.reacts("bob", &card).await?;
    stage.until("the card with Bob's vote", since, |m| m.key == card.key).await?;
    if !stage.world.merge_another().map_err(|error| DemoError::Otherwise(error.to_string()))? {
        return Ok(card);
    }
    stage.screen.note("");
    stage.screen.note("Eve's pull request #47 is merged, and Ana would like to have it in.");
    to_staging(stage).await?;
    let since = stage.seen.len();
    let card = ask_for_production(stage).await?;
    stage.until("the news that Bob's vote is void", since, |m| m.only_for.as_deref() == Some("bob")).await?;
    Ok(card)
}

/// Bob for team release, and Dora for the database where the plan needs her.
pub(super) async fn approve_and_announce(stage: &mut Stage<'_>, card: &Seen) -> Result<(), DemoError> {
    let needs_dba = stage.needs_dba(card).await?;
    let since = stage.reacts("bob", card).await?;
    if needs_dba {
        stage.until("the card with Bob's vote", since, |m| m.key == card.key).await?;
        stage.reacts("dora", card).await?;
    }
    let end = |m: &Seen| m.key == card.key && m.has_ended();
    let ended = stage.until_everywhere("the end of the release to production", since, end).await?;
    must_be_live(stage, &ended).await?;
    stage.until_everywhere("the announcement", since, |m| m.key.starts_with("announcement/")).await?;
    Ok(())
}

/// Somebody changes a setting of staging by hand, and it is brought by a release of its own.
async fn edit_the_configuration(stage: &mut Stage<'_>) -> Result<(), DemoError> {
    let secret = json!({ "GOOSE_DBSTRING": stage.world.staging_database, "SMTP_HOST": "mail.acme.dev" });
    stage.world.aws.put_secret(&format!("{}/staging", stage.world.service), &secret);
    stage.screen.note("");
    stage.screen.note("Chen edits SMTP_HOST of staging in Secrets Manager, by hand.");
    let since = stage.says("ana", "/release config staging").await?;
    stage.until("what changed of the configuration", since, is_answer).await?;
    let since = stage.says("ana", "/deploy staging --config").await?;
    let end = |m: &Seen| m.is_card() && m.has_ended();
    let ended = stage.until_everywhere("the end of the release of the configuration", since, end).await?;
    must_be_live(stage, &ended).await
}

pub(super) fn is_answer(message: &Seen) -> bool {
    message.key.starts_with("answer/")
}

pub(super) async fn must_be_live(stage: &Stage<'_>, card: &Seen) -> Result<(), DemoError> {
    let release = stage.release(card).await?;
    if release.phase == Phase::Succeeded {
        return Ok(());
    }
    let what = format!("the release was to succeed, but is {}", release.phase.name());
    Err(DemoError::Otherwise(what))
}

async fn show_failure(stage: &mut Stage<'_>, fail: Fail) -> Result<(), DemoError> {
    let since = deploy(stage, "staging").await?;
    let card = stage.until("the end of the release", since, |m| m.is_card() && m.has_ended()).await?;
    let release = stage.release(&card).await?;
    if fail.is_end_of(&release) {
        return Ok(());
    }
    let what = format!("the failure asked for was {fail}, but the release is {}", release.phase.name());
    Err(DemoError::Otherwise(format!("{what}: {:?}", release.outcome)))
}

pub(super) fn closing(stage: &mut Stage<'_>, fail: Option<Fail>) -> Result<(), DemoError> {
    let verified = stage.world.bot.run(&["audit", "verify"]).map_err(|e| DemoError::Otherwise(e.to_string()))?;
    let verified = String::from_utf8_lossy(&verified.stdout).trim().to_owned();
    let world = stage.world;
    let services = [Some(&world.staging_arn), Some(&world.production_arn), world.staging_second.as_ref()];
    let calls: usize = services.into_iter().flatten().map(|arn| world.aws.deployment_operations(arn).len()).sum();
    let platform = world.target.platform();
    stage.screen.note("");
    let operations = if calls == 1 { "operation" } else { "operations" };
    stage.screen.note(&format!("Behind the scenes: {calls} deployment {operations} at {platform}; {verified}"));
    let next: &[(&str, &str)] = match fail {
        None => &[
            ("make demo FAIL=ci", "what a failure looks like (also image, migrate, deploy, health)"),
            ("make demo STORY=flow", "from a merge to production, without a command for it"),
            ("make demo STORY=rollback", "gone back past a migration, which is taken back last"),
            ("make demo TARGET=ecs-express", "the same on ECS Express Mode (also dry, both)"),
            ("make demo CHAT=slack", "the same in Slack"),
            ("make demo CHAT=discord", "the same in Discord"),
            ("make demo CHAT=both", "in Slack and Discord at once, approved in Discord"),
            ("make demo INTERACTIVE=1", "type it yourself; with CHAT=slack, discord or both on a page too"),
            ("make demo REPO=../yours", "with your own repository and its goose migrations"),
            ("docs/install.md", "how to connect it to GitHub and AWS"),
        ],
        Some(_) => &[
            ("make demo", "the same release when nothing fails"),
            ("make demo FAIL=deploy", "another failure (ci, image, migrate, deploy, health)"),
            ("make demo INTERACTIVE=1", "type the commands and approvals yourself"),
            ("docs/install.md", "how to connect it to GitHub and AWS"),
        ],
    };
    stage.screen.note("Next:");
    let width = next.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    for (command, what) in next {
        stage.screen.note(&format!("  {command:width$}  {what}"));
    }
    Ok(())
}
