//! What runs the images of a world.

use crate::aws::{AwsSandbox, NewService};
use std::str::FromStr;

/// What runs the images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetOption {
    /// App Runner services.
    #[default]
    AppRunner,
    /// ECS Express Mode services.
    EcsExpress,
    /// Nothing: dry targets.
    Dry,
    /// App Runner services, and for staging an ECS Express service after it.
    Both,
}

impl FromStr for TargetOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "app-runner" => Ok(Self::AppRunner),
            "ecs-express" => Ok(Self::EcsExpress),
            "dry" => Ok(Self::Dry),
            "both" => Ok(Self::Both),
            _ => Err(format!("there is no target \"{text}\": take app-runner, ecs-express, dry or both")),
        }
    }
}

impl TargetOption {
    /// What it is called.
    #[must_use]
    pub fn platform(self) -> &'static str {
        match self {
            Self::AppRunner => "App Runner",
            Self::EcsExpress => "ECS Express Mode",
            Self::Dry => "AWS",
            Self::Both => "App Runner and ECS Express Mode",
        }
    }

    /// Makes the service of an environment, which runs this image already; gives its ARN, or the name of a dry one.
    pub(super) fn create(self, aws: &AwsSandbox, new: &NewService) -> String {
        match self {
            Self::AppRunner | Self::Both => aws.create_service(new),
            Self::EcsExpress => aws.create_express(new),
            Self::Dry => new.name.clone(),
        }
    }

    /// The target in the configuration: what was created, and where there is a second one, that.
    pub(super) fn line(self, id: &str, second: Option<&str>) -> String {
        let one = |kind: &str, id: &str| {
            let key = if kind == "dry" { "name" } else { "service_arn" };
            format!("{{ kind = \"{kind}\", {key} = \"{id}\" }}")
        };
        let first = match self {
            Self::AppRunner | Self::Both => one("app-runner", id),
            Self::EcsExpress => one("ecs-express", id),
            Self::Dry => one("dry", id),
        };
        match second {
            Some(second) => format!("targets = [{first}, {}]", one("ecs-express", second)),
            None => format!("target = {first}"),
        }
    }
}
