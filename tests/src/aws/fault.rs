//! Faults that can be asked for.

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The request is never answered and has no effect.
    Timeout,
    /// 503 from something in front of the service; no effect.
    Status503,
    /// `ThrottlingException`; no effect.
    Throttle,
    /// `AccessDeniedException`; no effect.
    Denied,
    /// `ExpiredTokenException`; no effect.
    Expired,
    /// The request has its effect, and the answer breaks off.
    LostAnswerAfterAct,
    /// Just before the request takes effect, somebody starts a deployment of the same service by hand.
    SomebodyElseFirst,
    /// An `InvalidRequestException` whose text quotes the settings in the request, secrets included; no effect.
    QuotesSettings,
    /// Just after the request has taken effect, somebody deploys the same ECS service by hand.
    SomebodyElseAfter,
    /// The request has its effect, and the answer breaks off in its middle.
    CutOff,
    /// The request has its effect, and the answer is a JSON object without members.
    Hollow,
    /// The request has its effect, and each entry of the answer's lists is there twice.
    Doubled,
}

/// A fault for the next `times` requests of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// As in `X-Amz-Target`, without a version: `AppRunner.UpdateService`, `ECR.DescribeImages`,
    /// `SecretsManager.GetSecretValue`.
    pub action: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How often.
    pub times: u32,
}
