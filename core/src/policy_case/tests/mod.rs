//! The cases that are kept beside the shipped rules, and what a case file may get wrong.

mod shipped;
mod writing;
