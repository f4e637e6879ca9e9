//! A text that is put together, with a note of which bytes of it are secret.

use std::ops::Range;

/// A text and the secret parts of it.
#[derive(Default)]
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    pub(super) secrets: Vec<Range<usize>>,
}

impl Piece {
    /// Adds what anybody may know.
    pub(super) fn plain(mut self, text: &str) -> Piece {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// Adds a secret.
    pub(super) fn secret(self, text: &str) -> Piece {
        self.hidden(text.as_bytes(), 0)
    }

    /// Adds bytes of which those before `from` are the same in every such thing: a prefix, a header.
    pub(super) fn hidden(mut self, bytes: &[u8], from: usize) -> Piece {
        let start = self.bytes.len() + from.min(bytes.len());
        self.bytes.extend_from_slice(bytes);
        if start < self.bytes.len() {
            self.secrets.push(start..self.bytes.len());
        }
        self
    }

    /// Adds bytes of which only a range is secret.
    pub(super) fn within(mut self, bytes: &[u8], range: Range<usize>) -> Piece {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.secrets.push(at + range.start..at + range.end.min(bytes.len()));
        self
    }

    /// Adds a PEM file of which ranges of its content are secret, each line apart.
    pub(super) fn pem(mut self, pem: &str, secrets: &[Range<usize>]) -> Piece {
        let ranges: Vec<Range<usize>> = secrets.iter().cloned().map(in_base64).collect();
        let mut seen = 0;
        for line in pem.split_inclusive('\n') {
            let at = self.bytes.len();
            self.bytes.extend_from_slice(line.as_bytes());
            let text = line.trim_end();
            if text.starts_with("-----") {
                continue;
            }
            for range in &ranges {
                let place = |end: usize| end.saturating_sub(seen).min(text.len());
                let here = place(range.start)..place(range.end);
                // The rest of a line that is a few characters only is too little to be told apart.
                if here.len() >= 8 {
                    self.secrets.push(at + here.start..at + here.end);
                }
            }
            seen += text.len();
        }
        self
    }
}

/// Where bytes stand in their base64: whole groups of four characters that hold nothing else.
pub(super) fn in_base64(range: Range<usize>) -> Range<usize> {
    range.start.div_ceil(3) * 4..range.end / 3 * 4
}
