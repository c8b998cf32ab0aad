//! Values that name things at AWS and in the image registry, and where the store is.

use super::leak::shown;
use super::model::{AppRunnerService, EcsExpressService, ImageRepository, SecretKey, TagTemplate};
use super::section::Wrong;

/// Longest name of a secret, from the Secrets Manager API reference.
pub const SECRET_NAME_LIMIT_BYTES: usize = 512;
/// Longest image tag, from the OCI distribution specification.
pub const TAG_LIMIT_BYTES: usize = 128;

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() >= 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        && parts.last().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

/// `<12 digits>.dkr.ecr.<region>.amazonaws.com/<name>`, without a tag.
pub(super) fn image(text: &str) -> Result<ImageRepository, Wrong> {
    let form = "write <12 digits>.dkr.ecr.<region>.amazonaws.com/<name>";
    let wrong = |mend: String| Err(Wrong::new(format!("{} is no ECR image repository", shown(text)), mend));
    let Some((registry, name)) = text.split_once('/') else { return wrong(form.to_owned()) };
    if let Some(at) = name.find([':', '@']) {
        let mend = format!("write {}, and what follows it as tag", shown(&text[..registry.len() + 1 + at]));
        return Err(Wrong::new("has a tag or digest", mend));
    }
    let parts = registry.split_once(".dkr.ecr.").and_then(|(account, rest)| {
        let region = rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
        (is_account(account) && is_region(region)).then_some((account, region))
    });
    let Some((account, region)) = parts else { return wrong(form.to_owned()) };
    // From the CreateRepository API reference: 2 to 256 characters.
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
    };
    if !(2..=256).contains(&name.len()) || !name.split('/').all(part) {
        return wrong("use lower-case letters, digits, and - _ . / in its name".to_owned());
    }
    Ok(ImageRepository {
        registry: registry.to_owned(),
        account: account.to_owned(),
        region: region.to_owned(),
        name: name.to_owned(),
    })
}

/// The tag that is moved to what is live: `latest`, or a text with `{commit}` or `{short}`.
pub(super) fn promoted_tag(text: &str) -> Result<TagTemplate, Wrong> {
    let filled = text.replace("{commit}", &"0".repeat(40)).replace("{short}", "0000000");
    let plain = filled.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if filled.is_empty() || !plain || filled.starts_with(['-', '.']) || filled.len() > TAG_LIMIT_BYTES {
        let mend =
            "use letters, digits and - _ . (not first), such as latest; {commit} and {short} stand for the commit";
        return Err(Wrong::new(format!("{} is no image tag", shown(text)), mend));
    }
    Ok(TagTemplate(text.to_owned()))
}

/// A tag with `{commit}` or `{short}` in it.
pub(super) fn tag(text: &str) -> Result<TagTemplate, Wrong> {
    let rest = text.replace("{commit}", "").replace("{short}", "");
    if let Some(open) = rest.find(['{', '}']) {
        let end = rest[open..].find('}').map_or(rest.len(), |length| open + length + 1);
        let message = format!("{} is no placeholder", shown(&rest[open..end]));
        return Err(Wrong::new(message, "write {commit} (40 hex digits) or {short} (the first 7)"));
    }
    if rest.len() == text.len() {
        let message = "names the same image for every commit";
        return Err(Wrong::new(message, "put {commit} (40 hex digits) or {short} (the first 7) into it"));
    }
    let filled = text.replace("{commit}", &"0".repeat(40)).replace("{short}", "0000000");
    let plain = filled.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !plain || filled.starts_with(['-', '.']) || filled.len() > TAG_LIMIT_BYTES {
        let mend = "use letters, digits and - _ . (not first), at most 128 with the commit in place";
        return Err(Wrong::new(format!("{} is no image tag", shown(text)), mend));
    }
    Ok(TagTemplate(text.to_owned()))
}

