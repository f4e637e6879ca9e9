//! A module of hooks: what it imports, and the functions that its hooks have in common.
//!
//! Hooks are no guest code. They use labels' memory and globals directly and call nothing of the guest but what they
//! stand before.

use wasm_encoder::{
    BlockType, EntityType, Function, GlobalType, ImportSection, Instruction as I, MemArg, MemoryType, TypeSection,
    ValType,
};

use crate::core::layout::{self, Lanes, STORE};
use crate::core::store::REPORT_PAGES;

/// Module names that a hook module imports from.
pub(super) const ORIGINALS: &str = "f";
pub(super) const HOST: &str = "host";

/// Bytes of a run in the report: seven numbers.
const RUN: i32 = 28;

/// Runs that the report has room for.
const RUNS: i32 = (REPORT_PAGES * 0x1_0000) / RUN;

/// Memories of a hook module.
pub(super) const GUEST: u32 = 0;
pub(super) const SHADOW: u32 = 1;
const REPORT: u32 = 2;

/// What the host is called with: name, parameters, and whether there is a result.
pub(super) const HOST_FUNCTIONS: [(&str, u32, bool); 4] =
    [("leaving", 3, false), ("arrived", 1, true), ("source", 5, true), ("piece", 6, true)];

/// Indices of functions that every hook module has, behind the originals that it imports.
#[derive(Debug, Clone, Copy)]
pub(super) struct Helpers {
    /// How many originals there are.
    pub(super) originals: u32,
    pub(super) lanes: Lanes,
    /// What crosses may come from another component of the same composition.
    pub(super) composed: bool,
}

impl Helpers {
    pub(super) fn leaving(self) -> u32 {
        self.originals
    }

    /// `(hook) -> label`
    pub(super) fn arrived(self) -> u32 {
        self.originals + 1
    }

    fn source(self) -> u32 {
        self.originals + 2
    }

    fn piece(self) -> u32 {
        self.originals + 3
    }

    /// `(path, first, second, third, offset, length, label)`: one run into the report.
    pub(super) fn run(self) -> u32 {
        self.originals + 4
    }

    /// Hands the report over.
    pub(super) fn flush(self) -> u32 {
        self.originals + 5
    }

    /// `(pointer, bytes, path, first, second, third)`: runs of what is labelled.
    pub(super) fn report(self) -> u32 {
        self.originals + 6
    }

    /// `(pointer, bytes, label)`
    pub(super) fn stamp(self) -> u32 {
        self.originals + 7
    }

    /// `(path, first, second, third) -> label` of what arrived.
    pub(super) fn ask(self) -> u32 {
        self.originals + 8
    }

    /// `(elements, bytes of each) -> bytes`, or a trap where that is no size of memory.
    pub(super) fn times(self) -> u32 {
        self.originals + 9
    }

    /// `(pointer, bytes)`: what is expected joins the labels there.
    pub(super) fn expect(self) -> u32 {
        self.originals + 10
    }

    /// `(pointer, bytes, path, first, second, third)`: labels bytes that arrived.
    pub(super) fn place(self) -> u32 {
        self.originals + 11
    }

    /// The first hook.
    pub(super) fn first_hook(self) -> u32 {
        self.originals + 12
    }

    pub(super) fn argument(self, at: u32) -> u32 {
        at
    }

    pub(super) fn result(self, at: u32) -> u32 {
        self.lanes.arguments + at
    }

    pub(super) fn handles(self) -> u32 {
        self.lanes.arguments + self.lanes.results
    }

    pub(super) fn expected(self) -> u32 {
        self.handles() + 1
    }

    pub(super) fn decided(self) -> u32 {
        self.handles() + 2
    }

    /// How many runs are in the report.
    fn cursor(self) -> u32 {
        self.handles() + 3
    }

    /// The hook that is at work.
    pub(super) fn hook(self) -> u32 {
        self.handles() + 4
    }

    /// What the host said of what arrived.
    pub(super) fn label(self) -> u32 {
        self.handles() + 5
    }

    /// Globals that are defined.
    pub(super) const GLOBALS: u32 = 3;

