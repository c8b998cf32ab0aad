//! AWS: ECR, Secrets Manager, App Runner.
