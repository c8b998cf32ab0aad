//! Where messages are, by the names that the store has for channel and message.

/// Between the parts of the id of a message that is not in its channel itself but in a thread or a conversation.
pub(super) const ID_SEPARATOR: char = '/';

/// Where a message goes.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// A channel.
    Channel(&'a str),
    /// The conversation with a user.
    User(&'a str),
}

/// The place that a channel of the store's names.
pub(super) fn place(channel: &str) -> Place<'_> {
    let id = channel.split_once(':').map_or(channel, |(_, id)| id);
    id.strip_prefix('@').map_or(Place::Channel(id), Place::User)
}

/// Channel and message of a message that is posted. `None`: it was posted into a conversation that nobody knows.
pub(super) fn parts<'a>(place: Place<'a>, id: &'a str) -> Option<(&'a str, &'a str)> {
    match (id.split_once(ID_SEPARATOR), place) {
        (Some((channel, message)), _) => Some((channel, message)),
        (None, Place::Channel(channel)) => Some((channel, id)),
        (None, Place::User(_)) => None,
    }
}

/// Where a chat has a message.
pub(super) fn address<'a>(channel: &'a str, message: &'a str) -> Option<(&'a str, &'a str)> {
    parts(place(channel), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_by_the_names_of_the_store() {
        assert_eq!(address("discord:1", "2"), Some(("1", "2")));
        assert_eq!(address("discord:1", "3/2"), Some(("3", "2")));
        assert_eq!(address("discord:@9", "3/2"), Some(("3", "2")));
        assert_eq!(address("discord:@9", "2"), None);
    }
}
