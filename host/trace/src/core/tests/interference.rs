//! Where branches are followed: in functions that nobody wrote, an argument changes no byte of a result that has not its
//! label. They have no memory and no globals, where a store that was *not* made could tell.

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, ExportKind, ExportSection, Function, FunctionSection,
    Instruction as I, Module, RefType, TableSection, TableType, TypeSection, ValType,
};
use wasmtime::{Engine, Instance, Linker};

use super::differential::Numbers;
use super::rig::{new_store, rewritten};
use crate::core::layout::STORE;
use crate::follow::Follow;

/// Modules in a run of the tests: a few seconds. 10 000 were run when this was written.
const MODULES: u64 = 250;

/// Pairs of arguments that each module's last function is called with.
const PAIRS: usize = 24;

/// Functions of a module. Each calls those before it.
const FUNCTIONS: u32 = 3;

const PARAMETERS: u32 = 3;
/// Locals that are read and written; behind them are the counters of loops.
const VARIABLES: u32 = 6;
const COUNTERS: u32 = 8;

/// Writes a function's body.
struct Writer {
    numbers: Numbers,
    out: Vec<I<'static>>,
    /// Blocks that are open: the counter of each loop, none for other blocks. The function's own is not among them.
    open: Vec<Option<u32>>,
    loops: u32,
    callable: u32,
    left: u32,
}

impl Writer {
    fn one_of(&mut self, many: u64) -> u64 {
        self.numbers.next() % many
    }

    fn variable(&mut self) -> u32 {
        u32::try_from(self.one_of(u64::from(VARIABLES))).unwrap()
    }

    fn put(&mut self, instruction: I<'static>) {
        self.out.push(instruction);
    }

    fn expression(&mut self, depth: u32) {
        let many = if depth == 0 { 3 } else { 10 };
        match self.one_of(many) {
            0 => {
                let value = i32::try_from(self.one_of(5)).unwrap();
                self.put(I::I32Const(value));
            }
            1 | 2 => {
                let variable = self.variable();
                self.put(I::LocalGet(variable));
            }
            3 | 4 => {
                self.expression(depth - 1);
                self.expression(depth - 1);
                let operator =
                    [I::I32Add, I::I32Xor, I::I32And, I::I32LtU, I::I32Eq, I::I32ShrU][self.one_of(6) as usize].clone();
                self.put(operator);
            }
            5 => {
                self.expression(depth - 1);
                self.put(I::I32Eqz);
            }
            6 => {
                self.expression(depth - 1);
                let value = 1 << self.one_of(6);
                self.put(I::I32Const(value));
                self.put(I::I32And);
            }
            7 => {
                for _ in 0..3 {
                    self.expression(depth - 1);
                }
                self.put(I::Select);
            }
            8 if self.callable > 0 => {
                for _ in 0..PARAMETERS {
                    self.expression(depth - 1);
                }
                let function = u32::try_from(self.one_of(u64::from(self.callable))).unwrap();
                if self.one_of(3) == 0 {
                    self.expression(0);
                    self.put(I::I32Const(1));
                    self.put(I::I32And);
                    self.put(I::CallIndirect { type_index: 0, table_index: 0 });
                } else {
                    self.put(I::Call(function));
                }
            }
            8 => self.put(I::LocalGet(0)),
            _ => {
                self.expression(depth - 1);
                self.put(I::If(BlockType::Result(ValType::I32)));
                self.open.push(None);
                self.expression(depth - 1);
                self.put(I::Else);
                self.statements();
                self.expression(depth - 1);
                self.put(I::End);
                self.open.pop();
            }
        }
    }

    /// A block around that a branch may lead to, with no value. Those that give one are branched out of by `return`.
    fn target(&mut self) -> u32 {
        u32::try_from(self.one_of(self.open.len() as u64)).unwrap()
    }

    fn statements(&mut self) {
        let many = 1 + self.one_of(4);
        for _ in 0..many {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            self.statement();
        }
    }

