//! A service that not every change of its repository concerns, and a branch that it follows, with the real binary.

use crate::support::{Player, has_ended, is_card, text};
use slipway::store::TerminalMessage;
use slipway_sandbox::github::CiMode;
use slipway_sandbox::world::{CHANNEL, Options, Pace, World};
use std::fs;

/// The pages of the documentation that begin so: merges of the sandbox change one page each, which they name.
pub(crate) const PATHS: &str = "paths = [\"docs/2*.md\"]\n";

/// How often it is asked how a branch stands until a merge was seen.
const QUESTIONS_LIMIT: usize = 300;

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_does_not_concern_it_begins_nothing_by_itself() {
    let options = Options { pace: Pace::Fast, sqlite: true, auto_deploy: true, ..Options::default() };
    let mut world = World::new(options).await.unwrap();
    let config = fs::read_to_string(&world.config).unwrap();
    fs::write(&world.config, config.replacen("image = ", &format!("{PATHS}image = "), 1)).unwrap();
    world.bot.kill().unwrap();
    world.bot.start().await.unwrap();
    let mut player = Player::new(&world, "paths");
    let live = |commit: &str| {
        let words = format!("{} is live", &commit[..7]);
        move |m: &TerminalMessage| is_card(m) && has_ended(m) && text(m).contains(&words)
    };
    let before = world.merge("A page (#100)", 2, CiMode::Green).unwrap();
    let first = player.until("the one that concerns it", live(&before)).await;

    let docs = world.merge("Words (#101)", 1, CiMode::Green).unwrap();
    let passed_over = format!("{} does not concern it", &docs[..7]);
    for asked in 1..=QUESTIONS_LIMIT {
        player.say("ana", "/release status").await;
        player.watch_until_answers(asked).await;
        if player.shows(&passed_over) {
            break;
        }
    }
    assert!(player.shows(&passed_over), "it was not seen");
    assert_eq!(player.cards(CHANNEL).len(), 1, "nothing has begun");
    let concerned = world.merge("More words (#102)", 20, CiMode::Green).unwrap();
    let second = player.until("the next one that concerns it", live(&concerned)).await;
    let plan = player.release(&world, &second).await.plan.unwrap();
    assert_eq!((plan.base.unwrap().as_str(), plan.commits_total), (before.as_str(), 2), "with what is between");
    assert_ne!(first.key, second.key);
    assert_eq!(player.cards(CHANNEL).len(), 2);
    assert_eq!(player.keys(CHANNEL, "environment/"), [""; 0], "nothing was held up");
}
