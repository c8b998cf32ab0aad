//! A message as plain text, for reading in tests: no colours, no wrapping, nothing escaped.

use super::super::super::{Block, Line, Mark, Message, Span};

const BAR_CELLS: usize = 10;

pub(super) fn text(message: &Message) -> String {
    let mark = match message.mark {
        Mark::None => "",
        Mark::Waiting => "○ ",
        Mark::Running => "◐ ",
        Mark::Live => "● ",
        Mark::Failed => "✖ ",
        Mark::Ended => "– ",
    };
    let mut out = vec![format!("{mark}{}", line(&message.headline))];
    if let Some(progress) = &message.progress {
        let full = usize::from(progress.permille) * BAR_CELLS / 1000;
        let bar = format!("{}{}", "▰".repeat(full), "▱".repeat(BAR_CELLS - full));
        out.push(format!("{bar} {}‰  {}", progress.permille, line(&progress.label)));
    }
    for block in &message.body {
        match block {
            Block::Line(one) => out.push(line(one)),
            Block::Gap => out.push(String::new()),
            Block::Field { label, lines } => {
                let labels = [label.as_str()].into_iter().chain(std::iter::repeat(""));
                out.extend(labels.zip(lines).map(|(label, one)| format!("{label:<15} {}", line(one))));
            }
            Block::Warning(one) => out.push(format!("▲ {}", line(one))),
            Block::Code(code) => out.extend(code.lines().map(|l| format!("    | {l}"))),
            Block::Table { head, rows } => {
                out.push(head.join(" | "));
                out.extend(rows.iter().map(|row| row.iter().map(line).collect::<Vec<_>>().join(" | ")));
            }
        }
    }
    if !message.actions.is_empty() {
        out.push(message.actions.iter().map(|a| format!("[{}]", a.label)).collect::<Vec<_>>().join(" "));
    }
    out.join("\n") + "\n"
}

fn line(line: &Line) -> String {
    let span = |span: &Span| match span {
        Span::Plain(text) | Span::Untrusted(text) | Span::Strong(text) | Span::Code(text) => text.clone(),
        Span::Person(person) => person.to_string(),
        Span::Mention(person) => format!("@{person}"),
        Span::Time(at) => at.strftime("%a %H:%M").to_string(),
        Span::Link { url, text } => format!("{text} <{url}>"),
    };
    line.0.iter().map(span).collect()
}
