//! What a single value may be: one checker for each kind, with what would be right.

use super::leak::shown;
use super::model::{Channel, RepositoryName};
use super::section::{Wrong, nearest};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use slipway_core::migration::format;
use std::net::SocketAddr;
use std::path::{Component, Path};
use std::time::Duration;

/// Longest name of a service, environment, person, team or terminal channel.
pub const NAME_LIMIT_CHARS: usize = 40;
/// Longest address.
pub const URL_LIMIT_BYTES: usize = 500;
/// Longest file or folder name, branch, or key inside a secret.
pub const TEXT_LIMIT_BYTES: usize = 200;

/// Names of services, environments, people, teams and terminal channels.
pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if plain && (1..=NAME_LIMIT_CHARS).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    let suggestion: String = text
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(NAME_LIMIT_CHARS)
        .collect();
    let rule = "use 1 to 40 lower-case letters, digits and hyphens";
    let mend = if suggestion.trim_matches('-').is_empty() || super::leak::looks_secret(text).is_some() {
        rule.to_owned()
    } else {
        format!("{rule}, such as {}", suggestion.trim_matches('-'))
    };
    Err(Wrong::new(format!("{} is no name", shown(text)), mend))
}

/// The name of a service: `all` means every service in chat commands.
pub(super) fn service_name(text: &str) -> Result<String, Wrong> {
    if text == "all" {
        return Err(Wrong::new("\"all\" means every service in commands", "give the service another name"));
    }
    name(text)
}

/// `owner/name` on GitHub.
pub(super) fn repository(text: &str) -> Result<RepositoryName, Wrong> {
    let plain = |part: &str| {
        !part.is_empty()
            && part.len() <= 100
            && part != "."
            && part != ".."
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if let Some((owner, name)) = text.split_once('/')
        && plain(owner)
        && plain(name)
        && !name.ends_with(".git")
    {
        return Ok(RepositoryName { owner: owner.to_owned(), name: name.to_owned() });
    }
    let path = text.trim_end_matches('/').trim_end_matches(".git");
    let parts: Vec<&str> = path.rsplit(['/', ':']).take(2).collect();
    let mend = match parts[..] {
        [name, owner] if plain(owner) && plain(name) => format!("write \"{owner}/{name}\""),
        _ => "write owner/name, such as \"acme/goals\"".to_owned(),
    };
    Err(Wrong::new(format!("{} is no repository", shown(text)), mend))
}

/// The file name of a workflow in `.github/workflows`.
pub(super) fn workflow(text: &str) -> Result<String, Wrong> {
    let stem = text.strip_suffix(".yaml").or_else(|| text.strip_suffix(".yml"));
    let plain = |stem: &str| !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if text.len() <= TEXT_LIMIT_BYTES && stem.is_some_and(plain) {
        return Ok(text.to_owned());
    }
    let last = text.rsplit('/').next().unwrap_or_default();
    let mend = match last.strip_suffix(".yaml").or_else(|| last.strip_suffix(".yml")) {
        Some(stem) if plain(stem) => format!("write {last:?}"),
        _ => "write the file's name in .github/workflows, such as \"build.yaml\"".to_owned(),
    };
    Err(Wrong::new(format!("{} is no workflow file", shown(text)), mend))
}

/// A branch.
pub(super) fn branch(text: &str) -> Result<String, Wrong> {
    // The characters and pairs that `git check-ref-format` refuses.
    let bad = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let fine = !text.is_empty()
        && text.len() <= TEXT_LIMIT_BYTES
        && !text.contains(bad)
        && !["..", "@{", "//"].iter().any(|pair| text.contains(pair))
        && !text.starts_with(['/', '-', '.'])
        && !text.ends_with(['/', '.'])
        && !text.ends_with(".lock");
    if fine { Ok(text.to_owned()) } else { Err(Wrong::new(format!("{} is no branch", shown(text)), "write \"main\"")) }
}

/// A folder of the service's repository.
pub(super) fn folder(text: &str) -> Result<String, Wrong> {
    let inside = Path::new(text).components().all(|part| matches!(part, Component::Normal(_)));
    if !text.is_empty() && text.len() <= TEXT_LIMIT_BYTES && inside && !text.contains(['\\', '\n', '\0']) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    let mend = "write a folder as seen from the repository's root, such as \"migrations\"";
    Err(Wrong::new(format!("{} is no folder inside the repository", shown(text)), mend))
}

/// A migration format this version knows, or that it is to be found out.
pub(super) fn migration_format(text: &str) -> Result<&'static str, Wrong> {
    if text == format::AUTO {
        return Ok(format::AUTO);
    }
    format::by_name(text).map(format::Format::name).ok_or_else(|| {
        let names = format::ALL.iter().map(|format| format.name()).chain([format::AUTO]);
        let mend = names.map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ");
        Wrong::new(format!("this version does not know the format {}", shown(text)), format!("write {mend}"))
    })
}

