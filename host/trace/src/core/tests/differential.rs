//! Modules that nobody wrote: original and rewritten must agree on results, traps, globals and memory, whatever the
//! labels are.

use arbitrary::Unstructured;
use wasm_smith::{Config, Module};
use wasmtime::{Extern, Trap, Val};

use crate::follow::Follow;

use super::rig::{Limits, Pair, engine, instantiate, new_store, rewritten, rewritten_plainly, shown};

/// Modules in a run of the tests: a few seconds. 20 000 were run when this was written.
const MODULES: u64 = 1200;

/// A generator of numbers that is the same everywhere.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn bytes(&mut self, many: usize) -> Vec<u8> {
        (0..many).map(|_| u8::try_from(self.next() & 0xff).unwrap()).collect()
    }
}

pub fn config(variant: u64) -> Config {
    Config {
        max_imports: 0,
        min_funcs: 2,
        max_funcs: 12,
        min_exports: 2,
        export_everything: true,
        max_memories: 1,
        min_memories: u32::from(!variant.is_multiple_of(3)),
        memory_max_size_required: false,
        max_memory32_bytes: 20 * 65536,
        max_tables: 3,
        memory64_enabled: false,
        threads_enabled: false,
        shared_everything_threads_enabled: false,
        gc_enabled: false,
        exceptions_enabled: false,
        custom_page_sizes_enabled: false,
        wide_arithmetic_enabled: false,
        simd_enabled: true,
        relaxed_simd_enabled: true,
        // Half of the modules with references have externref, which the engine of the tests is built without.
        reference_types_enabled: variant.is_multiple_of(4),
        bulk_memory_enabled: true,
        multi_value_enabled: true,
        tail_call_enabled: true,
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        extended_const_enabled: true,
        canonicalize_nans: true,
        max_instructions: if variant.is_multiple_of(2) { 400 } else { 80 },
        ..Config::default()
    }
}

/// What a run shows: each call's results or trap, then globals and memory.
fn run(pair: Result<&Pair, &[u8]>, seed: u64) -> Option<Vec<String>> {
    run_with_labels(pair, seed).map(|(said, _)| said)
}

/// The same, and labels of each result and of memory.
fn run_with_labels(pair: Result<&Pair, &[u8]>, seed: u64) -> Option<(Vec<String>, Vec<String>)> {
    let engine = engine();
    let mut store = new_store(&engine);
    let (mut numbers, mut labels) = (Numbers(seed), Numbers(seed ^ 2));
    let (shared, guest) = match pair {
        Ok(pair) => match instantiate(&mut store, pair) {
            Ok((shared, guest)) => (Some(shared), guest),
            Err(error) => return trapped(&error).map(|trap| (vec![trap], Vec::new())),
        },
        Err(module) => {
            let module = wasmtime::Module::new(&engine, module).ok()?;
            match wasmtime::Instance::new(&mut store, &module, &[]) {
                Ok(guest) => (None, guest),
                Err(error) => return trapped(&error).map(|trap| (vec![trap], Vec::new())),
            }
        }
    };
    // Labels may be anything: they must change nothing.
    if let Some(shared) = &shared
        && let Some(memory) = shared.get_memory(&mut store, "shadow")
    {
        let many = memory.data_size(&store);
        let shadow = Numbers(seed ^ 1).bytes(many.min(4096));
        memory.data_mut(&mut store)[..shadow.len()].copy_from_slice(&shadow);
    }
    let (mut said, mut told) = (Vec::new(), Vec::new());
    let names: Vec<String> = guest.exports(&mut store).map(|export| export.name().to_owned()).collect();
    for name in names.iter().filter(|name| !name.ends_with(" label")) {
        let Some(Extern::Func(function)) = guest.get_export(&mut store, name) else { continue };
        let ty = function.ty(&store);
        // Labels come behind the values, as many.
        let part = if shared.is_some() { 2 } else { 1 };
        let values = ty.params().len() / part;
        let arguments: Vec<Val> = ty
            .params()
            .enumerate()
            .map(|(at, ty)| value(&ty, if at < values { &mut numbers } else { &mut labels }))
            .collect();
        let mut results: Vec<Val> = ty.results().map(|_| Val::I32(0)).collect();
        match function.call(&mut store, &arguments, &mut results) {
            Ok(()) => {
                let values = results.iter().take(results.len() / part);
                said.push(values.map(shown).collect::<Vec<_>>().join(", "));
                told.push(results.iter().skip(results.len() / part).map(shown).collect::<Vec<_>>().join(", "));
            }
            Err(error) => said.push(trapped(&error)?),
        }
    }
    for name in names.iter().filter(|name| !name.ends_with(" label")) {
        state(&mut store, &guest, name, &mut said);
    }
    if let Some(shared) = &shared {
        state(&mut store, shared, "shadow", &mut told);
    }
    Some((said, told))
}

