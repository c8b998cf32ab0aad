//! What a chat shows of a release, for a page outside of any chat.

use super::drawing::{Drawing, Drawn};
use crate::setup::Setup;
use crate::standing::Company;
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use slipway_core::ids::ReleaseId;
use slipway_core::message::Message;

/// The card of a release and all that is known of it, as a channel and `/release show` have them at a moment. `None`: there is
/// no such release.
///
/// # Errors
/// When the store fails.
pub(crate) async fn of_release(
    store: &Store,
    setup: &Setup,
    id: &ReleaseId,
    now: Timestamp,
) -> Result<Option<(Message, Message)>, StoreError> {
    let people = Company::shown(store, setup, now).await?.people;
    let drawing = Drawing { store, setup, now };
    match (drawing.card(id).await?, drawing.details(id, &people).await?) {
        (Some(Drawn::Message { body: card, .. }), Some(Drawn::Message { body: details, .. })) => {
            Ok(Some((*card, *details)))
        }
        _ => Ok(None),
    }
}
