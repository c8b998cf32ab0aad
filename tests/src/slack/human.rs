//! What people do: type, press, react, fill in forms.

use super::SlackSandbox;
use super::blocks;
use super::delivery::{self, DeliveryKind, Outgoing};
use super::message::{Message, Reaction};
use super::outcome::{Outcome, Then};
use super::payload;
use super::view::View;
use super::world::{Conversation, World};
use super::written;
pub use crate::people::{Did, Refused};
use serde_json::{Value, json};

fn did(outcome: Outcome) -> Did {
    match outcome {
        Outcome::Done | Outcome::Held => Ok(()),
        Outcome::Failed { error, shown } => Err(Refused::shown(error, &shown)),
        Outcome::FormErrors(errors) => Err(Refused { errors, ..Refused::code("form_errors") }),
    }
}

/// A conversation that a person is in.
fn place(world: &World, user: &str, channel: &str) -> Result<Conversation, Refused> {
    world.user(user).ok_or_else(|| Refused::code("user_not_found"))?;
    let found = world.conversation(channel).filter(|found| found.has(user));
    found.ok_or_else(|| Refused::code("channel_not_found"))
}

/// A message that a person sees.
fn seen<'a>(world: &'a World, user: &str, channel: &str, ts: &str) -> Result<&'a Message, Refused> {
    let found = world.messages.iter().find(|m| m.is(channel, ts) && !m.deleted);
    let found = found.filter(|m| m.ephemeral_for.as_ref().is_none_or(|only| only == user));
    found.ok_or_else(|| Refused::code("message_not_found"))
}

impl SlackSandbox {
    /// Types a line: a slash command, or a message that may mention the app. `channel` may be the app's user:
    /// then it is the direct conversation with the app.
    ///
    /// # Errors
    /// When Slack refuses it, or the app did not answer the command.
    pub async fn type_text(&self, user: &str, channel: &str, text: &str, thread: Option<&str>) -> Did {
        let channel = if channel == self.shared.options.bot_user {
            self.shared.world().im(user).ok_or_else(|| Refused::code("user_not_found"))?
        } else {
            channel.to_owned()
        };
        let place = place(&self.shared.world(), user, &channel)?;
        if text.trim().is_empty() {
            return Err(Refused::code("no_text"));
        }
        if payload::is_im(&place) && self.shared.options.messages_tab_read_only {
            return Err(Refused::shown("messages_tab_read_only", "One can only read here."));
        }
        if text.starts_with('/') {
            return self.type_command(user, &place, text, thread).await;
        }
        self.type_message(user, &place, text, thread)
    }

    async fn type_command(&self, user: &str, place: &Conversation, text: &str, thread: Option<&str>) -> Did {
        let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let outgoing = {
            let options = &self.shared.options;
            let mut world = self.shared.world();
            let outsider = world.user(user).is_some_and(|user| user.team.is_some());
            let known = options.commands.iter().any(|known| known.command == command);
            if !known || outsider || world.need_scope("commands").is_err() {
                return Err(Refused::shown("unknown_command", &format!("{command} is not a valid command.")));
            }
            if thread.is_some() {
                let shown = format!("{command} is not supported in threads. Sorry!");
                return Err(Refused::shown("not_in_threads", &shown));
            }
            if place.archived {
                return Err(Refused::code("is_archived"));
            }
            let url = world.hook(&self.shared.base, "commands", &options.team_id, (user, &place.id), None);
            let rest = payload::typed(&world, &options.bot_user, rest.trim());
            let payload = payload::command(&mut world, options, user, place, (command, &rest), &url);
            let (user, channel, command) = (user.to_owned(), place.id.clone(), command.to_owned());
            Outgoing { kind: DeliveryKind::Command, payload, then: Then::Command { user, channel, command } }
        };
        did(delivery::deliver(&self.shared, outgoing).await)
    }

    fn type_message(&self, user: &str, place: &Conversation, text: &str, thread: Option<&str>) -> Did {
        let options = &self.shared.options;
        let mut world = self.shared.world();
        if place.archived {
            return Err(Refused::code("is_archived"));
        }
        if let Some(ts) = thread {
            let first = world.message(&place.id, ts).filter(|first| !first.is_reply());
            first.ok_or_else(|| Refused::code("thread_not_found"))?;
        }
        let mut message = Message::new(&place.id, user, &payload::typed(&world, &options.bot_user, text));
        message.blocks = Some(payload::typed_blocks(&message.text));
        message.thread_ts = thread.map(str::to_owned);
        let message = world.post(message).map_err(|refusal| Refused::code(refusal.code))?;
        let Some(payload) = written::new(&mut world, options, place, &message) else { return Ok(()) };
        drop(world);
        delivery::deliver_event(&self.shared, payload);
        Ok(())
    }

