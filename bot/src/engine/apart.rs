//! Room on the stack. A debug build has room in a function for every future that the function makes, one beside the other,
//! even where only one of them is ever made: a dispatcher of thirty would need most of a thread's stack.

use futures::future::BoxFuture;
use std::future::Future;

/// Makes a future in a frame that is gone before the future runs, and keeps it on the heap.
#[inline(never)]
pub(super) fn apart<'f, F>(make: impl FnOnce() -> F) -> BoxFuture<'f, F::Output>
where
    F: Future + Send + 'f,
{
    Box::pin(make())
}
