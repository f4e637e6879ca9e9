//! What is known of files from the reads of a recording, for a guest that reads them in other pieces.

use super::Answer;
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Default)]
pub(crate) struct Files(HashMap<String, Known>);

#[derive(Debug, Default)]
struct Known {
    /// By offset.
    pieces: BTreeMap<u64, Bytes>,
    end: Option<u64>,
    changed: bool,
    /// Where the streams of a file stand, by key.
    streams: HashMap<String, u64>,
}

impl Files {
    /// Takes in an answer to `fs.read PATH OFFSET ..` or `in file PATH OFFSET ..`.
    pub(crate) fn learn(&mut self, key: &str, answer: &Answer) {
        let mut parts = key.split('\0');
        let (path, offset) = match (parts.next(), parts.next()) {
            // What is changed meanwhile is read in its recorded order only.
            (Some("fs.open-write" | "fs.change" | "fs.move"), Some(path)) => {
                self.0.entry(path.to_owned()).or_default().changed = true;
                if let (true, Some(to)) = (key.starts_with("fs.move"), parts.next()) {
                    self.0.entry(to.to_owned()).or_default().changed = true;
                }
                return;
            }
            (Some("fs.read"), Some(path)) => (path, parts.next()),
            (Some("in"), Some("file")) => (parts.next().unwrap_or_default(), parts.next()),
            _ => return,
        };
        let Some(offset) = offset.and_then(|text| text.parse::<u64>().ok()) else { return };
        let known = self.0.entry(path.to_owned()).or_default();
        match answer {
            // A stream's chunk.
            Answer::Bytes(bytes) => {
                let at = known.streams.entry(key.to_owned()).or_insert(offset);
                let from = *at;
                *at = at.saturating_add(bytes.len() as u64);
                known.add(from, bytes);
            }
            Answer::Failed(code) if code == "closed" => {
                let at = known.streams.get(key).copied().unwrap_or(offset);
                known.end = Some(at.max(known.end.unwrap_or(0)));
            }
            // A read at an offset: the bytes, and whether the end was reached.
            Answer::List(parts) => {
                if let [Answer::Bytes(bytes), Answer::Flag(end)] = parts.as_slice() {
                    known.add(offset, bytes);
                    if *end {
                        let at = offset.saturating_add(bytes.len() as u64);
                        known.end = Some(at.max(known.end.unwrap_or(0)));
                    }
                }
            }
            _ => {}
        }
    }

    /// Up to `most` bytes at an offset; empty at the end; none where the recording has not seen them.
    pub(crate) fn read(&self, path: &str, offset: u64, most: usize) -> Option<Bytes> {
        let known = self.0.get(path).filter(|known| !known.changed)?;
        for (from, bytes) in known.pieces.range(..=offset).rev() {
            let skip = usize::try_from(offset - from).ok()?;
            if skip < bytes.len() {
                return Some(bytes.slice(skip..bytes.len().min(skip.saturating_add(most))));
            }
        }
        known.end.filter(|end| offset >= *end).map(|_| Bytes::new())
    }
}

impl Known {
    fn add(&mut self, from: u64, bytes: &Bytes) {
        if bytes.is_empty() {
            return;
        }
        let piece = self.pieces.entry(from).or_default();
        if piece.len() < bytes.len() {
            *piece = bytes.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_at_any_offset_that_was_seen_and_nowhere_else() {
        let mut files = Files::default();
        let bytes = |text: &'static str| Answer::Bytes(Bytes::from_static(text.as_bytes()));
        files.learn("fs.read\0/a\x000\x004", &Answer::List(vec![bytes("abcd"), Answer::Flag(false)]));
        files.learn("in\0file\0/a\x004\x000", &bytes("efg"));
        files.learn("in\0file\0/a\x004\x000", &bytes("hi"));
        assert_eq!(files.read("/a", 2, 10).unwrap(), "cd");
        assert_eq!(files.read("/a", 5, 1).unwrap(), "f");
        assert_eq!(files.read("/a", 8, 9).unwrap(), "i");
        assert_eq!(files.read("/a", 9, 9), None);
        files.learn("in\0file\0/a\x004\x000", &Answer::Failed("closed".to_owned()));
        assert_eq!(files.read("/a", 9, 9).unwrap(), "");
        assert_eq!(files.read("/b", 0, 9), None);
    }
}