/// `90s`, `30m`, `4h`, `2d`: whole, and within bounds.
pub(super) fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, Wrong> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let parsed = units.iter().find_map(|(unit, unit_s)| {
        let digits = text.strip_suffix(*unit)?;
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|_| plain)?.checked_mul(*unit_s).map(Duration::from_secs)
    });
    let Some(parsed) = parsed else {
        let mend = "write a whole number and s, m, h or d, such as \"90s\", \"30m\", \"4h\" or \"2d\"";
        return Err(Wrong::new(format!("{} is no duration", shown(text)), mend));
    };
    if (least..=most).contains(&parsed) {
        return Ok(parsed);
    }
    let mend = format!("write a duration from {} to {}", spoken(least), spoken(most));
    Err(Wrong::new(format!("{} is out of bounds", shown(text)), mend))
}

fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => "0s".to_owned(),
        _ if seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// A time of the day, hours and minutes.
pub(super) fn time_of_day(text: &str) -> Result<Time, Wrong> {
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let parts = text.split_once(':').filter(|(hour, minute)| digits(hour) && digits(minute));
    let parsed = parts.and_then(|(hour, minute)| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok());
    parsed.ok_or_else(|| {
        let mend = "write hours and minutes from \"00:00\" to \"23:59\", such as \"06:00\"";
        Wrong::new(format!("{} is no time of the day", shown(text)), mend)
    })
}

/// An IANA time zone.
pub(super) fn timezone(text: &str) -> Result<TimeZone, Wrong> {
    let known = !text.is_empty() && text.len() <= TEXT_LIMIT_BYTES;
    // Case is put right by the database, so "utc" is found too.
    if let Some(zone) = known.then(|| jiff::tz::db().get(text).ok()).flatten() {
        return Ok(zone);
    }
    let available: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let mend = match nearest(text, available.iter().map(String::as_str)) {
        Some(meant) if known => format!("write {meant:?}"),
        _ => "write an IANA name, such as \"America/Los_Angeles\" or \"UTC\"".to_owned(),
    };
    Err(Wrong::new(format!("{} is no time zone", shown(text)), mend))
}

/// An address that other machines answer at: `http` or `https`, a host, no user, no fragment. The slash at the
/// end is dropped.
pub(super) fn url(text: &str) -> Result<String, Wrong> {
    let wrong = |mend: &str| Err(Wrong::new(format!("{} is no web address", shown(text)), mend));
    let starts = text.starts_with("https://") || text.starts_with("http://");
    if !starts || text.len() > URL_LIMIT_BYTES {
        return wrong("write an address that begins with https://");
    }
    let Ok(uri) = text.parse::<http::Uri>() else {
        return wrong("write an address such as \"https://slipway.acme.dev\"");
    };
    let Some(authority) = uri.authority() else { return wrong("add the host") };
    if authority.as_str().contains('@') {
        return wrong("remove the user name; credentials come from the environment");
    }
    let port = authority.as_str().rsplit_once(']').map_or(authority.as_str(), |(_, port)| port);
    if port.contains(':') && authority.port_u16().is_none() {
        return wrong("write a port from 0 to 65535, or none");
    }
    if authority.host().is_empty() || text.contains('#') {
        return wrong("write an address such as \"https://slipway.acme.dev\", without #");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// An address of an API or of Slipway itself, to which paths are appended.
pub(super) fn base_url(text: &str) -> Result<String, Wrong> {
    let base = url(text)?;
    match base.split_once('?') {
        None => Ok(base),
        Some((before, _)) => Err(Wrong::new(
            "has a query, and paths are appended to it",
            format!("write {:?}", before.trim_end_matches('/')),
        )),
    }
}

/// An address and port to listen on.
pub(super) fn listen(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).unwrap_or(8080);
        let mend = format!("write \"127.0.0.1:{port}\" for this machine alone, \"0.0.0.0:{port}\" for all");
        Wrong::new(format!("{} is no address with a port", shown(text)), mend)
    })
}

