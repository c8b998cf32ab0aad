//! The other story of `make demo`: a version with a migration is gone back from, and the migration is taken back last.

use super::story::{closing, must_be_live, to_staging};
use super::{DemoError, Stage};
use crate::front::Seen;
use crate::screen::Screen;
use crate::world::World;
use slipway_core::release::{Release, Step, StepState};

/// Plays the story.
///
/// # Errors
/// When it does not go as the story says.
pub async fn play(world: &World, screen: Screen) -> Result<(), DemoError> {
    let mut stage = Stage::new(world, screen);
    for remark in &world.remarks {
        stage.screen.note(remark);
    }
    // What can be gone back to is what was brought: the first release of all is none.
    to_staging(&mut stage).await?;
    let merged = world.merge_a_migration().map_err(|error| DemoError::Otherwise(error.to_string()))?;
    if !merged {
        return Err(DemoError::Otherwise("this story needs the made-up repository: leave REPO out".to_owned()));
    }
    stage.screen.note("");
    stage.screen.note("Eve's pull request #51 is merged. It brings a migration: a table for the tags of goals.");
    to_staging(&mut stage).await?;
    stage.screen.note("");
    stage
        .screen
        .note("People report that goals with tags cannot be opened. Ana goes back, and wants the table gone too.");
    let since = stage.says("ana", "/rollback staging --migrations").await?;
    let card = stage.until_everywhere("the end of the rollback", since, |m| m.is_card() && m.has_ended()).await?;
    must_be_live(&stage, &card).await?;
    let release = stage.release(&card).await?;
    went_back(&release, &card)?;
    closing(&mut stage, None)
}

/// The migration came after the old version had been found healthy, and after it had been tried on a copy.
fn went_back(release: &Release, card: &Seen) -> Result<(), DemoError> {
    let (verified, migrated) = (release.steps.get(Step::Verify), release.steps.get(Step::Migrate));
    let in_order = verified.ended_at.zip(migrated.started_at).is_some_and(|(verified, began)| verified <= began);
    let taken_back = release.plan.as_ref().is_some_and(|plan| plan.taken_back.len() == 1);
    match migrated.state == StepState::Succeeded && in_order && taken_back {
        true => Ok(()),
        false => Err(DemoError::Otherwise(format!("the migration was to be taken back last: {:?}", card.shown))),
    }
}
