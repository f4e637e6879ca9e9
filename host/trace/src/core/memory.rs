//! Memory: what is loaded has the labels that lie at the same place of the shadow, and its address' label as weak.
//!
//! The original access comes first, so that it traps as before; the shadow is at least as large.

use wasm_encoder::{BlockType, Instruction as I, MemArg, ValType as Encoded};
use wasmparser::{Operator as O, ValType as T};

use super::body::Scratch;
use super::function::{Entry, Tracer};
use super::width::{Smear, Width};
use crate::refusal::Refusal;

/// The index of the shadow: behind the one memory that the module has.
pub(crate) const SHADOW: u32 = 1;

/// The same place in the shadow. Alignment is a hint; labels promise none.
fn shadow(memarg: &wasmparser::MemArg) -> MemArg {
    MemArg { offset: memarg.offset, align: 0, memory_index: SHADOW }
}

const BYTE: MemArg = MemArg { offset: 0, align: 0, memory_index: SHADOW };

impl Tracer<'_> {
    pub(super) fn memory(&mut self, operator: &O<'_>) -> Result<bool, Refusal> {
        match operator {
            O::I32Load { memarg } => self.load(operator, T::I32, 4, I::I32Load(shadow(memarg)))?,
            O::F32Load { memarg } => self.load(operator, T::F32, 4, I::I32Load(shadow(memarg)))?,
            O::I64Load { memarg } => self.load(operator, T::I64, 8, I::I64Load(shadow(memarg)))?,
            O::F64Load { memarg } => self.load(operator, T::F64, 8, I::I64Load(shadow(memarg)))?,
            O::V128Load { memarg } => self.load(operator, T::V128, 16, I::V128Load(shadow(memarg)))?,
            O::I32Load8U { memarg } => self.load(operator, T::I32, 1, I::I32Load8U(shadow(memarg)))?,
            O::I32Load16U { memarg } => self.load(operator, T::I32, 2, I::I32Load16U(shadow(memarg)))?,
            O::I64Load8U { memarg } => self.load(operator, T::I64, 1, I::I64Load8U(shadow(memarg)))?,
            O::I64Load16U { memarg } => self.load(operator, T::I64, 2, I::I64Load16U(shadow(memarg)))?,
            O::I64Load32U { memarg } => self.load(operator, T::I64, 4, I::I64Load32U(shadow(memarg)))?,
            O::I32Load8S { memarg } => self.signed(operator, T::I32, 0, I::I32Load8U(shadow(memarg)))?,
            O::I32Load16S { memarg } => self.signed(operator, T::I32, 1, I::I32Load16U(shadow(memarg)))?,
            O::I64Load8S { memarg } => self.signed(operator, T::I64, 0, I::I64Load8U(shadow(memarg)))?,
            O::I64Load16S { memarg } => self.signed(operator, T::I64, 1, I::I64Load16U(shadow(memarg)))?,
            O::I64Load32S { memarg } => self.signed(operator, T::I64, 3, I::I64Load32U(shadow(memarg)))?,
            O::I32Store { memarg } | O::F32Store { memarg } => self.store(operator, I::I32Store(shadow(memarg)))?,
            O::I64Store { memarg } | O::F64Store { memarg } => self.store(operator, I::I64Store(shadow(memarg)))?,
            O::V128Store { memarg } => self.store(operator, I::V128Store(shadow(memarg)))?,
            O::I32Store8 { memarg } => self.store(operator, I::I32Store8(shadow(memarg)))?,
            O::I32Store16 { memarg } => self.store(operator, I::I32Store16(shadow(memarg)))?,
            O::I64Store8 { memarg } => self.store(operator, I::I64Store8(shadow(memarg)))?,
            O::I64Store16 { memarg } => self.store(operator, I::I64Store16(shadow(memarg)))?,
            O::I64Store32 { memarg } => self.store(operator, I::I64Store32(shadow(memarg)))?,
            O::MemorySize { .. } => {
                self.original(operator)?;
                self.pooled(self.around.globals.pages);
            }
            O::MemoryGrow { .. } => self.grow(operator)?,
            O::MemoryCopy { .. } => self.copy(operator)?,
            O::MemoryFill { .. } => {
                let (at, value, many) = self.three(operator)?;
                self.put(&I::LocalGet(at));
                // The lowest byte of the value's label.
                self.label(value.0, &value.1);
                self.under(T::I32);
                self.put(&I::LocalGet(many));
                self.put(&I::MemoryFill(SHADOW));
            }
            O::MemoryInit { .. } => {
                let (at, _, many) = self.three(operator)?;
                self.put(&I::LocalGet(at));
                self.put(&I::I32Const(0));
                self.under(T::I32);
                self.put(&I::LocalGet(many));
                self.put(&I::MemoryFill(SHADOW));
            }
            O::DataDrop { .. } => self.original(operator)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A load of `bytes` bytes whose other bytes, if any, are zero.
    fn load(&mut self, operator: &O<'_>, ty: T, bytes: u32, label: I<'_>) -> Result<(), Refusal> {
        self.load_as(operator, ty, bytes, |t| t.put(&label))
    }

    fn signed(&mut self, operator: &O<'_>, ty: T, top: u32, label: I<'_>) -> Result<(), Refusal> {
        self.load_as(operator, ty, 8, |t| {
            t.put(&label);
            t.body.sign(Width::of(ty), top);
        })
    }

    /// `label` turns an address on the stack into the label of what was loaded from there. The address' own label joins
    /// `bytes` bytes of it.
    pub(super) fn load_as(
        &mut self,
        operator: &O<'_>,
        ty: T,
        bytes: u32,
        label: impl FnOnce(&mut Self),
    ) -> Result<(), Refusal> {
        let (depth, address) = self.pop()?;
        let at = self.scratch(Encoded::I32, Scratch::Address);
        self.put(&I::LocalTee(at));
        self.original(operator)?;
        self.put(&I::LocalGet(at));
        label(self);
        self.join_address(depth, &address, Width::of(ty), bytes);
        self.push(ty, Smear::Exact);
        Ok(())
    }

    fn store(&mut self, operator: &O<'_>, label: I<'_>) -> Result<(), Refusal> {
        self.store_as(operator, |t| t.put(&label))
    }

    /// `label` stores the label on the stack at the address below it.
    pub(super) fn store_as(&mut self, operator: &O<'_>, label: impl FnOnce(&mut Self)) -> Result<(), Refusal> {
        let (depth, value) = self.pop()?;
        self.pop()?;
        let at = self.scratch(Encoded::I32, Scratch::Address);
        let ty = match value.ty {
            T::F32 => Encoded::F32,
            T::F64 => Encoded::F64,
            _ => value.width().ty(),
        };
        let kept = self.scratch(ty, Scratch::Value);
        self.put(&I::LocalSet(kept));
        self.put(&I::LocalTee(at));
        self.put(&I::LocalGet(kept));
        self.original(operator)?;
        self.put(&I::LocalGet(at));
        self.label(depth, &value);
        self.under(value.ty);
        label(self);
        Ok(())
    }

    /// Guest memory and shadow grow together. If only the first could, the shadow would be too small: stop.
    fn grow(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        let (depth, by) = self.pop()?;
        let many = self.scratch(Encoded::I32, Scratch::Count);
        let grown = self.scratch(Encoded::I32, Scratch::Value);
        self.put(&I::LocalTee(many));
        self.original(operator)?;
        self.put(&I::LocalTee(grown));
        self.put(&I::I32Const(-1));
        self.put(&I::I32Ne);
        self.put(&I::If(BlockType::Empty));
        self.put(&I::LocalGet(many));
        self.put(&I::MemoryGrow(SHADOW));
        self.put(&I::I32Const(-1));
        self.put(&I::I32Eq);
        self.put(&I::If(BlockType::Empty));
        self.put(&I::Unreachable);
        self.put(&I::End);
        self.put(&I::End);
        self.put(&I::LocalGet(grown));
        let pages = self.around.globals.pages;
        self.pool(pages, &[(depth, by)], false);
        self.pooled(pages);
        Ok(())
    }

    /// An operator with three words: they are kept in locals, and it is done. Gives the first local, the second
    /// operand's entry, and the third local.
    fn three(&mut self, operator: &O<'_>) -> Result<(u32, (usize, Entry), u32), Refusal> {
        self.pop()?;
        let second = self.pop()?;
        self.pop()?;
        let many = self.scratch(Encoded::I32, Scratch::Count);
        let middle = self.scratch(Encoded::I32, Scratch::Source);
        let at = self.scratch(Encoded::I32, Scratch::Address);
        self.put(&I::LocalSet(many));
        self.put(&I::LocalSet(middle));
        self.put(&I::LocalTee(at));
        self.put(&I::LocalGet(middle));
        self.put(&I::LocalGet(many));
        self.original(operator)?;
        Ok((at, second, many))
    }

    fn copy(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        let (at, (depth, source), many) = self.three(operator)?;
        let from = self.scratch(Encoded::I32, Scratch::Source);
        self.put(&I::LocalGet(at));
        self.put(&I::LocalGet(from));
        self.put(&I::LocalGet(many));
        self.put(&I::MemoryCopy { src_mem: SHADOW, dst_mem: SHADOW });
        if source.is_clean() && self.follows.is_none() {
            return Ok(());
        }
        // Which bytes were copied depends on the source's address: its label joins each, as weak.
        let union = self.scratch(Encoded::I32, Scratch::Union);
        self.raw_label(depth, &source);
        self.body.fold(Width::Word);
        self.body.weaken();
        self.under(T::I32);
        self.put(&I::LocalTee(union));
        self.body.if_any(Width::Word);
        self.put(&I::Block(BlockType::Empty));
        self.put(&I::Loop(BlockType::Empty));
        self.put(&I::LocalGet(many));
        self.put(&I::I32Eqz);
        self.put(&I::BrIf(1));
        self.put(&I::LocalGet(at));
        self.put(&I::LocalGet(at));
        self.put(&I::I32Load8U(BYTE));
        self.put(&I::LocalGet(union));
        self.put(&I::I32Or);
        self.put(&I::I32Store8(BYTE));
        self.put(&I::LocalGet(at));
        self.put(&I::I32Const(1));
        self.put(&I::I32Add);
        self.put(&I::LocalSet(at));
        self.put(&I::LocalGet(many));
        self.put(&I::I32Const(1));
        self.put(&I::I32Sub);
        self.put(&I::LocalSet(many));
        self.put(&I::Br(0));
        self.put(&I::End);
        self.put(&I::End);
        self.put(&I::End);
        Ok(())
    }
}
