//! The bytes of a sink that are shown, and what is in each of them.
//!
//! What is labelled is shown with some of what stands around it; what lies between is counted. Text is cut at its characters: one with a
//! labelled byte is labelled as a whole. What is no text is shown byte by byte.

use super::{Drawn, Picture, Shown};
use crate::story::Labelled;

/// What is in some bytes: sources by their numbers in the picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inside {
    pub(crate) strong: Vec<usize>,
    pub(crate) weak: Vec<usize>,
    pub(crate) shared: bool,
}

impl Inside {
    pub(crate) fn is_clean(&self) -> bool {
        self.strong.is_empty() && self.weak.is_empty()
    }

    fn of(range: &Labelled, picture: &Picture<'_>) -> Inside {
        let numbers = |ids: &[u64]| ids.iter().map(|id| picture.number(*id)).collect();
        Inside { strong: numbers(&range.strong), weak: numbers(&range.weak), shared: range.shared }
    }

    fn add(&mut self, other: &Inside) {
        let both = |own: &mut Vec<usize>, other: &[usize]| {
            own.extend(other);
            own.sort_unstable();
            own.dedup();
        };
        both(&mut self.strong, &other.strong);
        both(&mut self.weak, &other.weak);
        let strong = &self.strong;
        self.weak.retain(|number| !strong.contains(number));
        self.shared |= other.shared;
    }
}

/// A stretch of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text, as it stands there.
    Text { from: u64, to: u64, text: String, inside: Inside },
    /// Bytes of what is no text.
    Bytes { from: u64, bytes: Vec<u8>, inside: Inside },
    /// What a rule took out, and what stands there instead.
    Taken { from: u64, to: u64, mark: String, inside: Inside },
    /// Bytes that are not shown, and how many of them are labelled.
    Hidden { bytes: u64, labelled: u64 },
}

/// How much is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// What is not longer is shown whole.
    pub(crate) whole: u64,
    /// Bytes around what is labelled.
    pub(crate) around: u64,
    /// Bytes at most.
    pub(crate) most: u64,
}

/// The pieces of a sink whose contents are known, in order. Empty where they are not.
pub(crate) fn pieces(picture: &Picture<'_>, drawn: &Drawn<'_>, bounds: Bounds) -> Vec<Piece> {
    let Some(shown) = drawn.shown else { return Vec::new() };
    let text = as_text(&shown.bytes);
    let length = drawn.flow.bytes.max(shown.bytes.len() as u64);
    let mut pieces = Vec::new();
    let mut at = 0;
    for (from, to) in windows(drawn, bounds, shown.bytes.len() as u64) {
        // A character is shown as a whole.
        let (from, to) = match text {
            Some(text) => (floor(text, from), ceil(text, to)),
            None => (from, to),
        };
        hidden(&mut pieces, drawn, at, from);
        stretch(&mut pieces, picture, drawn, shown, text, (from.max(at), to));
        at = at.max(to);
    }
    hidden(&mut pieces, drawn, at, length);
    pieces
}

/// The text that bytes are; its end may be missing.
fn as_text(bytes: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    // Text with a zero is none that a person reads.
    (!text.contains('\0')).then_some(text)
}

/// What is to be shown: ranges in rising order that do not touch.
fn windows(drawn: &Drawn<'_>, bounds: Bounds, known: u64) -> Vec<(u64, u64)> {
    if known <= bounds.whole {
        return if known == 0 { Vec::new() } else { vec![(0, known)] };
    }
    let mut windows: Vec<(u64, u64)> = Vec::new();
    let mut room = bounds.most;
    // Of an answer that nothing is in, the beginning.
    let start = if drawn.ranges.is_empty() { Some((0, bounds.whole)) } else { None };
    let ranges = drawn.ranges.iter().map(|range| (range.from, range.to));
    for (from, to) in start.into_iter().chain(ranges) {
        let from = from.saturating_sub(bounds.around);
        let to = to.saturating_add(bounds.around).min(known);
        let begin = windows.last().map_or(from, |(_, end)| from.max(*end));
        let to = to.min(begin.saturating_add(room));
        if begin >= to {
            continue;
        }
        room = room.saturating_sub(to - begin);
        match windows.last_mut() {
            Some((_, end)) if *end >= from => *end = to,
            _ => windows.push((begin, to)),
        }
    }
    windows
}

