//! The search: what another text has in common with an index, and where.

use super::table::{Table, hash};
use super::{Hit, Index, NONE, Needs, SHORTEST, STEPS, level};
use crate::extend::{prefix, suffix};
use crate::rarity;
use std::collections::HashMap;

/// Entries that are looked at for one position, all texts of the index together, the first texts first; and for a position of a long text,
/// which has many.
const PER_LOOK: usize = 512;
const PER_LOOK_OF_LONG: usize = 16;
const LONG_TEXT: usize = 1 << 16;
/// Places that are kept for a pair of texts. A file whose lines were shuffled has one for each line.
const PER_PAIR: u32 = 4096;
/// Places that are kept in one search: 5 MiB of them.
const PER_SEARCH: usize = 1 << 17;
/// Bytes of the streamed text that are searched in one table after the other.
const BLOCK: usize = 1 << 15;
/// What agrees to the letter from here on need not be looked for at other places of the same text.
const SETTLED: usize = 1 << 16;
/// Stretches that are remembered so.
const MOST_SETTLED: usize = 256;
/// Bytes of the shortest grams.
const SHORT_GRAM: usize = level(0).gram;
/// What such a gram costs that makes a full bucket a loss worth telling: more than six letters of plain text do.
const RARE_GRAM: u32 = 24 * rarity::UNIT;

/// What a search found, and what it had to leave.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) hits: Vec<Hit>,
    /// Places that were found and not kept.
    pub(crate) places_cut: u64,
    /// Positions that are rare enough to matter and had more entries than are kept.
    pub(crate) entries_cut: u64,
    /// Bytes that were compared.
    pub(crate) compared: u64,
    /// The work ran out before the end of what was to be searched.
    pub(crate) exhausted: bool,
    /// What need not be searched again: which streamed text, from, to.
    pub(crate) settled: Vec<(usize, usize, usize)>,
    per_pair: HashMap<(usize, usize), u32>,
    diagonals: Vec<Diagonal>,
}

/// What was followed lately, of which text, on which diagonal (the difference of the two positions), and to where.
#[derive(Clone, Copy, Debug, Default)]
struct Diagonal {
    number: usize,
    difference: i64,
    end: usize,
}

impl Found {
    /// The end of what is settled around a place of a text, if that leaves out a block or more.
    fn settled_from(&self, number: usize, at: usize) -> Option<usize> {
        let around = self.settled.iter().filter(|(n, from, to)| *n == number && *from <= at && at + BLOCK <= *to);
        around.map(|(_, _, to)| *to).max()
    }

    /// Whether all of a text is settled.
    pub(crate) fn is_settled(&self, number: usize, length: usize) -> bool {
        self.settled.iter().any(|(n, from, to)| *n == number && *from == 0 && *to >= length)
    }

    fn slot(&self, number: usize, difference: i64) -> usize {
        let mixed = difference.cast_unsigned().wrapping_add((number as u64) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mixed >> 52).unwrap_or(0) & self.diagonals.len().saturating_sub(1)
    }

    /// Whether this place was followed already.
    fn followed(&self, number: usize, difference: i64, at: usize) -> bool {
        let known = self.diagonals.get(self.slot(number, difference));
        known.is_some_and(|known| known.number == number && known.difference == difference && at < known.end)
    }

    /// Notes what was followed from `at`. Something long that is still under way is not forgotten for something short.
    fn follow(&mut self, number: usize, difference: i64, at: usize, end: usize) {
        let slot = self.slot(number, difference);
        if let Some(known) = self.diagonals.get_mut(slot)
            && (known.number != number || known.end <= at || known.end < end)
        {
            *known = Diagonal { number, difference, end };
        }
    }
}

/// What agrees for so long is not followed again at another place for nothing.
const COVERS: usize = 32;
const DIAGONALS: usize = 4096;

struct Walk<'f> {
    found: &'f mut Found,
    /// What the bytes of this text cost, where it was asked.
    costs: Local,
    /// The furthest end of what was followed, whether it counted or not.
    covered: usize,
    /// Bytes that may still be compared where something was followed already: more places of what repeats itself, not more of it. Without
    /// this, a line that stands a thousand times in one text and once in the other would be followed to its end a thousand times.
    repeated: u64,
    work: u64,
}

