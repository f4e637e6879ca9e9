//! Who is asked before bytes leave the machine, where a rule of the policy is about what is in them.
//!
//! What a source is and what a sink holds is known here; what it means is known above. So the engine hands in a judge, and the boundary asks it
//! with the bytes in hand, before any of them has left.

use customs_ledger::material::{Sink, SinkKind, Source};
use std::sync::Arc;

/// Judges what is about to leave.
pub trait Judge: Send + Sync {
    /// Whether sinks of this kind are to be shown at all. Showing them means holding them back until they are complete.
    fn watches(&self, kind: SinkKind) -> bool;

    /// The rule that blocks one of the sinks, given everything that came in so far.
    fn blocks(&self, sources: &[Source], sinks: &[Sink], labels: Option<&Inside>) -> Option<Arc<str>>;
}

/// What labels say of sinks that are about to leave, where the component is a traced one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The numbers of the sources in each of the sinks, in their order.
    pub sources: Vec<Vec<u64>>,
    /// False where something was dropped: then there may be more.
    pub whole: bool,
}

/// Lets everything go.
#[derive(Debug)]
pub struct Unwatched;

impl Judge for Unwatched {
    fn watches(&self, _: SinkKind) -> bool {
        false
    }

    fn blocks(&self, _: &[Source], _: &[Sink], _: Option<&Inside>) -> Option<Arc<str>> {
        None
    }
}
