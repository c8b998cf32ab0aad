//! A strict small model of AWS: ECR, Secrets Manager, App Runner.
