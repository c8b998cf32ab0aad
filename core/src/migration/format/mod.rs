//! The formats that teams' own tools use, one file each.

pub mod goose;