    /// Changes what a person wrote. When it mentions the app now, Slack says so, also when it did before.
    ///
    /// # Errors
    /// When there is no such message of theirs.
    pub fn edit_text(&self, user: &str, channel: &str, ts: &str, new_text: &str) -> Did {
        let options = &self.shared.options;
        let mut world = self.shared.world();
        let place = place(&world, user, channel)?;
        let before = seen(&world, user, channel, ts)?.clone();
        if before.user != user || before.ephemeral_for.is_some() {
            return Err(Refused::code("cant_update_message"));
        }
        if new_text.trim().is_empty() {
            return Err(Refused::code("no_text"));
        }
        let text = payload::typed(&world, &options.bot_user, new_text);
        let (blocks, at) = (payload::typed_blocks(&text), world.ts());
        world.change(channel, ts, |message| message.edit(text, Some(blocks), at));
        let Some(payload) = written::changed(&mut world, options, &place, &before) else { return Ok(()) };
        drop(world);
        delivery::deliver_event(&self.shared, payload);
        Ok(())
    }

    /// Presses a button of a message that the person sees.
    ///
    /// # Errors
    /// When there is no such button, or the app did not take the press.
    pub async fn press(&self, user: &str, channel: &str, ts: &str, action_id: &str) -> Did {
        let outgoing = {
            let options = &self.shared.options;
            let mut world = self.shared.world();
            let place = place(&world, user, channel)?;
            let message = seen(&world, user, channel, ts)?.clone();
            let (block, element) = element(message.blocks.as_ref(), action_id)?;
            let ephemeral = message.ephemeral_for.is_some();
            let mut container = json!({
                "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": ephemeral,
            });
            // The message itself also has one when it has answers; where it is has none.
            if let Some(thread) = message.thread_ts.as_ref().filter(|_| message.is_reply()) {
                container["thread_ts"] = json!(thread);
            }
            let url = world.hook(&self.shared.base, "actions", &options.team_id, (user, channel), Some(ts));
            let mut payload = payload::press(&mut world, options, user, container, (&block, &element));
            payload["channel"] = payload::place(&place);
            payload["response_url"] = json!(url);
            if !ephemeral {
                payload["message"] = self.shared.shown(&world, &message, false);
            }
            let then = Then::Press { user: user.to_owned(), channel: Some(channel.to_owned()) };
            Outgoing { kind: DeliveryKind::Interaction, payload, then }
        };
        did(delivery::deliver(&self.shared, outgoing).await)
    }

    /// Presses a button of the person's home tab.
    ///
    /// # Errors
    /// When there is no such button, or the app did not take the press.
    pub async fn press_home(&self, user: &str, action_id: &str) -> Did {
        let view = self.shared.world().homes.get(user).cloned();
        self.press_view(user, view.ok_or_else(|| Refused::code("view_not_found"))?, action_id).await
    }

    /// Presses a button of a form.
    ///
    /// # Errors
    /// When there is no such button, or the app did not take the press.
    pub async fn press_modal(&self, user: &str, view_id: &str, action_id: &str) -> Did {
        let view = modal(&self.shared.world(), user, view_id)?;
        self.press_view(user, view, action_id).await
    }

    async fn press_view(&self, user: &str, view: View, action_id: &str) -> Did {
        let outgoing = {
            let mut world = self.shared.world();
            let (block, element) = element(Some(&view.shown["blocks"]), action_id)?;
            let container = json!({ "type": "view", "view_id": view.id });
            let options = &self.shared.options;
            let mut payload = payload::press(&mut world, options, user, container, (&block, &element));
            payload["view"] = view.shown;
            let then = Then::Press { user: user.to_owned(), channel: None };
            Outgoing { kind: DeliveryKind::Interaction, payload, then }
        };
        did(delivery::deliver(&self.shared, outgoing).await)
    }

    /// Puts an emoji (its name without colons) under a message, or takes it away.
    ///
    /// # Errors
    /// When Slack refuses it.
    pub fn react(&self, user: &str, channel: &str, ts: &str, name: &str, added: bool) -> Did {
        let options = &self.shared.options;
        let mut world = self.shared.world();
        let place = place(&world, user, channel)?;
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-:'".contains(c);
        if name.is_empty() || name.starts_with(':') || !name.chars().all(letters) {
            return Err(Refused::code("invalid_name"));
        }
        let message = world.message(channel, ts).ok_or_else(|| Refused::code("message_not_found"))?;
        let author = message.user.clone();
        let has = message.reactions.iter().any(|r| r.name == name && r.users.iter().any(|other| other == user));
        if has == added {
            return Err(Refused::code(if added { "already_reacted" } else { "no_reaction" }));
        }
        world.change(channel, ts, |message| set_reaction(message, user, name, added));
        if !payload::is_told(&world, &place, "reactions:read") {
            return Ok(());
        }
        let kind = if added { "reaction_added" } else { "reaction_removed" };
        let inner = json!({
            "type": kind, "user": user, "reaction": name, "item": { "type": "message", "channel": channel, "ts": ts },
            "item_user": author, "event_ts": world.ts(),
        });
        let payload = payload::event(&mut world, options, &inner, Some(&place));
        drop(world);
        delivery::deliver_event(&self.shared, payload);
        Ok(())
    }