fn state(store: &mut wasmtime::Store<Limits>, guest: &wasmtime::Instance, name: &str, said: &mut Vec<String>) {
    match guest.get_export(&mut *store, name) {
        Some(Extern::Global(global)) => said.push(format!("{name} = {}", shown(&global.get(&mut *store)))),
        Some(Extern::Memory(memory)) => {
            let sum =
                memory.data(&*store).iter().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
            said.push(format!("{name}: {} bytes, {sum:x}", memory.data_size(&*store)));
        }
        Some(Extern::Table(table)) => said.push(format!("{name}: {} elements", table.size(&*store))),
        _ => {}
    }
}

pub fn value(ty: &wasmtime::ValType, numbers: &mut Numbers) -> Val {
    let number = numbers.next();
    let small = if number & 1 == 0 { number >> 40 } else { number };
    match ty {
        wasmtime::ValType::I32 => Val::I32(small as u32 as i32),
        wasmtime::ValType::I64 => Val::I64(small.cast_signed()),
        wasmtime::ValType::F32 => Val::F32((small as u16 as f32).to_bits()),
        wasmtime::ValType::F64 => Val::F64((small as u32 as f64).to_bits()),
        wasmtime::ValType::V128 => Val::V128(u128::from(small).wrapping_mul(0x0123_4567_89ab_cdef_1357).into()),
        wasmtime::ValType::Ref(ty) => Val::null_ref(ty.heap_type()),
    }
}

/// The trap's name. A stack that overflows does so elsewhere when frames are larger: such a run says nothing.
fn trapped(error: &wasmtime::Error) -> Option<String> {
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => None,
        Some(trap) => Some(format!("{trap:?}")),
        None => Some("failed".to_owned()),
    }
}

#[test]
fn rewriting_generated_modules_changes_no_result_trap_global_or_memory() {
    let (mut compared, mut calls, mut traps) = (0, 0, 0);
    let mut skipped = [0; 3];
    for seed in 0..MODULES {
        let bytes = Numbers(seed.wrapping_mul(7919)).bytes(4096);
        let mut input = Unstructured::new(&bytes);
        let Ok(mut module) = Module::new(config(seed), &mut input) else {
            skipped[0] += 1;
            continue;
        };
        if module.ensure_termination(200).is_err() {
            skipped[1] += 1;
            continue;
        }
        let original = module.to_bytes();
        let follow = if seed % 3 == 1 { Follow::Branches } else { Follow::Data };
        let pair = rewritten(&original, follow).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        wasmparser::Validator::new_with_features(crate::core::module::FEATURES)
            .validate_all(&pair.module)
            .unwrap_or_else(|why| panic!("seed {seed}: what was written is not valid: {why}"));
        let (before, after) = (run(Err(&original), seed), run(Ok(&pair), seed));
        let (Some(before), Some(after)) = (before, after) else {
            skipped[2] += 1;
            continue;
        };
        assert_eq!(before, after, "seed {seed}");
        compared += 1;
        calls += before.len();
        traps += before.iter().filter(|line| line.chars().all(char::is_alphabetic) && !line.is_empty()).count();
    }
    println!("{compared} modules, {calls} lines, {traps} traps; skipped {skipped:?}");
    assert!(compared * 10 > MODULES * 6, "only {compared} of {MODULES} modules could be compared");
    assert!(traps > 10 && calls > traps * 2, "{calls} lines with {traps} traps compare too little");
}

/// What is known to be clean is left out of the code; nobody may see that by a label.
#[test]
fn knowing_what_is_clean_changes_no_label_of_a_result_or_of_memory() {
    let (mut compared, mut labelled) = (0, 0);
    for seed in 0..MODULES / 2 {
        let bytes = Numbers(seed.wrapping_mul(104_729)).bytes(4096);
        let Ok(mut module) = Module::new(config(seed), &mut Unstructured::new(&bytes)) else { continue };
        if module.ensure_termination(200).is_err() {
            continue;
        }
        let original = module.to_bytes();
        let fast = rewritten(&original, Follow::Data).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        let plain = rewritten_plainly(&original).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        let (Some(fast), Some(plain)) = (run_with_labels(Ok(&fast), seed), run_with_labels(Ok(&plain), seed)) else {
            continue;
        };
        assert_eq!(fast, plain, "seed {seed}");
        compared += 1;
        labelled += fast.1.iter().filter(|line| line.contains(|digit: char| ('1'..='9').contains(&digit))).count();
    }
    println!("{compared} modules, {labelled} labelled lines");
    assert!(
        compared * 10 > MODULES * 3 && labelled > 100,
        "{compared} modules with {labelled} labels compare too little"
    );
}
