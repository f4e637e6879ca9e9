//! Control: labels follow values through blocks and branches. What a branch was decided by is followed where that is
//! asked for: see [`super::branches`].

use std::collections::BTreeSet;

use wasm_encoder::{Instruction as I, ValType as Encoded};
use wasmparser::{BlockType, Operator, ValType};

use super::body::Scratch;
use super::branches::Branches;
use super::function::{Entry, Frame, Kind, Tracer};
use super::width::{Smear, Width};
use crate::refusal::Refusal;

/// The bytes in which two constants differ, as a mask.
fn different_bytes(first: u64, second: u64) -> u64 {
    let differ = first ^ second;
    (0..8).map(|byte| 0xffu64 << (8 * byte)).filter(|mask| differ & mask != 0).sum()
}

impl Tracer<'_> {
    /// One operator, after the validator has seen it.
    pub(super) fn operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        let result = self.one_operator(operator);
        if let Some(branches) = &mut self.follows {
            branches.pass(operator);
        }
        result
    }

    fn one_operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        if self.innermost()?.dead {
            // Code that cannot be reached is left out. Its blocks are counted, to find the end.
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                    self.skipped += 1;
                    return Ok(());
                }
                Operator::End if self.skipped > 0 => {
                    self.skipped -= 1;
                    return Ok(());
                }
                Operator::Else if self.skipped > 0 => return Ok(()),
                Operator::End | Operator::Else => {}
                _ => return Ok(()),
            }
        }
        if !self.control(operator)? && !self.plain(operator)? && !self.memory(operator)? && !self.lanes(operator)? {
            return Err(Refusal::shape(format!("no rule for labels is known for {}", super::function::name(operator))));
        }
        Ok(())
    }

    fn block_types(&self, ty: BlockType) -> Result<(Vec<ValType>, Vec<ValType>), Refusal> {
        Ok(match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(result) => (Vec::new(), vec![result]),
            BlockType::FuncType(index) => {
                let ty = self.around.facts.ty(index)?;
                (ty.params().to_vec(), ty.results().to_vec())
            }
        })
    }

    /// Labels of the topmost values, to where a branch to `frame` takes them.
    fn carry(&mut self, frame: usize, types: &[ValType]) -> Result<(), Refusal> {
        for (at, ty) in types.iter().enumerate() {
            let width = Width::of(*ty);
            let (depth, entry) = self.peek(types.len() - 1 - at)?;
            self.label(depth, &entry);
            self.under(entry.ty);
            let local = self.branch(frame, at, width);
            self.put(&I::LocalSet(local));
            let clean = entry.is_clean() && !self.around.assumed.nothing;
            if let Some(frame) = self.frames.get_mut(frame)
                && let Some(labelled) = frame.labelled.get_mut(at)
            {
                *labelled |= !clean;
            }
        }
        Ok(())
    }

    fn carry_to(&mut self, relative_depth: u32) -> Result<(), Refusal> {
        let at = self.frame_at(relative_depth)?;
        let frame = self.frames.get(at).ok_or_else(|| Refusal::internal("there is no frame"))?;
        let types = if frame.kind == Kind::Loop { frame.parameters.clone() } else { frame.results.clone() };
        self.now.branch(at);
        self.carry(at, &types)
    }

    /// Values that came by a branch, or by the end of a block. Those that are clean on every way have no label here.
    fn fetch(&mut self, frame: usize, types: &[ValType], labelled: &[bool]) {
        for (at, ty) in types.iter().enumerate() {
            if labelled.get(at) == Some(&false) {
                self.push_clean(*ty);
                continue;
            }
            let local = self.branch(frame, at, Width::of(*ty));
            self.put(&I::LocalGet(local));
            self.push(*ty, Smear::Exact);
        }
    }

    /// The end of a function. Its code stands in a block that gives the results; their labels come behind them.
    fn end(&mut self, results: &[ValType], labelled: &[bool]) -> Result<(), Refusal> {
        if self.around.body.is_some() {
            self.put(&I::End);
        }
        for (at, ty) in results.iter().enumerate() {
            if labelled.get(at) == Some(&false) {
                self.body.clean(Width::of(*ty));
                continue;
            }
            let local = self.branch(0, at, Width::of(*ty));
            self.put(&I::LocalGet(local));
        }
        self.put(&I::End);
        Ok(())
    }

    pub(super) fn dead(&mut self) -> Result<(), Refusal> {
        let frame = self.innermost()?;
        frame.dead = true;
        let height = frame.height;
        self.stack.truncate(height);
        Ok(())
    }

    fn control(&mut self, operator: &Operator<'_>) -> Result<bool, Refusal> {
        use Operator::{Block, Else, End, If, Loop};
        if matches!(operator, Block { .. } | Loop { .. } | If { .. } | Else | End) {
            self.allocated.clear();
        }
        match operator {
            Loop { .. } => self.weak.forget(),
            Else | End => self.weak.leave(self.frames.len()),
            _ => {}
        }
        match operator {
            Operator::Block { blockty } => self.open(operator, *blockty, Kind::Block, None)?,
            Operator::Loop { blockty } => self.open(operator, *blockty, Kind::Loop, None)?,
            Operator::If { blockty } => {
                let condition = self.pop()?;
                self.open(operator, *blockty, Kind::If, Some(condition))?;
            }
            Operator::Else => {
                let at = self.frame_at(0)?;
                let alive = !self.innermost()?.dead;
                if alive {
                    let results = self.innermost()?.results.clone();
                    self.carry(at, &results)?;
                }
                self.now.alternative(alive);
                self.original(operator)?;
                self.alternative(at);
                let frame = self.frames.get_mut(at).ok_or_else(|| Refusal::internal("there is no frame"))?;
                frame.kind = Kind::Else;
                frame.dead = false;
                let saved = std::mem::take(&mut frame.saved);
                let height = frame.height;
                self.stack.truncate(height);
                self.stack.extend(saved);
            }
            Operator::End => {
                let at = self.frame_at(0)?;
                let results = self.innermost()?.results.clone();
                let alive = !self.innermost()?.dead;
                if alive {
                    self.carry(at, &results)?;
                }
                self.now.close(alive);
                let frame = self.frames.pop().ok_or_else(|| Refusal::internal("there is no frame"))?;
                self.stack.truncate(frame.height);
                if frame.kind == Kind::Function {
                    return self.end(&results, &frame.labelled).map(|()| true);
                }
                self.original(operator)?;
                self.over(at, &frame)?;
                self.fetch(at, &results, &frame.labelled);
            }
            Operator::Br { relative_depth } => {
                self.carry_to(*relative_depth)?;
                self.original(operator)?;
                self.dead()?;
            }
            Operator::BrIf { relative_depth } => {
                let condition = self.pop()?;
                let to = self.frame_at(*relative_depth)?;
                self.decide(condition, to)?;
                self.carry_to(*relative_depth)?;
                self.original(operator)?;
            }
            Operator::BrTable { targets } => {
                let index = self.pop()?;
                let mut depths = BTreeSet::from([targets.default()]);
                for depth in targets.targets() {
                    depths.insert(depth?);
                }
                let to = self.frame_at(depths.last().copied().unwrap_or_default())?;
                self.decide(index, to)?;
                for depth in depths {
                    self.carry_to(depth)?;
                }
                self.original(operator)?;
                self.dead()?;
            }
            Operator::Return => {
                let depth = self.depth_of_function()?;
                self.carry_to(depth)?;
                // To the end of the block that gets the labels of the results.
                if self.around.body.is_some() {
                    self.put(&I::Br(depth));
                } else {
                    self.original(operator)?;
                }
                self.dead()?;
            }
            Operator::Unreachable => {
                self.original(operator)?;
                self.dead()?;
            }
            Operator::Nop => {}
            Operator::Drop => {
                self.pop()?;
                self.original(operator)?;
            }
            Operator::Select | Operator::TypedSelect { .. } => self.select(operator)?,
            _ => return self.call(operator),
        }
        Ok(true)
    }

    fn open(
        &mut self,
        operator: &Operator<'_>,
        ty: BlockType,
        kind: Kind,
        condition: Option<(usize, Entry)>,
    ) -> Result<(), Refusal> {
        let (parameters, results) = self.block_types(ty)?;
        let height = self.stack.len().checked_sub(parameters.len());
        let height = height.ok_or_else(|| Refusal::internal("the stack is too short"))?;
        self.settle_all();
        let at = self.frames.len();
        let saved: Vec<Entry> = self.stack.get(height..).unwrap_or_default().to_vec();
        let number = self.follows.as_ref().map_or(0, Branches::next_block);
        let frame = Frame {
            kind,
            height,
            parameters: parameters.clone(),
            labelled: vec![false; results.len()],
            results,
            dead: false,
            saved,
            number,
            reached: BTreeSet::new(),
            decides: false,
        };
        self.frames.push(frame);
        self.now.open(kind);
        self.enter(at, condition)?;
        // A loop is entered again with other labels; an `if` without `else` hands its parameters on.
        if kind != Kind::Block {
            self.carry(at, &parameters)?;
        }
        self.original(operator)?;
        if kind == Kind::Loop {
            self.stack.truncate(height);
            self.fetch(at, &parameters, &[]);
        }
        Ok(())
    }

    /// The label of what was chosen, and the condition's as weak.
    fn select(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        let (condition_at, condition) = self.pop()?;
        let (second_at, second) = self.pop()?;
        let (first_at, first) = self.pop()?;
        let width = first.width();
        if first.is_clean() && second.is_clean() {
            self.original(operator)?;
            if condition.is_clean() {
                self.push_clean(first.ty);
                return Ok(());
            }
            self.body.clean(width);
        } else {
            let chosen = self.scratch(Encoded::I32, Scratch::Condition);
            self.put(&I::LocalTee(chosen));
            self.original(operator)?;
            self.label(first_at, &first);
            self.label(second_at, &second);
            self.put(&I::LocalGet(chosen));
            self.put(&I::Select);
        }
        if !condition.is_clean() {
            self.raw_label(condition_at, &condition);
            self.body.weak_word();
            self.body.narrow_weak(width, if matches!(first.ty, ValType::Ref(_)) { 1 } else { 16 });
            if let (Some(first), Some(second)) = (first.known, second.known) {
                self.mask(width, different_bytes(first, second));
            }
            self.body.join(width);
        }
        self.push(first.ty, Smear::Exact);
        Ok(())
    }

    /// Keeps the labels of some bytes of a word or a long.
    pub(super) fn mask(&mut self, width: Width, mask: u64) {
        match width {
            Width::Word if mask & 0xffff_ffff != 0xffff_ffff => {
                self.put(&I::I32Const((mask & 0xffff_ffff) as u32 as i32));
                self.put(&I::I32And);
            }
            Width::Long if mask != u64::MAX => {
                self.put(&I::I64Const(mask.cast_signed()));
                self.put(&I::I64And);
            }
            _ => {}
        }
    }
}
