//! What Slack would show, and messages that try to break it.

mod cards;
mod escapes;
mod forms;
mod hostile;
mod shown;

use super::*;
