//! Files, and streams that are handed over: what the guest wrote there, and what it reads.

use super::Labels;
use super::given::{Row, carried};
use super::runs::{Runs, moved, push};
use crate::roots::Identity;
use customs_trace::Label;

impl Labels {
    pub(crate) fn opened(&mut self, id: Identity, size: u64, to_write: bool) {
        self.written.opened(id, size, to_write);
    }

    pub(crate) fn end_of(&self, id: Identity) -> Option<u64> {
        self.written.end(id)
    }

    /// Of what went out last, so many bytes are in a file now.
    pub(crate) fn wrote(&mut self, id: Identity, at: Option<u64>, bytes: u64) {
        let runs = moved(&self.last, 0, bytes, 0);
        self.written.wrote(id, at, bytes, &runs);
    }

    pub(crate) fn failed(&mut self, id: Identity) {
        self.written.failed(id);
    }

    pub(crate) fn resized(&mut self, id: Identity, size: u64) {
        self.written.resized(id, size);
    }

    /// Bytes of a file came in. What the guest wrote there in this call is what it was then.
    pub(crate) fn read_back(&mut self, id: Identity, at: u64, bytes: u64) {
        let fresh = std::mem::take(&mut self.given.fresh);
        let written = std::mem::take(&mut self.written);
        let mut own = None;
        let runs = written.read(id, at, bytes, || {
            *own.get_or_insert_with(|| fresh.iter().fold(Label::CLEAN, |label, number| label.or(self.label(*number))))
        });
        self.written = written;
        self.given.rows = vec![Row::of(runs)];
    }

    /// The host itself has read so many bytes of a stream that the guest handed over.
    pub(crate) fn handed(&mut self, runs: &mut Runs, at: u64, bytes: u64) {
        let label = self.fresh();
        let came = carried(&self.given, label, bytes);
        self.kept_back();
        if self.spend(came.len()) {
            for run in moved(&came, 0, bytes, at) {
                push(runs, run);
            }
        }
    }

    /// A stream that the guest handed over was read to its end.
    pub(crate) fn handed_over(&mut self, block: u64, runs: Runs) {
        self.traces.handed.insert(block, runs);
    }
}
