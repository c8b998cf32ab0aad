//! What all releases have in common that begin without a line being typed at that moment.

use super::EngineError;
use super::apply::Work;
use crate::store::NewMessage;
use jiff::SignedDuration;
use slipway_core::ids::{EnvironmentKey, PersonId};
use slipway_core::release::{Origin, Release, Request, RequestKind};

impl Work<'_> {
    /// What somebody asks for now, or what is asked for in their name.
    pub(super) fn request_of(
        &self,
        requester: PersonId,
        channel: &str,
        key: EnvironmentKey,
        kind: RequestKind,
        reason: Option<String>,
    ) -> Request {
        let now = self.engine.clock.now();
        let expiry = SignedDuration::from_secs(self.engine.setup.vote_expiry_s(&key.service));
        Request {
            key,
            kind,
            reference: None,
            requester,
            reason,
            dry_run: false,
            origin: Origin { channel: channel.to_owned() },
            at: now,
            expires_at: now + expiry,
            together: None,
        }
    }

    /// A new release with its cards: in the channels of its service, and where it was asked for, if that is somewhere.
    pub(super) async fn insert_with_cards(&mut self, request: Request) -> Result<Release, EngineError> {
        let engine = self.engine;
        let release = Release::new(engine.setup.new_release_id(engine.clock.now()), request);
        engine.store.release_insert(self.tx, &release).await?;
        let asked_in = &release.request.origin.channel;
        let configured = engine.setup.channels(&release.request.key.service);
        for channel in shown_in(configured, asked_in) {
            engine.store.message_put(self.tx, &NewMessage::card(channel.as_str(), &release.id)).await?;
        }
        Ok(release)
    }
}

/// The channels of a service, and the one where it was asked for; that is none where nobody asked and none is configured.
pub(super) fn shown_in<'a>(configured: &'a [String], asked_in: &'a String) -> Vec<&'a String> {
    let elsewhere = !asked_in.is_empty() && !configured.contains(asked_in);
    configured.iter().chain(elsewhere.then_some(asked_in)).collect()
}