    fn statement(&mut self) {
        match self.one_of(9) {
            0..=2 => {
                self.expression(2);
                let variable = self.variable();
                self.put(I::LocalSet(variable));
            }
            3 => {
                self.expression(2);
                self.put(I::If(BlockType::Empty));
                self.open.push(None);
                self.statements();
                if self.one_of(2) == 0 {
                    self.put(I::Else);
                    self.statements();
                }
                self.put(I::End);
                self.open.pop();
            }
            4 => {
                self.put(I::Block(BlockType::Empty));
                self.open.push(None);
                self.statements();
                self.put(I::End);
                self.open.pop();
            }
            5 if self.loops < COUNTERS => {
                let counter = VARIABLES + self.loops;
                self.loops += 1;
                self.put(I::I32Const(4));
                self.put(I::LocalSet(counter));
                self.put(I::Block(BlockType::Empty));
                self.put(I::Loop(BlockType::Empty));
                self.open.extend([None, Some(counter)]);
                // However it is come back to, it turns three times at most.
                self.put(I::LocalGet(counter));
                self.put(I::I32Const(1));
                self.put(I::I32Sub);
                self.put(I::LocalTee(counter));
                self.put(I::I32Eqz);
                self.put(I::BrIf(1));
                self.statements();
                self.expression(1);
                self.put(I::BrIf(0));
                self.put(I::End);
                self.put(I::End);
                self.open.truncate(self.open.len() - 2);
            }
            6 if self.plain() => {
                self.expression(2);
                let target = self.target();
                self.put(I::BrIf(target));
            }
            7 if self.plain() && self.one_of(3) == 0 => {
                let (one, two, three) = (self.target(), self.target(), self.target());
                self.put(I::Block(BlockType::Empty));
                self.open.push(None);
                self.expression(1);
                self.put(I::BrTable(vec![0, one + 1, two + 1].into(), three + 1));
                self.put(I::End);
                self.open.pop();
            }
            8 if self.one_of(4) == 0 => {
                self.expression(1);
                self.put(I::If(BlockType::Empty));
                self.open.push(None);
                self.expression(1);
                self.put(I::Return);
                self.put(I::End);
                self.open.pop();
            }
            _ => {
                self.expression(1);
                let variable = self.variable();
                self.put(I::LocalSet(variable));
            }
        }
    }

    /// What a function gives in the end: a byte of each variable, and something else.
    fn tell(&mut self) {
        for variable in 0..VARIABLES {
            self.put(I::LocalGet(variable));
            self.put(I::I32Const(0xff));
            self.put(I::I32And);
            self.put(I::I32Const(i32::try_from(variable % 4 * 8).unwrap()));
            self.put(I::I32Shl);
            self.put(I::I32Xor);
        }
    }

    /// Whether all blocks around give nothing, so that a branch to any of them needs no value.
    fn plain(&self) -> bool {
        let values = |instruction: &&I<'_>| matches!(instruction, I::If(BlockType::Result(_)));
        let mut depth = 0usize;
        let mut inside = false;
        let mut stack = Vec::new();
        for instruction in &self.out {
            match instruction {
                I::Block(_) | I::Loop(_) | I::If(_) => {
                    stack.push(values(&instruction));
                    depth += 1;
                }
                I::End => {
                    stack.pop();
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
        }
        inside |= stack.iter().any(|gives| *gives);
        !inside && depth > 0 && !self.open.is_empty()
    }
}

fn module(seed: u64) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; PARAMETERS as usize], [ValType::I32]);
    let (mut functions, mut code, mut exports) = (FunctionSection::new(), CodeSection::new(), ExportSection::new());
    for at in 0..FUNCTIONS {
        let mut writer = Writer {
            numbers: Numbers(seed.wrapping_mul(0x0001_0001) ^ u64::from(at) << 40),
            out: Vec::new(),
            open: Vec::new(),
            loops: 0,
            callable: at,
            left: 24,
        };
        for _ in 0..4 {
            writer.statements();
        }
        writer.expression(3);
        writer.tell();
        functions.function(0);
        let mut body = Function::new([(VARIABLES - PARAMETERS + COUNTERS, ValType::I32)]);
        for instruction in &writer.out {
            body.instruction(instruction);
        }
        body.instruction(&I::End);
        code.function(&body);
    }
    exports.export("f", ExportKind::Func, FUNCTIONS - 1);
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: 2,
        maximum: Some(2),
        shared: false,
    });
    let mut elements = ElementSection::new();
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(vec![0, 1].into()));
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&tables).section(&exports).section(&elements).section(&code);
    module.finish()
}

