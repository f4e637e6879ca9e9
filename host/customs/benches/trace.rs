//! What tracing costs: the same guest as it is and rewritten, in turn, in one process, with the engine's own configuration.
//!
//! Each row is the median of several rounds, the sides alternating within a round, so that a busy machine slows all of them. Run it with
//! `make bench-trace`; words behind `--` keep it to guests or kernels of these names. `docs/performance.md` says how to read it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a measurement, not the program"
)]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use customs_engine::load::{Allocation, Fuel, engine};
use customs_trace::{ASK, Crossing, Follow, INTERFACE, Instrumented, Map, Step, instrument};
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable, TypedFunc};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

const ROUNDS: usize = 9;
const INSTANCES: usize = 100;

/// Guests, their kernels, and how often each runs: some tens of milliseconds for a side.
const GUESTS: [(&str, &[(&str, u32)]); 3] = [
    (
        "kernels",
        &[("xor", 60), ("base64", 20), ("sha256", 8), ("json", 4), ("sort", 8), ("map", 4), ("arithmetic", 20)],
    ),
    ("kernels-py", &[("loop", 1), ("words", 8), ("json", 4), ("xor", 1), ("base64", 40)]),
    ("kernels-js", &[("loop", 1), ("words", 2), ("json", 4), ("xor", 1)]),
];

type Run = (u32, u32, u32, u32, u32, u32, u32);
type Kernel = TypedFunc<(String, Vec<u8>, u32), (u64,)>;

struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    map: Map,
    /// Whether the input is a source.
    labelled: bool,
    /// Whether the result came from it.
    traced: bool,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

fn link(linker: &mut Linker<State>) {
    wasmtime_wasi::p2::add_to_linker_sync(linker).unwrap();
    let mut labels = linker.instance(INTERFACE).unwrap();
    labels
        .func_wrap("leaving", |mut store: StoreContextMut<'_, State>, (hook, runs): (u32, Vec<Run>)| {
            let state = store.data_mut();
            let export = matches!(state.map.hooks[hook as usize].crossing, Crossing::Export { .. });
            state.traced |= export && !runs.is_empty();
            Ok(())
        })
        .unwrap();
    labels.func_wrap("arrived", |_: StoreContextMut<'_, State>, (_,): (u32,)| Ok((ASK,))).unwrap();
    labels
        .func_wrap("source", |store: StoreContextMut<'_, State>, (hook, path, _, _, _): (u32, u32, u32, u32, u32)| {
            let state = store.data();
            let steps = &state.map.hooks[hook as usize].paths[path as usize].steps;
            let input = steps.first() == Some(&Step::Argument("input".to_owned()));
            Ok((u32::from(state.labelled && input),))
        })
        .unwrap();
}

/// A guest as it is, or rewritten.
struct Side {
    pre: InstancePre<State>,
    map: Map,
    compiling: Duration,
    code: u64,
}

impl Side {
    fn new(engine: &Engine, bytes: &[u8], map: Map) -> Self {
        let start = Instant::now();
        let component = Component::new(engine, bytes).unwrap();
        let compiling = start.elapsed();
        let mut linker = Linker::new(engine);
        link(&mut linker);
        let code = text(&component.serialize().unwrap());
        Self { pre: linker.instantiate_pre(&component).unwrap(), map, compiling, code }
    }

    fn store(&self, labelled: bool) -> Store<State> {
        let wasi = WasiCtx::builder().build();
        let state = State { table: ResourceTable::new(), wasi, map: self.map.clone(), labelled, traced: false };
        let mut store = Store::new(self.pre.engine(), state);
        store.set_epoch_deadline(1 << 40);
        store
    }

    /// Time of instantiation alone, and of letting go.
    fn instantiate(&self) -> Duration {
        let mut store = self.store(false);
        let start = Instant::now();
        black_box(self.pre.instantiate(&mut store).unwrap());
        start.elapsed()
    }

    /// Time of one kernel on a fresh instance that has run it once before, its result, and whether that was traced.
    fn run(&self, labelled: bool, kernel: &str, input: &[u8], rounds: u32) -> (Duration, u64, bool) {
        let mut store = self.store(labelled);
        let instance = self.pre.instantiate(&mut store).unwrap();
        let interface = instance.get_export_index(&mut store, None, "customs:kernels/kernels@0.1.0").unwrap();
        let index = instance.get_export_index(&mut store, Some(&interface), "run").unwrap();
        let run: Kernel = instance.get_typed_func(&mut store, index).unwrap();
        let mut call = |rounds| run.call(&mut store, (kernel.to_owned(), input.to_vec(), rounds)).unwrap().0;
        call(1);
        let (clock, thread) = (Instant::now(), thread_time());
        let result = call(rounds);
        let time = thread_time().zip(thread).map_or(clock.elapsed(), |(after, before)| after.saturating_sub(before));
        (time, result, store.data().traced)
    }
}

