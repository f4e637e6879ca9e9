//! Which positions of a text are entered, and at which level.

use super::{LEVELS, Level, level};
use crate::rarity;

/// Positions `from..to` of the text `start..end`, and the least that a range of it must cost to count.
pub(super) struct Part {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) least: u32,
}

/// What the bytes of a level's window cost, while the position moves on.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    sum: u32,
    /// One past the last position at which it cost enough.
    last: usize,
}

/// The level of each position of a part that is entered, with the text from there on.
pub(super) fn places(text: &[u8], costs: &[u8], part: &Part, mut each: impl FnMut(usize, usize, &[u8])) {
    const WINDOWS: usize = LEVELS.len() - 1;
    const LAST: Level = level(WINDOWS);
    // What costs nothing is entered only so near to what does: a range that counts has something of it, and then a gram that near.
    const AROUND: usize = LAST.window;
    let &Part { from, to, start, end, least } = part;
    let (text, costs) = (text.get(start..end).unwrap_or_default(), costs.get(start..end).unwrap_or_default());
    let (from, to) = (from.saturating_sub(start), to.saturating_sub(start));
    let first = from.saturating_sub(LAST.window);
    let seen = first.saturating_sub(AROUND);
    let ahead = LAST.gram + AROUND;
    // One past the last place, up to so many ahead, that costs something.
    let costly = costs.get(seen..costs.len().min(first + ahead)).unwrap_or_default();
    let mut costly = costly.iter().rposition(|cost| *cost > 0).map_or(0, |at| seen + at + 1);
    let mut windows = [Window::default(); WINDOWS];
    for (window, level) in windows.iter_mut().zip(LEVELS) {
        window.sum = rarity::sum(costs.get(first..first + level.window).unwrap_or_default());
    }
    for at in first..to {
        if costs.get(at + ahead).is_some_and(|cost| *cost > 0) {
            costly = at + ahead + 1;
        }
        let mut found = None;
        for (number, (window, level)) in windows.iter_mut().zip(LEVELS).enumerate() {
            if window.sum * 2 >= least && at + level.window <= costs.len() {
                window.last = at + 1;
            }
            // A gram lies in the windows that begin at it and at some positions before.
            if found.is_none() && at < window.last + (level.window - level.gram) {
                found = Some(number);
            }
            let (old, new) = (costs.get(at), costs.get(at + level.window));
            let new = new.copied().map_or(0, u32::from);
            window.sum = (window.sum + new).saturating_sub(old.copied().map_or(0, u32::from));
        }
        if at < from {
            continue;
        }
        let level = found.or((at < costly + AROUND).then_some(WINDOWS));
        let rest = text.get(at..).unwrap_or_default();
        if let Some(level) = level
            && LEVELS.get(level).is_some_and(|level| rest.len() >= level.gram)
        {
            each(start + at, level, rest);
        }
    }
}
