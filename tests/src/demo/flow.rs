//! The story of the flow: from a merge to production, and nobody types a command for production.

use super::story::{approve_and_announce, must_be_live};
use super::{DemoError, Stage};
use crate::front::Seen;
use crate::github::CiMode;
use crate::screen::Screen;
use crate::world::World;
use slipway_core::message::{Mark, Verb};

/// Plays it.
///
/// # Errors
/// When it does not go as the story says.
pub async fn play_flow(world: &World, screen: Screen) -> Result<(), DemoError> {
    if !world.is_sample() {
        return Err(DemoError::Otherwise("this story is about the made-up repository: leave REPO out".to_owned()));
    }
    let mut stage = Stage::new(world, screen);
    for remark in &world.remarks {
        stage.screen.note(remark);
    }
    let since = merge(&mut stage)?;
    let on_staging = |m: &Seen| m.is_card() && m.has_ended();
    let ended = stage.until_everywhere("the end of the release to staging", since, on_staging).await?;
    must_be_live(&stage, &ended).await?;
    let suggested = stage.until_everywhere("the suggestion for production", since, is_suggestion).await?;
    let since = stage.presses("ana", &suggested, Verb::Promote, "Deploy to production").await?;
    let waits = |m: &Seen| m.is_card() && m.mark() == Mark::Waiting && m.has_buttons();
    let card = stage.until_everywhere("the request for an approval", since, waits).await?;
    stage
        .until_everywhere("who took the suggestion", since, |m| m.text().contains("asked for by ana: release"))
        .await?;
    approve_and_announce(&mut stage, &card).await?;
    super::story::closing(&mut stage, None)
}

/// A pull request is merged, and once its CI is green its commit goes to staging by itself. Gives how much had been seen
/// before.
fn merge(stage: &mut Stage<'_>) -> Result<usize, DemoError> {
    stage.screen.note("");
    stage.screen.note("Eve's pull request #47 is merged into main. Nobody types anything.");
    let since = stage.seen.len();
    stage.world.merge("Weekly summary (#47)", 47, CiMode::Green).map_err(|e| DemoError::Otherwise(e.to_string()))?;
    Ok(since)
}

/// A suggestion with its buttons.
fn is_suggestion(message: &Seen) -> bool {
    message.mark() == Mark::Waiting && message.has_buttons() && message.text().contains("ready to deploy")
}
