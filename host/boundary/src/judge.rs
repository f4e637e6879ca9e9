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
    fn blocks(&self, sources: &[Source], sinks: &[Sink]) -> Option<Arc<str>>;
}

/// Lets everything go.
#[derive(Debug)]
pub struct Unwatched;

impl Judge for Unwatched {
    fn watches(&self, _: SinkKind) -> bool {
        false
    }

    fn blocks(&self, _: &[Source], _: &[Sink]) -> Option<Arc<str>> {
        None
    }
}
