//! Before compilation: named limits on what the bytes hold, then validation. Runs where hostile bytes may recurse and
//! allocate (the compiling child); only [`within_nesting`] is for everyone.
//!
//! The limits come first because they are one cheap walk over section headers: most compile bombs are refused by name
//! in milliseconds, and what passes is left to the limits on time and memory.

use wasmparser::{ElementItems, Payload, Validator, WasmFeatures};

use super::error::LoadError;
use super::limits::{Limit, MAX_NESTING};

/// Refuses what is too much to compile or is not valid with these features.
pub(super) fn check(bytes: &[u8], features: WasmFeatures) -> Result<(), LoadError> {
    let mut tally = Tally::default();
    for payload in within_nesting(bytes) {
        tally.charge_payload(&payload?)?;
    }
    Validator::new_with_features(features).validate_all(bytes).map_err(|error| {
        // Nothing is wrong with it, and its author can do something about it.
        if error.message().contains("component model async") {
            return LoadError::refused("uses async functions or streams of WASI 0.3; this version runs WASI 0.2");
        }
        invalid(&error)
    })?;
    Ok(())
}

/// The parts of the file on all levels, ending with an error at the first broken or too deeply nested one. The
/// parser remembers each level that it is inside of, so that the bound is also one on its memory.
pub(super) fn within_nesting(bytes: &[u8]) -> impl Iterator<Item = Result<Payload<'_>, LoadError>> {
    let mut depth = 0_usize;
    let mut failed = false;
    wasmparser::Parser::new(0).parse_all(bytes).map_while(move |payload| {
        if failed {
            return None;
        }
        let checked = payload.map_err(|error| invalid(&error)).and_then(|payload| {
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_NESTING {
                let predicate = format!("nests components more than {MAX_NESTING} deep");
                return Err(LoadError::limit(Limit::Nesting, predicate));
            }
            Ok(payload)
        });
        failed = checked.is_err();
        Some(checked)
    })
}

pub(super) fn invalid(error: &wasmparser::Error) -> LoadError {
    LoadError::refused(format!("is damaged or not valid WebAssembly for this program: {error}"))
}

/// Counts over the whole file, one for each limit that is a count.
#[derive(Debug, Default)]
struct Tally {
    exports: u64,
    imports: u64,
    symbols: u64,
    functions: u64,
    types: u64,
    globals: u64,
    elements: u64,
    data: u64,
    wiring: u64,
}

impl Tally {
    fn charge_payload(&mut self, payload: &Payload<'_>) -> Result<(), LoadError> {
        match payload {
            Payload::TypeSection(section) => self.charge(Limit::Types, section.count().into()),
            Payload::CoreTypeSection(section) => self.charge(Limit::Types, section.count().into()),
            Payload::ComponentTypeSection(section) => self.charge(Limit::Types, section.count().into()),
            Payload::ImportSection(section) => self.charge(Limit::Symbols, section.count().into()),
            Payload::ExportSection(section) => self.charge(Limit::Symbols, section.count().into()),
            Payload::ComponentImportSection(section) => self.charge(Limit::Imports, section.count().into()),
            Payload::ComponentExportSection(section) => self.charge(Limit::Exports, section.count().into()),
            Payload::FunctionSection(section) => self.charge(Limit::Functions, section.count().into()),
            Payload::GlobalSection(section) => self.charge(Limit::Globals, section.count().into()),
            Payload::InstanceSection(section) => self.charge(Limit::Wiring, section.count().into()),
            Payload::ComponentInstanceSection(section) => self.charge(Limit::Wiring, section.count().into()),
            Payload::ComponentAliasSection(section) => self.charge(Limit::Wiring, section.count().into()),
            Payload::ComponentCanonicalSection(section) => self.charge(Limit::Wiring, section.count().into()),
            Payload::DataSection(section) => {
                let size = section.range().end.saturating_sub(section.range().start);
                self.charge(Limit::Data, u64::try_from(size).unwrap_or(u64::MAX))
            }
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    let items = match element.map_err(|error| invalid(&error))?.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    self.charge(Limit::Elements, items.into())?;
                }
                Ok(())
            }
            Payload::CodeSectionEntry(body) => {
                let size = body.range().end.saturating_sub(body.range().start);
                over(Limit::FunctionBody, u64::try_from(size).unwrap_or(u64::MAX))
            }
            _ => Ok(()),
        }
    }

    fn charge(&mut self, limit: Limit, found: u64) -> Result<(), LoadError> {
        let total = match limit {
            Limit::Exports => &mut self.exports,
            Limit::Imports => &mut self.imports,
            Limit::Symbols => &mut self.symbols,
            Limit::Functions => &mut self.functions,
            Limit::Types => &mut self.types,
            Limit::Globals => &mut self.globals,
            Limit::Elements => &mut self.elements,
            Limit::Data => &mut self.data,
            Limit::Wiring => &mut self.wiring,
            // Not sums over the file.
            Limit::Size
            | Limit::Nesting
            | Limit::FunctionBody
            | Limit::CompileTime
            | Limit::CompileMemory
            | Limit::CodeSize => return Ok(()),
        };
        *total = total.saturating_add(found);
        over(limit, *total)
    }
}

fn over(limit: Limit, found: u64) -> Result<(), LoadError> {
    match limit.count() {
        Some((allowed, what)) if found > allowed => {
            Err(LoadError::limit(limit, format!("holds {found} {what} or more; at most {allowed} can be loaded")))
        }
        _ => Ok(()),
    }
}
