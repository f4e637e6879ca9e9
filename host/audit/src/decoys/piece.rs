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
    pub(super) fn within(self, bytes: &[u8], range: Range<usize>) -> Piece {
        let end = range.end.min(bytes.len());
        let (body, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        let mut piece = self.hidden(body, range.start);
        piece.bytes.extend_from_slice(rest);
        piece
    }

    /// Adds a PEM file of which a range of its content is secret, each line apart.
    pub(super) fn pem(mut self, pem: &str, secret: Range<usize>) -> Piece {
        let range = in_base64(secret);
        let mut seen = 0;
        for line in pem.split_inclusive('\n') {
            let text = line.trim_end();
            if text.starts_with("-----") {
                self = self.plain(line);
                continue;
            }
            let here = range.start.saturating_sub(seen).min(text.len())..range.end.saturating_sub(seen).min(text.len());
            seen += text.len();
            // The rest of a line that is a few characters only is too little to be told apart.
            let worth = here.len() >= 8;
            self = if worth { self.within(text.as_bytes(), here) } else { self.plain(text) }.plain("\n");
        }
        self
    }
}

/// Where bytes stand in their base64: whole groups of four characters that hold nothing else.
pub(super) fn in_base64(range: Range<usize>) -> Range<usize> {
    range.start.div_ceil(3) * 4..range.end / 3 * 4
}
