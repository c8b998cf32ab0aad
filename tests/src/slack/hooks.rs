//! What tests set, ask for and look at.

use super::Order;
use super::SlackSandbox;
use super::delivery::{self, Delivery, DeliveryAnswer, DeliveryKind, Mischief, Outgoing};
use super::fault::Fault;
use super::notified::Notified;
use super::options::{SlackChannel, SlackLimits, SlackUser};
use super::outcome::Then;
use super::payload;
use jiff::SignedDuration;
use serde_json::Value;

impl SlackSandbox {
    /// Every call so far as `METHOD name?arguments`, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.shared.world().calls.clone()
    }

    /// Who is in a user group from now on, by user ids.
    pub fn set_group(&self, id: &str, users: &[&str]) {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        self.shared.world().groups.insert(id.to_owned(), users);
    }

    /// Nobody finds the user group any more.
    pub fn disable_group(&self, id: &str) {
        self.shared.world().groups.remove(id);
    }

    /// What the app may do from now on.
    pub fn set_scopes(&self, scopes: &[&str]) {
        self.shared.world().scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// What the app-level token may do from now on.
    pub fn set_app_scopes(&self, scopes: &[&str]) {
        self.shared.world().app_scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    }

    /// The app is taken out of the workspace.
    pub fn revoke_token(&self) {
        self.shared.world().revoked = true;
    }

    /// Makes calls fail from now on.
    pub fn inject(&self, fault: Fault) {
        self.shared.world().faults.push(fault);
    }

    /// No call fails any more that was to.
    pub fn heal(&self) {
        self.shared.world().faults.clear();
    }

    /// Where the app listens from now on: `http://127.0.0.1:8080`.
    pub fn set_bot_url(&self, url: &str) {
        self.shared.world().bot_url = Some(url.to_owned());
    }

    /// How much and how fast from now on.
    pub fn set_limits(&self, limits: SlackLimits) {
        self.shared.world().limits = limits;
    }

    /// What `apps.manifest.export` answers from now on.
    pub fn set_manifest(&self, manifest: Value) {
        self.shared.world().manifest = manifest;
    }

    /// Adds a channel, or puts it in the place of the one with its id.
    pub fn set_channel(&self, channel: SlackChannel) {
        let mut world = self.shared.world();
        world.channels.retain(|other| other.id != channel.id);
        world.channels.push(channel);
        world.changed();
    }

    /// Adds a user, or puts them in the place of the one with their id.
    pub fn set_user(&self, user: SlackUser) {
        let mut world = self.shared.world();
        world.users.retain(|other| other.id != user.id);
        world.users.push(user);
        world.changed();
    }

    /// Whom the app's messages called so far.
    #[must_use]
    pub fn notified(&self) -> Vec<Notified> {
        self.shared.world().notified.clone()
    }

    /// A channel as lines of text: messages with their buttons and reactions, answers indented under what they answer,
    /// `→ ana only: …` for what only ana sees.
    #[must_use]
    pub fn transcript(&self, channel: &str) -> Vec<String> {
        super::transcript::transcript(&self.shared.world(), channel)
    }

    /// What people see, as `GET /sandbox/state` has it, with the messages that changed after `after`.
    #[must_use]
    pub fn state(&self, after: u64) -> Value {
        super::state::state(&self.shared, after)
    }

    /// Waits until something has changed after `after`.
    pub async fn changed(&self, after: u64) {
        let mut changes = self.shared.changes.clone();
        // The world lives as long as this value, and so does the sender.
        let _ = changes.wait_for(|seq| *seq > after).await;
    }

    /// What was delivered so far, each try for itself.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.world().deliveries.list.clone()
    }

    /// Waits until no delivery is under way.
    pub async fn settled(&self) {
        let mut busy = self.shared.busy.subscribe();
        // The sender lives as long as this value.
        let _ = busy.wait_for(|count| *count == 0).await;
    }

    /// Spoils the next try that is not spoilt yet.
    pub fn spoil_next(&self, how: Mischief) {
        self.shared.world().deliveries.mischief.push_back(how);
    }

    /// Nothing is delivered until [`SlackSandbox::let_go`]; what people do meanwhile seems to work.
    pub fn hold(&self) {
        self.shared.world().deliveries.hold();
    }

    /// Delivers what was held back, one after the other, and everything from now on.
    pub async fn let_go(&self, order: Order) {
        let waited = self.shared.world().deliveries.unhold(order);
        for outgoing in waited {
            delivery::run(&self.shared, outgoing).await;
        }
    }

    /// Sends a recorded delivery again, with a fresh signature. None: there is no such delivery any more.
    pub async fn resend(&self, number: usize) -> Option<DeliveryAnswer> {
        let (kind, payload) = {
            let mut world = self.shared.world();
            let delivery = world.deliveries.get(number)?;
            (delivery.kind, delivery.payload.clone())
        };
        Some(self.send(kind, payload).await.0)
    }

    /// Asks the address for commands whether it is there, as Slack does now and then, properly signed. Gives what came
    /// of it. Nothing like it comes in Socket Mode.
    pub async fn ssl_check(&self) -> DeliveryAnswer {
        self.send(DeliveryKind::Command, payload::ssl_check()).await.0
    }

    /// From now on it is so much later for Slack, or earlier; deliveries are signed with the clock's time all the same.
    pub fn shift_clock(&self, by: SignedDuration) {
        self.shared.world().shift(by);
    }

    /// Sends whatever one likes, properly signed, once. Gives what came of it and the answer's body.
    pub async fn send(&self, kind: DeliveryKind, payload: Value) -> (DeliveryAnswer, Value) {
        let outgoing = Outgoing { kind, payload, then: Then::Nothing };
        let answered = delivery::attempt(&self.shared, &outgoing, 0, "").await;
        (answered.answer, answered.body)
    }

    /// How many Socket Mode connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.sockets().count()
    }

    /// The next envelope's connection breaks off right after the envelope.
    pub fn break_after_next_envelope(&self) {
        self.shared.sockets().breaking += 1;
    }

    /// So many of the next connections break off right after the hello.
    pub fn break_next_connections(&self, count: u32) {
        self.shared.sockets().hasty = count;
    }

    /// How many connections are still to break off right after the hello.
    #[must_use]
    pub fn connections_to_break(&self) -> u32 {
        self.shared.sockets().hasty
    }

    /// Tells all connections `disconnect` with a reason: `warning`, or `refresh_requested`, after which they end.
    pub fn send_disconnect(&self, reason: &str) {
        self.shared.sockets().disconnect(reason, &self.shared.options.app_id);
    }

    /// All connections break off.
    pub fn break_connections(&self) {
        self.shared.sockets().close_all();
    }

    /// How many acknowledgements were of nothing that waited for one.
    #[must_use]
    pub fn strange_acks(&self) -> u64 {
        self.shared.sockets().strange_acks
    }
}
