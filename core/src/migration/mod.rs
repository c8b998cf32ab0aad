//! Migration folders: files, formats, what is pending.

pub mod format;
