//! Branches, followed: while what runs was decided by a label, all that is written has that label, as weak.
//!
//! One local holds the label of all decisions that are not over. A decision is over at the end of the frame that
//! [`Regions::reach`] names; what the local held before that frame comes back there. Each frame has a local for the
//! decisions that are over at its end, so that ends of frames inside can put together what still holds. At its end, too,
//! every local that is set anywhere inside gets that label, whichever way was taken. That a *store* was not made is not
//! seen, nor that a call did not come, took long or trapped.

use wasm_encoder::{Instruction as I, ValType as Encoded};
use wasmparser::{FunctionBody, Operator, ValType};

use super::body::{Body, Scratch};
use super::function::{Entry, Frame, Tracer};
use super::regions::{Extent, Regions};
use super::width::Width;
use crate::refusal::Refusal;

/// The strong half of each label of a word and of a long.
const STRONG_WORD: i32 = 0x0f0f_0f0f;
const STRONG_LONG: i64 = 0x0f0f_0f0f_0f0f_0f0f;

/// What following branches needs in one function.
pub(super) struct Branches {
    regions: Regions,
    /// The operator that is at work, and blocks that have opened.
    place: usize,
    opened: usize,
    /// The local with the label of all decisions that are not over.
    pub(super) decided: u32,
    /// Locals of each frame, by how deep it is: what was decided when it opened, decisions that are over at its end, and
    /// what it was itself decided by.
    frames: Vec<[u32; 3]>,
}

impl Branches {
    pub(super) fn new(body: &FunctionBody<'_>, added: &mut Body) -> Result<Self, Refusal> {
        let regions = Regions::read(body.get_operators_reader()?)?;
        let decided = added.local(Encoded::I32);
        Ok(Self { regions, place: 0, opened: 0, decided, frames: Vec::new() })
    }

    /// The next operator; blocks count also where they cannot be reached.
    pub(super) fn pass(&mut self, operator: &Operator<'_>) {
        self.place += 1;
        if matches!(operator, Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. }) {
            self.opened += 1;
        }
    }

    /// The number of the block that opens now. The function's body is 0.
    pub(super) fn next_block(&self) -> usize {
        self.opened + 1
    }
}