/// Time that this thread has had, which other work on the machine does not add to. Linux tells it; elsewhere it is the clock's.
fn thread_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// Bytes of machine code in a compiled component: the section `.text` of an ELF file of 64 bits.
fn text(file: &[u8]) -> u64 {
    let number = |at: usize, bytes: usize| {
        file[at..at + bytes].iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let place = |at: usize, bytes: usize| usize::try_from(number(at, bytes)).unwrap();
    let (sections, size, many) = (place(40, 8), place(58, 2), place(60, 2));
    let names = place(sections + place(62, 2) * size + 24, 8);
    let named = |section: &usize| file[names + place(*section, 4)..].starts_with(b".text\0");
    (0..many).map(|at| sections + at * size).find(named).map_or(0, |section| number(section + 32, 8))
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_nanos() as f64 / 1e6
}

/// Text that is also JSON: lists of objects with words and numbers.
fn input(guest: &str, kernel: &str) -> Vec<u8> {
    let length = if guest == "kernels" { 1 << 18 } else { 1 << 16 };
    if kernel == "loop" || kernel == "xor" && guest != "kernels" {
        return (0u32..1 << 18).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    }
    let mut text = String::from("[ ");
    let mut seed = 1u32;
    while text.len() < length {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let word = ["customs", "ledger", "harbour", "manifest", "tariff", "seal"][seed as usize >> 8 & 3];
        text.push_str(&format!(
            "{{\"id\": {}, \"word\": \"{word} {}\", \"seen\": [1, 2.5, null]}} , ",
            seed >> 7,
            seed & 63
        ));
    }
    text.push_str("{} ]");
    text.into_bytes()
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let any = |names: &[&str]| wanted.is_empty() || names.iter().any(|name| wanted.iter().any(|word| word == name));
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/dist");
    let engine = engine(Fuel::Off, Allocation::OnDemand).unwrap();
    for (guest, kernels) in GUESTS {
        let names: Vec<&str> = kernels.iter().map(|(name, _)| *name).chain([guest]).collect();
        if !any(&names) {
            continue;
        }
        let Ok(bytes) = std::fs::read(folder.join(format!("{guest}.wasm"))) else {
            println!("{guest} is not built: make guests");
            continue;
        };
        let start = Instant::now();
        let Instrumented { component, map } = instrument(&bytes, Follow::Data).unwrap();
        let rewriting = start.elapsed();
        let original = Side::new(&engine, &bytes, Map::default());
        let traced = Side::new(&engine, &component, map);
        println!(
            "\n{guest}: component {:.2} -> {:.2} MB, machine code {:.2} -> {:.2} MB ({:.2}x), rewriting {:.3} s, compiling {:.2} -> {:.2} s",
            bytes.len() as f64 / 1e6,
            component.len() as f64 / 1e6,
            original.code as f64 / 1e6,
            traced.code as f64 / 1e6,
            traced.code as f64 / original.code as f64,
            rewriting.as_secs_f64(),
            original.compiling.as_secs_f64(),
            traced.compiling.as_secs_f64(),
        );
        let (mut plain, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..INSTANCES {
            plain.push(original.instantiate());
            ours.push(traced.instantiate());
        }
        let (plain, ours) = (median(plain), median(ours));
        println!("  instantiation {plain:.4} -> {ours:.4} ms ({:.2}x)", ours / plain);
        for (kernel, times) in kernels.iter().filter(|(kernel, _)| any(&[kernel, guest])) {
            let input = input(guest, kernel);
            let (mut plain, mut clean, mut labelled) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..rounds {
                let (time, expected, _) = original.run(false, kernel, &input, *times);
                plain.push(time);
                let (time, result, seen) = traced.run(false, kernel, &input, *times);
                assert!(result == expected && !seen, "{guest} {kernel}: {result}, not {expected}; traced: {seen}");
                clean.push(time);
                let (time, result, seen) = traced.run(true, kernel, &input, *times);
                // Lengths carry no label, and some of these give one.
                assert!(
                    result == expected && (seen || guest != "kernels"),
                    "{guest} {kernel}: {result}, not {expected}; traced: {seen}"
                );
                labelled.push(time);
            }
            let (plain, clean, labelled) = (median(plain), median(clean), median(labelled));
            println!(
                "  {kernel:<12} original {plain:>8.2} ms   clean {clean:>8.2} ms {:>5.2}x   labelled {labelled:>8.2} ms {:>5.2}x",
                clean / plain,
                labelled / plain
            );
        }
    }
}