    /// All imports but the originals, with their types from number `types` on.
    pub(super) fn import(self, types: &mut TypeSection, imports: &mut ImportSection) {
        for (name, parameters, result) in HOST_FUNCTIONS {
            imports.import(HOST, name, EntityType::Function(types.len()));
            types.ty().function((0..parameters).map(|_| ValType::I32), result.then_some(ValType::I32));
        }
        let any = MemoryType { minimum: 0, maximum: None, memory64: false, shared: false, page_size_log2: None };
        for name in [layout::MEMORY, layout::SHADOW, layout::REPORT] {
            imports.import(STORE, name, EntityType::Memory(any));
        }
        let mut global = |name: &str, val_type| {
            imports.import(STORE, name, EntityType::Global(GlobalType { val_type, mutable: true, shared: false }));
        };
        for at in 0..self.lanes.arguments {
            global(&layout::argument(at), ValType::I64);
        }
        for at in 0..self.lanes.results {
            global(&layout::result(at), ValType::I64);
        }
        global(layout::HANDLES, ValType::I32);
        global(layout::EXPECTED, ValType::I32);
        global(layout::DECIDED, ValType::I32);
    }

    /// The helpers themselves: parameters, result, body.
    pub(super) fn functions(self) -> Vec<(u32, Option<ValType>, Function)> {
        vec![
            (7, None, self.run_body()),
            (0, None, self.flush_body()),
            (6, None, self.report_body()),
            (3, None, stamp_body()),
            (4, Some(ValType::I32), self.ask_body()),
            (2, Some(ValType::I32), times_body()),
            (2, None, self.expect_body()),
            (6, None, self.place_body()),
        ]
    }

    fn run_body(self) -> Function {
        let mut f = Function::new([(1, ValType::I32)]);
        let at = 7;
        f.instruction(&I::GlobalGet(self.cursor()));
        f.instruction(&I::I32Const(RUNS));
        f.instruction(&I::I32Eq);
        f.instruction(&I::If(BlockType::Empty));
        f.instruction(&I::Call(self.flush()));
        f.instruction(&I::End);
        f.instruction(&I::GlobalGet(self.cursor()));
        f.instruction(&I::I32Const(RUN));
        f.instruction(&I::I32Mul);
        f.instruction(&I::LocalSet(at));
        for field in 0..7u32 {
            f.instruction(&I::LocalGet(at));
            f.instruction(&I::LocalGet(field));
            f.instruction(&I::I32Store(MemArg { offset: u64::from(field) * 4, align: 2, memory_index: REPORT }));
        }
        f.instruction(&I::GlobalGet(self.cursor()));
        f.instruction(&I::I32Const(1));
        f.instruction(&I::I32Add);
        f.instruction(&I::GlobalSet(self.cursor()));
        f.instruction(&I::End);
        f
    }

    fn flush_body(self) -> Function {
        let mut f = Function::new([(1, ValType::I32)]);
        f.instruction(&I::GlobalGet(self.cursor()));
        f.instruction(&I::LocalTee(0));
        f.instruction(&I::If(BlockType::Empty));
        f.instruction(&I::I32Const(0));
        f.instruction(&I::GlobalSet(self.cursor()));
        f.instruction(&I::GlobalGet(self.hook()));
        f.instruction(&I::I32Const(0));
        f.instruction(&I::LocalGet(0));
        f.instruction(&I::Call(self.leaving()));
        f.instruction(&I::End);
        f.instruction(&I::End);
        f
    }

