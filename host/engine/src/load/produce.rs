//! Checked bytes to native code: the one sequence that the compiling child and the in-process compiler share.

use wasmtime::Engine;

use super::adapt::adapt;
use super::bytes::{Kind, Wasm};
use super::check::check;
use super::error::LoadError;
use super::limits::Limit;
use super::text::cause;
use super::trace::{self, Tracing, instrument};

/// Native code for `wasm`, fit for an engine with the configuration of `engine`. Code of a component that was instrumented
/// for `tracing` has the label map behind it: see [`super::trace`].
pub(super) fn produce(engine: &Engine, wasm: &Wasm, tracing: Tracing) -> Result<Vec<u8>, LoadError> {
    check(wasm.bytes(), engine.get_wasm_features())?;
    let adapted;
    let component = match wasm.kind() {
        Kind::Component => wasm.bytes(),
        Kind::CoreModule => {
            adapted = adapt(wasm.bytes())?;
            &adapted
        }
    };
    let instrumented = tracing.follow().map(|follow| instrument(component, follow)).transpose()?;
    let component = instrumented.as_ref().map_or(component, |instrumented| &instrumented.component);
    let code = engine.precompile_component(component).map_err(|error| {
        let why = cause(&error.to_string(), &error.root_cause().to_string());
        // What the limit on memory looks like where it is an error and not the end of the process.
        if why.contains("os error 12") || why.contains("out of memory") {
            return LoadError::limit(Limit::CompileMemory, "needed more memory to compile than it may use");
        }
        LoadError::refused(format!("cannot be compiled: {why}"))
    })?;
    Ok(match instrumented {
        None => code,
        Some(instrumented) => trace::with_map(code, &instrumented.map),
    })
}
