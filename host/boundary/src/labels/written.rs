//! Labels of files: what the guest wrote in this call is, when it comes back, what it was when it went.
//!
//! A file is known by device and inode, so that another name, or the same one for another file, does not matter. Bytes that were not written in
//! this call are the file's own: its source. Where it is not sure what stands where, all bytes have all labels that were ever written.

use super::runs::{Runs, push};
use crate::roots::Identity;
use customs_trace::Label;
use std::collections::BTreeMap;

/// Pieces of all files that are told apart. Past it a file is one piece with all of its labels.
const MAX_PIECES: usize = 1 << 16;
/// Files that are known. Past it nothing that comes back is told apart: all of it has all labels that were ever written.
const MAX_FILES: usize = 1 << 12;

#[derive(Debug, Default)]
struct File {
    /// Written in this call, by where it begins: where it ends, and its label. None lies over another.
    pieces: BTreeMap<u64, (u64, Label)>,
    size: u64,
    /// Every label that was written.
    ever: Label,
    unsure: bool,
}

impl File {
    /// Takes out what lies there; gives by how many pieces there are more.
    fn clear(&mut self, from: u64, to: u64) {
        let over: Vec<(u64, (u64, Label))> = self
            .pieces
            .range(..to)
            .rev()
            .take_while(|(_, (end, _))| *end > from)
            .map(|(at, rest)| (*at, *rest))
            .collect();
        for (at, (end, label)) in over {
            self.pieces.remove(&at);
            if at < from {
                self.pieces.insert(at, (from, label));
            }
            if end > to {
                self.pieces.insert(to, (end, label));
            }
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Written {
    files: BTreeMap<Identity, File>,
    /// Labels of files that there was no room for.
    lost: Label,
}

impl Written {
    /// A file was opened, and has this size. What is never written needs no place here.
    pub(super) fn opened(&mut self, id: Identity, size: u64, to_write: bool) {
        if let Some(file) = self.files.get_mut(&id) {
            file.clear(size, u64::MAX);
            file.size = size;
            file.unsure &= size > 0;
        } else if to_write && self.files.len() < MAX_FILES {
            self.files.insert(id, File { size, ..File::default() });
        }
    }

    /// Where appended bytes go.
    pub(super) fn end(&self, id: Identity) -> Option<u64> {
        self.files.get(&id).filter(|file| !file.unsure).map(|file| file.size)
    }

    /// `length` bytes were written with these labels; where is not known where no place is given.
    pub(super) fn wrote(&mut self, id: Identity, at: Option<u64>, length: u64, runs: &Runs) {
        let label = super::runs::all(runs);
        let full = self.files.values().map(|file| file.pieces.len()).sum::<usize>() >= MAX_PIECES;
        let Some(file) = self.files.get_mut(&id) else {
            self.lost = self.lost.or(label);
            return;
        };
        file.ever = file.ever.or(label);
        let (Some(at), false) = (at, full) else {
            file.unsure = true;
            file.pieces.clear();
            return;
        };
        let end = at.saturating_add(length);
        file.size = file.size.max(end);
        file.clear(at, end);
        let mut place = 0;
        let mut piece = |from: u64, to: u64, label: Label| {
            if from < to {
                file.pieces.insert(at.saturating_add(from), (at.saturating_add(to), label));
            }
        };
        for (from, to, label) in runs {
            let (from, to) = ((*from).clamp(place, length), (*to).min(length));
            piece(place, from, Label::CLEAN);
            piece(from, to, *label);
            place = to.max(place);
        }
        piece(place, length, Label::CLEAN);
    }

    pub(super) fn resized(&mut self, id: Identity, size: u64) {
        if let Some(file) = self.files.get_mut(&id) {
            file.clear(size, u64::MAX);
            file.size = size;
        }
    }

    /// A write failed: nobody knows how much of it is there.
    pub(super) fn failed(&mut self, id: Identity) {
        if let Some(file) = self.files.get_mut(&id) {
            file.unsure = true;
            file.pieces.clear();
        }
    }

    /// Labels of bytes that are read. `own` is the label of what was not written in this call, and is asked for only where there is some.
    pub(super) fn read(&self, id: Identity, at: u64, length: u64, mut own: impl FnMut() -> Label) -> Runs {
        let mut runs = Runs::new();
        let Some(file) = self.files.get(&id) else {
            push(&mut runs, (0, length, self.lost.or(own())));
            return runs;
        };
        if file.unsure {
            push(&mut runs, (0, length, file.ever.or(own())));
            return runs;
        }
        let end = at.saturating_add(length);
        let first = file.pieces.range(..=at).next_back().map_or(at, |(from, _)| *from);
        let mut place = at;
        for (from, (to, label)) in file.pieces.range(first..end) {
            let (from, to) = ((*from).max(place), (*to).min(end));
            if to <= place {
                continue;
            }
            if from > place {
                push(&mut runs, (place.saturating_sub(at), from.saturating_sub(at), own()));
            }
            push(&mut runs, (from.saturating_sub(at), to.saturating_sub(at), *label));
            place = to;
        }
        if place < end {
            push(&mut runs, (place.saturating_sub(at), length, own()));
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Identity = (1, 2);
    const A: Label = Label(0x01);
    const B: Label = Label(0x02);
    const OWN: Label = Label(0x08);

    fn read(written: &Written, at: u64, length: u64) -> Runs {
        written.read(ID, at, length, || OWN)
    }

    fn opened(size: u64) -> Written {
        let mut written = Written::default();
        written.opened(ID, size, true);
        written
    }

    #[test]
    fn what_was_written_comes_back_as_it_was_and_what_was_not_is_the_files_own() {
        let mut written = opened(10);
        written.wrote(ID, Some(2), 5, &vec![(1, 3, A)]);
        // Two bytes of its own, one clean, two of A, two clean, three of its own.
        assert_eq!(read(&written, 0, 10), [(0, 2, OWN), (3, 5, A), (7, 10, OWN)]);
        assert_eq!(read(&written, 4, 2), [(0, 1, A)]);
        assert_eq!(read(&written, 2, 1), []);
        let asked = std::cell::Cell::new(false);
        written.read(ID, 2, 5, || {
            asked.set(true);
            OWN
        });
        assert!(!asked.get());
    }

    #[test]
    fn what_is_written_over_is_gone_and_what_is_beside_it_stays() {
        let mut written = opened(0);
        written.wrote(ID, Some(0), 8, &vec![(0, 8, A)]);
        written.wrote(ID, Some(3), 2, &vec![(0, 1, B)]);
        assert_eq!(read(&written, 0, 8), [(0, 3, A), (3, 4, B), (5, 8, A)]);
        written.wrote(ID, Some(0), 8, &Runs::new());
        assert_eq!(read(&written, 0, 8), []);
    }

    #[test]
    fn cutting_a_file_drops_what_was_behind_and_growing_it_brings_nothing_back() {
        let mut written = opened(0);
        written.wrote(ID, Some(0), 8, &vec![(0, 8, A)]);
        written.resized(ID, 4);
        written.resized(ID, 8);
        assert_eq!(read(&written, 0, 8), [(0, 4, A), (4, 8, OWN)]);
        written.opened(ID, 0, false);
        assert_eq!(read(&written, 0, 8), [(0, 8, OWN)]);
    }

    #[test]
    fn where_it_is_not_sure_all_bytes_have_all_labels() {
        let mut written = opened(4);
        written.wrote(ID, Some(0), 4, &vec![(0, 1, A)]);
        written.wrote(ID, Some(0), 4, &vec![(2, 3, B)]);
        let all = Label(A.0 | B.0 | OWN.0);
        written.wrote(ID, None, 1, &Runs::new());
        assert_eq!((read(&written, 0, 9), written.end(ID)), (vec![(0, 9, all)], None));
        let mut written = opened(4);
        written.wrote(ID, Some(0), 4, &vec![(0, 4, A)]);
        written.failed(ID);
        assert_eq!(read(&written, 1, 1), [(0, 1, Label(A.0 | OWN.0))]);
    }

    #[test]
    fn too_many_pieces_or_files_lose_places_and_no_label() {
        let mut written = opened(0);
        for at in 0..70_000 {
            written.wrote(ID, Some(at * 2), 1, &vec![(0, 1, A)]);
        }
        assert_eq!(read(&written, 1, 1), [(0, 1, Label(A.0 | OWN.0))]);
        for other in 0..5_000 {
            written.opened((7, other), 0, true);
        }
        written.wrote((7, 4_999), Some(0), 1, &vec![(0, 1, B)]);
        assert_eq!(written.read((7, 4_999), 0, 1, || OWN), [(0, 1, Label(B.0 | OWN.0))]);
        assert_eq!(written.read((7, 4_998), 5, 1, || OWN), [(0, 1, Label(B.0 | OWN.0))]);
    }
}
