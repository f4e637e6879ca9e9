//! What the import that is running gives the guest: sources as they are, or rows with labels byte by byte.

use super::runs::{Runs, all, moved};
use customs_trace::Label;

/// Bytes that a `piece` can name at once.
const MOST: u64 = 0xff_ffff;

/// An element of a list, or all there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// The name, where it is a pair.
    pub(crate) name: Runs,
    pub(crate) value: Runs,
}

impl Row {
    pub(crate) fn of(value: Runs) -> Row {
        Row { name: Runs::new(), value }
    }

    /// All of it has this label, however long it is.
    pub(crate) fn whole(label: Label) -> Row {
        let value = if label.is_clean() { Runs::new() } else { vec![(0, u64::MAX, label)] };
        Row { name: Runs::new(), value }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// Sources that gave bytes, whole.
    pub(super) fresh: Vec<u64>,
    pub(super) rows: Vec<Row>,
}

impl Given {
    pub(super) fn source(&mut self, number: u64) {
        if self.fresh.last() != Some(&number) {
            self.fresh.push(number);
        }
    }

    /// Every label of the rows.
    pub(super) fn all(&self) -> Label {
        self.rows.iter().fold(Label::CLEAN, |label, row| label.or(all(&row.name)).or(all(&row.value)))
    }
}

/// The label at an offset, and how far it goes: `length << 8 | label`.
pub(super) fn piece(runs: &[(u64, u64, Label)], offset: u64) -> u32 {
    // They are in order, and none lies over another.
    let next = runs.get(runs.partition_point(|(_, to, _)| *to <= offset));
    let (length, label) = match next {
        None => (0, Label::CLEAN),
        Some((from, _, _)) if *from > offset => (from.saturating_sub(offset), Label::CLEAN),
        Some((_, to, label)) => (to.saturating_sub(offset), *label),
    };
    let length = u32::try_from(length.min(MOST)).unwrap_or(0);
    length << 8 | u32::from(label.0)
}

/// What leaves when bytes go from one stream to another without the guest.
pub(super) fn carried(given: &Given, label: Label, bytes: u64) -> Runs {
    match given.rows.first() {
        Some(row) => moved(&row.value, 0, bytes, 0),
        None if label.is_clean() => Runs::new(),
        None => vec![(0, bytes, label)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_go_from_run_to_run_with_what_is_clean_between_them() {
        let runs = [(2, 5, Label(1)), (5, 6, Label(0x20)), (9, u64::MAX, Label(2))];
        let pieces: Vec<(u32, u32)> =
            [0, 2, 3, 5, 6, 9].map(|at| piece(&runs, at)).map(|p| (p >> 8, p & 0xff)).to_vec();
        assert_eq!(pieces, [(2, 0), (3, 1), (2, 1), (1, 0x20), (3, 0), (0xff_ffff, 2)]);
        assert_eq!(piece(&[], 7), 0);
    }
}
