//! The one gate that every start of a run passes.
