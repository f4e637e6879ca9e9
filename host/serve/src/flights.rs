//! The calls that are under way, so that they can be ended when the client or the server goes.

use customs_boundary::Context;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

#[derive(Debug, Default)]
pub(crate) struct Flights {
    next: AtomicU64,
    under_way: Mutex<BTreeMap<u64, Context>>,
    /// Guests that run, whoever waits for them.
    aboard: AtomicUsize,
    landed: Notify,
}

/// Someone waits for a call. When this goes before the call has ended, nobody does: the call is cancelled.
pub(crate) struct Flight {
    of: Arc<Flights>,
    number: u64,
}

/// The call itself: it goes on for a moment after it was cancelled.
pub(crate) struct Aboard(Arc<Flights>);

impl Flights {
    pub(crate) fn begin(self: &Arc<Self>, context: &Context) -> Flight {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.calls().insert(number, context.clone());
        Flight { of: Arc::clone(self), number }
    }

    pub(crate) fn board(self: &Arc<Self>) -> Aboard {
        self.aboard.fetch_add(1, Ordering::AcqRel);
        Aboard(Arc::clone(self))
    }

    fn calls(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Context>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self) -> usize {
        self.calls().len()
    }

    /// Waits for all to end; after `grace` they are cancelled, and `patience` later left alone. True if all have ended.
    pub(crate) async fn all_end(&self, grace: Duration, patience: Duration) -> bool {
        let none_left = async {
            while self.count() > 0 || self.aboard.load(Ordering::Acquire) > 0 {
                self.landed.notified().await;
            }
        };
        let mut none_left = std::pin::pin!(none_left);
        if tokio::time::timeout(grace, none_left.as_mut()).await.is_ok() {
            return true;
        }
        for context in self.calls().values() {
            context.cancel();
        }
        tokio::time::timeout(patience, none_left).await.is_ok()
    }
}

impl Flight {
    /// The caller is gone; the call ends by itself soon.
    pub(crate) fn cancel(&self) {
        if let Some(context) = self.of.calls().get(&self.number) {
            context.cancel();
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // Where it has ended already, this is heard by nobody.
        if let Some(context) = self.of.calls().remove(&self.number) {
            context.cancel();
        }
        self.of.landed.notify_one();
    }
}

impl Drop for Aboard {
    fn drop(&mut self) {
        self.0.aboard.fetch_sub(1, Ordering::AcqRel);
        self.0.landed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_nobody_waits_for_is_cancelled_and_waited_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let flights = Arc::new(Flights::default());
            let context = Context::default();
            let (flight, aboard) = (flights.begin(&context), flights.board());
            assert!(!context.is_cancelled());
            drop(flight);
            assert!(context.is_cancelled());
            assert!(!flights.all_end(Duration::ZERO, Duration::from_millis(10)).await);
            drop(aboard);
            assert!(flights.all_end(Duration::ZERO, Duration::from_millis(10)).await);
        });
    }
}
