//! Discord's ids: the time in milliseconds, and a number.

/// When its time begins, in milliseconds since 1970.
const EPOCH_MS: i64 = 1_420_070_400_000;
const NUMBER_BITS: u32 = 22;

/// The first id of a time.
pub(super) fn first_at(ms: i64) -> u64 {
    u64::try_from(ms.saturating_sub(EPOCH_MS)).unwrap_or(0) << NUMBER_BITS
}

/// An id as a number. None: it is none.
pub(super) fn number(id: &str) -> Option<u64> {
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|_| digits)
}

/// When it was made, in milliseconds since 1970.
pub(super) fn made_ms(id: &str) -> i64 {
    let since = number(id).unwrap_or(0) >> NUMBER_BITS;
    i64::try_from(since).unwrap_or(i64::MAX).saturating_add(EPOCH_MS)
}

#[cfg(test)]
mod tests {
    use super::{first_at, made_ms, number};

    #[test]
    fn an_id_says_when_it_was_made() {
        // Discord's documented example.
        assert_eq!(made_ms("175928847299117063"), 1_462_015_105_796);
        assert_eq!(made_ms(&first_at(1_790_000_000_123).to_string()), 1_790_000_000_123);
        for wrong in ["", "+1", "-1", "1.0", "99999999999999999999", "abc"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }
}
