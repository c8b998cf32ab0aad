//! Buttons that people press, and choices that they are offered.

use super::command::{self, Typing};
use super::{Did, NO_ANSWER, Refused, did, person, place, seen};
use crate::discord::DiscordSandbox;
use crate::discord::delivery::{self, Outcome};
use crate::discord::interaction::Kind;
use crate::discord::payload;
use serde_json::{Value, json};

const LINK_STYLE: u64 = 5;
/// What somebody reads when no answer to a press came.
const FAILED: &str = "This interaction failed";

impl DiscordSandbox {
    /// Presses a button of a message that the person sees: by what is on it, or by what its custom id begins with.
    ///
    /// # Errors
    /// When there is no such button, or the app did not take the press.
    pub async fn press(&self, user: &str, channel: &str, message: &str, button: &str) -> Did {
        let (payload, channel) = {
            let mut world = self.shared.world();
            let place = place(&mut world, user, channel)?;
            let message = seen(&world, user, &place.id, message)?.clone();
            let named = message.component(|component| component["label"] == button);
            let begins = |component: &Value| component["custom_id"].as_str().is_some_and(|id| id.starts_with(button));
            let found = named.or_else(|| message.component(begins)).cloned();
            let found = found.ok_or_else(|| Refused::code("no_such_button"))?;
            if found["disabled"] == true || found["style"].as_u64() == Some(LINK_STYLE) {
                return Err(Refused::code("not_to_press"));
            }
            let data = json!({
                "custom_id": found["custom_id"], "component_type": found["type"], "id": found["id"],
            });
            let user = person(&world, user)?;
            (payload::begin(&mut world, &user, &place, Kind::Press, Some(&message), data), place.id)
        };
        let outcome = delivery::deliver(&self.shared, payload).await;
        did(&self.shared, outcome, (user, &channel), FAILED)
    }

    /// What the app offers for an option of which something was typed: what is shown and what is sent, of each choice.
    /// `command` is what was typed before: `/release lock`, perhaps with other options.
    ///
    /// # Errors
    /// When the option is none that the app is asked for, or the app does not answer.
    pub async fn autocomplete(
        &self,
        user: &str,
        channel: &str,
        command: &str,
        option: &str,
        typed: &str,
    ) -> Result<Vec<(String, Value)>, Refused> {
        let payload = {
            let mut world = self.shared.world();
            let place = place(&mut world, user, channel)?;
            let typing = Typing { option, typed };
            let data = command::data(&world, &world.commands_at(&place), command, Some(typing))?;
            let user = person(&world, user)?;
            payload::begin(&mut world, &user, &place, Kind::Choices, None, data)
        };
        match delivery::deliver(&self.shared, payload).await {
            Outcome::Answered(choices) => {
                let shown =
                    |choice: Value| (choice["name"].as_str().unwrap_or_default().to_owned(), choice["value"].clone());
                Ok(choices.into_iter().map(shown).collect())
            }
            Outcome::Held | Outcome::Lost => Err(Refused::shown("no_answer", NO_ANSWER)),
        }
    }
}
