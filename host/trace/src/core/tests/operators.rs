//! Every operator on numbers and vectors, alone: change one byte of one operand, and each byte of the result that
//! changes must have that operand's label. A rule that forgets a byte shows here.

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, FunctionSection, Instruction, MemorySection, MemoryType, Module,
    TypeSection, ValType,
};
use wasmparser::Operator;

use crate::follow::Follow;

use super::rig::{engine, instantiate, new_store, rewritten};

const TYPES: [ValType; 5] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128];

/// Place of the vector or number that loads read, and stores change.
const AT: u64 = 64;

macro_rules! all_operators {
    ($(@$proposal:ident $name:ident $({ $($field:ident: $type:ty),* })? => $visit:ident ($($arity:tt)*))*) => {
        fn operators() -> Vec<Operator<'static>> {
            let mut all = Vec::new();
            $(all_operators!(@one all $proposal $name $({ $($field),* })?);)*
            all
        }
    };
    (@one $all:ident mvp $name:ident) => { $all.push(Operator::$name); };
    (@one $all:ident simd $name:ident) => { $all.push(Operator::$name); };
    (@one $all:ident relaxed_simd $name:ident) => { $all.push(Operator::$name); };
    (@one $all:ident sign_extension $name:ident) => { $all.push(Operator::$name); };
    (@one $all:ident saturating_float_to_int $name:ident) => { $all.push(Operator::$name); };
    (@one $all:ident simd $name:ident { lane }) => {
        for lane in [0, 1] { $all.push(Operator::$name { lane }); }
    };
    (@one $all:ident simd $name:ident { lanes }) => {
        $all.push(Operator::$name { lanes: [3, 1, 31, 16, 0, 0, 15, 20, 8, 9, 10, 11, 30, 2, 17, 5] });
    };
    (@one $all:ident $proposal:ident $name:ident { memarg }) => {
        if stringify!($proposal) == "mvp" || stringify!($proposal) == "simd" {
            $all.push(Operator::$name { memarg: place() });
        }
    };
    (@one $all:ident simd $name:ident { memarg, lane }) => {
        for lane in [0, 1] { $all.push(Operator::$name { memarg: place(), lane }); }
    };
    (@one $all:ident $proposal:ident $name:ident $($rest:tt)*) => {};
}
wasmparser::for_each_operator!(all_operators);

fn place() -> wasmparser::MemArg {
    wasmparser::MemArg { align: 0, max_align: 0, offset: AT, memory: 0 }
}

/// Where operand `at` is, and where the result goes: all pass through memory, where labels are exact for vectors too.
fn operand(at: usize) -> usize {
    256 + 16 * at
}
const RESULT: usize = 512;

fn memarg(at: usize) -> wasm_encoder::MemArg {
    wasm_encoder::MemArg { offset: at as u64, align: 0, memory_index: 0 }
}

fn load(ty: ValType, at: usize) -> Instruction<'static> {
    match ty {
        ValType::I32 => Instruction::I32Load(memarg(at)),
        ValType::I64 => Instruction::I64Load(memarg(at)),
        ValType::F32 => Instruction::F32Load(memarg(at)),
        ValType::F64 => Instruction::F64Load(memarg(at)),
        _ => Instruction::V128Load(memarg(at)),
    }
}

fn store(ty: ValType, at: usize) -> Instruction<'static> {
    match ty {
        ValType::I32 => Instruction::I32Store(memarg(at)),
        ValType::I64 => Instruction::I64Store(memarg(at)),
        ValType::F32 => Instruction::F32Store(memarg(at)),
        ValType::F64 => Instruction::F64Store(memarg(at)),
        _ => Instruction::V128Store(memarg(at)),
    }
}

/// A module with one function that loads the operands, does the operator, and stores its result.
fn module(operator: &Operator<'_>, parameters: &[ValType], result: Option<ValType>) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("f", ExportKind::Func, 0).export("m", ExportKind::Memory, 0);
    let mut body = Function::new([]);
    if result.is_some() {
        body.instruction(&Instruction::I32Const(0));
    }
    for (at, ty) in parameters.iter().enumerate() {
        body.instruction(&Instruction::I32Const(0));
        body.instruction(&load(*ty, operand(at)));
    }
    body.instruction(&RoundtripReencoder.instruction(operator.clone()).unwrap());
    if let Some(result) = result {
        body.instruction(&store(result, RESULT));
    }
    body.instruction(&Instruction::End);
    let mut code = CodeSection::new();
    code.function(&body);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code);
    module.finish()
}

/// The first types that the operator can have.
fn typed(operator: &Operator<'_>) -> Option<(Vec<ValType>, Option<ValType>, Vec<u8>)> {
    let results: Vec<Option<ValType>> = TYPES.iter().map(|ty| Some(*ty)).chain([None]).collect();
    for many in 1..=3u32 {
        for code in 0..5usize.pow(many) {
            let parameters: Vec<ValType> = (0..many).map(|at| TYPES[code / 5usize.pow(at) % 5]).collect();
            for result in &results {
                let module = module(operator, &parameters, *result);
                if wasmparser::Validator::new_with_features(crate::core::module::FEATURES).validate_all(&module).is_ok()
                {
                    return Some((parameters, *result, module));
                }
            }
        }
    }
    None
}

fn width(ty: ValType) -> usize {
    match ty {
        ValType::I64 | ValType::F64 => 8,
        ValType::V128 => 16,
        _ => 4,
    }
}