    fn report_body(self) -> Function {
        let (pointer, bytes, path) = (0, 1, 2);
        let (end, at, start, label) = (6, 7, 8, 9);
        let byte = MemArg { offset: 0, align: 0, memory_index: SHADOW };
        let mut f = Function::new([(4, ValType::I32)]);
        f.instruction(&I::LocalGet(pointer));
        f.instruction(&I::LocalTee(at));
        f.instruction(&I::LocalGet(bytes));
        f.instruction(&I::I32Add);
        f.instruction(&I::LocalTee(end));
        f.instruction(&I::LocalGet(pointer));
        f.instruction(&I::I32LtU);
        f.instruction(&I::If(BlockType::Empty));
        f.instruction(&I::Unreachable);
        f.instruction(&I::End);
        f.instruction(&I::Block(BlockType::Empty));
        f.instruction(&I::Loop(BlockType::Empty));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::LocalGet(end));
        f.instruction(&I::I32GeU);
        f.instruction(&I::BrIf(1));
        // Eight clean ones at once.
        f.instruction(&I::LocalGet(end));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::I32Sub);
        f.instruction(&I::I32Const(8));
        f.instruction(&I::I32GeU);
        f.instruction(&I::If(BlockType::Empty));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::I64Load(byte));
        f.instruction(&I::I64Eqz);
        f.instruction(&I::If(BlockType::Empty));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::I32Const(8));
        f.instruction(&I::I32Add);
        f.instruction(&I::LocalSet(at));
        f.instruction(&I::Br(2));
        f.instruction(&I::End);
        f.instruction(&I::End);
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::LocalTee(start));
        f.instruction(&I::I32Load8U(byte));
        f.instruction(&I::LocalSet(label));
        // As far as the label is the same.
        f.instruction(&I::Block(BlockType::Empty));
        f.instruction(&I::Loop(BlockType::Empty));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::I32Const(1));
        f.instruction(&I::I32Add);
        f.instruction(&I::LocalTee(at));
        f.instruction(&I::LocalGet(end));
        f.instruction(&I::I32GeU);
        f.instruction(&I::BrIf(1));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::I32Load8U(byte));
        f.instruction(&I::LocalGet(label));
        f.instruction(&I::I32Eq);
        f.instruction(&I::BrIf(0));
        f.instruction(&I::End);
        f.instruction(&I::End);
        f.instruction(&I::LocalGet(label));
        f.instruction(&I::If(BlockType::Empty));
        for field in 0..4 {
            f.instruction(&I::LocalGet(path + field));
        }
        f.instruction(&I::LocalGet(start));
        f.instruction(&I::LocalGet(pointer));
        f.instruction(&I::I32Sub);
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::LocalGet(start));
        f.instruction(&I::I32Sub);
        f.instruction(&I::LocalGet(label));
        f.instruction(&I::Call(self.run()));
        f.instruction(&I::End);
        f.instruction(&I::Br(0));
        f.instruction(&I::End);
        f.instruction(&I::End);
        f.instruction(&I::End);
        f
    }

    /// The label of all that arrived, or of this part of it.
    fn ask_body(self) -> Function {
        let mut f = Function::new([]);
        f.instruction(&I::GlobalGet(self.label()));
        f.instruction(&I::I32Const(crate::map::ASK.cast_signed()));
        f.instruction(&I::I32And);
        f.instruction(&I::If(BlockType::Result(ValType::I32)));
        f.instruction(&I::GlobalGet(self.hook()));
        for field in 0..4 {
            f.instruction(&I::LocalGet(field));
        }
        f.instruction(&I::Call(self.source()));
        f.instruction(&I::Else);
        f.instruction(&I::GlobalGet(self.label()));
        f.instruction(&I::End);
        f.instruction(&I::I32Const(0xff));
        f.instruction(&I::I32And);
        f.instruction(&I::End);
        f
    }

    /// The bytes of a part: all with one label, or piece by piece as the host says.
    fn place_body(self) -> Function {
        let (pointer, bytes, path) = (0, 1, 2);
        let (at, said, length) = (6, 7, 8);
        let mut f = Function::new([(3, ValType::I32)]);
        f.instruction(&I::GlobalGet(self.label()));
        f.instruction(&I::I32Const(crate::map::PIECES.cast_signed()));
        f.instruction(&I::I32And);
        f.instruction(&I::I32Eqz);
        f.instruction(&I::If(BlockType::Empty));
        f.instruction(&I::LocalGet(pointer));
        f.instruction(&I::LocalGet(bytes));
        for field in 0..4 {
            f.instruction(&I::LocalGet(path + field));
        }
        f.instruction(&I::Call(self.ask()));
        f.instruction(&I::Call(self.stamp()));
        f.instruction(&I::Return);
        f.instruction(&I::End);
        f.instruction(&I::Block(BlockType::Empty));
        f.instruction(&I::Loop(BlockType::Empty));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::LocalGet(bytes));
        f.instruction(&I::I32GeU);
        f.instruction(&I::BrIf(1));
        f.instruction(&I::GlobalGet(self.hook()));
        for field in 0..4 {
            f.instruction(&I::LocalGet(path + field));
        }
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::Call(self.piece()));
        f.instruction(&I::LocalTee(said));
        f.instruction(&I::I32Const(8));
        f.instruction(&I::I32ShrU);
        f.instruction(&I::LocalSet(length));
        // No length is all that is left, and none is more than that.
        f.instruction(&I::LocalGet(bytes));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::I32Sub);
        f.instruction(&I::LocalGet(length));
        f.instruction(&I::LocalGet(length));
        f.instruction(&I::I32Eqz);
        f.instruction(&I::LocalGet(length));
        f.instruction(&I::LocalGet(bytes));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::I32Sub);
        f.instruction(&I::I32GtU);
        f.instruction(&I::I32Or);
        f.instruction(&I::Select);
        f.instruction(&I::LocalSet(length));
        f.instruction(&I::LocalGet(pointer));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::I32Add);
        f.instruction(&I::LocalGet(length));
        f.instruction(&I::LocalGet(said));
        f.instruction(&I::I32Const(0xff));
        f.instruction(&I::I32And);
        f.instruction(&I::Call(self.stamp()));
        f.instruction(&I::LocalGet(at));
        f.instruction(&I::LocalGet(length));
        f.instruction(&I::I32Add);
        f.instruction(&I::LocalSet(at));
        f.instruction(&I::Br(0));
        f.instruction(&I::End);
        f.instruction(&I::End);
        f.instruction(&I::End);
        f
    }

    fn expect_body(self) -> Function {
        let byte = MemArg { offset: 0, align: 0, memory_index: SHADOW };
        let mut f = Function::new([]);
        f.instruction(&I::Block(BlockType::Empty));
        f.instruction(&I::GlobalGet(self.expected()));
        f.instruction(&I::I32Eqz);
        f.instruction(&I::BrIf(0));
        f.instruction(&I::Loop(BlockType::Empty));
        f.instruction(&I::LocalGet(1));
        f.instruction(&I::I32Eqz);
        f.instruction(&I::BrIf(1));
        f.instruction(&I::LocalGet(0));
        f.instruction(&I::LocalGet(0));
        f.instruction(&I::I32Load8U(byte));
        f.instruction(&I::GlobalGet(self.expected()));
        f.instruction(&I::I32Or);
        f.instruction(&I::I32Store8(byte));
        f.instruction(&I::LocalGet(0));
        f.instruction(&I::I32Const(1));
        f.instruction(&I::I32Add);
        f.instruction(&I::LocalSet(0));
        f.instruction(&I::LocalGet(1));
        f.instruction(&I::I32Const(1));
        f.instruction(&I::I32Sub);
        f.instruction(&I::LocalSet(1));
        f.instruction(&I::Br(0));
        f.instruction(&I::End);
        f.instruction(&I::End);
        f.instruction(&I::End);
        f
    }
}

fn stamp_body() -> Function {
    let mut f = Function::new([]);
    f.instruction(&I::LocalGet(0));
    f.instruction(&I::LocalGet(2));
    f.instruction(&I::LocalGet(1));
    f.instruction(&I::MemoryFill(SHADOW));
    f.instruction(&I::End);
    f
}

fn times_body() -> Function {
    let mut f = Function::new([(1, ValType::I64)]);
    f.instruction(&I::LocalGet(0));
    f.instruction(&I::I64ExtendI32U);
    f.instruction(&I::LocalGet(1));
    f.instruction(&I::I64ExtendI32U);
    f.instruction(&I::I64Mul);
    f.instruction(&I::LocalTee(2));
    f.instruction(&I::I64Const(32));
    f.instruction(&I::I64ShrU);
    f.instruction(&I::I64Eqz);
    f.instruction(&I::If(BlockType::Empty));
    f.instruction(&I::Else);
    f.instruction(&I::Unreachable);
    f.instruction(&I::End);
    f.instruction(&I::LocalGet(2));
    f.instruction(&I::I32WrapI64);
    f.instruction(&I::End);
    f
}