/// `arn:aws:apprunner:<region>:<12 digits>:service/<name>/<32 hex digits>`.
pub(super) fn app_runner_service(text: &str) -> Result<AppRunnerService, Wrong> {
    let form = "copy it from App Runner: arn:aws:apprunner:<region>:<12 digits>:service/<name>/<32 hex digits>";
    let wrong = || Wrong::new(format!("{} is no App Runner service", shown(text)), form);
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "apprunner", region, account, resource] = parts[..] else { return Err(wrong()) };
    let pieces: Vec<&str> = resource.split('/').collect();
    let ["service", name, id] = pieces[..] else { return Err(wrong()) };
    let plain_name = (4..=40).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let plain_id = id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let partition_known = matches!(partition, "aws" | "aws-cn" | "aws-us-gov");
    if !partition_known || !is_region(region) || !is_account(account) || !plain_name || !plain_id {
        return Err(wrong());
    }
    Ok(AppRunnerService {
        arn: text.to_owned(),
        region: region.to_owned(),
        account: account.to_owned(),
        name: name.to_owned(),
    })
}

/// `arn:aws:ecs:<region>:<12 digits>:service/<cluster>/<name>`.
pub(super) fn ecs_express_service(text: &str) -> Result<EcsExpressService, Wrong> {
    let form = "copy it from ECS, with its cluster: arn:aws:ecs:<region>:<12 digits>:service/<cluster>/<name>";
    let wrong = || Wrong::new(format!("{} is no ECS service", shown(text)), form);
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "ecs", region, account, resource] = parts[..] else { return Err(wrong()) };
    let pieces: Vec<&str> = resource.split('/').collect();
    let ["service", cluster, name] = pieces[..] else { return Err(wrong()) };
    // From the CreateService API reference: up to 255 letters, digits, hyphens and underscores.
    let plain = |name: &str| {
        (1..=255).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let partition_known = matches!(partition, "aws" | "aws-cn" | "aws-us-gov");
    if !partition_known || !is_region(region) || !is_account(account) || !plain(cluster) || !plain(name) {
        return Err(wrong());
    }
    Ok(EcsExpressService { arn: text.to_owned(), region: region.to_owned(), name: name.to_owned() })
}

/// The name of a secret in Secrets Manager.
pub(super) fn secret_name(text: &str) -> Result<String, Wrong> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+=.@-".contains(&b));
    if plain && (1..=SECRET_NAME_LIMIT_BYTES).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    let mend = match text.starts_with("arn:") {
        true => "write the secret's name in Secrets Manager, not its ARN",
        false => "write its name in Secrets Manager: letters, digits and / _ + = . @ -",
    };
    Err(Wrong::new(format!("{} is no name of a secret", shown(text)), mend))
}

/// A key of the JSON object inside a secret.
pub(super) fn secret_key(text: &str) -> Result<String, Wrong> {
    if (1..=super::values::TEXT_LIMIT_BYTES).contains(&text.len()) && !text.contains(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(format!("{} is no key", shown(text)), "write the key inside the secret, such as \"DATABASE_URL\""))
}

/// `SECRET:KEY`.
pub(super) fn needed_key(text: &str) -> Result<SecretKey, Wrong> {
    let Some((secret, key)) = text.split_once(':').filter(|(secret, _)| *secret != "arn") else {
        let mend = "write the secret's name, a colon and the key, such as \"goals/staging:SMTP_HOST\"";
        return Err(Wrong::new(format!("{} is no key of a secret", shown(text)), mend));
    };
    Ok(SecretKey { secret: secret_name(secret)?, key: secret_key(key)? })
}

/// `sqlite://PATH`: the path as written.
pub(super) fn store_url(text: &str) -> Result<String, Wrong> {
    let scheme = text.split(':').next().unwrap_or_default();
    if scheme == "postgres" || scheme == "postgresql" {
        let message = "this version keeps its records in SQLite; PostgreSQL comes with more than one replica";
        return Err(Wrong::new(message, "write \"sqlite://slipway.db\""));
    }
    let path = text.strip_prefix("sqlite://");
    if text.starts_with("sqlite:") && (text.contains(":memory:") || text.contains("mode=memory")) {
        let message = "a store in memory forgets every release when the bot stops, and a crash could not be resumed";
        return Err(Wrong::new(message, "write \"sqlite://slipway.db\""));
    }
    match path {
        Some(path) if path.contains('?') => Err(Wrong::new("has options", "remove what begins with ?")),
        Some(path) if !path.is_empty() && !path.ends_with('/') && !path.contains('\0') => Ok(path.to_owned()),
        _ => Err(Wrong::new(format!("{} is no store", shown(text)), "write \"sqlite://slipway.db\"")),
    }
}
