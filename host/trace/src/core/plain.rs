//! Locals, globals, constants, references, tables, and arithmetic on numbers.

use wasm_encoder::Instruction as I;
use wasmparser::{Operator as O, RefType, ValType as T};

use super::function::{Home, STACK_ALIGNMENT, Stack, Tracer};
use super::width::{Smear, Width};
use crate::refusal::Refusal;

/// What an operation on numbers does to labels. Operands are of one width, unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The union of so many operands' labels, smeared; a result of the same width.
    Join(usize, T, Smear),
    /// The union of so many operands' labels, in the lowest byte alone: comparisons, counts of bits.
    Truth(usize, T),
    /// The union of all bytes on all bytes of a result of any width.
    Convert(T),
}

/// The mask of the bytes that are not zero.
fn bytes_of(value: u64) -> u64 {
    (0..8).map(|byte| 0xffu64 << (8 * byte)).filter(|mask| value & mask != 0).sum()
}

/// The mask of the bytes that are all ones.
fn full_bytes(value: u64) -> u64 {
    (0..8).map(|byte| 0xffu64 << (8 * byte)).filter(|mask| value & mask == *mask).sum()
}

/// Operators whose rule depends on nothing but the operator.
#[rustfmt::skip]
fn rule(operator: &O<'_>) -> Option<Rule> {
    use Smear::{Exact, Upward, Whole};
    Some(match operator {
        O::I32Add | O::I32Sub | O::I32Mul => Rule::Join(2, T::I32, Upward),
        O::I64Add | O::I64Sub | O::I64Mul => Rule::Join(2, T::I64, Upward),
        O::I32DivS | O::I32DivU | O::I32RemS | O::I32RemU => Rule::Join(2, T::I32, Whole),
        O::I64DivS | O::I64DivU | O::I64RemS | O::I64RemU => Rule::Join(2, T::I64, Whole),
        O::I32Xor => Rule::Join(2, T::I32, Exact),
        O::I64Xor => Rule::Join(2, T::I64, Exact),
        O::F32Add | O::F32Sub | O::F32Mul | O::F32Div | O::F32Min | O::F32Max => Rule::Join(2, T::F32, Whole),
        O::F64Add | O::F64Sub | O::F64Mul | O::F64Div | O::F64Min | O::F64Max => Rule::Join(2, T::F64, Whole),
        O::F32Ceil | O::F32Floor | O::F32Trunc | O::F32Nearest | O::F32Sqrt => Rule::Join(1, T::F32, Whole),
        O::F64Ceil | O::F64Floor | O::F64Trunc | O::F64Nearest | O::F64Sqrt => Rule::Join(1, T::F64, Whole),
        O::F32Abs | O::F32Neg | O::F32ReinterpretI32 => Rule::Join(1, T::F32, Exact),
        O::F64Abs | O::F64Neg | O::F64ReinterpretI64 => Rule::Join(1, T::F64, Exact),
        O::I32ReinterpretF32 => Rule::Join(1, T::I32, Exact),
        O::I64ReinterpretF64 => Rule::Join(1, T::I64, Exact),
        O::I32TruncF32S | O::I32TruncF32U | O::I32TruncSatF32S | O::I32TruncSatF32U => Rule::Join(1, T::I32, Whole),
        O::I64TruncF64S | O::I64TruncF64U | O::I64TruncSatF64S | O::I64TruncSatF64U => Rule::Join(1, T::I64, Whole),
        O::F32ConvertI32S | O::F32ConvertI32U => Rule::Join(1, T::F32, Whole),
        O::F64ConvertI64S | O::F64ConvertI64U => Rule::Join(1, T::F64, Whole),
        O::I32TruncF64S | O::I32TruncF64U | O::I32TruncSatF64S | O::I32TruncSatF64U => Rule::Convert(T::I32),
        O::I64TruncF32S | O::I64TruncF32U | O::I64TruncSatF32S | O::I64TruncSatF32U => Rule::Convert(T::I64),
        O::F32ConvertI64S | O::F32ConvertI64U | O::F32DemoteF64 => Rule::Convert(T::F32),
        O::F64ConvertI32S | O::F64ConvertI32U | O::F64PromoteF32 => Rule::Convert(T::F64),
        O::I32Eqz | O::I64Eqz | O::I32Clz | O::I32Ctz | O::I32Popcnt => Rule::Truth(1, T::I32),
        O::I64Clz | O::I64Ctz | O::I64Popcnt => Rule::Truth(1, T::I64),
        O::I32Eq | O::I32Ne | O::I32LtS | O::I32LtU | O::I32GtS | O::I32GtU | O::I32LeS | O::I32LeU | O::I32GeS | O::I32GeU
        | O::I64Eq | O::I64Ne | O::I64LtS | O::I64LtU | O::I64GtS | O::I64GtU | O::I64LeS | O::I64LeU | O::I64GeS | O::I64GeU
        | O::F32Eq | O::F32Ne | O::F32Lt | O::F32Gt | O::F32Le | O::F32Ge
        | O::F64Eq | O::F64Ne | O::F64Lt | O::F64Gt | O::F64Le | O::F64Ge => Rule::Truth(2, T::I32),
        _ => return None,
    })
}

