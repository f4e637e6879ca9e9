//! Runs: ranges of bytes with their labels.

use customs_trace::Label;

/// From, to, label. What no run names is clean.
pub(crate) type Runs = Vec<(u64, u64, Label)>;

/// Puts a run behind the others, as one with the last where it goes on.
pub(crate) fn push(runs: &mut Runs, (from, to, label): (u64, u64, Label)) {
    if from >= to || label.is_clean() {
        return;
    }
    match runs.last_mut() {
        Some((_, end, same)) if *end == from && *same == label => *end = to,
        _ => runs.push((from, to, label)),
    }
}

/// All labels of them.
pub(crate) fn all(runs: &[(u64, u64, Label)]) -> Label {
    runs.iter().fold(Label::CLEAN, |all, (_, _, label)| all.or(*label))
}

/// Runs of a text as they stand in another: from `skip` bytes on, `length` of them, at `at`.
pub(crate) fn moved(runs: &[(u64, u64, Label)], skip: u64, length: u64, at: u64) -> Runs {
    let end = skip.saturating_add(length);
    let place = |place: u64| at.saturating_add(place.saturating_sub(skip));
    let inside = runs.iter().map(|(from, to, label)| ((*from).max(skip), (*to).min(end), *label));
    inside.filter(|(from, to, _)| from < to).map(|(from, to, label)| (place(from), place(to), label)).collect()
}

/// The same where the text may stand there otherwise than it was written: byte by byte where it has the same length, else all labels on all of it.
pub(crate) fn fitted(runs: &[(u64, u64, Label)], written: u64, at: u64, length: u64) -> Runs {
    if written == length {
        return moved(runs, 0, length, at);
    }
    let mut whole = Runs::new();
    push(&mut whole, (at, at.saturating_add(length), all(runs)));
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Label = Label(1);
    const B: Label = Label(0x20);

    #[test]
    fn runs_move_with_their_text_and_are_cut_where_it_is() {
        assert_eq!(moved(&[(0, 4, A), (6, 9, B)], 2, 5, 100), [(100, 102, A), (104, 105, B)]);
        assert_eq!(moved(&[(0, 2, A)], 2, 5, 100), []);
    }

    #[test]
    fn a_text_that_stands_otherwise_has_all_labels_everywhere() {
        assert_eq!(fitted(&[(1, 2, A), (2, 3, B)], 5, 10, 5), [(11, 12, A), (12, 13, B)]);
        assert_eq!(fitted(&[(1, 2, A), (2, 3, B)], 5, 10, 6), [(10, 16, Label(0x21))]);
        assert_eq!(fitted(&[], 5, 10, 6), []);
    }

    #[test]
    fn runs_that_go_on_are_one() {
        let mut runs = Runs::new();
        for run in [(0, 2, A), (2, 4, A), (4, 4, B), (5, 6, A), (6, 7, Label::CLEAN)] {
            push(&mut runs, run);
        }
        assert_eq!(runs, [(0, 4, A), (5, 6, A)]);
    }
}
