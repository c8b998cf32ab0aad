//! What an app may say, checked as strictly as the real gateway checks it.

use serde_json::{Value, json};

pub(super) const UNKNOWN_OPCODE: u16 = 4001;
pub(super) const DECODE_ERROR: u16 = 4002;
pub(super) const NOT_AUTHENTICATED: u16 = 4003;
pub(super) const AUTHENTICATION_FAILED: u16 = 4004;
pub(super) const ALREADY_AUTHENTICATED: u16 = 4005;
pub(super) const INVALID_SEQ: u16 = 4007;
pub(super) const RATE_LIMITED: u16 = 4008;
pub(super) const SESSION_TIMED_OUT: u16 = 4009;
pub(super) const INVALID_SHARD: u16 = 4010;
pub(super) const INVALID_VERSION: u16 = 4012;
pub(super) const INVALID_INTENTS: u16 = 4013;
pub(super) const DISALLOWED_INTENTS: u16 = 4014;

/// The largest frame that an app may send.
const PAYLOAD_LIMIT_BYTES: usize = 4_096;
/// Intents that exist: bits 0 to 16, 20, 21, 24 and 25.
const INTENTS: u64 = 0x0331_FFFF;
/// Those that are given to an app only when it is switched on for them.
const PRIVILEGED: u64 = 1 << 1 | 1 << 8 | 1 << 15;

/// Something that an app says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Heartbeat(Option<u64>),
    Identify {
        token: String,
        intents: u64,
    },
    Resume {
        token: String,
        session: String,
        seq: u64,
    },
    /// Something that only a session may say, and that changes nothing here.
    Other,
}

/// Reads a frame, or gives the code to close with.
pub(super) fn read(text: &str) -> Result<Said, u16> {
    if text.len() > PAYLOAD_LIMIT_BYTES {
        return Err(DECODE_ERROR);
    }
    let frame: Value = serde_json::from_str(text).map_err(|_| DECODE_ERROR)?;
    let said = &frame["d"];
    match frame["op"].as_u64().ok_or(DECODE_ERROR)? {
        1 if frame.get("d").is_some_and(Value::is_null) => Ok(Said::Heartbeat(None)),
        1 => said.as_u64().map(|seq| Said::Heartbeat(Some(seq))).ok_or(DECODE_ERROR),
        2 => identify(said),
        3 | 4 | 8 | 31 => said.is_object().then_some(Said::Other).ok_or(DECODE_ERROR),
        6 => {
            let text = |name: &str| said[name].as_str().map(str::to_owned).ok_or(DECODE_ERROR);
            let seq = said["seq"].as_u64().ok_or(DECODE_ERROR)?;
            Ok(Said::Resume { token: text("token")?, session: text("session_id")?, seq })
        }
        _ => Err(UNKNOWN_OPCODE),
    }
}

fn identify(said: &Value) -> Result<Said, u16> {
    let token = said["token"].as_str().ok_or(DECODE_ERROR)?.to_owned();
    let intents = said["intents"].as_u64().ok_or(DECODE_ERROR)?;
    let properties = ["os", "browser", "device"].iter().all(|name| said["properties"][*name].is_string());
    let compress = said.get("compress").is_none_or(Value::is_boolean);
    let threshold = said.get("large_threshold").is_none_or(|n| n.as_u64().is_some_and(|n| (50..=250).contains(&n)));
    if !properties || !compress || !threshold {
        return Err(DECODE_ERROR);
    }
    if said.get("shard").is_some_and(|shard| *shard != json!([0, 1])) {
        return Err(INVALID_SHARD);
    }
    Ok(Said::Identify { token, intents })
}

/// Whether an app may hear what it asks for. `privileged` is what is switched on for it.
pub(super) fn check_intents(intents: u64, privileged: u64) -> Result<(), u16> {
    if intents & !INTENTS != 0 {
        return Err(INVALID_INTENTS);
    }
    if intents & PRIVILEGED & !privileged != 0 {
        return Err(DISALLOWED_INTENTS);
    }
    Ok(())
}

pub(super) fn invalid_session(resumable: bool) -> String {
    json!({ "op": 9, "d": resumable }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(frame: Value) -> Result<Said, u16> {
        read(&frame.to_string())
    }

    fn whole() -> Value {
        let properties = json!({ "os": "linux", "browser": "b", "device": "d" });
        json!({ "op": 2, "d": { "token": "t", "intents": 513, "properties": properties } })
    }

    #[test]
    fn what_is_whole_is_read() {
        assert_eq!(said(whole()), Ok(Said::Identify { token: "t".into(), intents: 513 }));
        assert_eq!(said(json!({ "op": 1, "d": null })), Ok(Said::Heartbeat(None)));
        assert_eq!(said(json!({ "op": 1, "d": 7 })), Ok(Said::Heartbeat(Some(7))));
        let resume = json!({ "op": 6, "d": { "token": "t", "session_id": "s", "seq": 3 } });
        assert_eq!(said(resume), Ok(Said::Resume { token: "t".into(), session: "s".into(), seq: 3 }));
        assert_eq!(said(json!({ "op": 3, "d": {} })), Ok(Said::Other));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for name in ["token", "intents", "properties"] {
            let mut frame = whole();
            frame["d"].as_object_mut().unwrap().remove(name);
            assert_eq!(said(frame), Err(DECODE_ERROR), "{name}");
        }
        let mut device = whole();
        device["d"]["properties"].as_object_mut().unwrap().remove("device");
        let mut shard = whole();
        shard["d"]["shard"] = json!([2, 1]);
        for (frame, code) in [
            (device, DECODE_ERROR),
            (shard, INVALID_SHARD),
            (json!({ "op": 1 }), DECODE_ERROR),
            (json!({ "op": 1, "d": "7" }), DECODE_ERROR),
            (json!({ "op": 6, "d": { "token": "t", "seq": 3 } }), DECODE_ERROR),
            (json!({ "op": 10, "d": {} }), UNKNOWN_OPCODE),
            (json!({ "op": 0, "d": {} }), UNKNOWN_OPCODE),
            (json!({ "d": "x".repeat(PAYLOAD_LIMIT_BYTES) }), DECODE_ERROR),
            (json!([]), DECODE_ERROR),
        ] {
            assert_eq!(said(frame.clone()), Err(code), "{frame}");
        }
        assert_eq!(read("{"), Err(DECODE_ERROR));
    }

    #[test]
    fn intents_exist_and_some_must_be_switched_on() {
        assert_eq!(check_intents(1 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 25, 0), Ok(()));
        for unknown in [1 << 17, 1 << 19, 1 << 22, 1 << 26, 1 << 63] {
            assert_eq!(check_intents(unknown, u64::MAX), Err(INVALID_INTENTS), "{unknown:b}");
        }
        for privileged in [1 << 1, 1 << 8, 1 << 15] {
            assert_eq!(check_intents(1 | privileged, 0), Err(DISALLOWED_INTENTS));
            assert_eq!(check_intents(1 | privileged, privileged), Ok(()));
        }
    }
}
