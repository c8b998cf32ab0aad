//! Looking up regularly who is in the teams whose members are kept elsewhere.

use super::Timekeeper;
use tracing::error;

impl Timekeeper {
    /// Has somebody look, where that is due. It does not wait for them: what is outside may be slow.
    pub(super) async fn look_at_members(&self) {
        match self.members.is_due().await {
            Ok(false) => {}
            Ok(true) => {
                let members = self.members.clone();
                tokio::spawn(async move {
                    if let Err(error) = members.look_at_due().await {
                        error!(%error, "who is in the teams could not be kept");
                    }
                });
            }
            Err(error) => error!(%error, "what is known of the teams could not be read"),
        }
    }
}