/// Operands that are ordinary, and such that cut, carry and sign.
fn samples(ty: ValType) -> Vec<Vec<u8>> {
    let width = width(ty);
    let mut samples = vec![
        (0..width).map(|at| u8::try_from(at * 37 + 11).unwrap_or(0x5a)).collect(),
        (0..width).map(|at| if at % 4 == 0 { 3 } else { 0 }).collect(),
        (0..width).map(|at| if at % 2 == 0 { 0xff } else { 0x7f }).collect(),
        vec![0x80; width],
    ];
    if matches!(ty, ValType::F32 | ValType::V128) {
        samples.push(3.75f32.to_le_bytes().repeat(width / 4));
        samples.push((-1.0e9f32).to_le_bytes().repeat(width / 4));
    }
    if matches!(ty, ValType::F64 | ValType::V128) {
        samples.push(1234.5f64.to_le_bytes().repeat(width / 8));
    }
    samples
}

#[test]
fn every_operator_labels_each_byte_of_its_result_that_an_operand_can_change() {
    let engine = engine();
    let (mut seen, mut changed) = (0, 0);
    for operator in operators() {
        let name = format!("{operator:?}");
        if ["Nop", "Drop", "Unreachable", "Return", "End", "Else", "Select"].contains(&name.as_str()) {
            continue;
        }
        let Some((parameters, _, original)) = typed(&operator) else { panic!("{name} has no types") };
        let pair = rewritten(&original, Follow::Data).unwrap_or_else(|why| panic!("{name}: {why}"));
        let mut store = new_store(&engine);
        let (shared, guest) = instantiate(&mut store, &pair).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        let function = guest.get_func(&mut store, "f").unwrap();
        let memory = guest.get_memory(&mut store, "m").unwrap();
        let shadow = shared.get_memory(&mut store, "shadow").unwrap();
        let loads = name.contains("Load");
        let addressed = loads || name.contains("Store");
        let round: Vec<Vec<Vec<u8>>> = parameters.iter().map(|ty| samples(*ty)).collect();
        let content: Vec<u8> = (0..16).map(|at| 0x91u8.wrapping_add(at * 7)).collect();
        let out = if name.contains("Store") { AT as usize..AT as usize + 16 } else { RESULT..RESULT + 16 };
        let mut call = |operands: &[Vec<u8>], labels: &[Vec<u8>], content: &[u8], content_labels: &[u8]| {
            memory.data_mut(&mut store)[..1024].fill(0);
            shadow.data_mut(&mut store)[..1024].fill(0);
            let mut set = |at: usize, bytes: &[u8], labels: &[u8]| {
                memory.data_mut(&mut store)[at..at + bytes.len()].copy_from_slice(bytes);
                shadow.data_mut(&mut store)[at..at + labels.len()].copy_from_slice(labels);
            };
            set(AT as usize, content, content_labels);
            for (at, (bytes, labels)) in operands.iter().zip(labels).enumerate() {
                set(operand(at), bytes, labels);
            }
            function.call(&mut store, &[], &mut []).ok()?;
            let result = memory.data(&store)[out.clone()].to_vec();
            Some((result, shadow.data(&store)[out.clone()].to_vec()))
        };
        for turn in 0..round.iter().map(Vec::len).max().unwrap() {
            let mut operands: Vec<Vec<u8>> =
                round.iter().enumerate().map(|(at, samples)| samples[(turn + at) % samples.len()].clone()).collect();
            if addressed {
                operands[0] = vec![0; 4];
            }
            let none: Vec<Vec<u8>> = operands.iter().map(|bytes| vec![0; bytes.len()]).collect();
            let Some((before, clean)) = call(&operands, &none, &content, &[0; 16]) else { continue };
            assert!(clean.iter().all(|label| *label == 0), "{name}: a label from nowhere");
            for operand in 0..operands.len() {
                for byte in 0..operands[operand].len() {
                    if addressed && operand == 0 && byte > 0 {
                        continue;
                    }
                    let mut labels = none.clone();
                    labels[operand][byte] = 1;
                    for flip in [1u8, 0x80, 0xff, 0x10] {
                        let mut other = operands.clone();
                        other[operand][byte] ^= flip;
                        let Some((after, label)) =
                            call(&operands, &labels, &content, &[0; 16]).and_then(|(_, label)| {
                                call(&other, &labels, &content, &[0; 16]).map(|(after, again)| {
                                    (after, label.iter().zip(again).map(|(one, two)| one | two).collect::<Vec<_>>())
                                })
                            })
                        else {
                            continue;
                        };
                        let storing = name.contains("Store") && operand == 0;
                        for at in 0..before.len() {
                            // Where a store writes is not followed; what it writes is.
                            if before[at] != after[at] && !storing {
                                changed += 1;
                                assert_ne!(label[at], 0, "{name}: byte {byte} of operand {operand} changes byte {at}");
                            }
                        }
                    }
                }
            }
            if loads {
                for byte in 0..16 {
                    let mut labels = [0; 16];
                    labels[byte] = 1;
                    let mut other = content.clone();
                    other[byte] ^= 0x91;
                    let (Some((after, label)), _) = (call(&operands, &none, &other, &labels), ()) else { continue };
                    for at in 0..before.len() {
                        if before[at] != after[at] {
                            changed += 1;
                            assert_ne!(label[at], 0, "{name}: byte {byte} of memory changes byte {at}");
                        }
                    }
                }
            }
        }
        seen += 1;
    }
    println!("{seen} operators, {changed} changed bytes");
    assert!(seen > 350 && changed > 10_000, "{seen} operators and {changed} changed bytes are too few");
}
