//! What it all comes to: a number from 0 to 100 made of [`Evidence`], and sentences that say what to do about it.
//!
//! Evidence has a [`Matter`]: what kind of thing was seen. Each matter belongs to one [`Part`] of the score, and a piece of evidence has points by its severity
//! ([`Matter::points`]). Within a part the pieces are sorted by their points; the first counts whole, the second half, the third a quarter, and so on; then the part's cap
//! holds. The score is the sum of the parts, at most 100.
//!
//! - **Monotone**: more evidence never lowers it. The pieces are sorted, so that adding one can only raise the number in each place.
//! - **No single word collapses it**: what repeats itself at most doubles, what was only read in the bytes (`static`) has a cap of 20, and together
//!   with the policy's checks, for which nothing has to run either, it comes to 35: worth a look, and no more.
//! - **The same twice**: whole numbers, no order of arrival, equal pieces count once.

mod advice;
mod matter;

pub use advice::recommend;
pub use matter::{Matter, Part};

use crate::severity::Severity;

/// One thing that was seen. The program makes them of its ledgers, [`crate::statics`], [`crate::checks`] and [`crate::columns`] have their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// What kind of thing it is.
    pub matter: Matter,
    /// How bad it is. [`Severity::Info`] adds nothing.
    pub severity: Severity,
    /// What was seen, as the end of a sentence: `~/.aws/credentials`, `dns.lookup c2.test`, `W4`. Visible text; no values of secrets.
    pub what: String,
    /// Where it was seen: a tool, a scenario, a section. May be empty.
    pub place: String,
}

impl Evidence {
    /// A piece of evidence.
    #[must_use]
    pub fn new(matter: Matter, severity: Severity, what: impl Into<String>, place: impl Into<String>) -> Evidence {
        Evidence { matter, severity, what: what.into(), place: place.into() }
    }
}

/// What a tool comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// From 0 to 100; more is worse.
    pub total: u32,
    /// Every part, in a fixed order, also those with nothing.
    pub parts: Vec<PartScore>,
}

/// What a part adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartScore {
    /// Which part.
    pub part: Part,
    /// What it adds, at most its cap.
    pub points: u32,
    /// The most that it could add.
    pub cap: u32,
    /// How many different pieces of evidence it has that are more than information.
    pub pieces: usize,
}

/// A score in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// 0 to 9: nothing that speaks against it was seen by the methods used.
    Quiet,
    /// 10 to 39: read what is said, then decide.
    Look,
    /// 40 to 69: not without a narrow policy.
    Risky,
    /// 70 and more: not at all.
    Refuse,
}

impl Band {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Band::Quiet => "quiet",
            Band::Look => "look",
            Band::Risky => "risky",
            Band::Refuse => "refuse",
        }
    }
}

impl Score {
    /// The score in a word.
    #[must_use]
    pub const fn band(&self) -> Band {
        match self.total {
            0..=9 => Band::Quiet,
            10..=39 => Band::Look,
            40..=69 => Band::Risky,
            _ => Band::Refuse,
        }
    }
}

/// Points are halved up to this many times; what comes after adds nothing.
const HALVINGS: u32 = 8;

/// Adds the evidence up.
#[must_use]
pub fn score(evidence: &[Evidence]) -> Score {
    // The same thing seen again in the same place is one thing.
    let mut pieces: Vec<&Evidence> = evidence.iter().filter(|piece| piece.points() > 0).collect();
    pieces.sort_unstable();
    pieces.dedup();
    let parts: Vec<PartScore> = Part::ALL
        .iter()
        .map(|&part| {
            let mut points: Vec<u32> =
                pieces.iter().filter(|piece| piece.matter.part() == part).map(|piece| piece.points()).collect();
            points.sort_unstable_by(|a, b| b.cmp(a));
            // In parts of 2^HALVINGS, so that halves do not get lost one by one.
            let sum: u32 = points.iter().zip(0..=HALVINGS).map(|(points, step)| (points << HALVINGS) >> step).sum();
            let whole = sum.div_ceil(1 << HALVINGS);
            PartScore { part, points: whole.min(part.cap()), cap: part.cap(), pieces: points.len() }
        })
        .collect();
    Score { total: parts.iter().map(|part| part.points).sum::<u32>().min(100), parts }
}

impl Evidence {
    /// What it adds where it stands alone, before caps.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.matter.points(self.severity)
    }
}

#[cfg(test)]
mod tests;
