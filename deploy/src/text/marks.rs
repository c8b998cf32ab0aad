//! The signs that say how things stand.

use slipway_core::message::Mark;

/// Cells of the progress bar.
const BAR_CELLS: u16 = 10;

/// The state mark as it stands before the first line.
pub(crate) fn mark_text(mark: Mark) -> &'static str {
    match mark {
        Mark::None => "",
        Mark::Waiting => "○ ",
        Mark::Running => "◐ ",
        Mark::Live => "● ",
        Mark::Failed => "✖ ",
        Mark::Ended => "– ",
    }
}

/// The progress bar. It is full at the end only.
pub(crate) fn cells(permille: u16) -> String {
    let full = match permille {
        1000.. => BAR_CELLS,
        permille => ((permille + 50) / 100).min(BAR_CELLS - 1),
    };
    (0..BAR_CELLS).map(|cell| if cell < full { '▰' } else { '▱' }).collect()
}
