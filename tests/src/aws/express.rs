//! What a test does with ECS Express services and with logs.

use super::ecs::{self, Express};
use super::operation::Ending;
use super::state::Now;
use super::{AwsOptions, AwsSandbox, NewService};
use serde_json::{Value, json};

/// The only cluster there is.
const CLUSTER: &str = "main";

impl NewService {
    /// As ECS has it.
    fn express_source(&self, account: &str) -> Value {
        let variables = self.variables.iter().map(|(name, value)| json!({ "name": name, "value": value }));
        let secrets = self.secrets.iter().map(|(name, arn)| json!({ "name": name, "valueFrom": arn }));
        let mut container = json!({
            "image": self.image,
            "containerPort": self.port.parse::<u16>().unwrap_or(80),
            "awsLogsConfiguration": { "logGroup": format!("/aws/ecs/{CLUSTER}/{}", self.name), "logStreamPrefix": "ecs" },
            "environment": variables.collect::<Vec<_>>(),
            "secrets": secrets.collect::<Vec<_>>(),
        });
        if let Some(command) = &self.start_command {
            container["command"] = json!(command.split(' ').collect::<Vec<_>>());
        }
        json!({
            "executionRoleArn": format!("arn:aws:iam::{account}:role/ecsTaskExecutionRole"),
            "taskRoleArn": format!("arn:aws:iam::{account}:role/goals"),
            "cpu": "256",
            "memory": "512",
            "healthCheckPath": "/healthz",
            "networkConfiguration": { "securityGroups": ["sg-0a"], "subnets": ["subnet-0b", "subnet-0a"] },
            "scalingTarget": { "minTaskCount": 1, "maxTaskCount": 4, "autoScalingMetric": "AVERAGE_CPU", "autoScalingTargetValue": 60 },
            "primaryContainer": container,
        })
    }
}

impl AwsSandbox {
    /// Makes an ECS Express service that already runs its image; gives its ARN. The same name makes the same ARN, anew.
    pub fn create_express(&self, new: &NewService) -> String {
        let AwsOptions { region, account, .. } = &self.shared.options;
        let mut state = self.shared.state();
        let now = self.shared.now(&state);
        let arn = format!("arn:aws:ecs:{region}:{account}:service/{CLUSTER}/{}", new.name);
        let running = ecs::resolved(&state, new.express_source(account));
        let mut express = Express {
            arn: arn.clone(),
            cluster: CLUSTER.to_owned(),
            name: new.name.clone(),
            created: now,
            deployments: Vec::new(),
            updates: Vec::new(),
            fail_next: None,
            draining: false,
            ignores_same: false,
            events: Vec::new(),
        };
        express.begin(now, running, Ending::Done, true);
        if let Some(group) = express.log_group().map(str::to_owned) {
            state.logs.create_group(&group);
        }
        state.express.insert(arn.clone(), express);
        arn
    }

    /// Lets an ECS Express service go away.
    pub fn set_draining(&self, arn: &str) {
        self.with_express(arn, |express, _| express.draining = true);
    }

    /// Lets an ECS Express service begin nothing for an update that changes nothing.
    pub fn ignore_same(&self, arn: &str) {
        self.with_express(arn, |express, _| express.ignores_same = true);
    }

    /// Writes a line into a log group, now.
    pub fn write_log(&self, group: &str, stream: &str, line: &str) {
        let mut state = self.shared.state();
        let now = self.shared.now(&state);
        state.logs.write(group, stream, now.at, line);
    }

    pub(super) fn with_express<T>(&self, arn: &str, act: impl FnOnce(&mut Express, Now) -> T) -> Option<T> {
        let mut state = self.shared.state();
        let now = self.shared.now(&state);
        state.express.get_mut(arn).map(|express| act(express, now))
    }
}
