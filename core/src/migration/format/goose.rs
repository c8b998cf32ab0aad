//! goose's SQL files, accepted and refused exactly as goose does (its `internal/sqlparser`, read at v3, July 2026).
//!
//! A file is read line by line. goose sees neither quotes nor block comments: a statement ends with the line whose
//! last word before a `--` word ends in `;`, and only `StatementBegin` … `StatementEnd` suspends that.

use super::{Direction, Format, Lookup, ParseError, Parsed};
use crate::migration::interpolate;

/// A line of this many bytes or more is refused, as goose does.
pub const LINE_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// The format.
#[derive(Clone, Copy, Debug)]
pub struct Goose;

impl Format for Goose {
    fn name(&self) -> &'static str {
        "goose"
    }

    fn version(&self, file: &str) -> Result<Option<i64>, String> {
        if !file.ends_with(".sql") {
            return Ok(None);
        }
        let Some((digits, _)) = file.split_once('_') else {
            return Err("the name has no \"_\" after its version number. Name it like 00001_create_users.sql".into());
        };
        match digits.parse::<i64>() {
            Ok(version) if version >= 1 => Ok(Some(version)),
            Ok(_) => Err("the version number must be greater than zero".into()),
            Err(_) => {
                Err("the name does not begin with a version number. Name it like 00001_create_users.sql, or give \
                           it another ending than .sql if it is no migration"
                    .into())
            }
        }
    }

    fn parse(&self, source: &str, direction: Direction, lookup: Lookup<'_>) -> Result<Parsed, ParseError> {
        let mut reader = Reader {
            direction,
            lookup,
            at: None,
            buffer: String::new(),
            substitute: false,
            parsed: Parsed { use_transaction: true, ..Parsed::default() },
        };
        let mut number = 0;
        for line in lines(source) {
            number += 1;
            reader.line(line).map_err(|message| ParseError { line: number, message })?;
        }
        reader.end().map_err(|message| ParseError { line: number.max(1), message })?;
        Ok(reader.parsed)
    }
}

/// The lines without their ends, as Go's `bufio.ScanLines` gives them: one `\r` is dropped, also at the end of the
/// file, and there is no empty line after the last `\n`.
fn lines(source: &str) -> impl Iterator<Item = &str> {
    let body = source.strip_suffix('\n').unwrap_or(source);
    let none = source.is_empty();
    body.split('\n').filter(move |_| !none).map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// A `-- +goose …` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    Up,
    Down,
    StatementBegin,
    StatementEnd,
    NoTransaction,
    EnvsubOn,
    EnvsubOff,
}

const MARKERS: [(&str, Marker); 7] = [
    ("up", Marker::Up),
    ("down", Marker::Down),
    ("statementbegin", Marker::StatementBegin),
    ("statementend", Marker::StatementEnd),
    ("no transaction", Marker::NoTransaction),
    ("envsub on", Marker::EnvsubOn),
    ("envsub off", Marker::EnvsubOff),
];

/// Where in a section the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Statements end with a semicolon.
    Plain,
    /// Between `StatementBegin` and `StatementEnd`.
    Block,
    /// After `StatementEnd`, until the block's text has been taken.
    BlockEnd,
}

