//! Where calls run.
//!
//! Most tools answer in less time than it takes to wake another thread, so a call begins on the thread that read it. One that waits, or is
//! still running at the guest's first tick (10 ms), goes on among the workers, and while any is there others begin there too: a tool that
//! spins never holds up the protocol twice.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// The workers, and how many calls may run.
#[derive(Debug)]
pub(crate) struct Desk {
    workers: tokio::runtime::Handle,
    places: Semaphore,
    /// How many of the places one component may have while others are served too, and what it has of them.
    share: usize,
    of_one: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// Calls among the workers.
    moved: Arc<AtomicUsize>,
}

/// A call's right to run.
#[derive(Debug)]
pub(crate) struct Place<'d> {
    _own: Option<OwnedSemaphorePermit>,
    _of_all: SemaphorePermit<'d>,
}

/// One call among the workers.
struct Moved(Arc<AtomicUsize>);

impl Moved {
    fn new(count: &Arc<AtomicUsize>) -> Moved {
        count.fetch_add(1, Ordering::Relaxed);
        Moved(Arc::clone(count))
    }
}

impl Drop for Moved {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Desk {
    /// `places` calls run at once; the others wait for one of them.
    pub(crate) fn new(workers: tokio::runtime::Handle, places: usize) -> Desk {
        let share = (places - places / 4).max(1);
        Desk { workers, places: Semaphore::new(places), share, of_one: Mutex::default(), moved: Arc::default() }
    }

    pub(crate) fn workers(&self) -> &tokio::runtime::Handle {
        &self.workers
    }

    /// A place for one call of a component; where there are others, it leaves a quarter of the places to them. None when the server is going down.
    pub(crate) async fn place(&self, component: &str, is_alone: bool) -> Option<Place<'_>> {
        let own = if is_alone { None } else { Some(self.of(component).acquire_owned().await.ok()?) };
        Some(Place { _own: own, _of_all: self.places.acquire().await.ok()? })
    }

    fn of(&self, component: &str) -> Arc<Semaphore> {
        let mut of_one = self.of_one.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = of_one.get(component) {
            return Arc::clone(places);
        }
        let places = Arc::new(Semaphore::new(self.share));
        of_one.insert(component.to_owned(), Arc::clone(&places));
        places
    }

    /// Nothing begins any more.
    pub(crate) fn close(&self) {
        self.places.close();
    }

    /// Runs a call to its end, also where nobody waits for it any more. None if it panicked.
    pub(crate) async fn run<F>(&self, call: F) -> Option<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut call = Box::pin(call);
        if self.moved.load(Ordering::Relaxed) == 0 {
            let first = poll_fn(|cx| {
                // Timers and sockets that it makes belong to the workers, where it may go on.
                let _among = self.workers.enter();
                Poll::Ready(call.as_mut().poll(cx))
            });
            if let Poll::Ready(output) = first.await {
                return Some(output);
            }
        }
        let moved = Moved::new(&self.moved);
        let work = async move {
            let _moved = moved;
            call.await
        };
        self.workers.spawn(work).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_quick_call_stays_and_one_that_waits_goes_on_among_the_workers() {
        let workers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let protocol = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let desk = Desk::new(workers.handle().clone(), 4);
        let here = thread::current().id();
        protocol.block_on(async {
            assert_eq!(desk.run(async { thread::current().id() }).await, Some(here));
            let waits = desk.run(async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                thread::current().id()
            });
            assert_ne!(waits.await, Some(here));
            // While one is there, others begin there.
            let (open, opened) = tokio::sync::oneshot::channel::<()>();
            let (held, next) = tokio::join!(desk.run(async { opened.await.is_ok() }), async {
                let next = desk.run(async { thread::current().id() }).await;
                open.send(()).unwrap();
                next
            });
            assert_eq!(held, Some(true));
            assert_ne!(next, Some(here));
            assert_eq!(desk.run(async { thread::current().id() }).await, Some(here));
        });
    }

    #[test]
    fn one_component_leaves_places_to_the_others() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let desk = Desk::new(tokio::runtime::Handle::current(), 4);
            let soon = |component: &'static str, alone| {
                tokio::time::timeout(Duration::from_millis(20), desk.place(component, alone))
            };
            let mut held = Vec::new();
            for _ in 0..3 {
                held.push(soon("a", false).await.unwrap());
            }
            assert!(soon("a", false).await.is_err(), "the last place is for others");
            held.push(soon("b", false).await.unwrap());
            assert!(soon("b", false).await.is_err(), "there are four");
            held.clear();
            for _ in 0..4 {
                held.push(soon("a", true).await.unwrap());
            }
            assert!(soon("a", true).await.is_err());
        });
    }

    #[test]
    fn a_call_goes_on_where_nobody_waits() {
        let workers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let protocol = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let desk = Desk::new(workers.handle().clone(), 4);
        let (done, told) = tokio::sync::oneshot::channel();
        protocol.block_on(async {
            let call = desk.run(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                done.send(()).ok();
            });
            assert!(tokio::time::timeout(Duration::from_millis(1), call).await.is_err());
            told.await.unwrap();
        });
    }
}
