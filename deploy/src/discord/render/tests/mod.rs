//! What Discord would show, and messages that try to break it.

mod cards;
mod escapes;
mod forms;
mod hostile;
mod presses;
mod shown;
mod words;

use super::*;