struct Reader<'a> {
    direction: Direction,
    lookup: Lookup<'a>,
    /// `None` before the first `Up`.
    at: Option<(Direction, Mode)>,
    buffer: String,
    substitute: bool,
    parsed: Parsed,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if line.len() >= LINE_LIMIT_BYTES {
            return Err(format!("the line is longer than {LINE_LIMIT_BYTES} bytes"));
        }
        if self.at.is_none() && line.trim().is_empty() {
            return Ok(());
        }
        if line.trim().starts_with("--") && line.contains("+goose") && self.marker(marker(line)?)? {
            return Ok(());
        }
        // Comments and empty lines before a statement are dropped, inside of one they are kept.
        if self.buffer.is_empty() && (line.trim().starts_with("--") || line.is_empty()) {
            return Ok(());
        }
        self.text(line)
    }

    /// Follows a marker. The answer is whether the line is dealt with: only the one that ends a block is not.
    fn marker(&mut self, marker: Marker) -> Result<bool, String> {
        match (marker, self.at) {
            (Marker::Up, None) => self.at = Some((Direction::Up, Mode::Plain)),
            (Marker::Up, Some(_)) => return Err("a second \"-- +goose Up\"; a file has one".into()),
            (Marker::Down, Some((Direction::Up, Mode::Plain | Mode::BlockEnd))) => {
                self.nothing_left()?;
                self.at = Some((Direction::Down, Mode::Plain));
            }
            (Marker::Down, _) => {
                return Err(
                    "\"-- +goose Down\" must follow \"-- +goose Up\", once, and outside a statement block".into()
                );
            }
            (Marker::StatementBegin, Some((section, Mode::Plain | Mode::BlockEnd))) => {
                self.at = Some((section, Mode::Block));
            }
            (Marker::StatementBegin, _) => {
                return Err(
                    "\"-- +goose StatementBegin\" must follow \"-- +goose Up\" or \"-- +goose Down\", and cannot \
                            be nested"
                        .into(),
                );
            }
            (Marker::StatementEnd, Some((section, Mode::Block))) => {
                self.at = Some((section, Mode::BlockEnd));
                return Ok(false);
            }
            (Marker::StatementEnd, _) => {
                return Err("\"-- +goose StatementEnd\" without a \"-- +goose StatementBegin\"".into());
            }
            (Marker::NoTransaction, _) => self.parsed.use_transaction = false,
            (Marker::EnvsubOn, _) => self.substitute = true,
            (Marker::EnvsubOff, _) => self.substitute = false,
        }
        Ok(true)
    }

    fn text(&mut self, line: &str) -> Result<(), String> {
        let mut line = std::borrow::Cow::Borrowed(line);
        let ends_block = matches!(self.at, Some((_, Mode::BlockEnd)));
        if !ends_block {
            if self.substitute {
                line = interpolate::line(&line, self.lookup, &mut self.parsed.substituted)
                    .map_err(|reason| format!("a variable cannot be substituted: {reason}"))?
                    .into();
            }
            self.buffer.push_str(&line);
            self.buffer.push('\n');
        }
        let Some((section, mode)) = self.at else {
            return Err("SQL before \"-- +goose Up\". Begin the file with that line".into());
        };
        if section != self.direction {
            // goose does not leave the end of a block here either, so neither do we.
            self.buffer.clear();
        } else if mode == Mode::BlockEnd || (mode == Mode::Plain && ends_statement(&line)) {
            self.parsed.statements.push(self.buffer.trim().to_owned());
            self.buffer.clear();
            self.at = Some((section, Mode::Plain));
        }
        Ok(())
    }

    fn end(&self) -> Result<(), String> {
        match self.at {
            None => Err("there is no \"-- +goose Up\". Begin the file with that line".into()),
            Some((_, Mode::Block)) => Err("\"-- +goose StatementEnd\" is missing".into()),
            Some(_) => self.nothing_left(),
        }
    }

    fn nothing_left(&self) -> Result<(), String> {
        let left = self.buffer.trim();
        if left.is_empty() {
            return Ok(());
        }
        let begin: String = left.lines().next().unwrap_or_default().chars().take(60).collect();
        Err(format!("the statement that begins with {begin:?} does not end with a semicolon"))
    }
}

fn marker(line: &str) -> Result<Marker, String> {
    if line.starts_with([' ', '\t']) {
        return Err("white space before a \"-- +goose\" line; it must begin the line".into());
    }
    let rest = line.replace("--", "").replacen("+goose", "", 1);
    let word = rest.trim();
    let known = MARKERS.iter().find(|(name, _)| word.chars().map(fold).eq(name.chars()));
    match known {
        Some((_, marker)) => Ok(*marker),
        None if word.is_empty() => Err("\"-- +goose\" with nothing after it".into()),
        None => Err(format!(
            "goose knows no {:?} after \"-- +goose\"; it knows Up, Down, StatementBegin, StatementEnd, NO TRANSACTION, \
             ENVSUB ON and ENVSUB OFF",
            word.chars().take(60).collect::<String>()
        )),
    }
}

