//! The code of one function as it is written, and arithmetic on labels that lie on the wasm stack.

use std::collections::HashMap;

use wasm_encoder::{BlockType, Encode, Instruction as I, ValType as Encoded};

use super::width::{Smear, Width};

/// Sixteen bytes of a vector, the lowest `count` of them set.
fn low_bytes(count: u32) -> i128 {
    if count >= 16 { -1 } else { (1i128 << (8 * count)) - 1 }
}

/// What a scratch local is for. Two uses that overlap in time have different names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scratch {
    /// Inside the arithmetic of this file.
    Turn,
    /// The label that an address label joins.
    Joined,
    Address,
    Value,
    Source,
    Count,
    /// The condition of a select.
    Condition,
    /// A union of labels, in one byte.
    Union,
    /// The label that a branch is decided by.
    Decision,
}

/// Code and locals of one function.
pub(crate) struct Body {
    pub(crate) code: Vec<u8>,
    first: u32,
    added: Vec<Encoded>,
    scratch: HashMap<(Encoded, Scratch), u32>,
}

impl Body {
    /// `first` is the number of locals that the function has by itself.
    pub(crate) fn new(first: u32) -> Self {
        Self { code: Vec::new(), first, added: Vec::new(), scratch: HashMap::new() }
    }

    pub(crate) fn put(&mut self, instruction: &I<'_>) {
        instruction.encode(&mut self.code);
    }

    /// The locals that were added, in order.
    pub(crate) fn added(&self) -> &[Encoded] {
        &self.added
    }

    pub(crate) fn local(&mut self, ty: Encoded) -> u32 {
        let index = self.first.saturating_add(u32::try_from(self.added.len()).unwrap_or(u32::MAX));
        self.added.push(ty);
        index
    }

    pub(crate) fn scratch(&mut self, ty: Encoded, purpose: Scratch) -> u32 {
        if let Some(index) = self.scratch.get(&(ty, purpose)) {
            return *index;
        }
        let index = self.local(ty);
        self.scratch.insert((ty, purpose), index);
        index
    }

    pub(crate) fn clean(&mut self, width: Width) {
        self.put(&match width {
            Width::Word => I::I32Const(0),
            Width::Long => I::I64Const(0),
            Width::Vector => I::V128Const(0),
        });
    }

    /// Two labels to their union.
    pub(crate) fn join(&mut self, width: Width) {
        self.put(&match width {
            Width::Word => I::I32Or,
            Width::Long => I::I64Or,
            Width::Vector => I::V128Or,
        });
    }

    /// One label, smeared.
    pub(crate) fn smear(&mut self, width: Width, smear: Smear) {
        match (smear, width) {
            (Smear::Exact, _) => {}
            (Smear::Low, Width::Word) => self.fold(Width::Word),
            (Smear::Low, _) => {
                self.fold(width);
                self.spread(width, 1);
            }
            (Smear::Upward, Width::Word) => self.turned_words(&I::I32Shl, &[8, 16]),
            (Smear::Upward, Width::Long) => self.turned_longs(&I::I64Shl, &[8, 16, 32]),
            (Smear::Whole, Width::Word) => self.turned_words(&I::I32Rotl, &[8, 16]),
            (Smear::Whole, Width::Long) => self.turned_longs(&I::I64Rotl, &[8, 16, 32]),
            (Smear::Upward | Smear::Whole, Width::Vector) => {
                self.halves();
                self.smear(Width::Long, Smear::Whole);
                self.put(&I::I64x2Splat);
            }
            (Smear::Lane2 | Smear::Lane4 | Smear::Lane8, Width::Vector) => {
                self.turned_lanes(&I::I16x8Shl, &I::I16x8ShrU, 8);
                if smear != Smear::Lane2 {
                    self.turned_lanes(&I::I32x4Shl, &I::I32x4ShrU, 16);
                }
                if smear == Smear::Lane8 {
                    self.turned_lanes(&I::I64x2Shl, &I::I64x2ShrU, 32);
                }
            }
            // Lanes are a matter of vectors. A wider smear is never wrong, only less exact.
            (Smear::Lane2 | Smear::Lane4 | Smear::Lane8, _) => self.smear(width, Smear::Whole),
        }
    }

