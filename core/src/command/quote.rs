//! A text of somebody's as one word of a line.

/// A text between straight quotes, in which nothing ends them.
#[must_use]
pub fn quoted(text: &str) -> String {
    let plain = |c: char| match c {
        '"' | '“' | '”' | '„' => '\'',
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => ' ',
        c => c,
    };
    format!("\"{}\"", text.trim().chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_quotation_from_within() {
        let text = "it \"broke\"\n” --for 9h";
        let line = format!("/release lock production {} --for 2h", quoted(text));
        assert_eq!(line, "/release lock production \"it 'broke' ' --for 9h\" --for 2h");
    }
}