    /// Sends a form: a text or an option's value for each input, by block id and action id.
    ///
    /// # Errors
    /// What is wrong with the form, or that the app did not take it.
    pub async fn submit(&self, user: &str, view_id: &str, values: &Value) -> Did {
        let outgoing = {
            let mut world = self.shared.world();
            let view = modal(&world, user, view_id)?;
            let filled = super::form::filled(&view.shown["blocks"], values);
            let state = filled.map_err(|errors| Refused { errors, ..Refused::code("form_errors") })?;
            let mut shown = view.shown.clone();
            shown["state"]["values"] = state.clone();
            if let Some(kept) = world.modals.iter_mut().find(|kept| kept.id == view_id) {
                kept.shown["state"]["values"] = state;
            }
            let payload = payload::form(&mut world, &self.shared.options, "view_submission", user, &shown);
            let then = Then::Form { user: user.to_owned(), view_id: view_id.to_owned() };
            Outgoing { kind: DeliveryKind::Interaction, payload, then }
        };
        did(delivery::deliver(&self.shared, outgoing).await)
    }

    /// Closes a form without sending it. The app is told when it asked for that.
    ///
    /// # Errors
    /// When there is no such form.
    pub async fn dismiss(&self, user: &str, view_id: &str) -> Did {
        let outgoing = {
            let mut world = self.shared.world();
            let view = modal(&world, user, view_id)?;
            world.modals.retain(|kept| kept.id != view_id);
            world.changed();
            if view.shown["notify_on_close"] != true {
                return Ok(());
            }
            let payload = payload::form(&mut world, &self.shared.options, "view_closed", user, &view.shown);
            Outgoing { kind: DeliveryKind::Interaction, payload, then: Then::Nothing }
        };
        did(delivery::deliver(&self.shared, outgoing).await)
    }

    /// Opens the app's home tab.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn home(&self, user: &str) -> Did {
        let options = &self.shared.options;
        let mut world = self.shared.world();
        let channel = world.im(user).ok_or_else(|| Refused::code("user_not_found"))?;
        let mut inner = json!({
            "type": "app_home_opened", "user": user, "channel": channel, "tab": "home", "event_ts": world.ts(),
        });
        if let Some(view) = world.homes.get(user) {
            inner["view"] = view.shown.clone();
        }
        let payload = payload::event(&mut world, options, &inner, None);
        drop(world);
        delivery::deliver_event(&self.shared, payload);
        Ok(())
    }

    /// Deletes a message, as its author or as an administrator. The app is not told.
    ///
    /// # Errors
    /// When the person sees no such message.
    pub fn delete(&self, user: &str, channel: &str, ts: &str) -> Did {
        let mut world = self.shared.world();
        place(&world, user, channel)?;
        seen(&world, user, channel, ts)?;
        world.change(channel, ts, |message| message.deleted = true);
        Ok(())
    }
}

/// The element with an action id, and its block's id.
fn element(blocks: Option<&Value>, action_id: &str) -> Result<(String, Value), Refused> {
    let all = blocks.map(blocks::elements).unwrap_or_default();
    let found = all.into_iter().find(|(_, element)| element["action_id"] == action_id);
    found.ok_or_else(|| Refused::code("no_such_button"))
}

fn modal(world: &World, user: &str, view_id: &str) -> Result<View, Refused> {
    let found = world.modals.iter().find(|view| view.user == user && view.id == view_id);
    found.cloned().ok_or_else(|| Refused::code("view_not_found"))
}

fn set_reaction(message: &mut Message, user: &str, name: &str, added: bool) {
    if !message.reactions.iter().any(|reaction| reaction.name == name) {
        message.reactions.push(Reaction { name: name.to_owned(), users: Vec::new() });
    }
    for reaction in message.reactions.iter_mut().filter(|reaction| reaction.name == name) {
        reaction.users.retain(|other| other != user);
        if added {
            reaction.users.push(user.to_owned());
        }
    }
    message.reactions.retain(|reaction| !reaction.users.is_empty());
}