impl Index<'_> {
    /// For searches of texts that are so long together.
    pub(crate) fn found(&self, streamed: usize) -> Found {
        let diagonals = (self.length.min(streamed) / 4).next_power_of_two().clamp(64, DIAGONALS);
        let none = Diagonal { number: usize::MAX, difference: 0, end: 0 };
        Found { diagonals: vec![none; diagonals], ..Found::default() }
    }

    /// Searches a text. `work` is how many bytes may be compared.
    pub(crate) fn search(&self, text: &[u8], number: usize, needs: &dyn Needs, work: u64, found: &mut Found) {
        // A small text may stand in many views and sinks, a large one in few.
        let allowance = text.len() as u64 * if text.len() > 1 << 20 { 4 } else { 16 } + (1 << 16);
        let mut walk = Walk { found, costs: Local::default(), covered: 0, repeated: allowance, work };
        // Aligned to all steps; a gram may go on in the next block.
        let block = BLOCK - BLOCK % STEPS;
        let mut at = 0;
        while at < text.len() {
            if let Some(end) = walk.found.settled_from(number, at) {
                at = if end < text.len() { end / block * block } else { end };
                if at >= text.len() {
                    return;
                }
            }
            self.search_block::<4>(text, at, block, number, needs, &mut walk);
            self.search_block::<3>(text, at, block, number, needs, &mut walk);
            self.search_block::<2>(text, at, block, number, needs, &mut walk);
            self.search_block::<1>(text, at, block, number, needs, &mut walk);
            self.search_block::<0>(text, at, block, number, needs, &mut walk);
            if walk.work == 0 {
                walk.found.exhausted = true;
                return;
            }
            at += block;
        }
    }

    /// Asks about the positions of a block at one level.
    fn search_block<const LEVEL: usize>(
        &self,
        text: &[u8],
        from: usize,
        length: usize,
        number: usize,
        needs: &dyn Needs,
        walk: &mut Walk<'_>,
    ) {
        let gram = const { level(LEVEL).gram };
        let step = const { level(LEVEL).step };
        let Some(table) = self.tables.get(LEVEL).filter(|t| !t.is_empty()) else { return };
        // As many bytes as the hash looks at.
        let seen = gram.max(8);
        let block = text.get(from..text.len().min(from + length - step + seen)).unwrap_or_default();
        for (number_of_step, gram) in block.windows(seen).step_by(step).enumerate() {
            let h = hash(LEVEL, gram);
            if table.may_have(h) {
                self.look(table, h, text, from + number_of_step * step, number, needs, walk);
            }
        }
        // The last places for a 6-gram have no 8 bytes.
        for left in (gram..seen).rev() {
            if from + length >= text.len()
                && let Some(at) = text.len().checked_sub(left)
                && at.is_multiple_of(step)
            {
                let h = hash(LEVEL, text.get(at..).unwrap_or_default());
                if table.may_have(h) {
                    self.look(table, h, text, at, number, needs, walk);
                }
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one loop, which is split so that its common path stays small"
    )]
    #[inline(never)]
    fn look(
        &self,
        table: &Table,
        h: u64,
        text: &[u8],
        at: usize,
        number: usize,
        needs: &dyn Needs,
        walk: &mut Walk<'_>,
    ) {
        let most = if text.len() > LONG_TEXT { PER_LOOK_OF_LONG } else { PER_LOOK };
        let mut last = None;
        for (looked, entry) in table.bucket(h).iter().enumerate() {
            if walk.work == 0 {
                return;
            }
            let spent = at < walk.covered && walk.repeated == 0;
            if looked >= most || spent || *entry == NONE {
                // What is in the bucket by its hash alone was nobody's loss.
                let is_lost = last.is_some_and(|last| {
                    let cost = self.costs.get(last..last + SHORT_GRAM).map_or(0, rarity::sum);
                    let there = self.corpus.text.get(last..).unwrap_or_default();
                    cost >= RARE_GRAM && same_gram(text.get(at..).unwrap_or_default(), there)
                });
                walk.found.entries_cut += u64::from(at >= walk.covered && is_lost);
                return;
            }
            last = Some(*entry as usize);
            self.follow(*entry as usize, text, at, number, needs, walk);
        }
    }

    fn follow(&self, other: usize, text: &[u8], at: usize, number: usize, needs: &dyn Needs, walk: &mut Walk<'_>) {
        let diagonal = signed(other) - signed(at);
        if walk.found.followed(number, diagonal, at) {
            return;
        }
        walk.work = walk.work.saturating_sub(16);
        walk.found.compared += 16;
        let (Some(here), Some(there)) = (text.get(at..), self.corpus.text.get(other..)) else { return };
        if !same_gram(here, there) {
            return;
        }
        let (indexed, start, end) = self.corpus.of(other);
        let there = self.corpus.text.get(other..end).unwrap_or_default();
        let forth = prefix(here, there);
        let back = suffix(text.get(..at).unwrap_or_default(), self.corpus.text.get(start..other).unwrap_or_default());
        let compared = (forth + back) as u64;
        walk.work = walk.work.saturating_sub(compared);
        walk.found.compared += compared;
        walk.found.follow(number, diagonal, at, at + forth);
        if at < walk.covered {
            walk.repeated = walk.repeated.saturating_sub(compared);
        } else {
            walk.repeated = walk.repeated.saturating_sub(back as u64);
        }
        if forth >= COVERS {
            walk.covered = walk.covered.max(at + forth);
        }
        let length = forth + back;
        if length < SHORTEST {
            return;
        }
        let hit = Hit { indexed, streamed: number, at_indexed: other - back - start, at_streamed: at - back, length };
        let need = needs.of(&hit);
        let costs = self.costs.get(other - back..other + forth).unwrap_or_default();
        // The middle of a word is a surprise only by itself: it must be one on either side.
        if !reaches(costs, need) || !walk.costs.reaches(text, hit.at_streamed, length, need) {
            return;
        }
        let pair = walk.found.per_pair.entry((indexed, number)).or_default();
        *pair += 1;
        if *pair > PER_PAIR || walk.found.hits.len() >= PER_SEARCH {
            walk.found.places_cut += 1;
            return;
        }
        walk.found.hits.push(hit);
        if self.settles && length >= SETTLED && walk.found.settled.len() < MOST_SETTLED {
            let (from, to) = (hit.at_streamed, hit.at_streamed + length);
            if text.get(from..to) == self.corpus.text.get(start + hit.at_indexed..start + hit.at_indexed + length) {
                walk.found.settled.push((number, from, to));
            }
        }
    }
}

