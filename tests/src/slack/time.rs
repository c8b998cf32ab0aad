//! Times as messages have them: `1503435956.000247`.

/// Microseconds since 1970. None: it is no such time.
pub(super) fn micros(ts: &str) -> Option<i64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || fraction.len() > 6 || !digits(seconds) || !digits(fraction) {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::micros;

    #[test]
    fn times_are_read_strictly() {
        assert_eq!(micros("1503435956.000247"), Some(1_503_435_956_000_247));
        assert_eq!((micros("0"), micros("1.5")), (Some(0), Some(1_500_000)));
        for wrong in ["", ".5", "1.0000001", "-1", "now", "1.2.3"] {
            assert_eq!(micros(wrong), None, "{wrong}");
        }
    }
}