impl Tracer<'_> {
    pub(super) fn plain(&mut self, operator: &O<'_>) -> Result<bool, Refusal> {
        if let Some(rule) = rule(operator) {
            self.apply(operator, rule)?;
            return Ok(true);
        }
        match operator {
            O::LocalGet { local_index } => {
                let place = self.place(*local_index);
                self.put(&I::LocalGet(place));
                self.local_get(*local_index)?;
            }
            O::LocalSet { local_index } => {
                let place = self.place(*local_index);
                self.put(&I::LocalSet(place));
                self.local_set(*local_index, false)?;
            }
            O::LocalTee { local_index } => {
                let place = self.place(*local_index);
                self.put(&I::LocalTee(place));
                self.local_set(*local_index, true)?;
            }
            O::GlobalGet { global_index } => {
                self.original(operator)?;
                self.global_get(*global_index)?;
            }
            O::GlobalSet { global_index } => {
                self.original(operator)?;
                self.global_set(*global_index)?;
            }
            O::I32Const { value } => {
                self.original(operator)?;
                self.push_known(T::I32, u64::from(value.cast_unsigned()));
            }
            O::I64Const { value } => {
                self.original(operator)?;
                self.push_known(T::I64, value.cast_unsigned());
            }
            O::F32Const { .. } => {
                self.original(operator)?;
                self.push_clean(T::F32);
            }
            O::F64Const { .. } => {
                self.original(operator)?;
                self.push_clean(T::F64);
            }
            O::I32And | O::I64And => self.masked(operator, bytes_of)?,
            O::I32Or | O::I64Or => self.masked(operator, |value| !full_bytes(value))?,
            O::I32Shl | O::I32ShrS | O::I32ShrU | O::I32Rotl | O::I32Rotr => self.shift(operator, T::I32)?,
            O::I64Shl | O::I64ShrS | O::I64ShrU | O::I64Rotl | O::I64Rotr => self.shift(operator, T::I64)?,
            O::I32WrapI64 => self.wrap(operator)?,
            O::I64ExtendI32U => self.one(operator, T::I64, |t| t.put(&I::I64ExtendI32U))?,
            O::I64ExtendI32S => self.one(operator, T::I64, |t| {
                t.put(&I::I64ExtendI32U);
                t.body.sign(Width::Long, 3);
            })?,
            O::I32Extend8S => self.one(operator, T::I32, |t| {
                t.mask(Width::Word, 0xff);
                t.body.sign(Width::Word, 0);
            })?,
            O::I32Extend16S => self.one(operator, T::I32, |t| {
                t.mask(Width::Word, 0xffff);
                t.body.sign(Width::Word, 1);
            })?,
            O::I64Extend8S => self.one(operator, T::I64, |t| {
                t.mask(Width::Long, 0xff);
                t.body.sign(Width::Long, 0);
            })?,
            O::I64Extend16S => self.one(operator, T::I64, |t| {
                t.mask(Width::Long, 0xffff);
                t.body.sign(Width::Long, 1);
            })?,
            O::I64Extend32S => self.one(operator, T::I64, |t| {
                t.mask(Width::Long, 0xffff_ffff);
                t.body.sign(Width::Long, 3);
            })?,
            O::F32Copysign => self.copysign(operator, T::F32, 0xff00_0000)?,
            O::F64Copysign => self.copysign(operator, T::F64, 0xff00_0000_0000_0000)?,
            _ => return self.references(operator),
        }
        Ok(true)
    }

    pub(super) fn apply(&mut self, operator: &O<'_>, rule: Rule) -> Result<(), Refusal> {
        let (many, result) = match rule {
            Rule::Join(many, result, _) | Rule::Truth(many, result) => (many, result),
            Rule::Convert(result) => (1, result),
        };
        let allocates = matches!(operator, O::I32Sub)
            && self.peek(0)?.1.stack == Stack::Aligned
            && (self.peek(1)?.1.is_clean() || self.peek(1)?.1.stack == Stack::Allocated);
        let mut operands = Vec::with_capacity(many);
        for _ in 0..many {
            let (depth, entry) = self.pop()?;
            if !entry.is_clean() {
                operands.push((depth, entry));
            }
        }
        self.original(operator)?;
        let Some((_, first)) = operands.first().copied() else {
            self.push_clean(result);
            return Ok(());
        };
        let width = first.width();
        let smear = if let Rule::Join(_, _, smear) = rule { smear } else { Smear::Whole };
        // A smear that operands wait for can wait longer, if the result's covers it.
        let waits = operands.iter().map(|(_, entry)| entry.pending).collect::<Vec<_>>();
        let same = waits.windows(2).all(|pair| matches!(pair, [one, other] if one == other));
        for (at, (depth, entry)) in operands.iter().enumerate() {
            let covered = match smear {
                Smear::Exact => same,
                Smear::Upward => matches!(entry.pending, Smear::Exact | Smear::Upward),
                _ => true,
            };
            if covered && width != Width::Vector {
                self.raw_label(*depth, entry);
            } else {
                self.label(*depth, entry);
            }
            if at > 0 {
                self.body.join(width);
            }
        }
        match rule {
            Rule::Join(_, _, _) if width == Width::Vector => {
                self.body.smear(width, smear);
                self.push(result, Smear::Exact);
            }
            Rule::Join(_, _, Smear::Exact) => self.push(result, if same { first.pending } else { Smear::Exact }),
            Rule::Join(_, _, smear) => {
                self.push(result, smear);
                if allocates {
                    self.mark(Stack::Allocated);
                }
            }
            // Whatever it decides needs no label of it: mostly nothing is left to do.
            Rule::Truth(_, _) if width == Width::Word => self.push(result, Smear::Low),
            Rule::Truth(_, _) => {
                self.body.fold(width);
                if Width::of(result) == Width::Long {
                    self.put(&I::I64ExtendI32U);
                }
                self.push(result, Smear::Exact);
            }
            Rule::Convert(_) => {
                self.body.fold(width);
                self.body.spread(Width::of(result), 16);
                self.push(result, Smear::Exact);
            }
        }
        Ok(())
    }

    /// One operand, whose label `change` turns into that of the result.
    pub(super) fn one(&mut self, operator: &O<'_>, result: T, change: impl FnOnce(&mut Self)) -> Result<(), Refusal> {
        let (depth, entry) = self.pop()?;
        self.original(operator)?;
        if entry.is_clean() {
            self.push_clean(result);
        } else {
            self.label(depth, &entry);
            change(self);
            self.push(result, Smear::Exact);
        }
        Ok(())
    }

    /// And, or: where one side is a constant that decides a byte, the other's label ends there.
    fn masked(&mut self, operator: &O<'_>, open: impl Fn(u64) -> u64) -> Result<(), Refusal> {
        let (_, second) = self.peek(0)?;
        let (_, first) = self.peek(1)?;
        let mask = match (first.is_clean(), second.is_clean()) {
            (false, true) => second.known,
            (true, false) => first.known,
            _ => None,
        };
        let ty = first.ty;
        let Some(mask) = mask.map(open) else { return self.apply(operator, Rule::Join(2, ty, Smear::Exact)) };
        let (second_at, second) = self.pop()?;
        let (first_at, first) = self.pop()?;
        self.original(operator)?;
        if first.is_clean() {
            self.label(second_at, &second);
        } else {
            self.label(first_at, &first);
        }
        self.mask(Width::of(ty), mask);
        self.push(ty, Smear::Exact);
        let rounds = second.known.is_some_and(|mask| mask % STACK_ALIGNMENT == 0 && mask & 0x8000_0000 != 0);
        if rounds && matches!(operator, O::I32And) {
            self.mark(Stack::Aligned);
        }
        Ok(())
    }

    fn mark(&mut self, stack: Stack) {
        if let Some(entry) = self.stack.last_mut() {
            entry.stack = stack;
        }
    }

    fn wrap(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        let (depth, entry) = self.pop()?;
        self.original(operator)?;
        if entry.is_clean() {
            self.push_clean(T::I32);
            return Ok(());
        }
        // The low half of a sum is the sum of the low halves.
        let wait = entry.pending == Smear::Upward;
        if wait {
            self.raw_label(depth, &entry);
        } else {
            self.label(depth, &entry);
        }
        self.put(&I::I32WrapI64);
        self.push(T::I32, if wait { Smear::Upward } else { Smear::Exact });
        Ok(())
    }

    /// Shifts by constants move labels by bytes; where a byte is cut, both halves of it carry its label.
    fn shift(&mut self, operator: &O<'_>, ty: T) -> Result<(), Refusal> {
        let (_, by) = self.peek(0)?;
        let (_, value) = self.peek(1)?;
        let width = Width::of(ty);
        let bits: u64 = if width == Width::Word { 32 } else { 64 };
        let (Some(by), false) = (by.known, value.is_clean()) else {
            return self.apply(operator, Rule::Join(2, ty, Smear::Whole));
        };
        let by = by % bits;
        let (whole, cut) = (by / 8 * 8, !by.is_multiple_of(8));
        let left = matches!(operator, O::I32Shl | O::I64Shl | O::I32Rotl | O::I64Rotl);
        let turns = matches!(operator, O::I32Rotl | O::I64Rotl | O::I32Rotr | O::I64Rotr);
        let signed = matches!(operator, O::I32ShrS | O::I64ShrS);
        self.pop()?;
        let (depth, value) = self.pop()?;
        self.original(operator)?;
        // What is smeared upwards covers the byte above.
        let wait = value.home == Home::Slot && value.pending == Smear::Upward && left && !turns;
        let fetch = |t: &mut Self| if wait { t.raw_label(depth, &value) } else { t.label(depth, &value) };
        fetch(self);
        self.turn(width, whole, left, turns);
        if cut && !wait && (turns || whole + 8 < bits) {
            fetch(self);
            self.turn(width, (whole + 8) % bits, left, turns);
            self.body.join(width);
        }
        if signed && whole > 0 {
            fetch(self);
            self.turn(width, bits - 8, false, false);
            // The topmost `whole / 8` bytes.
            let factor = 0x0101_0101_0101_0101u64 & !((1u64 << (bits - whole)) - 1);
            if width == Width::Word {
                self.put(&I::I32Const((factor & 0xffff_ffff) as u32 as i32));
                self.put(&I::I32Mul);
            } else {
                self.put(&I::I64Const(factor.cast_signed()));
                self.put(&I::I64Mul);
            }
            self.body.join(width);
        }
        self.push(ty, if wait { Smear::Upward } else { Smear::Exact });
        Ok(())
    }

    fn turn(&mut self, width: Width, by: u64, left: bool, turns: bool) {
        if by == 0 {
            return;
        }
        let by = i32::try_from(by).unwrap_or_default();
        if width == Width::Word {
            self.put(&I::I32Const(by));
        } else {
            self.put(&I::I64Const(i64::from(by)));
        }
        self.put(&match (width, left, turns) {
            (Width::Word, true, false) => I::I32Shl,
            (Width::Word, false, false) => I::I32ShrU,
            (Width::Word, true, true) => I::I32Rotl,
            (Width::Word, false, true) => I::I32Rotr,
            (_, true, false) => I::I64Shl,
            (_, false, false) => I::I64ShrU,
            (_, true, true) => I::I64Rotl,
            (_, false, true) => I::I64Rotr,
        });
    }

    fn copysign(&mut self, operator: &O<'_>, ty: T, sign: u64) -> Result<(), Refusal> {
        let (second_at, second) = self.pop()?;
        let (first_at, first) = self.pop()?;
        self.original(operator)?;
        if first.is_clean() && second.is_clean() {
            self.push_clean(ty);
            return Ok(());
        }
        self.label(first_at, &first);
        self.label(second_at, &second);
        self.mask(Width::of(ty), sign);
        self.body.join(Width::of(ty));
        self.push(ty, Smear::Exact);
        Ok(())
    }

    /// References have one label. What goes into any table joins one label that comes out of every table.
    fn references(&mut self, operator: &O<'_>) -> Result<bool, Refusal> {
        let tables = self.around.globals.tables;
        match operator {
            O::RefNull { hty } => {
                self.original(operator)?;
                let ty =
                    RefType::new(true, *hty).ok_or_else(|| Refusal::shape("it uses an unknown type of reference"))?;
                self.push_clean(T::Ref(ty));
            }
            O::RefFunc { .. } => {
                self.original(operator)?;
                self.push_clean(T::FUNCREF);
            }
            O::RefIsNull => self.one(operator, T::I32, |_| {})?,
            O::TableGet { table } => {
                let (depth, index) = self.pop()?;
                self.original(operator)?;
                self.put(&I::GlobalGet(tables));
                if !index.is_clean() {
                    self.union(depth, &index);
                    self.body.weaken();
                    self.put(&I::I32Or);
                }
                let ty = self.around.facts.table(*table)?;
                self.push(T::Ref(ty), Smear::Exact);
            }
            O::TableSet { .. } => {
                let value = self.pop()?;
                let index = self.pop()?;
                self.original(operator)?;
                self.pool(tables, &[value], false);
                self.pool(tables, &[index], true);
            }
            O::TableSize { .. } => {
                self.original(operator)?;
                self.pooled(tables);
            }
            O::TableGrow { .. } => {
                let many = self.pop()?;
                let value = self.pop()?;
                self.original(operator)?;
                self.pool(tables, &[many, value], false);
                self.pooled(tables);
            }
            O::TableFill { .. } | O::TableCopy { .. } | O::TableInit { .. } => {
                let many = self.pop()?;
                let value = self.pop()?;
                let at = self.pop()?;
                self.original(operator)?;
                let filled = matches!(operator, O::TableFill { .. });
                self.pool(tables, &[value], !filled);
                self.pool(tables, &[at, many], true);
            }
            O::ElemDrop { .. } => self.original(operator)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A size, which tells what went into the pool.
    pub(super) fn pooled(&mut self, pool: u32) {
        self.put(&I::GlobalGet(pool));
        self.body.spread(Width::Word, 4);
        self.push(T::I32, Smear::Exact);
    }
}
