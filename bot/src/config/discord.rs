//! `[discord]`.

use super::leak::shown;
use super::model::{Discord, DiscordMode};
use super::reactions::reactions;
use super::section::{Checker, Keys, Section, Wrong};
use super::values;

/// Longest emoji: a family of four with its joiners is 7 characters, a flag of tags 7 or more.
const EMOJI_LIMIT_CHARS: usize = 16;
/// What approves when nothing is given.
const APPROVE_DEFAULT: &str = "✅";
/// What vetoes when nothing is given.
const VETO_DEFAULT: &str = "❌";

pub(super) const KEYS: Keys = &[
    ("application_id", r#""845027738276462632""#),
    ("guild_id", r#""290926798626357999""#),
    ("mode", r#""gateway""#),
    ("api_url", r#""https://discord.com""#),
    ("approve", r#"["✅"]"#),
    ("veto", r#"["❌"]"#),
];

pub(super) fn discord(c: &mut Checker<'_>, root: &Section<'_, '_>, public_url: Option<&str>) -> Option<Discord> {
    let section = root.table(c, "discord", KEYS)?;
    let application_id = section.need(c, "application_id", values::snowflake);
    let guild_id = section.read(c, "guild_id", values::snowflake).map(|(id, _)| id);
    let mode = section.read(c, "mode", |text| values::choice(text, &DiscordMode::ALL));
    let mode = mode.map_or(DiscordMode::default(), |(mode, _)| mode);
    if mode == DiscordMode::Http && public_url.is_none() {
        let mend = "add public_url under [server], or mode = \"gateway\" here";
        c.absent_warning(&section.place, "does not say under which address Discord reaches this bot", mend);
    }
    let api_url = section.read(c, "api_url", values::base_url);
    let (approve, veto) = reactions(c, &section, emoji, [APPROVE_DEFAULT, VETO_DEFAULT]);
    Some(Discord {
        application_id: application_id?.0,
        guild_id,
        mode,
        api_url: api_url.map_or_else(|| "https://discord.com".to_owned(), |(url, _)| url),
        approve,
        veto,
    })
}

/// An emoji: itself, or the id of one of the server's own.
fn emoji(text: &str) -> Result<String, Wrong> {
    if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        return values::snowflake(text);
    }
    // Some signs are letters to Unicode: ℹ, Ⓜ, and those in squares.
    let is_letter = |c: char| c.is_alphabetic() && !matches!(c, 'ℹ' | 'Ⓜ' | '\u{1F100}'..='\u{1F1FF}');
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || is_letter(c) || matches!(c, ':' | '<' | '>');
    let is_emoji = !text.is_ascii() && !text.contains(is_odd);
    if is_emoji && text.chars().count() <= EMOJI_LIMIT_CHARS {
        return Ok(text.to_owned());
    }
    // As Discord writes one of the server's own in a message: `<:ship:845027738276462632>`.
    let own = text.strip_suffix('>').and_then(|inner| inner.rsplit_once(':')).map(|(_, id)| id);
    let mend = match own.filter(|id| values::snowflake(id).is_ok()) {
        Some(id) => format!("write {id:?}"),
        None => "write the emoji itself, such as \"✅\", or the id of one of the server's own".to_owned(),
    };
    Err(Wrong::new(format!("{} is no emoji", shown(text)), mend))
}
