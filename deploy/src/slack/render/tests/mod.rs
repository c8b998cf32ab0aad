//! What Slack would show, and messages that try to break it.

mod cards;
mod fixtures;
mod forms;
mod hostile;
mod shown;
mod texts;

use super::*;
