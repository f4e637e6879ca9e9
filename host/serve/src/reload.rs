//! What changes on disk while tools are served: the policy and the components. Nothing watches them; each list and each call looks, which
//! costs a `stat` for each file. What has changed is enforced before that call runs. Calls under way finish under what they began with.

use crate::server::House;
use crate::shelf::{Shelf, Subject};
use rmcp::service::SubscriptionSink;
use rmcp::{Peer, RoleServer};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Changed tools that are named to the person one by one.
const MAX_NAMED: usize = 20;
/// Clients that are told of a new list. More are not: they ask again by themselves sooner or later.
const MAX_LISTENERS: usize = 1_024;

/// What the model reads while the policy cannot be enforced.
pub(crate) const REFUSED: &str = "the policy was changed and cannot be enforced; nothing runs until it is mended";

/// What a close look found.
#[derive(Debug)]
pub enum Renewed {
    /// Nothing but what is said by [`Subject::held`].
    Same,
    /// These take the place of all.
    New(Vec<Arc<Subject>>),
    /// What stands there now cannot be enforced; the person was told why.
    Refused,
}

/// What is in force.
#[derive(Debug, Default)]
pub(crate) struct Reload {
    /// Held while tools are replaced.
    gate: Mutex<()>,
    refused: AtomicBool,
    /// Counts policies: what was approved under an earlier one does not hold any more.
    generation: AtomicU64,
    listeners: Mutex<Vec<Listener>>,
    subscriptions: AtomicU64,
}

/// A client that is told of changes: since 2026-07-28 by its subscription, before by its connection.
#[derive(Clone, Debug)]
enum Listener {
    Peer(Peer<RoleServer>),
    Subscription(u64, SubscriptionSink),
}

impl Reload {
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
    }

    /// While this is held no tool is replaced by others.
    pub(crate) fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, listener: Listener) {
        let mut listeners = self.listeners();
        listeners.retain(|known| !matches!(known, Listener::Peer(peer) if peer.is_transport_closed()));
        if listeners.len() < MAX_LISTENERS {
            listeners.push(listener);
        }
    }

    pub(crate) fn add_peer(&self, peer: &Peer<RoleServer>) {
        self.listen(Listener::Peer(peer.clone()));
    }

    pub(crate) fn add_subscription(&self, sink: &SubscriptionSink) -> Subscribed<'_> {
        let number = self.subscriptions.fetch_add(1, Ordering::Relaxed);
        self.listen(Listener::Subscription(number, sink.clone()));
        Subscribed { of: self, number }
    }
}

/// A subscription is listed as long as this lives.
pub(crate) struct Subscribed<'a> {
    of: &'a Reload,
    number: u64,
}

impl Drop for Subscribed<'_> {
    fn drop(&mut self) {
        self.of.listeners().retain(|known| !matches!(known, Listener::Subscription(n, _) if *n == self.number));
    }
}

impl House {
    pub(crate) fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks whether policy or components have changed, and enforces what stands there now.
    pub(crate) async fn refresh(self: &Arc<Self>) {
        if !self.ground.moved() {
            return;
        }
        let house = Arc::clone(self);
        // It goes on where the caller does not wait for it any more: a change that was seen is enforced.
        if self.desk.workers().spawn_blocking(move || house.renew()).await.is_err() {
            self.reload.refused.store(true, Ordering::Release);
        }
    }

    fn renew(&self) {
        let _gate = self.reload.gate();
        self.look();
    }

    /// Enforces what stands on disk now. The gate must be held.
    pub(crate) fn look(&self) {
        // Someone else may have looked meanwhile.
        if !self.ground.moved() {
            return;
        }
        match self.ground.renew(&self.shelf().subjects) {
            Renewed::Same => {}
            Renewed::Refused => {
                self.reload.generation.fetch_add(1, Ordering::AcqRel);
                self.reload.refused.store(true, Ordering::Release);
                self.forget_approvals();
            }
            Renewed::New(subjects) => {
                self.reload.generation.fetch_add(1, Ordering::AcqRel);
                self.replace(&subjects);
                self.reload.refused.store(false, Ordering::Release);
                self.forget_approvals();
            }
        }
    }

    /// Puts other subjects in place of all, and tells whom it concerns. The gate must be held.
    pub(crate) fn replace(&self, subjects: &[Arc<Subject>]) {
        let new = Arc::new(Shelf::new(subjects));
        let old = std::mem::replace(&mut *self.shelf.write().unwrap_or_else(PoisonError::into_inner), Arc::clone(&new));
        for warning in new.warnings.iter().filter(|w| !old.warnings.contains(w)) {
            self.ground.tell(warning);
        }
        let changes = changes(&old, &new);
        for change in changes.iter().take(MAX_NAMED) {
            self.ground.tell(change);
        }
        if let Some(more @ 1..) = changes.len().checked_sub(MAX_NAMED) {
            self.ground.tell(&format!("{more} more tools changed"));
        }
        let same = old.offers.len() == new.offers.len()
            && old.offers.iter().zip(&new.offers).all(|((a, x), (b, y))| a == b && x.tool == y.tool);
        if !same {
            self.tell_clients();
        }
    }

    /// Tells clients that there is another list of tools.
    fn tell_clients(&self) {
        let listeners = self.reload.listeners().clone();
        for listener in listeners {
            // Each on its own: a client that does not read holds up nobody else.
            self.desk.workers().spawn(async move {
                match listener {
                    Listener::Peer(peer) => drop(peer.notify_tool_list_changed().await),
                    Listener::Subscription(_, sink) => drop(sink.notify_tool_list_changed().await),
                }
            });
        }
    }
}

/// What a person should know of a new list: names that mean something else now, that are gone, or are new.
fn changes(old: &Shelf, new: &Shelf) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, before) in &old.offers {
        match new.offers.get(name) {
            None => changes.push(format!("{name}: the tool is no longer offered")),
            Some(after) if after.identity != before.identity => {
                let what = if before.subject.session.program().sha256() != after.subject.session.program().sha256() {
                    "its component is another one now"
                } else {
                    "its description or schema is another one now"
                };
                changes.push(format!("{name}: the tool changed: {what}"));
            }
            Some(_) => {}
        }
    }
    changes.extend(
        new.offers.keys().filter(|name| !old.offers.contains_key(*name)).map(|name| format!("{name}: a new tool")),
    );
    changes
}
