//! The release: one attempt to bring a commit to an environment.