/// The function's result and its label, each time from nothing.
struct Prepared {
    engine: Engine,
    store: wasmtime::Module,
    module: wasmtime::Module,
}

impl Prepared {
    fn call(&self, arguments: [u32; 3], labelled: usize) -> Option<([u8; 4], [u8; 4])> {
        let mut store = new_store(&self.engine);
        store.set_fuel(200_000).unwrap();
        let shared = Instance::new(&mut store, &self.store, &[]).unwrap();
        let mut linker = Linker::new(&self.engine);
        linker.instance(&mut store, STORE, shared).unwrap();
        let guest = linker.instantiate(&mut store, &self.module).unwrap();
        let [first, second, third] = arguments;
        let [one, two, three] = std::array::from_fn(|at| if at == labelled { 0x0101_0101 } else { 0 });
        let function = guest.get_typed_func::<(u32, u32, u32, u32, u32, u32), (u32, u32)>(&mut store, "f").unwrap();
        // What calls functions that call functions in loops may take too long.
        let (result, label) = function.call(&mut store, (first, second, third, one, two, three)).ok()?;
        Some((result.to_le_bytes(), label.to_le_bytes()))
    }
}

#[derive(Default, Debug)]
struct Sum {
    calls: u64,
    changed: u64,
    labelled: u64,
    clean: u64,
    missed: Vec<String>,
}

fn interference(seed: u64, follow: Follow, sum: &mut Sum) {
    let original = module(seed);
    let pair = rewritten(&original, follow).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    let mut config = wasmtime::Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let prepared = Prepared {
        store: wasmtime::Module::new(&engine, &pair.store).unwrap(),
        module: wasmtime::Module::new(&engine, &pair.module).unwrap_or_else(|why| panic!("seed {seed}: {why:?}")),
        engine,
    };
    let mut numbers = Numbers(seed ^ 0xabcd);
    for turn in 0..PAIRS {
        let labelled = turn % 3;
        let mut arguments = [0, 0, 0].map(|_: u32| u32::try_from(numbers.next() % 7).unwrap());
        let one = prepared.call(arguments, labelled);
        let before = arguments;
        arguments[labelled] ^= 1 << (numbers.next() % 4);
        let other = prepared.call(arguments, labelled);
        let (Some((one, label)), Some((other, _))) = (one, other) else { continue };
        sum.calls += 1;
        for at in 0..4 {
            if label[at] == 0 {
                sum.clean += 1;
            } else {
                sum.labelled += 1;
            }
            if one[at] != other[at] {
                sum.changed += 1;
                if label[at] == 0 {
                    sum.missed.push(format!("seed {seed}: {before:?} to {arguments:?} changes byte {at}"));
                }
            }
        }
    }
}

#[test]
fn with_branches_followed_no_argument_changes_a_byte_of_a_result_that_is_not_labelled() {
    let (mut branches, mut data) = (Sum::default(), Sum::default());
    for seed in 0..MODULES {
        interference(seed, Follow::Branches, &mut branches);
        assert!(branches.missed.is_empty(), "{}", branches.missed.join("\n"));
        if seed % 8 == 0 {
            interference(seed, Follow::Data, &mut data);
        }
    }
    println!("branches: {branches:?}\ndata: {} of {} changed bytes had no label", data.missed.len(), data.changed);
    // Otherwise it would tell nothing: there are changes, there are clean bytes, and branches are needed.
    assert!(branches.changed > 1000 && branches.clean > 1000 && !data.missed.is_empty());
}
