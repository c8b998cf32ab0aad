//! Answers that GitHub has given, with their ETags: what is polled costs nothing while it stays the same.

use http::{HeaderMap, HeaderValue, header};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

/// How big an answer may be to be kept. What is polled is small; big ones are asked for once.
const ANSWER_LIMIT_BYTES: usize = 512 * 1024;
/// How much is kept in all.
const TOTAL_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// How many answers are kept.
const ANSWERS_LIMIT: usize = 1_000;

/// Bodies by path. An ETag stands for its body, so nothing here can be out of date: GitHub is asked each time.
#[derive(Default)]
pub(super) struct Seen {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: usize,
    answers: HashMap<String, (HeaderValue, Arc<[u8]>)>,
    /// Paths, the oldest first.
    order: VecDeque<String>,
}

impl Seen {
    pub(super) fn get(&self, path: &str) -> Option<(HeaderValue, Arc<[u8]>)> {
        self.kept.lock().ok()?.answers.get(path).cloned()
    }

    /// Keeps an answer that has an ETag, and lets the oldest go where there are too many.
    pub(super) fn put(&self, path: String, headers: &HeaderMap, body: Vec<u8>) {
        let Ok(mut kept) = self.kept.lock() else { return };
        kept.forget(&path);
        let Some(etag) = headers.get(header::ETAG).filter(|_| body.len() <= ANSWER_LIMIT_BYTES) else { return };
        kept.bytes += body.len();
        kept.order.push_back(path.clone());
        kept.answers.insert(path, (etag.clone(), body.into()));
        while kept.bytes > TOTAL_LIMIT_BYTES || kept.answers.len() > ANSWERS_LIMIT {
            let Some(oldest) = kept.order.front().cloned() else { return };
            kept.forget(&oldest);
        }
    }
}

impl Kept {
    fn forget(&mut self, path: &str) {
        if let Some((_, body)) = self.answers.remove(path) {
            self.bytes -= body.len();
            self.order.retain(|known| known != path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_etag(etag: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ETAG, HeaderValue::from_static(etag))])
    }

    #[test]
    fn the_newest_answers_are_kept_within_bounds() {
        let seen = Seen::default();
        for n in 0..=ANSWERS_LIMIT {
            seen.put(format!("/{n}"), &with_etag("\"a\""), vec![1]);
        }
        assert!(seen.get("/0").is_none() && seen.get("/1").is_some());
        seen.put("/1".into(), &with_etag("\"b\""), vec![2, 2]);
        let (etag, body) = seen.get("/1").unwrap();
        assert_eq!((etag.to_str().unwrap(), &*body), ("\"b\"", &[2, 2][..]));
        seen.put("/1".into(), &HeaderMap::new(), vec![3]);
        assert!(seen.get("/1").is_none(), "without an ETag nothing can be asked");
        for n in 0..40 {
            seen.put(format!("/big/{n}"), &with_etag("\"a\""), vec![0; ANSWER_LIMIT_BYTES]);
        }
        let kept = seen.kept.lock().unwrap();
        assert!(kept.bytes <= TOTAL_LIMIT_BYTES && kept.answers.len() == kept.order.len(), "{}", kept.bytes);
    }
}
