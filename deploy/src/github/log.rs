//! Job logs, made readable.

/// How much of one line is kept.
const LINE_LIMIT_CHARS: usize = 300;
/// What the runner puts before an error, and what people read instead.
const ERROR_MARK: &str = "##[error]";
const MARKS: [(&str, &str); 6] = [
    (ERROR_MARK, "Error: "),
    ("##[warning]", "Warning: "),
    ("##[command]", "$ "),
    ("##[section]", ""),
    ("##[debug]", ""),
    ("##[group]", ""),
];
const GROUP_END: &str = "##[endgroup]";

/// The last lines of a log. Text that is not UTF-8 is replaced, not refused.
pub(super) fn readable_tail(log: &[u8], lines: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(log);
    let all: Vec<String> = text
        .lines()
        .map(|line| without_time(&without_controls(line)).trim_end().to_owned())
        .filter(|line| !line.is_empty() && line != GROUP_END)
        .collect();
    let end = all.iter().rposition(|line| line.starts_with(ERROR_MARK)).map_or(all.len(), |last| last + 1);
    all[end.saturating_sub(lines)..end].iter().map(|line| for_people(line)).collect()
}

fn for_people(line: &str) -> String {
    let marked = MARKS.iter().find_map(|(mark, words)| line.strip_prefix(mark).map(|rest| format!("{words}{rest}")));
    let line = marked.unwrap_or_else(|| line.to_owned());
    if line.chars().count() <= LINE_LIMIT_CHARS {
        return line;
    }
    let mut cut: String = line.chars().take(LINE_LIMIT_CHARS).collect();
    cut.push('…');
    cut
}

/// Removes terminal sequences (`ESC [ … letter`, `ESC ] … BEL`) and every other control character but tabs.
fn without_controls(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => {
                    chars.by_ref().find(|c| ('@'..='~').contains(c));
                }
                Some(']') => {
                    chars.by_ref().find(|c| *c == '\u{7}' || *c == '\\');
                }
                _ => {}
            },
            '\t' => out.push(c),
            '\u{feff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Each line begins with its time: `2026-11-23T10:20:30.1234567Z `.
fn without_time(line: &str) -> &str {
    let Some((time, rest)) = line.split_once(' ') else {
        return if is_time(line) { "" } else { line };
    };
    if is_time(time) { rest } else { line }
}

fn is_time(word: &str) -> bool {
    word.len() >= 20
        && word.ends_with('Z')
        && word.as_bytes().get(10) == Some(&b'T')
        && word.bytes().all(|b| b.is_ascii_digit() || b"-:.TZ".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\u{feff}2026-11-23T10:20:30.1234567Z ##[group]Run go test ./...\r\n\
        2026-11-23T10:20:30.2Z \u{1b}[36;1mgo test ./...\u{1b}[0m\n\
        2026-11-23T10:20:30.3Z ##[endgroup]\n\
        2026-11-23T10:20:41.0000000Z \u{1b}]8;;x\u{7}--- FAIL: TestLikes (0.02s)\n\
        2026-11-23T10:20:41.1Z     likes_test.go:41: got 2, want 1\n\
        2026-11-23T10:20:41.2Z ##[error]Process completed with exit code 1.\n\
        2026-11-23T10:20:42.0Z Post job cleanup.\n";

    #[test]
    fn the_tail_ends_at_the_error_and_is_plain() {
        expect_test::expect![[r#"
            Run go test ./...
            go test ./...
            --- FAIL: TestLikes (0.02s)
                likes_test.go:41: got 2, want 1
            Error: Process completed with exit code 1."#]]
        .assert_eq(&readable_tail(LOG.as_bytes(), 10).join("\n"));
        assert_eq!(readable_tail(LOG.as_bytes(), 1), ["Error: Process completed with exit code 1."]);
    }

    #[test]
    fn any_bytes_give_bounded_lines() {
        let long = "x".repeat(5000);
        let tail = readable_tail(long.as_bytes(), 3);
        assert_eq!(tail[0].chars().count(), LINE_LIMIT_CHARS + 1);
        assert_eq!(readable_tail(b"\xff\xfe ok\n", 3).len(), 1);
        assert!(readable_tail(b"", 3).is_empty());
        assert!(readable_tail(b"2026-11-23T10:20:42.0Z\n\x1b[", 3).is_empty());
    }
}
