//! A WASI preview 1 core module made into a component, with wasmtime's own adapter: one guard then serves both. Called
//! by `produce`, in the compiling child: the encoder was not written for hostile input.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR,
};
use wasmparser::{Imports, Parser, Payload};
use wit_component::ComponentEncoder;

use super::check::invalid;
use super::error::LoadError;
use super::text::cause;

/// Import names in an error: enough to see the pattern.
const NAMED_IMPORTS: usize = 3;

/// The component for a valid core module.
pub(super) fn adapt(module: &[u8]) -> Result<Vec<u8>, LoadError> {
    let shape = Shape::of(module)?;
    // A module with type metadata says itself what its other imports are; the encoder checks them against it.
    if !shape.typed {
        if let Some(names) = shape.foreign_names() {
            return Err(LoadError::refused(format!(
                "is a core module that imports {names}; only modules for WASI preview 1 can be run"
            )));
        }
        if !shape.command {
            return Err(LoadError::refused(
                "is a core module without `_start` and without component types, so that it has no tool to call",
            ));
        }
    }
    let adapter = if shape.command { COMMAND } else { REACTOR };
    encode(module, adapter).map_err(|error| {
        let why = cause(&error.to_string(), &error.root_cause().to_string());
        LoadError::refused(format!("is a core module that cannot be made a component: {why}"))
    })
}

fn encode(module: &[u8], adapter: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default().validate(true).module(module)?.adapter(ADAPTER_NAME, adapter)?.encode()
}

/// What decides how a module is adapted.
#[derive(Debug, Default)]
struct Shape {
    /// Exports `_start`.
    command: bool,
    /// Carries the types of its exports, as C and Rust binding generators embed them.
    typed: bool,
    foreign: Vec<String>,
    foreign_count: usize,
}

impl Shape {
    fn of(module: &[u8]) -> Result<Self, LoadError> {
        let mut shape = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload.map_err(|error| invalid(&error))? {
                Payload::ImportSection(section) => {
                    for group in section {
                        shape.add_imports(group.map_err(|error| invalid(&error))?)?;
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        shape.command |= export.map_err(|error| invalid(&error))?.name == "_start";
                    }
                }
                Payload::CustomSection(section) => shape.typed |= section.name().starts_with("component-type"),
                _ => {}
            }
        }
        Ok(shape)
    }

    fn add_imports(&mut self, group: Imports<'_>) -> Result<(), LoadError> {
        match group {
            Imports::Single(_, import) => self.add_import(import.module, import.name),
            Imports::Compact1 { module, items } => {
                for item in items {
                    self.add_import(module, item.map_err(|error| invalid(&error))?.name);
                }
            }
            Imports::Compact2 { module, names, .. } => {
                for name in names {
                    self.add_import(module, name.map_err(|error| invalid(&error))?);
                }
            }
        }
        Ok(())
    }

    fn add_import(&mut self, module: &str, name: &str) {
        if module == ADAPTER_NAME {
            return;
        }
        self.foreign_count = self.foreign_count.saturating_add(1);
        if self.foreign.len() < NAMED_IMPORTS {
            let short = |text: &str| text.chars().take(40).collect::<String>();
            self.foreign.push(format!("`{}.{}`", short(module), short(name)));
        }
    }

    fn foreign_names(&self) -> Option<String> {
        if self.foreign.is_empty() {
            return None;
        }
        let names = self.foreign.join(", ");
        match self.foreign_count.saturating_sub(self.foreign.len()) {
            0 => Some(names),
            more => Some(format!("{names} and {more} more")),
        }
    }
}
