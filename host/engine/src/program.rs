//! A component, linked and ready for calls.

use crate::catalogue::{Catalogue, ToolInfo, catalogue};
use crate::clock::{Running, Ticker};
use crate::load::{Allocation, Facts, Fuel, LoadError, Loaded, engine};
use crate::wasmcp;
use customs_boundary::{State, ToolPre, link, link_labels};
use customs_trace::Map;
use std::sync::Arc;
use wasmtime::Engine;
use wasmtime::component::{InstancePre, Linker};
use wasmtime_wasi::p2::bindings::CommandPre;

/// wasmtime, our boundary linked, and the tick. One for a process and kind of fuel.
pub struct Host {
    engine: Engine,
    linker: Linker<State>,
    ticker: Ticker,
    fuel: Fuel,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("fuel", &self.fuel).finish_non_exhaustive()
    }
}

/// The host could not be set up: our fault or the machine's.
#[derive(Debug)]
pub struct HostError(String);

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HostError {}

impl From<LoadError> for HostError {
    fn from(e: LoadError) -> Self {
        HostError(e.to_string())
    }
}

impl Host {
    pub fn new(fuel: Fuel, allocation: Allocation) -> Result<Arc<Host>, HostError> {
        let engine = engine(fuel, allocation)?;
        let mut linker = Linker::new(&engine);
        link(&mut linker).map_err(|e| HostError(format!("the boundary cannot be linked: {e}")))?;
        let ticker = Ticker::new(&engine).map_err(|e| HostError(format!("no thread can be started: {e}")))?;
        Ok(Arc::new(Host { engine, linker, ticker, fuel }))
    }

    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn counts_fuel(&self) -> bool {
        self.fuel == Fuel::Counted
    }

    pub(crate) fn running(&self) -> Running {
        self.ticker.start()
    }
}

/// A loaded component and its tools.
pub struct Program {
    pub(crate) host: Arc<Host>,
    pub(crate) pre: Pre,
    facts: Facts,
    catalogue: Catalogue,
    sha256: [u8; 32],
    /// What a traced component calls.
    pub(crate) map: Option<Arc<Map>>,
}

/// The component before its imports' state is known, in the shape its form needs.
pub(crate) enum Pre {
    Typed(InstancePre<State>),
    Command(CommandPre<State>),
    Dynamic(ToolPre<State>),
    Wasmcp(wasmcp::Pre),
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("catalogue", &self.catalogue).finish_non_exhaustive()
    }
}

impl Program {
    /// Links a component. The error is one sentence: what it imports that is not there, or what it exports that cannot be called.
    pub fn new(host: &Arc<Host>, loaded: Loaded) -> Result<Program, String> {
        let catalogue = catalogue(&loaded.component, &loaded.facts)?;
        let missing = |e: wasmtime::Error| missing_imports(&e, &loaded.facts);
        let wasmcp = catalogue.form == crate::Form::Wasmcp;
        let pre = if wasmcp || loaded.map.is_some() {
            let mut linker = host.linker.clone();
            if loaded.map.is_some() {
                link_labels(&mut linker).map_err(|e| first_line(&e))?;
            }
            if wasmcp {
                customs_boundary::wasmcp::link_nothing(&mut linker, &loaded.component).map_err(|e| first_line(&e))?;
            }
            linker.instantiate_pre(&loaded.component)
        } else {
            host.linker.instantiate_pre(&loaded.component)
        };
        let pre = pre.map_err(missing)?;
        let pre = match catalogue.form {
            crate::Form::Typed => Pre::Typed(pre),
            crate::Form::Command => Pre::Command(CommandPre::new(pre).map_err(|e| first_line(&e))?),
            crate::Form::Dynamic => Pre::Dynamic(ToolPre::new(pre).map_err(|e| first_line(&e))?),
            crate::Form::Wasmcp => Pre::Wasmcp(wasmcp::Pre::new(pre)?),
        };
        Ok(Program {
            host: Arc::clone(host),
            pre,
            facts: loaded.facts,
            catalogue,
            sha256: loaded.sha256,
            map: loaded.map,
        })
    }

    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Whether its data is followed.
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.map.is_some()
    }

    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The tool of that name. A component that describes its tools itself is asked when it is called.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&ToolInfo> {
        self.catalogue.tools.iter().find(|t| t.name == name)
    }
}

fn first_line(error: &wasmtime::Error) -> String {
    error.root_cause().to_string().lines().next().unwrap_or_default().chars().take(300).collect()
}

/// wasmtime names the first import that does not link; the person wants to know which one and that nothing stands in for it.
fn missing_imports(error: &wasmtime::Error, facts: &Facts) -> String {
    let text = format!("{error:#}");
    let named = facts.imports.iter().find(|import| text.contains(import.as_str()));
    match named {
        Some(import) if text.contains("has the wrong type") && !text.contains("is missing") => {
            format!("imports {import} with a type that is not its own")
        }
        Some(import) if import.starts_with("wasmcp:") => {
            format!(
                "imports functions of {import}, which customs does not provide: wasmcp composes a component with its own for that"
            )
        }
        Some(import) => format!("imports {import}, which customs does not provide"),
        None => format!("cannot be linked: {}", first_line(error)),
    }
}
