//! Forms, and the Home tab.

use super::{Slack, SlackError};
use serde::{Deserialize, Serialize};
use slack_morphism::blocks::{SlackBlock, SlackHomeView, SlackModalView, SlackView};

#[derive(Serialize)]
struct Publish<'a> {
    user_id: &'a str,
    view: SlackView,
}

#[derive(Serialize)]
struct Open<'a> {
    trigger_id: &'a str,
    view: SlackView,
}

/// The view that Slack sends back tells nothing new.
#[derive(Deserialize)]
struct Done {}

impl Slack {
    /// Replaces what a person sees in the app's Home tab; at most 100 blocks. To do it twice is the same as to do it
    /// once.
    ///
    /// # Errors
    /// When Slack refuses.
    pub async fn publish_home(&self, user: &str, blocks: Vec<SlackBlock>) -> Result<(), SlackError> {
        let request = Publish { user_id: user, view: SlackView::Home(SlackHomeView::new(blocks)) };
        self.call("views.publish", &request, &format!("user {user}")).await.map(|Done {}| ())
    }

    /// Opens a form for the person whose command or button `trigger_id` came with, within 3 s of it.
    ///
    /// # Errors
    /// When Slack refuses; [`SlackError::TriggerExpired`] when it is too late or the trigger was used.
    pub async fn open_form(&self, trigger_id: &str, view: SlackModalView) -> Result<(), SlackError> {
        let request = Open { trigger_id, view: SlackView::Modal(view) };
        self.call("views.open", &request, "form").await.map(|Done {}| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_tab_is_asked_for_as_slack_wants_it() {
        let request = Publish { user_id: "U012AB3CD", view: SlackView::Home(SlackHomeView::new(vec![])) };
        let told = serde_json::to_value(&request).unwrap();
        assert_eq!((&told["user_id"], &told["view"]["type"]), (&"U012AB3CD".into(), &"home".into()));
        assert_eq!(told["view"]["blocks"], serde_json::json!([]));
    }
}
