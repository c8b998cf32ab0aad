//! What tests set and see behind the scenes.

use super::DiscordSandbox;
use super::Order;
use super::delivery::{self, Delivery, DeliveryAnswer, Mischief};
use super::fault::Fault;
use super::gateway::Hub;
use super::message::Said;
use super::notified::Notified;
use super::options::{DiscordChannel, DiscordLimits, DiscordMode, DiscordRole, DiscordUser};
use super::payload;
use super::people::{Did, Refused};
use super::server::GUILD_MEMBERS;
use super::state;
use jiff::SignedDuration;
use serde_json::{Value, json};

impl DiscordSandbox {
    /// Every call so far: method, path and query.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.shared.world().calls.clone()
    }

    /// Calls that Discord counts against an address: those answered with 401, 403 or 429.
    #[must_use]
    pub fn invalid_calls(&self) -> u64 {
        self.shared.world().invalid_calls
    }

    /// What the app checks signatures with, in hex.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.shared.key.public()
    }

    /// The signature of a body at a time, as Discord signs: for what is no interaction at all.
    #[must_use]
    pub fn signature(&self, at: &str, body: &[u8]) -> String {
        self.shared.key.signature(at, body)
    }

    /// The commands of a guild, or of everywhere, as the app registered them.
    #[must_use]
    pub fn commands(&self, guild: Option<&str>) -> Vec<Value> {
        self.shared.world().commands.get(guild.unwrap_or_default()).cloned().unwrap_or_default()
    }

    /// The app is taken out of the guild.
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

    /// Where interactions are posted from now on: the whole address. They do not come over the gateway any more.
    pub fn deliver_to(&self, url: &str) {
        self.shared.world().mode = DiscordMode::Http { url: Some(url.to_owned()) };
    }

    /// Interactions come over the gateway from now on.
    pub fn deliver_over_gateway(&self) {
        self.shared.world().mode = DiscordMode::Gateway;
    }

    /// Gives Discord the address where interactions are to be posted. It tries whether the app answers a ping, and
    /// refuses one that is wrongly signed.
    ///
    /// # Errors
    /// When the app does not do both.
    pub async fn save_interactions_url(&self, url: &str) -> Did {
        let before = self.shared.world().mode.clone();
        self.deliver_to(url);
        let refused = |shown: &str| Refused::shown("url_not_valid", shown);
        let checked = async {
            let ping = payload::ping(&mut self.shared.world());
            let (answer, body) = delivery::once(&self.shared, &ping, None).await;
            if answer != DeliveryAnswer::Status(200) || body["type"] != json!(1) {
                return Err(refused("The specified interactions endpoint URL could not be verified."));
            }
            let (answer, _) = delivery::once(&self.shared, &ping, Some(Mischief::OtherKey)).await;
            match answer {
                DeliveryAnswer::Status(401) => Ok(()),
                _ => Err(refused("The endpoint did not refuse a wrong signature with 401.")),
            }
        };
        let checked = checked.await;
        if checked.is_err() {
            self.shared.world().mode = before;
        }
        checked
    }

    /// How much and how fast from now on.
    pub fn set_limits(&self, limits: DiscordLimits) {
        self.shared.world().limits = limits;
    }

    /// Whether the app may list members from now on.
    pub fn set_members_intent(&self, may: bool) {
        self.shared.world().members_intent = may;
        self.shared.hub.allow(if may { GUILD_MEMBERS } else { 0 });
    }

    /// What the app's own role allows it from now on.
    pub fn set_bot_permissions(&self, permissions: u64) {
        self.shared.world().bot_permissions = permissions;
    }

    /// What the app may not do in a channel from now on; 0: nothing is forbidden.
    pub fn deny(&self, channel: &str, permissions: u64) {
        self.shared.world().denied.insert(channel.to_owned(), permissions);
    }

    /// A person does not see a channel from now on.
    pub fn hide(&self, channel: &str, user: &str) {
        let mut world = self.shared.world();
        world.absent.insert((channel.to_owned(), user.to_owned()));
        world.changed();
    }

    /// A person takes no messages of the app's from now on.
    pub fn close_direct(&self, user: &str) {
        self.shared.world().closed.insert(user.to_owned());
    }

    /// A thread is closed, as Discord does it with old ones.
    pub fn archive(&self, thread: &str, closed: bool) {
        let mut world = self.shared.world();
        let Some(found) = world.threads.iter_mut().find(|found| found.id == thread) else { return };
        if let super::place::Kind::Thread { archived, .. } = &mut found.kind {
            *archived = closed;
        }
        let told = found.clone();
        world.tell_of_thread("THREAD_UPDATE", &told);
    }

    /// Adds a channel, or puts it in the place of the one with its id.
    pub fn set_channel(&self, channel: DiscordChannel) {
        let mut world = self.shared.world();
        world.channels.retain(|other| other.id != channel.id);
        world.channels.push(channel);
        world.changed();
    }

    /// Adds a user, or puts them in the place of the one with their id.
    pub fn set_user(&self, user: DiscordUser) {
        let mut world = self.shared.world();
        world.users.retain(|other| other.id != user.id);
        world.users.push(user);
        world.changed();
    }

    /// Adds a role, or puts it in the place of the one with its id.
    pub fn set_role(&self, role: DiscordRole) {
        let mut world = self.shared.world();
        world.roles.retain(|other| other.id != role.id);
        world.roles.push(role);
        world.changed();
    }

    /// What called a person: by name, by a role, or with everybody.
    #[must_use]
    pub fn notified(&self, user: &str) -> Vec<Notified> {
        self.shared.world().calls_of(user)
    }

    /// Whomever the app's messages called.
    #[must_use]
    pub fn all_notified(&self) -> Vec<Notified> {
        self.shared.world().notified.clone()
    }

    /// What people see, with the messages that changed after `after`.
    #[must_use]
    pub fn state(&self, after: u64) -> Value {
        state::state(&self.shared, after)
    }

    /// Waits until something has changed after `after`.
    pub async fn changed(&self, after: u64) {
        let mut changes = self.shared.changes.clone();
        // The world lives as long as this value, and so does the sender.
        let _ = changes.wait_for(|seq| *seq > after).await;
    }

    /// Every try to deliver an interaction so far.
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

    /// Spoils the next delivery; several are spoilt in the order of the calls.
    pub fn spoil_next(&self, how: Mischief) {
        self.shared.world().deliveries.mischief.push_back(how);
    }

    /// Nothing is delivered until [`DiscordSandbox::let_go`]; what people do meanwhile seems to work.
    pub fn hold(&self) {
        self.shared.world().deliveries.hold();
    }

    /// Delivers what was held back, one after the other, and everything from now on.
    pub async fn let_go(&self, order: Order) {
        let waited = self.shared.world().deliveries.unhold(order);
        for payload in waited {
            delivery::run(&self.shared, payload).await;
        }
    }

    /// Delivers again what was delivered before. None: there is no such delivery.
    pub async fn resend(&self, number: usize) -> Option<DeliveryAnswer> {
        let payload = self.shared.world().deliveries.get(number)?.payload.clone();
        Some(self.send(payload).await.0)
    }

    /// Sends whatever one likes, properly signed, once. Gives what came of it and the answer's body.
    pub async fn send(&self, payload: Value) -> (DeliveryAnswer, Value) {
        delivery::attempt(&self.shared, &payload).await
    }

    /// A ping, as Discord sends it now and then, spoilt or not.
    pub async fn ping(&self, how: Option<Mischief>) -> (DeliveryAnswer, Value) {
        let ping = payload::ping(&mut self.shared.world());
        delivery::once(&self.shared, &ping, how).await
    }

    /// From now on it is so much later for Discord, or earlier; deliveries are signed with the clock's time all the
    /// same.
    pub fn shift_clock(&self, by: SignedDuration) {
        self.shared.world().shift(by);
    }

    /// Somebody else's app changes a message of the app's, which no app can: for a test that looks whether it is put
    /// right again.
    pub fn overwrite(&self, channel: &str, id: &str, content: &str) {
        let mut world = self.shared.world();
        let now = world.now();
        world.change(channel, id, |message| message.edit(Said::words(content), now));
    }

    /// Waits until the app is online: over the gateway it hears of nothing that was done before that.
    pub async fn online(&self) {
        let over_gateway = matches!(self.shared.world().mode, DiscordMode::Gateway);
        if over_gateway {
            self.shared.hub.until(Hub::connected).await;
        }
    }

    /// The gateway: who is connected, and what goes wrong there.
    #[must_use]
    pub fn gateway(&self) -> &Hub {
        &self.shared.hub
    }
}