impl Tracer<'_> {
    fn frame_locals(&mut self, at: usize) -> [u32; 3] {
        let Some(branches) = &mut self.follows else { return [0; 3] };
        while branches.frames.len() <= at {
            branches.frames.push(std::array::from_fn(|_| self.body.local(Encoded::I32)));
        }
        branches.frames.get(at).copied().unwrap_or_default()
    }

    fn decided(&self) -> Option<u32> {
        self.follows.as_ref().map(|branches| branches.decided)
    }

    /// The label on the stack, of a value that is written, is joined by what was decided.
    pub(super) fn under(&mut self, ty: ValType) {
        let Some(decided) = self.decided() else { return };
        let width = Width::of(ty);
        self.put(&I::LocalGet(decided));
        self.body.spread(width, if matches!(ty, ValType::Ref(_)) { 1 } else { 16 });
        self.body.join(width);
    }

    /// The same for a global. Where the guest's stack ends is the same again when a decision is over: it keeps the labels
    /// of values alone, or all that is read from the stack would be weak for ever.
    pub(super) fn under_global(&mut self, global: u32, ty: ValType) -> Result<(), Refusal> {
        if self.follows.is_none() {
            return Ok(());
        }
        if !self.around.facts.global(global)?.stack_pointer {
            self.under(ty);
            return Ok(());
        }
        match Width::of(ty) {
            Width::Word => {
                self.put(&I::I32Const(STRONG_WORD));
                self.put(&I::I32And);
            }
            Width::Long => {
                self.put(&I::I64Const(STRONG_LONG));
                self.put(&I::I64And);
            }
            Width::Vector => {}
        }
        Ok(())
    }

    /// Before a call: what it was decided by, and, where it is one of many, what chose it.
    pub(super) fn hand_on(&mut self, chosen: Option<(usize, Entry)>) {
        let Some(decided) = self.decided() else { return };
        let global = self.around.globals.decided;
        self.put(&I::LocalGet(decided));
        if let Some((depth, entry)) = chosen {
            // And what chose the functions that stand in tables.
            let tables = self.around.globals.tables;
            self.put(&I::GlobalGet(tables));
            if !entry.is_clean() {
                self.union(depth, &entry);
                self.put(&I::I32Or);
            }
            self.body.weaken();
            self.put(&I::I32Or);
        }
        self.put(&I::GlobalSet(global));
    }

    /// A frame opens, before its operator; an `if` with its condition.
    pub(super) fn enter(&mut self, at: usize, condition: Option<(usize, Entry)>) -> Result<(), Refusal> {
        let Some(decided) = self.decided() else { return Ok(()) };
        let [before, over, own] = self.frame_locals(at);
        self.put(&I::LocalGet(decided));
        self.put(&I::LocalSet(before));
        self.put(&I::I32Const(0));
        self.put(&I::LocalSet(over));
        if let Some(condition) = condition {
            self.put(&I::I32Const(0));
            self.put(&I::LocalSet(own));
            if let Some(label) = self.decide(condition, at)? {
                self.put(&I::LocalGet(label));
                self.put(&I::LocalSet(own));
            }
        }
        Ok(())
    }

    /// `else`: the other way was decided by the same condition, and by nothing that happened on the first.
    pub(super) fn alternative(&mut self, at: usize) {
        let Some(decided) = self.decided() else { return };
        let [before, _, own] = self.frame_locals(at);
        self.put(&I::LocalGet(before));
        self.put(&I::LocalGet(own));
        self.put(&I::I32Or);
        self.put(&I::LocalSet(decided));
    }

    /// A branch to frame `to`, or around it, is decided. Gives the local with the label, where there may be one.
    pub(super) fn decide(&mut self, (depth, entry): (usize, Entry), to: usize) -> Result<Option<u32>, Refusal> {
        let Some(branches) = &self.follows else { return Ok(None) };
        if entry.is_clean() {
            return Ok(None);
        }
        let decided = branches.decided;
        let frames: Result<Vec<Extent>, Refusal> =
            self.frames.iter().map(|frame| branches.regions.extent(frame.number)).collect();
        let reach = branches.regions.reach(&frames?, branches.place, to);
        let top = self.frames.len().saturating_sub(1);
        if let Some(frame) = self.frames.get_mut(reach) {
            frame.decides = true;
        }
        if reach < top
            && let Some(frame) = self.frames.get_mut(top)
        {
            frame.reached.insert(reach);
        }
        let [_, over, _] = self.frame_locals(reach);
        let label = self.scratch(Encoded::I32, Scratch::Decision);
        self.union(depth, &entry);
        self.body.weaken();
        self.put(&I::LocalTee(label));
        self.put(&I::LocalGet(decided));
        self.put(&I::I32Or);
        self.put(&I::LocalSet(decided));
        self.put(&I::LocalGet(over));
        self.put(&I::LocalGet(label));
        self.put(&I::I32Or);
        self.put(&I::LocalSet(over));
        Ok(Some(label))
    }

    /// Frame `at` has ended: decisions that reach no further are over.
    pub(super) fn over(&mut self, at: usize, frame: &Frame) -> Result<(), Refusal> {
        let Some(decided) = self.decided() else { return Ok(()) };
        let [before, over, _] = self.frame_locals(at);
        if frame.decides {
            let assigned: Vec<u32> =
                self.follows.iter().flat_map(|branches| branches.regions.assigned(frame.number)).collect();
            for local in assigned {
                let ty = self.local_type(local)?;
                let Some(shadow) = self.shadow(local)? else { continue };
                self.put(&I::LocalGet(shadow));
                self.put(&I::LocalGet(over));
                let width = Width::of(ty);
                self.body.spread(width, if matches!(ty, ValType::Ref(_)) { 1 } else { 16 });
                self.body.join(width);
                self.put(&I::LocalSet(shadow));
            }
        }
        self.put(&I::LocalGet(before));
        for further in &frame.reached {
            let [_, over, _] = self.frame_locals(*further);
            self.put(&I::LocalGet(over));
            self.put(&I::I32Or);
        }
        self.put(&I::LocalSet(decided));
        let around = at.saturating_sub(1);
        if let Some(parent) = self.frames.get_mut(around) {
            parent.reached.extend(frame.reached.iter().copied().filter(|further| *further < around));
        }
        Ok(())
    }
}
