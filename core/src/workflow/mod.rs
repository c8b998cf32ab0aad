//! What the workflow files of a commit would do.

mod bypass;

pub use bypass::{Bypass, BypassKind, bypasses, of_targets, tag_of_image};
