//! The last step of loading: from bytes to a component with native code, from the cache or from a compiler. Called by
//! the engine once for each component.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use customs_trace::Map;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::bytes::Wasm;
use super::cache::{Cache, Draft, Key};
use super::child::{Start, compile_in_child};
use super::config::Fuel;
use super::error::{ErrorKind, LoadError};
use super::facts::Facts;
use super::limits::CompileBounds;
use super::produce::produce;
use super::trace::{Tracing, take_map};

/// A component that can be instantiated, and what is known of it.
#[derive(Debug)]
pub struct Loaded {
    /// The compiled component.
    pub component: Component,
    /// What the bytes say about themselves.
    pub facts: Facts,
    /// Digest of the bytes that were read, which are those that were compiled.
    pub sha256: [u8; 32],
    /// Whether compiled code was found in the cache.
    pub from_cache: bool,
    /// What the calls of a traced component mean.
    pub map: Option<Arc<Map>>,
    /// Why the code could not be kept for the next time, as a sentence for a person.
    pub cache_warning: Option<String>,
}

/// Where code is compiled.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// In a child process that calls [`super::child_main`], within limits on time and memory.
    Child {
        /// The program itself.
        program: PathBuf,
        /// Its hidden subcommand.
        args: Vec<OsString>,
    },
    /// In this process, for tests and measurements: a hostile component can take all its time and memory.
    InProcess,
}

impl Compiler {
    /// Loads `wasm` for `engine`, which must come from [`super::engine`] or [`super::engine_config`]. `on_slow` hears
    /// the elapsed time about every 250 ms while a child compiles.
    ///
    /// # Errors
    /// When the component is refused, exceeds a limit, or the machine fails us.
    pub fn load(
        &self,
        engine: &Engine,
        cache: Option<&Cache>,
        wasm: &Wasm,
        on_slow: &dyn Fn(Duration),
    ) -> Result<Loaded, LoadError> {
        self.load_as(Tracing::Off, CompileBounds::default(), engine, cache, wasm, on_slow)
    }

    /// The same, with what follows data where `tracing` is on.
    ///
    /// # Errors
    /// Also when labels could get lost in the component, with the reason.
    pub fn load_traced(
        &self,
        tracing: Tracing,
        engine: &Engine,
        cache: Option<&Cache>,
        wasm: &Wasm,
        on_slow: &dyn Fn(Duration),
    ) -> Result<Loaded, LoadError> {
        self.load_as(tracing, CompileBounds::of(tracing), engine, cache, wasm, on_slow)
    }

    #[cfg(test)]
    pub(super) fn load_within(
        &self,
        bounds: CompileBounds,
        engine: &Engine,
        cache: Option<&Cache>,
        wasm: &Wasm,
        on_slow: &dyn Fn(Duration),
    ) -> Result<Loaded, LoadError> {
        self.load_as(Tracing::Off, bounds, engine, cache, wasm, on_slow)
    }

    fn load_as(
        &self,
        tracing: Tracing,
        bounds: CompileBounds,
        engine: &Engine,
        cache: Option<&Cache>,
        wasm: &Wasm,
        on_slow: &dyn Fn(Duration),
    ) -> Result<Loaded, LoadError> {
        let facts = Facts::read(wasm)?;
        let loaded = |component, map: Option<Map>, from_cache, cache_warning| Loaded {
            component,
            facts,
            sha256: wasm.sha256(),
            from_cache,
            map: map.map(Arc::new),
            cache_warning,
        };
        let Some(cache) = cache else {
            let draft = self.compile(tracing, bounds, engine, None, wasm, on_slow)?;
            let map = taken(tracing, &draft)?;
            let component = draft.component(engine).map_err(|error| error.about(wasm.name()))?;
            return Ok(loaded(component, map, false, None));
        };
        let key = Key::new(engine, wasm, tracing);
        if let Some(component) = cache.load(engine, &key) {
            match tracing.follow() {
                None => return Ok(loaded(component, None, true, None)),
                Some(_) => {
                    // Code whose map is gone is as good as none.
                    if let Some(map) = cache.map(&key) {
                        return Ok(loaded(component, Some(map), true, None));
                    }
                }
            }
        }
        let draft = self.compile(tracing, bounds, engine, Some(cache), wasm, on_slow)?;
        let map = taken(tracing, &draft)?;
        // Loaded before it gets its name: what does not load is not kept.
        let component = draft.component(engine).map_err(|error| error.about(wasm.name()))?;
        let kept = map.as_ref().map_or(Ok(()), |map| cache.keep_map(&key, &map.to_bytes()));
        let kept = kept.and_then(|()| draft.publish(&key));
        let warning = kept.err().map(|error| format!("the compiled code was not kept: {error}"));
        Ok(loaded(component, map, false, warning))
    }

    /// Code in a draft file: in the cache's directory, or in memory where that cannot be written to or is full.
    fn compile<'a>(
        &self,
        tracing: Tracing,
        bounds: CompileBounds,
        engine: &Engine,
        cache: Option<&'a Cache>,
        wasm: &Wasm,
        on_slow: &dyn Fn(Duration),
    ) -> Result<Draft<'a>, LoadError> {
        if let Some(Ok(draft)) = cache.map(Cache::draft) {
            match self.compile_into(&draft, tracing, bounds, engine, wasm, on_slow) {
                Err(error) if error.kind() == ErrorKind::Internal => {}
                outcome => return outcome.map(|()| draft).map_err(|error| error.about(wasm.name())),
            }
        }
        let draft = Draft::in_memory().map_err(no_place);
        draft
            .and_then(|draft| self.compile_into(&draft, tracing, bounds, engine, wasm, on_slow).map(|()| draft))
            .map_err(|error| error.about(wasm.name()))
    }

    fn compile_into(
        &self,
        draft: &Draft<'_>,
        tracing: Tracing,
        bounds: CompileBounds,
        engine: &Engine,
        wasm: &Wasm,
        on_slow: &dyn Fn(Duration),
    ) -> Result<(), LoadError> {
        match self {
            Self::Child { program, args } => {
                let fuel = if engine.get_consume_fuel() { Fuel::Counted } else { Fuel::Off };
                compile_in_child(Start { program, args, fuel, tracing, bounds }, wasm, draft.file(), on_slow)
            }
            Self::InProcess => draft.file().write_all(&produce(engine, wasm, tracing)?).map_err(no_place),
        }
    }
}

/// The map of a traced component, off its code.
fn taken(tracing: Tracing, draft: &Draft<'_>) -> Result<Option<Map>, LoadError> {
    match tracing.follow() {
        None => Ok(None),
        Some(_) => {
            let map = take_map(draft.file()).map_err(no_place)?;
            Ok(Some(Map::from_bytes(&map).ok_or_else(|| LoadError::internal("has a label map that cannot be read"))?))
        }
    }
}

fn no_place(error: std::io::Error) -> LoadError {
    LoadError::internal(format!("cannot be compiled: no place for its code: {error}"))
}
