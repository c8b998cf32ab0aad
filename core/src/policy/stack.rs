//! Room to evaluate in.

/// How much stack an evaluation must find, and how much it is given when there is less. Cedar gives up at any step that
/// finds less than 100 kB, and in a debug build each step of a nested condition takes tens of them.
const NEEDED_BYTES: usize = 1024 * 1024;
const GIVEN_BYTES: usize = 8 * 1024 * 1024;

/// Works with enough stack. Where Cedar gives up, the answer is no; and how much is left is the caller's doing, not the
/// rules'.
pub(super) fn with_room<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(NEEDED_BYTES, GIVEN_BYTES, work)
}
