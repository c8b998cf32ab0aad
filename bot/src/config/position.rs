//! From byte offsets to lines and columns.

/// Where the lines of a text begin.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Line and column, both counted from 1, columns in characters. A byte order mark does not count. An offset
    /// past the end is the end.
    pub(super) fn position(&self, at: usize) -> (usize, usize) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= at);
        let before = &self.text[self.starts[line - 1]..at];
        (line, before.chars().filter(|c| *c != '\u{feff}').count() + 1)
    }

    /// The text between two offsets; empty when they are none of this text.
    pub(super) fn slice(&self, span: std::ops::Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or_default()
    }

    /// The text of a line counted from 1, without its end.
    pub(super) fn line(&self, line: usize) -> &'a str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let lines = Lines::new("\u{feff}é = 1\r\n\nx");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position(3), (1, 1));
        assert_eq!(lines.position(5), (1, 2));
        assert_eq!(lines.position(11), (2, 1));
        assert_eq!(lines.position(12), (3, 1));
        assert_eq!(lines.position(99), (3, 2));
        assert_eq!(lines.line(3), "x");
        assert_eq!(Lines::new("").position(5), (1, 1));
    }
}