fn signed(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// Six bytes; a cheap look before the bounds are known.
fn same_gram(a: &[u8], b: &[u8]) -> bool {
    match (a.first_chunk::<SHORT_GRAM>(), b.first_chunk::<SHORT_GRAM>()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    }
}

pub(super) fn reaches(costs: &[u8], need: u32) -> bool {
    let mut sum = 0_u32;
    need == 0
        || costs.chunks(64).any(|chunk| {
            sum = sum.saturating_add(rarity::sum(chunk));
            sum >= need
        })
}

/// Costs of the blocks of one text that were asked for last.
#[derive(Debug, Default)]
struct Local {
    blocks: [(Option<usize>, Vec<u8>); 4],
}

impl Local {
    /// Whether a range costs so much where it stands in its text.
    fn reaches(&mut self, text: &[u8], from: usize, length: usize, need: u32) -> bool {
        let (mut at, mut sum) = (from, 0_u32);
        while sum < need && at < from + length {
            let block = at / rarity::BLOCK;
            let start = block * rarity::BLOCK;
            let Some((number, costs)) = self.blocks.get_mut(block % 4) else { return false };
            if *number != Some(block) {
                *number = Some(block);
                costs.clear();
                rarity::costs_of_block(text, block, costs);
            }
            let end = (from + length).min(start + rarity::BLOCK);
            sum = sum.saturating_add(rarity::sum(costs.get(at - start..end - start).unwrap_or_default()));
            at = end;
        }
        sum >= need
    }
}
