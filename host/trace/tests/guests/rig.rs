//! A traced guest in wasmtime, with a host that labels what it gives out: environment values, and what comes out of
//! files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use customs_trace::{ASK, Crossing, Follow, INTERFACE, Instrumented, Label, Map, Part, Path, Step, instrument};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR,
};
use wasmparser::Parser;
use wasmtime::component::{Component, Linker, ResourceTable, Val};
use wasmtime::{Config, Engine, OptLevel, Store, StoreContextMut};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wit_component::ComponentEncoder;

/// The label of the file, of the environment variable, and of the argument.
pub const FILE: u8 = 0;
pub const VARIABLE: u8 = 1;
pub const ARGUMENT: u8 = 2;

/// The secret, and the variable that holds it.
pub const NAME: &str = "SECRET";

type Run = (u32, u32, u32, u32, u32, u32, u32);

pub struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    map: Map,
    /// Which parts of what is given out are the argument.
    argument: Option<&'static str>,
    pub seen: Vec<Seen>,
}

/// What a call gave, and what left meanwhile.
#[derive(Debug)]
pub struct Outcome {
    pub answer: Val,
    pub printed: Vec<u8>,
    /// The file beside the secret.
    pub written: Option<Vec<u8>>,
    pub seen: Vec<Seen>,
}

