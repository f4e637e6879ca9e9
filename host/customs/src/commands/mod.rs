//! One file for each verb.

pub(crate) mod audit;
pub(crate) mod compile;
pub(crate) mod docs;
pub(crate) mod front;
pub(crate) mod inspect;
pub(crate) mod new;
pub(crate) mod policy;
pub(crate) mod print_config;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod scan;
pub(crate) mod serve;
#[cfg(feature = "otel")]
pub(crate) mod traces;
pub(crate) mod verify;
pub(crate) mod why;

use crate::cli::TraceWhat;
use crate::exit::Fault;
use crate::machine;
use crate::output;
use customs_engine::load::{Allocation, Cache, Compiler, Docs, ErrorKind, Fuel, LoadError, Tracing, read_component};
use customs_engine::{Host, Program};
use customs_ledger::Escaped;
use customs_policy::Policy;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The largest WIT text that is looked at for documentation.
const MAX_WIT: u64 = 1 << 20;

/// Reads, compiles and links a component. `expect` is the digest it must have.
pub(crate) fn load(path: &Path, expect: Option<[u8; 32]>, fuel: Fuel, cache: Option<&Cache>) -> Result<Program, Fault> {
    let host = Host::new(fuel, Allocation::OnDemand).map_err(Fault::internal)?;
    load_with(&host, path, expect, cache)
}

/// The same for a host that is there already.
pub(crate) fn load_with(
    host: &Arc<Host>,
    path: &Path,
    expect: Option<[u8; 32]>,
    cache: Option<&Cache>,
) -> Result<Program, Fault> {
    load_as(Tracing::Off, host, path, expect, cache)
}

/// The same, with what follows its data where `tracing` is on.
pub(crate) fn load_as(
    tracing: Tracing,
    host: &Arc<Host>,
    path: &Path,
    expect: Option<[u8; 32]>,
    cache: Option<&Cache>,
) -> Result<Program, Fault> {
    let name = shown_name(path);
    let wasm = read_component(machine::open(path)?, &name, expect).map_err(from_load)?;
    let compiler = Compiler::Child { program: machine::own_program()?, args: vec![compile::WORD.into()] };
    let terminal = output::stderr_is_terminal();
    let shown = AtomicUsize::new(0);
    let progress = |elapsed: Duration| {
        if terminal && elapsed >= Duration::from_millis(500) {
            let line = format!(
                "\rcompiling {} .. {:.0} s (once; kept for the next run)",
                Escaped(&name),
                elapsed.as_secs_f64()
            );
            output::person(&line);
            shown.fetch_max(line.chars().count(), Ordering::Relaxed);
        }
    };
    let loaded = compiler.load_traced(tracing, host.engine(), cache, &wasm, &progress);
    // Spaces clear the line on every terminal, the plainest too.
    if let width @ 1.. = shown.into_inner() {
        output::person(&format!("\r{:width$}\r", ""));
    }
    let mut loaded = loaded.map_err(from_load)?;
    if loaded.facts.docs.is_empty() {
        loaded.facts.docs = beside(path);
    }
    if let Some(warning) = &loaded.cache_warning {
        output::person(&format!("warning  {}\n", Escaped(warning)));
    }
    Program::new(host, loaded).map_err(|why| Fault::Refused(format!("{name} {why}")))
}

/// What `--trace` asks for, and otherwise the policy.
pub(crate) fn tracing(asked: Option<TraceWhat>, policy: &Policy) -> Tracing {
    match asked {
        Some(TraceWhat::Branches) => Tracing::Branches,
        Some(TraceWhat::Data) => Tracing::On,
        None if policy.traces() => Tracing::On,
        None => Tracing::Off,
    }
}

/// Documentation from a `.wit` of the same name beside the component, where there is one that can be read.
fn beside(path: &Path) -> Docs {
    let text = machine::read(&path.with_extension("wit"), MAX_WIT).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(|text| Docs::from_wit(&text)).unwrap_or_default()
}

/// The component's file name: what reports and ledgers call it.
pub(crate) fn shown_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

fn from_load(error: LoadError) -> Fault {
    match error.kind() {
        ErrorKind::Refused | ErrorKind::Limit { .. } => Fault::refused(error),
        ErrorKind::Internal => Fault::internal(error),
    }
}

/// The runtime of one call: timers and connections.
pub(crate) struct Runtime(Option<tokio::runtime::Runtime>);

impl Runtime {
    pub(crate) fn new() -> Result<Runtime, Fault> {
        let built = tokio::runtime::Builder::new_current_thread().enable_time().enable_io().build();
        built.map(|runtime| Runtime(Some(runtime))).map_err(no_runtime)
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Fault> {
        self.0.as_ref().map(|runtime| runtime.block_on(future)).ok_or_else(|| no_runtime("it is gone"))
    }
}

fn no_runtime(why: impl std::fmt::Display) -> Fault {
    Fault::Internal(format!("the runtime cannot be started: {why}"))
}

/// A lookup that nobody waits for any more must not keep the program.
impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) fn shared<T>(value: T) -> Arc<std::sync::Mutex<T>> {
    Arc::new(std::sync::Mutex::new(value))
}
