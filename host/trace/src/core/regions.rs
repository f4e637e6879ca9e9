//! How far a decision reaches: where in a function both ways of a branch have come together again.
//!
//! Control in wasm is structured, so that is the end of some block around the branch: of the one it leads to, or, if
//! between the branch and that end another branch leads further out, of that one's, and so on. [`Regions`] is read from
//! a function before it is rewritten.

use std::collections::BTreeSet;

use wasmparser::{Operator, OperatorsReader};

use crate::refusal::Refusal;

/// A block, by the places of its first and last operator among all of the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_loop: bool,
}

/// Blocks and branches of one function.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// In the order in which they open; the function's body first.
    extents: Vec<Extent>,
    /// Locals that are set in each, also in blocks inside.
    assigned: Vec<BTreeSet<u32>>,
    /// Places of branches, in order.
    places: Vec<usize>,
    /// The outermost frame that any of 2^n branches leads to, from each on: a table for minima of ranges.
    outermost: Vec<Vec<usize>>,
}

/// Sets of locals of all blocks of one function together. Past it a function is not followed: one that nests a thousand
/// blocks around a thousand locals has a million.
const MAX_ASSIGNED: usize = 2_000_000;

impl Regions {
    /// `operators` of one function body that was validated.
    pub(super) fn read(mut operators: OperatorsReader<'_>) -> Result<Self, Refusal> {
        let mut regions = Self::default();
        let mut open = vec![regions.open(0, false)];
        let mut outermost = Vec::new();
        let mut at = 0usize;
        let mut assigned = 0usize;
        while !operators.eof() {
            let depth = open.len().saturating_sub(1);
            let mut branch = |regions: &mut Self, relative: u32| {
                regions.places.push(at);
                outermost.push(depth.saturating_sub(relative as usize));
            };
            match operators.read()? {
                Operator::Block { .. } | Operator::If { .. } => open.push(regions.open(at, false)),
                Operator::Loop { .. } => open.push(regions.open(at, true)),
                Operator::End => {
                    let Some(block) = open.pop() else { return Err(Refusal::internal("a block ends twice")) };
                    if let Some(extent) = regions.extents.get_mut(block) {
                        extent.end = at;
                    }
                    let inner = regions.assigned.get(block).cloned().unwrap_or_default();
                    if let Some(around) = open.last().and_then(|around| regions.assigned.get_mut(*around)) {
                        assigned = assigned.saturating_add(inner.len());
                        around.extend(inner);
                    }
                    if assigned > MAX_ASSIGNED {
                        return Err(Refusal::size("its blocks are too many to follow branches through them"));
                    }
                }
                Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                    branch(&mut regions, relative_depth);
                }
                Operator::BrTable { targets } => {
                    let mut furthest = targets.default();
                    for target in targets.targets() {
                        furthest = furthest.max(target?);
                    }
                    branch(&mut regions, furthest);
                }
                Operator::Return | Operator::ReturnCall { .. } | Operator::ReturnCallIndirect { .. } => {
                    branch(&mut regions, u32::MAX);
                }
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    if let Some(locals) = open.last().and_then(|block| regions.assigned.get_mut(*block)) {
                        locals.insert(local_index);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        regions.outermost = minima(outermost);
        Ok(regions)
    }

    fn open(&mut self, start: usize, is_loop: bool) -> usize {
        self.extents.push(Extent { start, end: usize::MAX, is_loop });
        self.assigned.push(BTreeSet::new());
        self.extents.len() - 1
    }

    /// Block number `number`, as they open.
    pub(super) fn extent(&self, number: usize) -> Result<Extent, Refusal> {
        self.extents.get(number).copied().ok_or_else(|| Refusal::internal("a block is missing"))
    }

    /// Locals that are set in it.
    pub(super) fn assigned(&self, number: usize) -> impl Iterator<Item = u32> {
        self.assigned.get(number).into_iter().flatten().copied()
    }

    /// The outermost frame that a branch at any place in the range leads to.
    fn furthest(&self, from: usize, to: usize) -> Option<usize> {
        let first = self.places.partition_point(|place| *place < from);
        let end = self.places.partition_point(|place| *place < to);
        let many = end.checked_sub(first).filter(|many| *many > 0)?;
        let level = many.ilog2() as usize;
        let row = self.outermost.get(level)?;
        let one = row.get(first)?;
        let other = row.get(end.checked_sub(1 << level)?)?;
        Some(*one.min(other))
    }

    /// The frame at whose end both ways of a decision at `place` are one again. `frames` are those around the place,
    /// outermost first; `to` is the one that the decision itself leads to.
    pub(super) fn reach(&self, frames: &[Extent], place: usize, to: usize) -> usize {
        let mut reach = to;
        loop {
            let Some(frame) = frames.get(reach) else { return reach };
            // In a loop what stands before comes after, too.
            let turn = frames.get(reach..).unwrap_or_default().iter().find(|frame| frame.is_loop);
            let from = turn.map_or(place, |turn| turn.start.min(place));
            match self.furthest(from, frame.end) {
                Some(further) if further < reach => reach = further,
                _ => return reach,
            }
        }
    }
}

/// Row n has the minimum of 2^n values from each place on.
fn minima(values: Vec<usize>) -> Vec<Vec<usize>> {
    let mut rows = vec![values];
    let mut step = 1usize;
    while let Some(last) = rows.last() {
        let next: Vec<usize> = last.iter().zip(last.iter().skip(step)).map(|(one, other)| *one.min(other)).collect();
        if next.is_empty() {
            break;
        }
        rows.push(next);
        step *= 2;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minima_of_every_range_are_those_of_looking_at_each() {
        let values = vec![5, 3, 9, 1, 7, 7, 2, 8, 4, 6, 0];
        let regions =
            Regions { places: (0..values.len()).collect(), outermost: minima(values.clone()), ..Regions::default() };
        for from in 0..values.len() {
            for to in from..=values.len() {
                assert_eq!(regions.furthest(from, to), values[from..to].iter().min().copied(), "{from}..{to}");
            }
        }
    }

    fn regions(text: &str) -> Regions {
        let module = wat::parse_str(format!("(module (func (param i32) {text}))")).unwrap();
        for payload in wasmparser::Parser::new(0).parse_all(&module) {
            if let wasmparser::Payload::CodeSectionEntry(body) = payload.unwrap() {
                return Regions::read(body.get_operators_reader().unwrap()).unwrap();
            }
        }
        panic!("there is no code")
    }

    /// Operators are counted: `local.get` 0 and so on.
    #[test]
    fn a_decision_reaches_to_where_its_ways_meet() {
        // 0 block, 1 block, 2 local.get, 3 br_if 0, 4 nop, 5 end, 6 nop, 7 end, 8 end
        let inner = regions("block block local.get 0 br_if 0 nop end nop end");
        let frames: Vec<Extent> = (0..3).map(|at| inner.extent(at).unwrap()).collect();
        assert_eq!(inner.reach(&frames, 3, 2), 2);
        // The way that goes on leaves the outer block: what stands behind the inner one depends on it.
        let outer = regions("block block local.get 0 br_if 0 br 1 end nop end");
        let frames: Vec<Extent> = (0..3).map(|at| outer.extent(at).unwrap()).collect();
        assert_eq!(outer.reach(&frames, 3, 2), 1);
        // A branch that stands before does not matter, unless it comes again.
        let before = regions("block block br 1 local.get 0 br_if 0 end nop end");
        let frames: Vec<Extent> = (0..3).map(|at| before.extent(at).unwrap()).collect();
        assert_eq!(before.reach(&frames, 4, 2), 2);
        let again = regions("block loop br 1 local.get 0 br_if 0 end nop end");
        let frames: Vec<Extent> = (0..3).map(|at| again.extent(at).unwrap()).collect();
        assert_eq!(again.reach(&frames, 4, 2), 1);
        // A return reaches to the end of the function.
        let returns = regions("block block local.get 0 br_if 0 return end nop end");
        let frames: Vec<Extent> = (0..3).map(|at| returns.extent(at).unwrap()).collect();
        assert_eq!(returns.reach(&frames, 3, 2), 0);
    }
}
