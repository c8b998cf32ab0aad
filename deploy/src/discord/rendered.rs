//! A message as Discord takes it.
