//! Cursors: words in memory that are moved on by a size, after the sum was compared with a bound that stands beside them.
//!
//! So do allocators that hand out the next bytes of a region, as heaps of interpreters do in hundreds of places where
//! the compiler put them, and buffers that are written to their end. As with other allocators the label of the size does
//! not come to the cursor, or every address after it, and all that is read there, would be weak. What is told by the sum
//! itself keeps its label. A count without such a bound is a number like any other.
//!
//! ```text
//!     v = word at base + o;  w = v + size;  w > word at base + p  -> elsewhere;  word at base + o = w
//! ```

use std::collections::{HashMap, HashSet};

/// A local, and how often it has been set: the same value as long as that is the same.
pub(super) type Version = (u32, u32);

/// A word in memory: behind the address in a local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) base: Version,
    pub(super) offset: u64,
}

/// What is known of a value on the stack, or in a local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Word {
    #[default]
    Other,
    /// It was loaded from there.
    At(Place),
    /// That, and something more.
    Advanced(Place),
}

/// What is known in one function, up to where it has been read.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    versions: HashMap<u32, u32>,
    held: HashMap<u32, Word>,
    /// Places whose sums were compared with a bound beside them.
    bounded: HashSet<Place>,
    /// Locals in the order in which they were set, and how many were when each open frame began.
    set: Vec<u32>,
    open: Vec<usize>,
    /// Counts up, so that a version is never given twice.
    next: u32,
}

impl Cursors {
    pub(super) fn version(&self, local: u32) -> Version {
        (local, self.versions.get(&local).copied().unwrap_or(0))
    }

    /// What a local holds.
    pub(super) fn held(&self, local: u32) -> Word {
        self.held.get(&local).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, local: u32, word: Word) {
        self.forget(local);
        self.set.push(local);
        if word != Word::Other {
            self.held.insert(local, word);
        }
    }

    fn forget(&mut self, local: u32) {
        self.next = self.next.saturating_add(1);
        self.versions.insert(local, self.next);
        self.held.remove(&local);
    }

    /// A block begins. At the start of a loop nothing is known: its end may come before.
    pub(super) fn open(&mut self, is_loop: bool) {
        self.open.push(self.set.len());
        if is_loop {
            // Locals that were never set have to be others than before, too.
            let every: Vec<u32> = self.versions.keys().copied().collect();
            every.into_iter().for_each(|local| self.forget(local));
            self.held.clear();
            self.bounded.clear();
        }
    }

    /// One way through a block is over: locals that were set on it may be set or not.
    pub(super) fn meet(&mut self) {
        let from = self.open.last().copied().unwrap_or(0);
        let set: Vec<u32> = self.set.get(from..).unwrap_or_default().to_vec();
        set.into_iter().for_each(|local| self.forget(local));
    }

    pub(super) fn close(&mut self) {
        self.meet();
        self.open.pop();
    }

    /// Two words are compared.
    pub(super) fn compare(&mut self, one: Word, other: Word) {
        if let (Word::Advanced(cursor), Word::At(bound)) | (Word::At(bound), Word::Advanced(cursor)) = (one, other)
            && cursor.base == bound.base
            && cursor.offset != bound.offset
        {
            self.bounded.insert(cursor);
        }
    }

    /// Whether a word that is stored moves a cursor on.
    pub(super) fn moves(&self, address: Option<Version>, offset: u64, value: Word) -> bool {
        let place = address.map(|base| Place { base, offset });
        matches!(value, Word::Advanced(cursor) if Some(cursor) == place && self.bounded.contains(&cursor))
    }
}
