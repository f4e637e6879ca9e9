//! Vectors: labels move with the lanes. A lane whose bytes depend on each other has the union of its labels.

use wasm_encoder::{Instruction as I, MemArg, ValType as Encoded};
use wasmparser::{Operator as O, ValType as T};

use super::body::Scratch;
use super::function::{Entry, Tracer};
use super::memory::SHADOW;
use super::plain::Rule;
use super::width::{Smear, Width};
use crate::refusal::Refusal;

fn shadow(memarg: &wasmparser::MemArg) -> MemArg {
    MemArg { offset: memarg.offset, align: 0, memory_index: SHADOW }
}

/// Operators on lanes that stay where they are, and tests of whole vectors.
#[rustfmt::skip]
fn rule(operator: &O<'_>) -> Option<Rule> {
    let exact = |operands| Some(Rule::Join(operands, T::V128, Smear::Exact));
    let two = |operands| Some(Rule::Join(operands, T::V128, Smear::Lane2));
    let four = |operands| Some(Rule::Join(operands, T::V128, Smear::Lane4));
    let eight = |operands| Some(Rule::Join(operands, T::V128, Smear::Lane8));
    match operator {
        O::V128Not | O::I8x16Abs | O::I8x16Neg | O::I8x16Popcnt | O::F32x4Abs | O::F32x4Neg | O::F64x2Abs | O::F64x2Neg => exact(1),
        O::V128And | O::V128AndNot | O::V128Or | O::V128Xor
        | O::I8x16Eq | O::I8x16Ne | O::I8x16LtS | O::I8x16LtU | O::I8x16GtS | O::I8x16GtU | O::I8x16LeS | O::I8x16LeU | O::I8x16GeS | O::I8x16GeU
        | O::I8x16Add | O::I8x16AddSatS | O::I8x16AddSatU | O::I8x16Sub | O::I8x16SubSatS | O::I8x16SubSatU
        | O::I8x16MinS | O::I8x16MinU | O::I8x16MaxS | O::I8x16MaxU | O::I8x16AvgrU => exact(2),
        O::V128Bitselect | O::I8x16RelaxedLaneselect => exact(3),
        O::I16x8Abs | O::I16x8Neg | O::I16x8ExtAddPairwiseI8x16S | O::I16x8ExtAddPairwiseI8x16U => two(1),
        O::I16x8Eq | O::I16x8Ne | O::I16x8LtS | O::I16x8LtU | O::I16x8GtS | O::I16x8GtU | O::I16x8LeS | O::I16x8LeU | O::I16x8GeS | O::I16x8GeU
        | O::I16x8Add | O::I16x8AddSatS | O::I16x8AddSatU | O::I16x8Sub | O::I16x8SubSatS | O::I16x8SubSatU | O::I16x8Mul
        | O::I16x8MinS | O::I16x8MinU | O::I16x8MaxS | O::I16x8MaxU | O::I16x8AvgrU | O::I16x8Q15MulrSatS
        | O::I16x8RelaxedQ15mulrS | O::I16x8RelaxedDotI8x16I7x16S => two(2),
        O::I16x8RelaxedLaneselect => two(3),
        O::I32x4Abs | O::I32x4Neg | O::I32x4ExtAddPairwiseI16x8S | O::I32x4ExtAddPairwiseI16x8U
        | O::F32x4Ceil | O::F32x4Floor | O::F32x4Trunc | O::F32x4Nearest | O::F32x4Sqrt
        | O::I32x4TruncSatF32x4S | O::I32x4TruncSatF32x4U | O::I32x4RelaxedTruncF32x4S | O::I32x4RelaxedTruncF32x4U
        | O::F32x4ConvertI32x4S | O::F32x4ConvertI32x4U => four(1),
        O::I32x4Eq | O::I32x4Ne | O::I32x4LtS | O::I32x4LtU | O::I32x4GtS | O::I32x4GtU | O::I32x4LeS | O::I32x4LeU | O::I32x4GeS | O::I32x4GeU
        | O::I32x4Add | O::I32x4Sub | O::I32x4Mul | O::I32x4MinS | O::I32x4MinU | O::I32x4MaxS | O::I32x4MaxU | O::I32x4DotI16x8S
        | O::F32x4Eq | O::F32x4Ne | O::F32x4Lt | O::F32x4Gt | O::F32x4Le | O::F32x4Ge
        | O::F32x4Add | O::F32x4Sub | O::F32x4Mul | O::F32x4Div | O::F32x4Min | O::F32x4Max | O::F32x4PMin | O::F32x4PMax
        | O::F32x4RelaxedMin | O::F32x4RelaxedMax => four(2),
        O::F32x4RelaxedMadd | O::F32x4RelaxedNmadd | O::I32x4RelaxedLaneselect | O::I32x4RelaxedDotI8x16I7x16AddS => four(3),
        O::I64x2Abs | O::I64x2Neg
        | O::F64x2Ceil | O::F64x2Floor | O::F64x2Trunc | O::F64x2Nearest | O::F64x2Sqrt => eight(1),
        O::I64x2Eq | O::I64x2Ne | O::I64x2LtS | O::I64x2GtS | O::I64x2LeS | O::I64x2GeS
        | O::I64x2Add | O::I64x2Sub | O::I64x2Mul
        | O::F64x2Eq | O::F64x2Ne | O::F64x2Lt | O::F64x2Gt | O::F64x2Le | O::F64x2Ge
        | O::F64x2Add | O::F64x2Sub | O::F64x2Mul | O::F64x2Div | O::F64x2Min | O::F64x2Max | O::F64x2PMin | O::F64x2PMax
        | O::F64x2RelaxedMin | O::F64x2RelaxedMax => eight(2),
        O::F64x2RelaxedMadd | O::F64x2RelaxedNmadd | O::I64x2RelaxedLaneselect => eight(3),
        O::V128AnyTrue | O::I8x16AllTrue | O::I16x8AllTrue | O::I32x4AllTrue | O::I64x2AllTrue
        | O::I16x8Bitmask | O::I32x4Bitmask | O::I64x2Bitmask => Some(Rule::Truth(1, T::I32)),
        _ => None,
    }
}

