//! Looking up regularly who is in the teams whose members are kept elsewhere.

use super::Lookouts;
use crate::defects::caught;
use crate::store::StoreError;
use tracing::error;

/// Has somebody look, where that is due. It does not wait for them: what is outside may be slow.
pub(super) async fn look(lookouts: &Lookouts) -> Result<(), StoreError> {
    if lookouts.members.is_due().await? {
        let members = lookouts.members.clone();
        tokio::spawn(async move {
            if let Ok(Err(error)) = caught("a look at who is in the teams", members.look_at_due()).await {
                error!(%error, "who is in the teams could not be kept");
            }
        });
    }
    Ok(())
}
