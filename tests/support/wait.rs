//! Waiting for a condition with a limit. Tests never sleep and never assert how long something took.

use std::future::Future;
use std::time::{Duration, Instant};

/// A limit for what should take well under a second: generous, because the machine may be busy.
pub const LIMIT: Duration = Duration::from_secs(20);

/// The pause after an unsuccessful look grows from this ..
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// .. up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Returns as soon as `condition` holds. Looks at least once, and once more when the limit has passed.
///
/// # Panics
/// When `condition` does not hold within `limit`; the message names `what`.
#[track_caller]
pub fn until(limit: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    until_some(limit, what, || condition().then_some(()));
}

/// Returns the first value that `look` finds.
///
/// # Panics
/// When `look` finds nothing within `limit`; the message names `what`.
#[track_caller]
pub fn until_some<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    loop {
        let last = Instant::now() >= deadline;
        if let Some(found) = look() {
            return found;
        }
        assert!(!last, "not within {limit:?}: {what}");
        // Nothing unparks this thread: the looked-at condition lives in another process, which cannot notify.
        std::thread::park_timeout(pause.min(deadline.saturating_duration_since(Instant::now())));
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// [`until`] for a condition that has to be awaited, on tokio's timer. A look that hangs is cut off at the limit.
///
/// # Panics
/// When `condition` does not hold within `limit`; the message names `what`.
pub async fn until_async<Look, Answer>(limit: Duration, what: &str, mut condition: Look)
where
    Look: FnMut() -> Answer,
    Answer: Future<Output = bool>,
{
    let looking = async {
        let mut pause = FIRST_PAUSE;
        while !condition().await {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    };
    assert!(tokio::time::timeout(limit, looking).await.is_ok(), "not within {limit:?}: {what}");
}
