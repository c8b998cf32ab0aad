//! `slipway migrate new`.

use super::failed::{Failed, names};
use super::folder;
use super::out::{Out, clean, note};
use super::place::FolderArgs;
use crate::clock::Clock;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use slipway_core::migration::format::{DetectError, Format, detect};
use slipway_core::migration::{Folder, MigrationFile, Version};
use std::fs::{self, OpenOptions};
use std::io::Write as _;

/// How many digits a timestamp has, as 20251104120000.
const TIMESTAMP_DIGITS: usize = 14;
/// A version of so many digits is no number that somebody counted up: the shortest timestamps, seconds since 1970,
/// have ten.
const COUNTED_DIGITS_LIMIT: usize = 9;
/// How long a name may be.
const NAME_LIMIT_CHARS: usize = 100;

/// Arguments of `slipway migrate new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What it does, in a few words: `add likes`
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Which folder.
    #[command(flatten)]
    pub folder: FolderArgs,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(args: &NewArgs, out: Out) -> Result<Value, Failed> {
    let name = file_name_part(&args.name)?;
    let dir = &args.folder.dir;
    let folder = existing(&args.folder)?;
    let newest = folder.files().max_by(|a, b| a.version.cmp(&b.version));
    let version = next(folder.format().name(), newest, Clock::System.now())?;
    let same = folder.files().find(|file| snake_case(&file.description) == name);
    if let Some(same) = same.filter(|_| !out.json) {
        note(&format!("{} has the same name already; this is another migration beside it.", same.up.file));
    }
    fs::create_dir_all(dir).map_err(|error| Failed::new(format!("{} cannot be created: {error}.", dir.display())))?;
    let mut paths = Vec::new();
    for (file, text) in folder.format().new_files(&version, &name, newest) {
        let path = dir.join(file);
        let shown = path.display().to_string();
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| Failed::new(format!("{shown} cannot be created: {error}.")))?;
        out.line(&shown);
        paths.push(shown);
    }
    let format = folder.format().name();
    if let Err(DetectError::Ambiguous { candidates }) = detect(&folder::read(dir)?, &[])
        && !out.json
    {
        let tools = names(candidates.formats());
        note(&format!(
            "These files could be those of {tools}. Until the database has a history table, say --format {format} each \
             time."
        ));
    }
    Ok(json!({ "format": format, "version": version, "files": paths }))
}

/// What stands for the name in the file's.
fn file_name_part(typed: &str) -> Result<String, Failed> {
    let name = snake_case(typed);
    if name.is_empty() {
        return Err(Failed::new(format!(
            "The name \"{}\" has none of the letters a to z and no digits, and a file's name is made of these. Nothing was \
             created.",
            clean(typed)
        )));
    }
    if name.len() > NAME_LIMIT_CHARS {
        return Err(Failed::new(format!(
            "The name has {} characters, and a migration's may have {NAME_LIMIT_CHARS}. Say it shorter. Nothing was created.",
            name.len()
        )));
    }
    Ok(name)
}

/// A file that the folder's own tool refuses, or never sees, must not be made.
fn refuse_another_tools(named: &'static dyn Format, args: &FolderArgs) -> Result<(), Failed> {
    let there = match detect(&folder::read(&args.dir)?, &[]) {
        Ok(format) if format.name() != named.name() => names(std::iter::once(format)),
        Err(DetectError::Ambiguous { candidates }) if candidates.formats().all(|one| one.name() != named.name()) => {
            names(candidates.formats())
        }
        _ => return Ok(()),
    };
    Err(Failed::new(format!(
        "The migrations in {} are those of {there}, so none of {} was created among them. Leave --format out, or name another \
         folder with --dir.",
        args.dir.display(),
        named.name()
    )))
}

/// The folder as it is, or an empty one of the format that was named.
fn existing(args: &FolderArgs) -> Result<Folder<'static>, Failed> {
    let missing = !args.dir.exists();
    let empty = missing || folder::read(&args.dir)?.is_empty();
    if let Some(named) = args.named().filter(|_| !empty) {
        refuse_another_tools(named, args)?;
    }
    match args.named() {
        Some(format) if missing => Ok(Folder::read(format, [], &|_| None)?),
        None if empty => Err(Failed::new(format!(
            "{} has no migrations yet, so say whose format they shall have: --format goose, dbmate, golang-migrate or sqlx.",
            args.dir.display()
        ))),
        _ => args.read(),
    }
}

/// Lower-case words with `_` between them.
fn snake_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_ascii_lowercase()
}

/// The next version: counted up where the newest file's is, and with as many digits; otherwise the time, and later
/// than the newest in any case.
fn next(format: &str, newest: Option<&MigrationFile>, now: Timestamp) -> Result<Version, Failed> {
    let too_large = || Failed::new("The newest version is too large to be followed by another one.");
    let digits = newest.map_or(0, |file| file.up.file.chars().take_while(char::is_ascii_digit).count());
    let number = newest.map(|file| file.version.number().ok_or_else(too_large)).transpose()?;
    let following = number.map(|number| number.checked_add(1).ok_or_else(too_large)).transpose()?;
    let counted = format != "dbmate" && digits <= COUNTED_DIGITS_LIMIT;
    let text = match following {
        Some(following) if counted => format!("{following:0digits$}"),
        following => {
            let time = stamp(digits, now);
            format!("{:0digits$}", following.map_or(time, |following| time.max(following)))
        }
    };
    Version::parse(&text).ok_or_else(too_large)
}

/// The time in UTC, as the folder writes it: 20251104120000, or seconds since 1970 where the newest has those.
fn stamp(digits: usize, now: Timestamp) -> i64 {
    if (COUNTED_DIGITS_LIMIT + 1..TIMESTAMP_DIGITS).contains(&digits) {
        return now.as_second();
    }
    now.to_zoned(TimeZone::UTC).strftime("%Y%m%d%H%M%S").to_string().parse().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::migration::SourceFile;

    #[test]
    fn names_become_snake_case() {
        for (name, expected) in [
            ("add likes", "add_likes"),
            ("  Add-Likes!  to posts", "add_likes_to_posts"),
            ("../../etc/passwd", "etc_passwd"),
            ("add__likes", "add_likes"),
            ("é☃", ""),
        ] {
            assert_eq!(snake_case(name), expected);
        }
    }

    #[test]
    fn versions_follow_those_of_the_folder() {
        let now: Timestamp = "2026-11-29T14:30:05Z".parse().unwrap();
        let next = |format: &str, newest: &str| {
            let digits: String = newest.chars().take_while(char::is_ascii_digit).collect();
            let file = MigrationFile {
                version: Version::parse(&digits).unwrap_or_else(|| 1.into()),
                description: String::new(),
                up: SourceFile { file: newest.to_owned(), source: String::new(), checksum: String::new() },
                down: None,
            };
            next(format, Some(&file).filter(|_| !newest.is_empty()), now).unwrap().to_string()
        };
        for (format, newest, expected) in [
            ("goose", "", "20261129143005"),
            ("goose", "00009_a.sql", "00010"),
            ("goose", "20251104120000_a.sql", "20261129143005"),
            ("goose", "20991104120000_a.sql", "20991104120001"),
            ("golang-migrate", "000001_a.up.sql", "000002"),
            ("golang-migrate", "1500360784_a.up.sql", "1795962605"),
            ("sqlx", "3_a.sql", "4"),
            ("dbmate", "3_a.sql", "20261129143005"),
        ] {
            assert_eq!(next(format, newest), expected, "{format} {newest}");
        }
    }
}