impl Tracer<'_> {
    pub(super) fn lanes(&mut self, operator: &O<'_>) -> Result<bool, Refusal> {
        if let Some(rule) = rule(operator) {
            self.apply(operator, rule)?;
            return Ok(true);
        }
        Ok(self.moved(operator)? || self.resized(operator)? || self.vector_memory(operator)?)
    }

    /// Lanes that move, and come in or out.
    fn moved(&mut self, operator: &O<'_>) -> Result<bool, Refusal> {
        match operator {
            O::V128Const { .. } => {
                self.original(operator)?;
                self.push_clean(T::V128);
            }
            O::I8x16Splat => self.one(operator, T::V128, |t| t.put(&I::I8x16Splat))?,
            O::I16x8Splat => self.one(operator, T::V128, |t| t.put(&I::I16x8Splat))?,
            O::I32x4Splat | O::F32x4Splat => self.one(operator, T::V128, |t| t.put(&I::I32x4Splat))?,
            O::I64x2Splat | O::F64x2Splat => self.one(operator, T::V128, |t| t.put(&I::I64x2Splat))?,
            O::I8x16ExtractLaneU { lane } => self.one(operator, T::I32, |t| t.put(&I::I8x16ExtractLaneU(*lane)))?,
            O::I16x8ExtractLaneU { lane } => self.one(operator, T::I32, |t| t.put(&I::I16x8ExtractLaneU(*lane)))?,
            O::I8x16ExtractLaneS { lane } => self.one(operator, T::I32, |t| {
                t.put(&I::I8x16ExtractLaneU(*lane));
                t.body.sign(Width::Word, 0);
            })?,
            O::I16x8ExtractLaneS { lane } => self.one(operator, T::I32, |t| {
                t.put(&I::I16x8ExtractLaneU(*lane));
                t.body.sign(Width::Word, 1);
            })?,
            O::I32x4ExtractLane { lane } => self.one(operator, T::I32, |t| t.put(&I::I32x4ExtractLane(*lane)))?,
            O::F32x4ExtractLane { lane } => self.one(operator, T::F32, |t| t.put(&I::I32x4ExtractLane(*lane)))?,
            O::I64x2ExtractLane { lane } => self.one(operator, T::I64, |t| t.put(&I::I64x2ExtractLane(*lane)))?,
            O::F64x2ExtractLane { lane } => self.one(operator, T::F64, |t| t.put(&I::I64x2ExtractLane(*lane)))?,
            O::I8x16ReplaceLane { lane } => self.both(operator, |t| t.put(&I::I8x16ReplaceLane(*lane)))?,
            O::I16x8ReplaceLane { lane } => self.both(operator, |t| t.put(&I::I16x8ReplaceLane(*lane)))?,
            O::I32x4ReplaceLane { lane } | O::F32x4ReplaceLane { lane } => {
                self.both(operator, |t| t.put(&I::I32x4ReplaceLane(*lane)))?;
            }
            O::I64x2ReplaceLane { lane } | O::F64x2ReplaceLane { lane } => {
                self.both(operator, |t| t.put(&I::I64x2ReplaceLane(*lane)))?;
            }
            O::I8x16Shuffle { lanes } => self.both(operator, |t| t.put(&I::I8x16Shuffle(*lanes)))?,
            O::I8x16Swizzle | O::I8x16RelaxedSwizzle => self.swizzle(operator)?,
            O::I8x16Bitmask => self.one(operator, T::I32, |t| {
                t.body.fold(Width::Vector);
                t.body.spread(Width::Word, 2);
            })?,
            O::I8x16Shl | O::I8x16ShrS | O::I8x16ShrU => self.shifted(operator, Smear::Exact)?,
            O::I16x8Shl | O::I16x8ShrS | O::I16x8ShrU => self.shifted(operator, Smear::Lane2)?,
            O::I32x4Shl | O::I32x4ShrS | O::I32x4ShrU => self.shifted(operator, Smear::Lane4)?,
            O::I64x2Shl | O::I64x2ShrS | O::I64x2ShrU => self.shifted(operator, Smear::Lane8)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Two operands whose labels, both on the stack, `change` turns into that of a vector.
    fn both(&mut self, operator: &O<'_>, change: impl FnOnce(&mut Self)) -> Result<(), Refusal> {
        let (second_at, second) = self.pop()?;
        let (first_at, first) = self.pop()?;
        self.original(operator)?;
        if first.is_clean() && second.is_clean() {
            self.push_clean(T::V128);
            return Ok(());
        }
        self.label(first_at, &first);
        self.label(second_at, &second);
        change(self);
        self.push(T::V128, Smear::Exact);
        Ok(())
    }

    /// Each byte comes from where the second operand says, which is an address: it counts as weak.
    fn swizzle(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        let (second_at, second) = self.pop()?;
        let (first_at, first) = self.pop()?;
        let index = self.scratch(Encoded::V128, Scratch::Value);
        if first.is_clean() && second.is_clean() {
            self.original(operator)?;
            self.push_clean(T::V128);
            return Ok(());
        }
        self.put(&I::LocalTee(index));
        self.original(operator)?;
        self.label(first_at, &first);
        self.put(&I::LocalGet(index));
        self.original(operator)?;
        if !second.is_clean() {
            // Each byte's label to weak: its own high half, and its low half moved there.
            self.label(second_at, &second);
            self.put(&I::I32Const(4));
            self.put(&I::I8x16Shl);
            self.put(&I::V128Or);
            self.label(second_at, &second);
            self.put(&I::V128Const(i128::from_le_bytes([0xf0; 16])));
            self.put(&I::V128And);
            self.put(&I::V128Or);
        }
        self.push(T::V128, Smear::Exact);
        Ok(())
    }

    fn shifted(&mut self, operator: &O<'_>, smear: Smear) -> Result<(), Refusal> {
        let (by_at, by) = self.pop()?;
        let (depth, value) = self.pop()?;
        self.original(operator)?;
        if value.is_clean() && by.is_clean() {
            self.push_clean(T::V128);
            return Ok(());
        }
        self.label(depth, &value);
        self.body.smear(Width::Vector, smear);
        if !by.is_clean() {
            self.union(by_at, &by);
            self.body.spread(Width::Vector, 16);
            self.body.join(Width::Vector);
        }
        self.push(T::V128, Smear::Exact);
        Ok(())
    }

    /// Lanes that become wider or narrower.
    fn resized(&mut self, operator: &O<'_>) -> Result<bool, Refusal> {
        use Smear::{Exact, Lane2, Lane4, Lane8};
        match operator {
            O::I16x8ExtendLowI8x16U => self.widen(operator, &I::I16x8ExtendLowI8x16U, Exact)?,
            O::I16x8ExtendHighI8x16U => self.widen(operator, &I::I16x8ExtendHighI8x16U, Exact)?,
            O::I16x8ExtendLowI8x16S => self.widen(operator, &I::I16x8ExtendLowI8x16U, Lane2)?,
            O::I16x8ExtendHighI8x16S => self.widen(operator, &I::I16x8ExtendHighI8x16U, Lane2)?,
            O::I32x4ExtendLowI16x8U => self.widen(operator, &I::I32x4ExtendLowI16x8U, Exact)?,
            O::I32x4ExtendHighI16x8U => self.widen(operator, &I::I32x4ExtendHighI16x8U, Exact)?,
            O::I32x4ExtendLowI16x8S => self.widen(operator, &I::I32x4ExtendLowI16x8U, Lane4)?,
            O::I32x4ExtendHighI16x8S => self.widen(operator, &I::I32x4ExtendHighI16x8U, Lane4)?,
            O::I64x2ExtendLowI32x4U => self.widen(operator, &I::I64x2ExtendLowI32x4U, Exact)?,
            O::I64x2ExtendHighI32x4U => self.widen(operator, &I::I64x2ExtendHighI32x4U, Exact)?,
            O::I64x2ExtendHighI32x4S => self.widen(operator, &I::I64x2ExtendHighI32x4U, Lane8)?,
            O::I64x2ExtendLowI32x4S | O::F64x2ConvertLowI32x4S | O::F64x2ConvertLowI32x4U | O::F64x2PromoteLowF32x4 => {
                self.widen(operator, &I::I64x2ExtendLowI32x4U, Lane8)?
            }
            O::I16x8ExtMulLowI8x16S | O::I16x8ExtMulLowI8x16U => {
                self.multiply(operator, &I::I16x8ExtendLowI8x16U, Lane2)?;
            }
            O::I16x8ExtMulHighI8x16S | O::I16x8ExtMulHighI8x16U => {
                self.multiply(operator, &I::I16x8ExtendHighI8x16U, Lane2)?;
            }
            O::I32x4ExtMulLowI16x8S | O::I32x4ExtMulLowI16x8U => {
                self.multiply(operator, &I::I32x4ExtendLowI16x8U, Lane4)?;
            }
            O::I32x4ExtMulHighI16x8S | O::I32x4ExtMulHighI16x8U => {
                self.multiply(operator, &I::I32x4ExtendHighI16x8U, Lane4)?;
            }
            O::I64x2ExtMulLowI32x4S | O::I64x2ExtMulLowI32x4U => {
                self.multiply(operator, &I::I64x2ExtendLowI32x4U, Lane8)?;
            }
            O::I64x2ExtMulHighI32x4S | O::I64x2ExtMulHighI32x4U => {
                self.multiply(operator, &I::I64x2ExtendHighI32x4U, Lane8)?;
            }
            O::I8x16NarrowI16x8S | O::I8x16NarrowI16x8U => {
                self.narrow(operator, Lane2, &I::I8x16NarrowI16x8U, i128::from_le_bytes(low(2)), Exact)?;
            }
            O::I16x8NarrowI32x4S | O::I16x8NarrowI32x4U => {
                self.narrow(operator, Lane4, &I::I16x8NarrowI32x4U, i128::from_le_bytes(low(4)), Lane2)?;
            }
            O::F32x4DemoteF64x2Zero
            | O::I32x4TruncSatF64x2SZero
            | O::I32x4TruncSatF64x2UZero
            | O::I32x4RelaxedTruncF64x2SZero
            | O::I32x4RelaxedTruncF64x2UZero => self.one(operator, T::V128, |t| {
                t.body.smear(Width::Vector, Lane8);
                t.put(&I::V128Const(0));
                t.put(&I::I8x16Shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23]));
            })?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn widen(&mut self, operator: &O<'_>, labels: &I<'_>, smear: Smear) -> Result<(), Refusal> {
        self.one(operator, T::V128, |t| {
            t.put(labels);
            t.body.smear(Width::Vector, smear);
        })
    }

    fn multiply(&mut self, operator: &O<'_>, labels: &I<'_>, smear: Smear) -> Result<(), Refusal> {
        // Which lanes are taken is the same for both, so their union can be taken first.
        self.both(operator, |t| {
            t.body.join(Width::Vector);
            t.put(labels);
            t.body.smear(Width::Vector, smear);
        })
    }

    /// Lanes of twice the size to one: first each lane's union in its lowest byte, then what narrows them, then to all
    /// bytes of the lane again.
    fn narrow(
        &mut self,
        operator: &O<'_>,
        wide: Smear,
        labels: &I<'_>,
        low: i128,
        smear: Smear,
    ) -> Result<(), Refusal> {
        let (second_at, second) = self.pop()?;
        let (first_at, first) = self.pop()?;
        self.original(operator)?;
        if first.is_clean() && second.is_clean() {
            self.push_clean(T::V128);
            return Ok(());
        }
        for (depth, entry) in [(first_at, first), (second_at, second)] {
            self.label(depth, &entry);
            self.body.smear(Width::Vector, wide);
            self.put(&I::V128Const(low));
            self.put(&I::V128And);
        }
        self.put(labels);
        self.body.smear(Width::Vector, smear);
        self.push(T::V128, Smear::Exact);
        Ok(())
    }

    fn vector_memory(&mut self, operator: &O<'_>) -> Result<bool, Refusal> {
        use Smear::{Exact, Lane2, Lane4, Lane8};
        match operator {
            O::V128Load8x8U { memarg } => self.load_vector(operator, 16, I::V128Load8x8U(shadow(memarg)), Exact)?,
            O::V128Load8x8S { memarg } => self.load_vector(operator, 16, I::V128Load8x8U(shadow(memarg)), Lane2)?,
            O::V128Load16x4U { memarg } => self.load_vector(operator, 16, I::V128Load16x4U(shadow(memarg)), Exact)?,
            O::V128Load16x4S { memarg } => self.load_vector(operator, 16, I::V128Load16x4U(shadow(memarg)), Lane4)?,
            O::V128Load32x2U { memarg } => self.load_vector(operator, 16, I::V128Load32x2U(shadow(memarg)), Exact)?,
            O::V128Load32x2S { memarg } => self.load_vector(operator, 16, I::V128Load32x2U(shadow(memarg)), Lane8)?,
            O::V128Load8Splat { memarg } => self.load_vector(operator, 16, I::V128Load8Splat(shadow(memarg)), Exact)?,
            O::V128Load16Splat { memarg } => {
                self.load_vector(operator, 16, I::V128Load16Splat(shadow(memarg)), Exact)?
            }
            O::V128Load32Splat { memarg } => {
                self.load_vector(operator, 16, I::V128Load32Splat(shadow(memarg)), Exact)?
            }
            O::V128Load64Splat { memarg } => {
                self.load_vector(operator, 16, I::V128Load64Splat(shadow(memarg)), Exact)?
            }
            O::V128Load32Zero { memarg } => self.load_vector(operator, 4, I::V128Load32Zero(shadow(memarg)), Exact)?,
            O::V128Load64Zero { memarg } => self.load_vector(operator, 8, I::V128Load64Zero(shadow(memarg)), Exact)?,
            O::V128Load8Lane { memarg, lane } => {
                self.load_lane(operator, *lane, 1, &I::V128Load8Lane { memarg: shadow(memarg), lane: *lane })?;
            }
            O::V128Load16Lane { memarg, lane } => {
                self.load_lane(operator, *lane, 2, &I::V128Load16Lane { memarg: shadow(memarg), lane: *lane })?;
            }
            O::V128Load32Lane { memarg, lane } => {
                self.load_lane(operator, *lane, 4, &I::V128Load32Lane { memarg: shadow(memarg), lane: *lane })?;
            }
            O::V128Load64Lane { memarg, lane } => {
                self.load_lane(operator, *lane, 8, &I::V128Load64Lane { memarg: shadow(memarg), lane: *lane })?;
            }
            O::V128Store8Lane { memarg, lane } => {
                self.store_as(operator, |t| t.put(&I::V128Store8Lane { memarg: shadow(memarg), lane: *lane }))?;
            }
            O::V128Store16Lane { memarg, lane } => {
                self.store_as(operator, |t| t.put(&I::V128Store16Lane { memarg: shadow(memarg), lane: *lane }))?;
            }
            O::V128Store32Lane { memarg, lane } => {
                self.store_as(operator, |t| t.put(&I::V128Store32Lane { memarg: shadow(memarg), lane: *lane }))?;
            }
            O::V128Store64Lane { memarg, lane } => {
                self.store_as(operator, |t| t.put(&I::V128Store64Lane { memarg: shadow(memarg), lane: *lane }))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn load_vector(&mut self, operator: &O<'_>, bytes: u32, labels: I<'_>, smear: Smear) -> Result<(), Refusal> {
        self.load_as(operator, T::V128, bytes, |t| {
            t.put(&labels);
            t.body.smear(Width::Vector, smear);
        })
    }

    fn load_lane(&mut self, operator: &O<'_>, lane: u8, bytes: u32, labels: &I<'_>) -> Result<(), Refusal> {
        let (depth, value): (usize, Entry) = self.pop()?;
        let (address_at, address) = self.pop()?;
        let at = self.scratch(Encoded::I32, Scratch::Address);
        let kept = self.scratch(Encoded::V128, Scratch::Value);
        self.put(&I::LocalSet(kept));
        self.put(&I::LocalTee(at));
        self.put(&I::LocalGet(kept));
        self.original(operator)?;
        self.put(&I::LocalGet(at));
        self.label(depth, &value);
        self.put(labels);
        if !address.is_clean() {
            self.union(address_at, &address);
            self.body.weaken();
            self.body.spread_lane(u32::from(lane) * bytes, bytes);
            self.body.join(Width::Vector);
        }
        self.push(T::V128, Smear::Exact);
        Ok(())
    }
}

/// The lowest byte of each lane of so many bytes.
fn low(bytes: usize) -> [u8; 16] {
    std::array::from_fn(|at| if at % bytes == 0 { 0xff } else { 0 })
}