/// A Slack id that begins with one of `kinds`, such as `U012AB3CD`.
pub(super) fn slack_id(text: &str, kinds: &str, what: &str) -> Result<String, Wrong> {
    let plain = text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if text.starts_with(|c| kinds.contains(c)) && plain && (9..=20).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    let begins = kinds.chars().map(String::from).collect::<Vec<_>>().join(" or ");
    let mend = format!("copy the id from Slack: {begins} and then capital letters and digits, 9 to 20 in all");
    Err(Wrong::new(format!("{} is no Slack {what} id", shown(text)), mend))
}

/// A Discord id: a 64-bit number in decimal.
pub(super) fn snowflake(text: &str) -> Result<String, Wrong> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if plain && (5..=20).contains(&text.len()) && text.parse::<u64>().is_ok() {
        return Ok(text.to_owned());
    }
    let mend = "copy the id from Discord (developer mode, right click, Copy ID): digits alone, in quotes";
    Err(Wrong::new(format!("{} is no Discord id", shown(text)), mend))
}

/// A GitHub login.
pub(super) fn github_login(text: &str) -> Result<String, Wrong> {
    // Enterprise-managed users have an underscore before the company's short code.
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if plain && (1..=48).contains(&text.len()) && !text.starts_with('-') && !text.ends_with('-') {
        return Ok(text.to_owned());
    }
    let mend = match text.trim_start_matches('@') {
        rest if rest != text && github_login(rest).is_ok() => format!("write {rest:?}"),
        _ => "write the login as in github.com/LOGIN".to_owned(),
    };
    Err(Wrong::new(format!("{} is no GitHub login", shown(text)), mend))
}

/// `slack:C024BE91L`, `discord:1032011029`, `terminal:releases`.
pub(super) fn channel(text: &str) -> Result<Channel, Wrong> {
    match text.split_once(':') {
        Some(("slack", id)) => slack_id(id, "CG", "channel").map(Channel::Slack),
        Some(("discord", id)) => snowflake(id).map(Channel::Discord),
        Some(("terminal", id)) => name(id).map(Channel::Terminal),
        _ => {
            let mend = "write the chat, a colon and the id, such as \"slack:C024BE91L\" or \"terminal:releases\"";
            Err(Wrong::new(format!("{} is no channel", shown(text)), mend))
        }
    }
}

/// One of a few words.
pub(super) fn one_of(text: &str, words: &[&'static str]) -> Result<&'static str, Wrong> {
    words.iter().find(|word| **word == text).copied().ok_or_else(|| {
        let mend = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" or ");
        Wrong::new(format!("{} is not one of the choices", shown(text)), format!("write {mend}"))
    })
}
/// One of a few words, as what it stands for.
pub(super) fn choice<T: Copy>(text: &str, choices: &[(&'static str, T)]) -> Result<T, Wrong> {
    let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
    let word = one_of(text, &words)?;
    let found = choices.iter().find(|(known, _)| *known == word).map(|(_, meant)| *meant);
    found.ok_or_else(|| Wrong::new("is not one of the choices", "choose another"))
}
