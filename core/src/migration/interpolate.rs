//! Variables in a line of SQL, as goose's `ENVSUB` replaces them: `$X`, `${X}`, `${X:-default}` (unset or empty),
//! `${X-default}` (unset), `${X?message}` (must be set), `${X:offset:length}`; `$$` and `\$` give `$`.

use super::format::Lookup;

/// How deep defaults may stand in defaults.
const DEPTH_LIMIT: usize = 32;

/// The line with its variables replaced. Each value that came from `lookup` is also put into `values`.
///
/// # Errors
/// When the syntax is wrong or a required variable is not set.
pub(crate) fn line(text: &str, lookup: Lookup<'_>, values: &mut Vec<String>) -> Result<String, String> {
    let mut cursor = Cursor { rest: text, lookup, values, depth: 0 };
    let mut out = String::with_capacity(text.len());
    cursor.expression(None, true, &mut out)?;
    Ok(out)
}

struct Cursor<'a, 'v> {
    rest: &'a str,
    lookup: Lookup<'a>,
    values: &'v mut Vec<String>,
    depth: usize,
}

impl<'a> Cursor<'a, '_> {
    /// Reads up to `stop` or the end. With `live` off only the syntax is checked: what is not used is not looked up.
    fn expression(&mut self, stop: Option<char>, live: bool, out: &mut String) -> Result<(), String> {
        if self.depth > DEPTH_LIMIT {
            return Err(format!("more than {DEPTH_LIMIT} defaults inside one another"));
        }
        self.depth += 1;
        while let Some(c) = self.rest.chars().next() {
            if Some(c) == stop {
                break;
            }
            // What escapes comes first; a doubled backslash stays doubled, as in goose.
            if self.rest.starts_with(r"\\") {
                out.push_str(self.take(2));
            } else if self.rest.starts_with(r"\$") || self.rest.starts_with("$$") {
                self.take(2);
                out.push('$');
            } else if self.rest.starts_with("$(") {
                out.push_str(self.take(2));
            } else if c == '$' && self.rest.len() > 1 {
                self.take(1);
                let value = self.expansion(live)?;
                out.push_str(&value);
            } else {
                out.push_str(self.take(c.len_utf8()));
                out.push_str(self.until(|c| c == '$' || c == '\\' || Some(c) == stop));
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn expansion(&mut self, live: bool) -> Result<String, String> {
        if !self.rest.starts_with('{') {
            let name = self.identifier()?;
            return Ok(self.get(name, live).unwrap_or_default());
        }
        self.take(1);
        let name = self.identifier()?;
        let operator = match self.rest.chars().next() {
            Some('}') => "",
            Some(':') if self.rest.starts_with(":-") => ":-",
            Some(':') => ":",
            Some('-') => "-",
            Some('?') => "?",
            _ => return Err(format!("after ${{{name} comes }}, :-, -, ? or :")),
        };
        self.take(operator.len());
        let found = self.get(name, live);
        let value = match operator {
            "" => found.unwrap_or_default(),
            ":-" => self.or_else(found.filter(|v| !v.is_empty()), live)?,
            "-" => self.or_else(found, live)?,
            "?" => {
                let missing = live && found.is_none();
                let mut message = String::new();
                self.expression(Some('}'), missing, &mut message)?;
                if missing {
                    let message = if message.is_empty() { "not set" } else { &message };
                    return Err(format!("${name}: {message}"));
                }
                found.unwrap_or_default()
            }
            _ => self.substring(&found.unwrap_or_default())?,
        };
        if self.rest.starts_with('}') {
            self.take(1);
            Ok(value)
        } else {
            Err(format!("${{{name} has no closing }}"))
        }
    }

    fn or_else(&mut self, found: Option<String>, live: bool) -> Result<String, String> {
        let mut default = String::new();
        self.expression(Some('}'), live && found.is_none(), &mut default)?;
        Ok(found.unwrap_or(default))
    }

    /// Offset and length count bytes; negative ones count from the end.
    fn substring(&mut self, value: &str) -> Result<String, String> {
        let number =
            |text: &str| text.trim().parse::<i64>().map_err(|_| "an offset or length is not a number".to_owned());
        let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
        let offset = number(self.until(|c| c == ':' || c == '}'))?;
        let from = if offset < 0 { offset.saturating_add(size).max(0) } else { offset.min(size) };
        let mut to = size;
        if self.rest.starts_with(':') {
            self.take(1);
            let length = number(self.until(|c| c == '}'))?;
            to = if length < 0 { length.saturating_add(size).max(from) } else { length.saturating_add(from).min(size) };
        }
        let range = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0);
        value.get(range).map(str::to_owned).ok_or_else(|| "a substring cuts a character in two".to_owned())
    }

    fn get(&mut self, name: &str, live: bool) -> Option<String> {
        let value = if live { (self.lookup)(name) } else { None };
        self.values.extend(value.clone().filter(|v| !v.is_empty()));
        value
    }

    fn identifier(&mut self) -> Result<&'a str, String> {
        if !self.rest.starts_with(char::is_alphabetic) {
            return Err("after $ comes the name of a variable, which begins with a letter".into());
        }
        Ok(self.until(|c| !c.is_alphabetic() && !c.is_numeric() && c != '_'))
    }

    fn until(&mut self, end: impl Fn(char) -> bool) -> &'a str {
        let size = self.rest.find(end).unwrap_or(self.rest.len());
        self.take(size)
    }

    fn take(&mut self, size: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(size);
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    fn expand(text: &str) -> Result<String, String> {
        let lookup = |name: &str| match name {
            "X" => Some("abcdef".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        super::line(text, &lookup, &mut Vec::new())
    }

    #[test]
    fn each_form() {
        for (text, expected) in [
            ("a $X b", "a abcdef b"),
            ("${X}y $NOPE.", "abcdefy ."),
            ("${NOPE:-d}${EMPTY:-e}${EMPTY-f}${NOPE-g}", "deg"),
            ("${NOPE:-${X}}${NOPE:-${NOPE:-in}}", "abcdefin"),
            ("${X?gone}${EMPTY?gone}", "abcdef"),
            ("${X:2}${X:-2}", "cdefabcdef"),
            ("${X:1:2} ${X: -2} ${X:0:-1} ${X:9}", "bc ef abcde "),
            ("$$ \\$ \\\\ $( $", "$ $ \\\\ $( $"),
            ("${X:-${NOPE?unused default}}", "abcdef"),
        ] {
            assert_eq!(expand(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn each_mistake() {
        for text in ["$1", "${1}", "${X", "${X!}", "${X:a}", "${NOPE?gone}", "${NOPE:-", "a $ b", "${X:-$1}"] {
            assert!(expand(text).is_err(), "{text}");
        }
        assert_eq!(expand("${NOPE?}"), Err("$NOPE: not set".into()));
        assert!(expand(&"${NOPE:-".repeat(100_000)).is_err());
    }
}
