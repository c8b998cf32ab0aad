//! The order of a rehearsal of what is applied already: each down, up again, and down once more.

use super::RehearsalError;
use super::trial::{self, Broken, DIFFERENCES_LIMIT, Stage};
use slipway_core::migration::{DownTrial, Migration, MigrationTrial};

/// Tries to take all of them back, in this order. After one that does not go back the others are not tried.
pub(super) async fn hold<S: Stage>(stage: &mut S, back: &[Migration]) -> Result<Vec<MigrationTrial>, RehearsalError> {
    let mut trials = Vec::new();
    let mut stuck: Option<String> = None;
    for migration in back {
        let down = match &stuck {
            Some(why) => DownTrial::NotTried { why: why.clone() },
            None => one(stage, migration).await?,
        };
        if stuck.is_none() && !matches!(down, DownTrial::Restores | DownTrial::Leaves { .. }) {
            stuck = Some(format!("the way back of {}, which is taken back before it, did not work", migration.file));
        }
        let version = migration.version.clone();
        // What it locks was not looked at.
        trials.push(MigrationTrial { version, touched: Vec::new(), down, partial: true });
    }
    Ok(trials)
}

async fn one<S: Stage>(stage: &mut S, migration: &Migration) -> Result<DownTrial, RehearsalError> {
    if !migration.reversible {
        return Ok(DownTrial::None);
    }
    let before = stage.schema().await?;
    if let Err(broken) = stage.down(migration).await {
        return Ok(trial::cannot_go_back(migration, &broken));
    }
    if let Err(broken) = stage.up(migration).await {
        return Ok(not_up_again(migration, &broken));
    }
    let differences = stage.schema().await?.differences_from(&before);
    if let Err(broken) = stage.down(migration).await {
        return Ok(trial::cannot_go_back(migration, &broken));
    }
    let differences: Vec<_> = differences.iter().take(DIFFERENCES_LIMIT).map(ToString::to_string).collect();
    Ok(if differences.is_empty() { DownTrial::Restores } else { DownTrial::Leaves { differences } })
}

/// It was applied on the database itself, so that it cannot be applied after its way back is that one's fault.
fn not_up_again(migration: &Migration, broken: &Broken) -> DownTrial {
    match trial::not_its_fault(migration, &broken.error) {
        Some(why) => DownTrial::NotTried { why },
        None => {
            let message = trial::shown(migration, &broken.error);
            DownTrial::Fails { message: format!("after it the migration cannot be applied again: {message}") }
        }
    }
}