fn hidden(pieces: &mut Vec<Piece>, drawn: &Drawn<'_>, from: u64, to: u64) {
    if from < to {
        let within = |range: &Labelled| range.to.min(to).saturating_sub(range.from.max(from));
        let labelled = drawn.ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(within(range)));
        pieces.push(Piece::Hidden { bytes: to - from, labelled });
    }
}

/// Shows a stretch: as often as something else is in it, or something was taken out, a piece of its own.
fn stretch(
    pieces: &mut Vec<Piece>,
    picture: &Picture<'_>,
    drawn: &Drawn<'_>,
    shown: &Shown,
    text: Option<&str>,
    (mut from, to): (u64, u64),
) {
    while from < to {
        let cut = shown.cuts.iter().find(|(_, end, _)| *end > from);
        if let Some((start, end, mark)) = cut.filter(|(start, _, _)| *start <= from) {
            let end = (*end).min(shown.bytes.len() as u64).max(from.saturating_add(1));
            let end = text.map_or(end, |text| ceil(text, end));
            let inside = within(picture, drawn, from, end);
            pieces.push(Piece::Taken { from: *start, to: end, mark: mark.clone(), inside });
            from = end;
            continue;
        }
        let until = cut.map_or(to, |(start, _, _)| to.min(*start));
        let (next, inside) = same(picture, drawn, text, from, until);
        let bytes = shown.bytes.get(at(from)..at(next)).unwrap_or_default();
        pieces.push(match text {
            Some(_) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                Piece::Text { from, to: next, text, inside }
            }
            None => Piece::Bytes { from, bytes: bytes.to_vec(), inside },
        });
        from = next.max(from.saturating_add(1));
    }
}

/// How far the same is inside, and what.
fn same(picture: &Picture<'_>, drawn: &Drawn<'_>, text: Option<&str>, from: u64, until: u64) -> (u64, Inside) {
    let step = |from: u64| text.map_or(from.saturating_add(1), |text| ceil(text, from.saturating_add(1)));
    let first = within(picture, drawn, from, step(from));
    let mut to = step(from);
    while to < until {
        // As far as no range begins or ends nothing changes, but for a character that reaches over that place.
        let edge = edge(drawn, to).min(until);
        let whole = text.map_or(edge, |text| floor(text, edge));
        if whole > to && within(picture, drawn, to, whole) == first {
            to = whole;
            continue;
        }
        let next = step(to);
        if within(picture, drawn, to, next) != first {
            break;
        }
        to = next;
    }
    (to.min(until), first)
}

/// The next place after this one where a range begins or ends.
fn edge(drawn: &Drawn<'_>, after: u64) -> u64 {
    let at = drawn.ranges.partition_point(|range| range.to <= after);
    match drawn.ranges.get(at) {
        Some(range) if range.from > after => range.from,
        Some(range) => range.to,
        None => u64::MAX,
    }
}

/// What is in some of these bytes.
fn within(picture: &Picture<'_>, drawn: &Drawn<'_>, from: u64, to: u64) -> Inside {
    let begin = drawn.ranges.partition_point(|range| range.to <= from);
    let mut all = Inside::default();
    for range in drawn.ranges.iter().skip(begin).take_while(|range| range.from < to) {
        all.add(&Inside::of(range, picture));
    }
    all
}

/// The labelled ranges, and what is in each.
pub(crate) fn ranges(picture: &Picture<'_>, drawn: &Drawn<'_>) -> impl Iterator<Item = (u64, u64, Inside)> {
    drawn.ranges.iter().map(|range| (range.from, range.to, within(picture, drawn, range.from, range.to)))
}

/// A bar: what is in each of so many equal parts of the sink.
pub(crate) fn bar(picture: &Picture<'_>, drawn: &Drawn<'_>, parts: u64) -> Vec<Inside> {
    let length = drawn.flow.bytes.max(drawn.ranges.last().map_or(0, |range| range.to));
    // Of a short one each byte has a part.
    let parts = parts.min(length).max(1);
    let place = |part: u64| u64::try_from(u128::from(length) * u128::from(part) / u128::from(parts)).unwrap_or(length);
    (0..parts).map(|part| within(picture, drawn, place(part), place(part + 1).max(place(part) + 1))).collect()
}

fn at(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

fn floor(text: &str, place: u64) -> u64 {
    text.floor_char_boundary(at(place).min(text.len())) as u64
}

fn ceil(text: &str, place: u64) -> u64 {
    text.ceil_char_boundary(at(place).min(text.len())) as u64
}
