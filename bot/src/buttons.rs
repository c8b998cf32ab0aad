//! What the buttons of a message are about, by the message's key.

use crate::setup::environment_button;
use slipway_core::ids::EnvironmentKey;

/// Between the environment and the number of a pause in the key of its message.
const PAUSE: &str = "/pause/";

/// The key of the message of a pause, the same in each channel.
pub(crate) fn pause_message(key: &EnvironmentKey, number: u64) -> String {
    format!("{}{PAUSE}{number}", environment_button(key))
}

/// What the buttons of a message carry: its key; of a pause its environment, whatever its number. With the number the
/// longest names would not fit into a button of Discord's.
pub(crate) fn of_message(message_key: &str) -> &str {
    message_key.split_once(PAUSE).map_or(message_key, |(environment, _)| environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NAME_LIMIT_CHARS;
    use slipway_core::flow::{Pause, Why};
    use slipway_core::message::cards::flow_paused;
    use slipway_core::message::{Action, Line, Message, Verb};
    use slipway_deploy::discord;
    use std::collections::BTreeMap;

    /// The longest names that the configuration takes.
    fn longest() -> EnvironmentKey {
        let name = |letter: &str| letter.repeat(NAME_LIMIT_CHARS);
        EnvironmentKey { service: name("s").as_str().into(), environment: name("e").as_str().into() }
    }

    fn pressed(message: &Message, key: &str) -> Vec<discord::Pressed> {
        let rendered = discord::render(message, &BTreeMap::new(), key, "");
        let rows = rendered.components.iter().flat_map(|row| row["components"].as_array().unwrap());
        rows.map(|button| discord::pressed(button["custom_id"].as_str().unwrap()).unwrap()).collect()
    }

    #[test]
    fn the_button_of_a_pause_is_there_whatever_the_names() {
        let pause = Pause {
            number: u64::MAX,
            why: Why::WentBack { by: "ana".into(), release: "01JD7Q4N5V0000000000000000".into() },
            since: jiff::Timestamp::UNIX_EPOCH,
        };
        let message = pause_message(&longest(), pause.number);
        let buttons = pressed(&flow_paused(&longest(), &pause, true), of_message(&message));
        assert_eq!(buttons.len(), 1, "it is not left out for want of room");
        assert_eq!((buttons[0].verb.as_str(), buttons[0].key.clone()), ("resume", environment_button(&longest())));
    }

    #[test]
    fn every_button_beside_an_environment_fits() {
        let verbs = [Verb::Lock, Verb::Unlock, Verb::Resume];
        let actions = verbs.map(|verb| Action { verb, label: "Press".into() });
        let message = Message { actions: actions.into(), ..Message::answer(Line::plain("x"), []) };
        assert_eq!(pressed(&message, &environment_button(&longest())).len(), verbs.len());
    }

    #[test]
    fn other_messages_are_what_their_buttons_are_about() {
        for key in ["release/01JD7Q4N5V0000000000000000", "environment/goals/staging", "intent/01JD7Q4N"] {
            assert_eq!(of_message(key), key);
        }
        assert_eq!(of_message("environment/goals/staging/pause/7"), "environment/goals/staging");
    }
}
