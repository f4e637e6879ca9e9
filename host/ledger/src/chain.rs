//! The chain: which record is next, and what the one before it hashes to. Shared by writer and verifier, so that they cannot differ.

use crate::digest::{hex_byte, sha256};
use crate::line::Object;

/// Where a ledger stands after some records.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// The seq of the next record: the number of records so far.
    pub(crate) seq: u64,
    /// SHA-256 of the last line without its newline; zeros before the first.
    pub(crate) hash: [u8; 32],
    /// The same as it is written.
    pub(crate) hex: [u8; 64],
}

impl Chain {
    pub(crate) fn new() -> Chain {
        Chain { seq: 0, hash: [0; 32], hex: [b'0'; 64] }
    }

    /// Takes in a line, without its newline.
    pub(crate) fn advance(&mut self, line: &[u8]) {
        self.hash = sha256(line);
        for (pair, byte) in self.hex.as_chunks_mut::<2>().0.iter_mut().zip(self.hash) {
            *pair = hex_byte(byte);
        }
        self.seq += 1;
    }

    /// The one way to write a `close` that stands here. Nothing chains to it, so its every byte has to be predictable.
    pub(crate) fn close_line(&self, out: &mut Vec<u8>) {
        let mut line = Object::start(out, self.seq, "close");
        line.number("events", self.seq);
        line.finish(&self.hex);
    }
}
