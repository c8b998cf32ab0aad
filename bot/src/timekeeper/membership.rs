//! Looking up regularly who is in the teams whose members are kept elsewhere.

use super::Lookouts;
use crate::defects::round;
use crate::store::StoreError;

/// Has somebody look, where that is due. It does not wait for them: what is outside may be slow.
pub(super) async fn look(lookouts: &Lookouts) -> Result<(), StoreError> {
    if lookouts.members.is_due().await? {
        let members = lookouts.members.clone();
        tokio::spawn(async move { round("a look at who is in the teams", members.look_at_due()).await });
    }
    Ok(())
}
