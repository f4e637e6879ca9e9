//! The last step of loading: from bytes to a component with native code, from the cache or from a compiler. Called by
//! the engine once for each component.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

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
        self.load_within(CompileBounds::default(), engine, cache, wasm, on_slow)
    }

    pub(super) fn load_within(
        &self,
        bounds: CompileBounds,
        engine: &Engine,
        cache: Option<&Cache>,
        wasm: &Wasm,
        on_slow: &dyn Fn(Duration),
    ) -> Result<Loaded, LoadError> {
        let facts = Facts::read(wasm)?;
        let loaded = |component, from_cache, cache_warning| Loaded {
            component,
            facts,
            sha256: wasm.sha256(),
            from_cache,
            cache_warning,
        };
        let Some(cache) = cache else {
            let draft = self.compile(bounds, engine, None, wasm, on_slow)?;
            return Ok(loaded(draft.component(engine).map_err(|error| error.about(wasm.name()))?, false, None));
        };
        let key = Key::new(engine, wasm);
        if let Some(component) = cache.load(engine, &key) {
            return Ok(loaded(component, true, None));
        }
        let draft = self.compile(bounds, engine, Some(cache), wasm, on_slow)?;
        // Loaded before it gets its name: what does not load is not kept.
        let component = draft.component(engine).map_err(|error| error.about(wasm.name()))?;
        let warning = draft.publish(&key).err().map(|error| format!("the compiled code was not kept: {error}"));
        Ok(loaded(component, false, warning))
    }

    /// Code in a draft file: in the cache's directory, or in memory where that cannot be written to or is full.
    fn compile<'a>(
        &self,
        bounds: CompileBounds,
        engine: &Engine,
        cache: Option<&'a Cache>,
        wasm: &Wasm,
        on_slow: &dyn Fn(Duration),
    ) -> Result<Draft<'a>, LoadError> {
        if let Some(Ok(draft)) = cache.map(Cache::draft) {
            match self.compile_into(&draft, bounds, engine, wasm, on_slow) {
                Err(error) if error.kind() == ErrorKind::Internal => {}
                outcome => return outcome.map(|()| draft).map_err(|error| error.about(wasm.name())),
            }
        }
        let draft = Draft::in_memory().map_err(no_place);
        draft
            .and_then(|draft| self.compile_into(&draft, bounds, engine, wasm, on_slow).map(|()| draft))
            .map_err(|error| error.about(wasm.name()))
    }

    fn compile_into(
        &self,
        draft: &Draft<'_>,
        bounds: CompileBounds,
        engine: &Engine,
        wasm: &Wasm,
        on_slow: &dyn Fn(Duration),
    ) -> Result<(), LoadError> {
        match self {
            Self::Child { program, args } => {
                let fuel = if engine.get_consume_fuel() { Fuel::Counted } else { Fuel::Off };
                compile_in_child(Start { program, args, fuel, bounds }, wasm, draft.file(), on_slow)
            }
            Self::InProcess => draft.file().write_all(&produce(engine, wasm)?).map_err(no_place),
        }
    }
}

fn no_place(error: std::io::Error) -> LoadError {
    LoadError::internal(format!("cannot be compiled: no place for its code: {error}"))
}