    fn turned_words(&mut self, turn: &I<'_>, by: &[i32]) {
        let at = self.scratch(Encoded::I32, Scratch::Turn);
        for bits in by {
            self.put(&I::LocalTee(at));
            self.put(&I::LocalGet(at));
            self.put(&I::I32Const(*bits));
            self.put(turn);
            self.put(&I::I32Or);
        }
    }

    fn turned_longs(&mut self, turn: &I<'_>, by: &[i64]) {
        let at = self.scratch(Encoded::I64, Scratch::Turn);
        for bits in by {
            self.put(&I::LocalTee(at));
            self.put(&I::LocalGet(at));
            self.put(&I::I64Const(*bits));
            self.put(turn);
            self.put(&I::I64Or);
        }
    }

    fn turned_lanes(&mut self, left: &I<'_>, right: &I<'_>, bits: i32) {
        let at = self.scratch(Encoded::V128, Scratch::Turn);
        self.put(&I::LocalTee(at));
        self.put(&I::LocalGet(at));
        self.put(&I::I32Const(bits));
        self.put(left);
        self.put(&I::V128Or);
        self.put(&I::LocalGet(at));
        self.put(&I::I32Const(bits));
        self.put(right);
        self.put(&I::V128Or);
    }

    /// A vector's label to the union of its halves.
    fn halves(&mut self) {
        let at = self.scratch(Encoded::V128, Scratch::Turn);
        self.put(&I::LocalTee(at));
        self.put(&I::I64x2ExtractLane(0));
        self.put(&I::LocalGet(at));
        self.put(&I::I64x2ExtractLane(1));
        self.put(&I::I64Or);
    }

    /// Any label to the union of its bytes, in the lowest byte of a word.
    pub(crate) fn fold(&mut self, width: Width) {
        match width {
            Width::Word => {
                self.turned_words(&I::I32ShrU, &[16, 8]);
                self.put(&I::I32Const(0xff));
                self.put(&I::I32And);
            }
            Width::Long => {
                let at = self.scratch(Encoded::I64, Scratch::Turn);
                self.put(&I::LocalTee(at));
                self.put(&I::LocalGet(at));
                self.put(&I::I64Const(32));
                self.put(&I::I64ShrU);
                self.put(&I::I64Or);
                self.put(&I::I32WrapI64);
                self.fold(Width::Word);
            }
            Width::Vector => {
                self.halves();
                self.fold(Width::Long);
            }
        }
    }

    /// What [`fold`](Self::fold) gives, to the lowest `bytes` bytes of a label.
    pub(crate) fn spread(&mut self, width: Width, bytes: u32) {
        match width {
            Width::Word => match bytes {
                0 | 1 => {}
                2 => self.times_word(0x0101),
                _ => self.times_word(0x0101_0101),
            },
            Width::Long => {
                self.put(&I::I64ExtendI32U);
                match bytes {
                    0 | 1 => {}
                    2 => self.times_long(0x0101),
                    3 | 4 => self.times_long(0x0101_0101),
                    _ => self.times_long(0x0101_0101_0101_0101),
                }
            }
            Width::Vector => {
                self.put(&I::I8x16Splat);
                if bytes < 16 {
                    self.put(&I::V128Const(low_bytes(bytes)));
                    self.put(&I::V128And);
                }
            }
        }
    }

    fn times_word(&mut self, factor: i32) {
        self.put(&I::I32Const(factor));
        self.put(&I::I32Mul);
    }

    fn times_long(&mut self, factor: i64) {
        self.put(&I::I64Const(factor));
        self.put(&I::I64Mul);
    }

