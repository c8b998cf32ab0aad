//! How production follows staging in a world.

/// What happens of itself when staging has served a commit for long enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Promotion {
    /// Nothing: people ask for production.
    #[default]
    Asked,
    /// It is suggested.
    Suggested,
    /// It begins.
    Automatic,
}

impl Promotion {
    /// The lines of production in the configuration.
    pub(super) fn lines(self) -> &'static str {
        match self {
            Self::Asked => "suggest = false\n",
            Self::Suggested => "",
            Self::Automatic => "auto_promote = true\n",
        }
    }
}
