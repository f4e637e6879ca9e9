//! An origin that sends a secret back must not hand it to the guest: its bytes are masked, one for one, so that lengths still fit.

use bytes::{Bytes, BytesMut};
use memchr::memmem;

/// Stands in for each byte of a secret.
const MASK: u8 = b'*';

/// Masks secrets in a stream. What may be part of one is held back until the next bytes tell.
pub(crate) struct Masker {
    secrets: Vec<Vec<u8>>,
    held: BytesMut,
    hits: u64,
}

impl Masker {
    pub(crate) fn new(secrets: impl Iterator<Item = Vec<u8>>) -> Masker {
        let secrets = secrets.filter(|s| !s.is_empty()).collect();
        Masker { secrets, held: BytesMut::new(), hits: 0 }
    }

    /// True while bytes are held back.
    pub(crate) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// How many were masked since this was last asked.
    pub(crate) fn take_hits(&mut self) -> u64 {
        std::mem::take(&mut self.hits)
    }

    /// All of a short text at once; None where nothing is masked.
    pub(crate) fn whole(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let found = self.find(text);
        if found.is_empty() {
            return None;
        }
        let mut text = text.to_vec();
        self.cover(&mut text, &found);
        Some(text)
    }

    /// The bytes that may go on.
    pub(crate) fn next(&mut self, bytes: Bytes) -> Bytes {
        if self.secrets.is_empty() {
            return bytes;
        }
        let mut buffer = std::mem::take(&mut self.held);
        buffer.extend_from_slice(&bytes);
        let found = self.find(&buffer);
        let mut split = buffer.len() - self.unfinished(&buffer);
        // A secret that reaches into what is held is held too: what follows may belong to a longer one.
        while let Some((start, _)) = found.iter().find(|(start, end)| *start < split && split < *end) {
            split = *start;
        }
        self.held = buffer.split_off(split);
        let inside: Vec<(usize, usize)> = found.into_iter().filter(|(_, end)| *end <= split).collect();
        self.cover(&mut buffer, &inside);
        buffer.freeze()
    }

    /// What was held back, at the end.
    pub(crate) fn rest(&mut self) -> Bytes {
        let mut held = std::mem::take(&mut self.held);
        let found = self.find(&held);
        self.cover(&mut held, &found);
        held.freeze()
    }

    /// Where secrets stand, overlapping ones too.
    fn find(&self, text: &[u8]) -> Vec<(usize, usize)> {
        let each = |secret: &Vec<u8>| {
            let length = secret.len();
            memmem::find_iter(text, secret).map(|at| (at, at + length)).collect::<Vec<_>>()
        };
        self.secrets.iter().flat_map(each).collect()
    }

    fn cover(&mut self, text: &mut [u8], found: &[(usize, usize)]) {
        for (start, end) in found {
            if let Some(part) = text.get_mut(*start..*end) {
                part.fill(MASK);
                self.hits += 1;
            }
        }
    }

    /// The length of the longest end of `text` that some secret begins with.
    fn unfinished(&self, text: &[u8]) -> usize {
        let longest = |secret: &Vec<u8>| {
            let most = secret.len().saturating_sub(1).min(text.len());
            (1..=most).rev().find(|n| text.get(text.len() - n..) == secret.get(..*n)).unwrap_or(0)
        };
        self.secrets.iter().map(longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secrets: &[&str], chunks: &[&str]) -> (String, u64) {
        let mut masker = Masker::new(secrets.iter().map(|s| s.as_bytes().to_vec()));
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend_from_slice(&masker.next(Bytes::copy_from_slice(chunk.as_bytes())));
        }
        out.extend_from_slice(&masker.rest());
        (String::from_utf8(out).unwrap(), masker.take_hits())
    }

    #[test]
    fn a_secret_is_masked_wherever_the_chunks_are_cut() {
        let text = "token=hunter2secret; again hunter2secret!";
        let wanted = "token=*************; again *************!";
        for cut in 0..=text.len() {
            let (front, back) = text.split_at(cut);
            assert_eq!(masked(&["hunter2secret"], &[front, back]), (wanted.to_owned(), 2), "cut at {cut}");
        }
        let letters: Vec<String> = text.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        assert_eq!(masked(&["hunter2secret"], &letters), (wanted.to_owned(), 2));
    }

    #[test]
    fn what_only_begins_like_a_secret_comes_through_whole() {
        for text in ["hunter2secre", "hunter2secreT", "hhunter2", "", "hunter2hunter2secre"] {
            assert_eq!(masked(&["hunter2secret"], &[text]), (text.to_owned(), 0));
        }
    }

    #[test]
    fn the_longer_of_two_secrets_is_masked_whole() {
        assert_eq!(masked(&["abcd1234", "abcd12345678"], &["x abcd1234", "5678 y"]).0, "x ************ y");
        assert_eq!(masked(&["abcd1234", "abcd12345678"], &["x abcd1234", "567. y"]).0, "x ********567. y");
        assert_eq!(masked(&["ab12", "12cd"], &["ab12", "cd ab1", "2"]).0, "****** ****");
        assert_eq!(masked(&["abcd1234", "abcd12345678"], &["x abcd12345678 y"]).0, "x ************ y");
    }
}