    /// The union in a word's lowest byte, of strong and weak sources, to the same sources as weak.
    pub(crate) fn weaken(&mut self) {
        let at = self.scratch(Encoded::I32, Scratch::Turn);
        self.put(&I::LocalTee(at));
        self.put(&I::I32Const(4));
        self.put(&I::I32Shl);
        self.put(&I::LocalGet(at));
        self.put(&I::I32Or);
        self.put(&I::I32Const(0xf0));
        self.put(&I::I32And);
    }

    /// Any label of a word to the same sources as weak, in each of its bytes.
    pub(crate) fn weak_word(&mut self) {
        self.turned_words(&I::I32Rotl, &[8, 16]);
        let at = self.scratch(Encoded::I32, Scratch::Turn);
        self.put(&I::LocalTee(at));
        self.put(&I::I32Const(4));
        self.put(&I::I32Shl);
        self.put(&I::LocalGet(at));
        self.put(&I::I32Or);
        self.put(&I::I32Const(0xf0f0_f0f0_u32.cast_signed()));
        self.put(&I::I32And);
    }

    /// What [`weak_word`](Self::weak_word) gives, to the lowest `bytes` bytes of a label.
    pub(crate) fn narrow_weak(&mut self, width: Width, bytes: u32) {
        if width != Width::Vector && bytes < 3 {
            self.put(&I::I32Const(if bytes == 2 { 0xffff } else { 0xff }));
            self.put(&I::I32And);
        }
        match width {
            Width::Word => {}
            Width::Long => {
                self.put(&I::I64ExtendI32U);
                if bytes > 4 {
                    self.times_long(0x1_0000_0001);
                }
            }
            Width::Vector => {
                self.put(&I::I32x4Splat);
                if bytes < 16 {
                    self.put(&I::V128Const(low_bytes(bytes)));
                    self.put(&I::V128And);
                }
            }
        }
    }

    /// The same to bytes `from..from + bytes` of a vector's label.
    pub(crate) fn spread_lane(&mut self, from: u32, bytes: u32) {
        self.put(&I::I8x16Splat);
        self.put(&I::V128Const(low_bytes(bytes) << (8 * from)));
        self.put(&I::V128And);
    }

    /// A word's label of a number that was extended with its sign: the label of byte `top` for all bytes above it.
    pub(crate) fn sign(&mut self, width: Width, top: u32) {
        match (width, top) {
            (Width::Word, 0) => self.times_word(0x0101_0101),
            (Width::Word, _) => {
                let at = self.scratch(Encoded::I32, Scratch::Turn);
                self.put(&I::LocalTee(at));
                self.put(&I::LocalGet(at));
                self.put(&I::I32Const(8));
                self.put(&I::I32ShrU);
                self.times_word(0x0101_0000);
                self.put(&I::I32Or);
            }
            (Width::Long | Width::Vector, 0) => self.times_long(0x0101_0101_0101_0101),
            (Width::Long | Width::Vector, top) => {
                let (down, factor) = if top == 1 { (8, 0x0101_0101_0101_0000) } else { (24, 0x0101_0101_0000_0000) };
                let at = self.scratch(Encoded::I64, Scratch::Turn);
                self.put(&I::LocalTee(at));
                self.put(&I::LocalGet(at));
                self.put(&I::I64Const(down));
                self.put(&I::I64ShrU);
                self.times_long(factor);
                self.put(&I::I64Or);
            }
        }
    }

    /// Opens an `if` on whether the label on the stack has any bit.
    pub(crate) fn if_any(&mut self, width: Width) {
        match width {
            Width::Word => {}
            Width::Long => {
                self.put(&I::I64Const(0));
                self.put(&I::I64Ne);
            }
            Width::Vector => self.put(&I::V128AnyTrue),
        }
        self.put(&I::If(BlockType::Empty));
    }
}