/// Labelled bytes on their way out.
#[derive(Debug, Clone)]
pub struct Seen {
    pub function: String,
    pub path: Path,
    pub places: [u32; 3],
    pub offset: usize,
    pub length: usize,
    pub label: Label,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// The built guest as a component, or nothing where it was not built.
pub fn guest(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../guests/dist").join(format!("{name}.wasm"));
    read(&path).map(|bytes| if Parser::is_core_wasm(&bytes) { adapted(&bytes) } else { bytes })
}

/// A reactor of preview 1 that has types, as the engine makes it a component.
fn adapted(module: &[u8]) -> Vec<u8> {
    let encoder = ComponentEncoder::default().validate(true).module(module).unwrap();
    encoder.adapter(ADAPTER_NAME, REACTOR).unwrap().encode().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test reads the guests that were built for it")]
fn read(path: &std::path::Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

pub struct Traced {
    engine: Engine,
    pub original: Component,
    pub component: Component,
    pub map: Map,
}

impl Traced {
    pub fn new(bytes: &[u8]) -> Self {
        Self::following(bytes, Follow::Data)
    }

    pub fn following(bytes: &[u8], follow: Follow) -> Self {
        // Interpreters are large, and what they are compiled to need not be quick.
        let engine = Engine::new(Config::new().cranelift_opt_level(OptLevel::None)).unwrap();
        let Instrumented { component, map } = instrument(bytes, follow).unwrap();
        Self {
            original: Component::new(&engine, bytes).unwrap(),
            component: Component::new(&engine, &component).unwrap_or_else(|why| panic!("not valid: {why:?}")),
            engine,
            map,
        }
    }

    fn store(&self, secret: &str, directory: &std::path::Path, stdout: MemoryOutputPipe) -> Store<State> {
        let mut wasi = WasiCtx::builder();
        wasi.env("PATH", "/usr/bin").env(NAME, secret).env("HOME", "/home").stdout(stdout);
        wasi.preopened_dir(directory, "/data", FsPerms::ReadWrite).unwrap();
        let state = State {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            map: self.map.clone(),
            argument: None,
            seen: Vec::new(),
        };
        Store::new(&self.engine, state)
    }

    /// Calls an export of the original, or of the traced component. Gives what it returned, and what was seen.
    pub fn call(
        &self,
        traced: bool,
        secret: &str,
        interface: &str,
        function: &str,
        arguments: &[Val],
        labelled: Option<&'static str>,
    ) -> (Val, Vec<Seen>) {
        let outcome = self.run(traced, secret, interface, function, arguments, labelled);
        (outcome.answer, outcome.seen)
    }

    /// The same, with what was printed and written.
    pub fn run(
        &self,
        traced: bool,
        secret: &str,
        interface: &str,
        function: &str,
        arguments: &[Val],
        labelled: Option<&'static str>,
    ) -> Outcome {
        let directory = tempfile::tempdir().unwrap();
        let folder = cap_std::fs::Dir::open_ambient_dir(directory.path(), cap_std::ambient_authority()).unwrap();
        folder.write("secret.txt", secret).unwrap();
        let stdout = MemoryOutputPipe::new(1 << 16);
        let mut store = self.store(secret, directory.path(), stdout.clone());
        store.data_mut().argument = labelled;
        let mut linker: Linker<State> = Linker::new(&self.engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        if traced {
            link(&mut linker);
        }
        let component = if traced { &self.component } else { &self.original };
        let instance = linker.instantiate(&mut store, component).unwrap();
        let interface = instance.get_export_index(&mut store, None, interface);
        let function = instance.get_export_index(&mut store, interface.as_ref(), function).unwrap();
        let function = instance.get_func(&mut store, function).unwrap();
        let mut results = [Val::Bool(false)];
        function.call(&mut store, arguments, &mut results).unwrap();
        let [answer] = results;
        let seen = store.into_data().seen;
        Outcome { answer, printed: stdout.contents().to_vec(), written: folder.read("secret.txt.out").ok(), seen }
    }
}

fn link(linker: &mut Linker<State>) {
    let mut labels = linker.instance(INTERFACE).unwrap();
    labels
        .func_wrap("leaving", |mut store: StoreContextMut<'_, State>, (hook, runs): (u32, Vec<Run>)| {
            let state = store.data_mut();
            let hook = state.map.hooks[hook as usize].clone();
            let (Crossing::Import { function, .. } | Crossing::Export { function, .. }) = hook.crossing;
            for (path, first, second, third, offset, length, label) in runs {
                state.seen.push(Seen {
                    function: function.clone(),
                    path: hook.paths[path as usize].clone(),
                    places: [first, second, third],
                    offset: offset as usize,
                    length: length as usize,
                    label: Label(u8::try_from(label).unwrap()),
                });
            }
            Ok(())
        })
        .unwrap();
    labels
        .func_wrap("arrived", |store: StoreContextMut<'_, State>, (hook,): (u32,)| Ok((arrived(store.data(), hook),)))
        .unwrap();
    labels
        .func_wrap(
            "source",
            |store: StoreContextMut<'_, State>, (hook, path, place, _, _): (u32, u32, u32, u32, u32)| {
                Ok((source(store.data(), hook, path, place),))
            },
        )
        .unwrap();
    labels.func_wrap("piece", |_: StoreContextMut<'_, State>, _: (u32, u32, u32, u32, u32, u32)| Ok((0_u32,))).unwrap();
}

fn arrived(state: &State, hook: u32) -> u32 {
    match &state.map.hooks[hook as usize].crossing {
        Crossing::Import { function, .. } => match function.as_str() {
            "get-environment" => ASK,
            "[method]input-stream.read" | "[method]input-stream.blocking-read" | "[method]descriptor.read" => 1 << FILE,
            _ => 0,
        },
        Crossing::Export { .. } => ASK,
    }
}

/// The value of the third variable is the secret; an argument is one by its name.
fn source(state: &State, hook: u32, path: u32, place: u32) -> u32 {
    let hook = &state.map.hooks[hook as usize];
    let path = &hook.paths[path as usize];
    match &hook.crossing {
        Crossing::Import { .. } => {
            let value = path.steps == [Step::Result, Step::Each, Step::Element(1)];
            if value && place == 1 { 1 << VARIABLE } else { 0 }
        }
        Crossing::Export { .. } => match (path.steps.first(), state.argument) {
            (Some(Step::Argument(name)), Some(argument)) if name == argument => 1 << ARGUMENT,
            _ => 0,
        },
    }
}

/// Labels of the bytes of one part, `.` clean, `1` strong, `w` weak; the part's text or numbers have `length` bytes.
pub fn picture(seen: &[Seen], function: &str, steps: &[Step], places: [u32; 3], source: u8, length: usize) -> String {
    let mut picture = vec!['.'; length];
    for run in seen {
        if run.function == function && run.path.steps == steps && run.places == places && run.path.part != Part::Case {
            for at in picture.iter_mut().skip(run.offset).take(run.length) {
                *at = match (run.label.strong(source), run.label.weak(source)) {
                    (true, _) => '1',
                    (_, true) => 'w',
                    _ => '.',
                };
            }
        }
    }
    picture.into_iter().collect()
}

/// All that was seen, in short, for messages.
pub fn summary(seen: &[Seen]) -> BTreeMap<String, usize> {
    let mut summary = BTreeMap::new();
    for run in seen {
        *summary.entry(format!("{} {:?} {:?}", run.function, run.path, run.label)).or_default() += run.length;
    }
    summary
}