/// Case folding as Go's `strings.EqualFold` does it, for texts compared with ASCII.
fn fold(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

fn ends_statement(line: &str) -> bool {
    line.split_whitespace().take_while(|word| !word.starts_with("--")).last().is_some_and(|word| word.ends_with(';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Case {
        name: String,
        input: String,
        up: Option<Vec<String>>,
        down: Option<Vec<String>>,
        use_tx_up: bool,
        use_tx_down: bool,
        err_up: String,
        err_down: String,
    }

    fn unset(_: &str) -> Option<String> {
        None
    }

    fn parse(source: &str) -> Result<Parsed, ParseError> {
        Goose.parse(source, Direction::Up, &unset)
    }

    #[test]
    fn every_recorded_outcome_of_goose_is_ours() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("goose-cases.json")).unwrap();
        assert!(cases.len() >= 25);
        for case in cases {
            for (direction, statements, use_transaction, error) in [
                (Direction::Up, &case.up, case.use_tx_up, &case.err_up),
                (Direction::Down, &case.down, case.use_tx_down, &case.err_down),
            ] {
                let name = format!("{} {direction:?}", case.name);
                match Goose.parse(&case.input, direction, &unset) {
                    Ok(parsed) => {
                        assert_eq!(error, "", "{name}");
                        assert_eq!(parsed.statements, statements.clone().unwrap_or_default(), "{name}");
                        assert_eq!(parsed.use_transaction, use_transaction, "{name}");
                    }
                    Err(e) => assert_ne!(error, "", "{name}: {e}"),
                }
            }
        }
    }

    #[test]
    fn markers_are_read_as_goose_reads_them() {
        assert_eq!(parse("-- +goose uP\nSELECT 1;\n").unwrap().statements, ["SELECT 1;"]);
        assert_eq!(parse("---- +goose Up --\nSELECT 1;\n").unwrap().statements, ["SELECT 1;"]);
        let refused = |source: &str| parse(source).unwrap_err();
        assert_eq!(refused(" -- +goose Up\nSELECT 1;\n").line, 1);
        assert_eq!(refused("-- +goose Up\nSELECT 1;\n-- see +goose docs\n").line, 3);
        assert_eq!(refused("-- +goose\n").line, 1);
        assert_eq!(refused("-- +goose Up +goose Up\n").line, 1);
        assert_eq!(refused("\u{feff}-- +goose Up\nSELECT 1;\n").line, 1);
        assert_eq!(refused("-- +goose Up\n-- +goose StatementEnd\n").line, 2);
        assert_eq!(refused("").line, 1);
        assert!(refused(&format!("-- +goose Up\n{};", "x".repeat(LINE_LIMIT_BYTES))).message.contains("longer"));
    }

    #[test]
    fn no_transaction_counts_wherever_it_stands() {
        let source = "-- +goose Up\nSELECT 1;\n-- +goose Down\n-- +goose NO TRANSACTION\n";
        assert!(!parse(source).unwrap().use_transaction);
    }

    #[test]
    fn variables_are_substituted_only_where_switched_on() {
        let source = "-- +goose Up\nSELECT '$X';\n-- +goose ENVSUB ON\nSELECT '$X${Y:-z}';\n-- +goose ENVSUB OFF\nSELECT '$X';\n";
        let lookup = |name: &str| (name == "X").then(|| "hunter22".to_owned());
        let parsed = Goose.parse(source, Direction::Up, &lookup).unwrap();
        assert_eq!(parsed.statements, ["SELECT '$X';", "SELECT 'hunter22z';", "SELECT '$X';"]);
        assert_eq!(parsed.substituted, ["hunter22"]);
    }

    #[test]
    fn file_names() {
        assert_eq!(Goose.version("00012_likes.sql"), Ok(Some(12)));
        assert_eq!(Goose.version("20251104120000_a_b.sql"), Ok(Some(20_251_104_120_000)));
        assert_eq!(Goose.version("1_.sql"), Ok(Some(1)));
        assert_eq!(Goose.version("README.md"), Ok(None));
        for bad in
            ["likes.sql", "0_likes.sql", "-1_likes.sql", "V1_likes.sql", "12.sql", "9223372036854775808_x.sql", ".sql"]
        {
            assert!(Goose.version(bad).is_err(), "{bad}");
        }
    }
}
