//! The names of the schema as Rust values, so that each is spelt once.

use cedar_policy::{EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use std::sync::LazyLock;

macro_rules! types {
    ($($name:ident),* $(,)?) => {
        /// An entity type of the schema.
        #[derive(Clone, Copy)]
        pub(super) enum Type { $($name),* }

        static TYPE_NAMES: LazyLock<Vec<EntityTypeName>> = LazyLock::new(|| {
            [$(stringify!($name)),*].iter().map(|name| name.parse().expect("a plain identifier is a type name")).collect()
        });
    };
}
types!(Action, Ci, Environment, Kind, Person, Release, Service, Team, Weekday);

/// What is asked. The names are those of the schema's actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Request,
    Rollback,
    Migrate,
    Lock,
    Unlock,
    Cancel,
    Approve,
    Veto,
    Override,
    Execute,
    Ship,
    Bump,
}

impl Action {
    pub(crate) const ALL: [Self; 12] = [
        Self::Request,
        Self::Rollback,
        Self::Migrate,
        Self::Lock,
        Self::Unlock,
        Self::Cancel,
        Self::Approve,
        Self::Veto,
        Self::Override,
        Self::Execute,
        Self::Ship,
        Self::Bump,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Rollback => "rollback",
            Self::Migrate => "migrate",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Cancel => "cancel",
            Self::Approve => "approve",
            Self::Veto => "veto",
            Self::Override => "override",
            Self::Execute => "execute",
            Self::Ship => "ship",
            Self::Bump => "bump",
        }
    }

    /// Whether a schema of an earlier version may be without it. Then nobody may do it.
    pub(super) fn may_be_missing(self) -> bool {
        matches!(self, Self::Ship | Self::Bump)
    }

    pub(super) fn uid(self) -> EntityUid {
        uid(Type::Action, self.name())
    }
}

/// `Type::"id"`. Any text is a valid id.
pub(super) fn uid(of: Type, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(TYPE_NAMES[of as usize].clone(), EntityId::new(id))
}

/// `Type::"id"` as a value.
pub(super) fn reference(of: Type, id: &str) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid(of, id))
}

/// A count as Cedar's 64-bit number.
pub(super) fn long(count: impl TryInto<i64>) -> RestrictedExpression {
    RestrictedExpression::new_long(count.try_into().unwrap_or(i64::MAX))
}
