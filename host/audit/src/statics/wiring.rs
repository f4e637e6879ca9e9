//! Which functions of which imported interfaces the outermost component uses: those that it takes out of the imported instance by an alias. Where an instance is
//! handed on as a whole, to a component inside or to an export, all of them count.

use crate::imports::Import;
use std::collections::{BTreeMap, BTreeSet};
use wasmparser::{ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentTypeRef, Payload};

/// Imports that are kept: as many as a component may have.
const MAX_IMPORTS: usize = 10_000;

#[derive(Debug, Default)]
struct Used {
    functions: BTreeSet<String>,
    whole: bool,
}

/// What is known of the imports so far.
#[derive(Debug, Default)]
pub(super) struct Wiring {
    used: BTreeMap<String, Used>,
    /// The instances of the component by their index, with the import that each is.
    instances: Vec<Option<String>>,
}

impl Wiring {
    /// Looks at a part of the outermost level.
    pub(super) fn see(&mut self, payload: &Payload<'_>) {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports().map_while(Result::ok) {
                    self.used(import.module).functions.insert(cut(import.name));
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone().into_iter().map_while(Result::ok) {
                    let name = cut(import.name.name);
                    match import.ty {
                        ComponentTypeRef::Instance(_) => {
                            self.used(&name);
                            self.instance(Some(name));
                        }
                        // A type says nothing; all else is used by being there.
                        ComponentTypeRef::Type(_) => {}
                        _ => self.used(&name).whole = true,
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone().into_iter().map_while(Result::ok) {
                    match &instance {
                        ComponentInstance::Instantiate { args, .. } => {
                            args.iter().for_each(|arg| self.handed_on(arg.kind, arg.index));
                        }
                        ComponentInstance::FromExports(exports) => {
                            exports.iter().for_each(|export| self.handed_on(export.kind, export.index));
                        }
                    }
                    self.instance(None);
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone().into_iter().map_while(Result::ok) {
                    let ComponentAlias::InstanceExport { kind, instance_index, name } = alias else { continue };
                    match kind {
                        ComponentExternalKind::Func => {
                            if let Some(import) = self.import(instance_index) {
                                self.used(&import).functions.insert(cut(name));
                            }
                        }
                        ComponentExternalKind::Instance => self.instance(None),
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone().into_iter().map_while(Result::ok) {
                    self.handed_on(export.kind, export.index);
                    if export.kind == ComponentExternalKind::Instance {
                        self.instance(None);
                    }
                }
            }
            _ => {}
        }
    }

    fn used(&mut self, interface: &str) -> &mut Used {
        // Hostile lists end in one entry for the rest, which no program knows.
        let name = if self.used.len() < MAX_IMPORTS { cut(interface) } else { "(more)".to_owned() };
        self.used.entry(name).or_default()
    }

    fn instance(&mut self, import: Option<String>) {
        if self.instances.len() < 10 * MAX_IMPORTS {
            self.instances.push(import);
        }
    }

    fn import(&self, index: u32) -> Option<String> {
        self.instances.get(usize::try_from(index).ok()?)?.clone()
    }

    fn handed_on(&mut self, kind: ComponentExternalKind, index: u32) {
        if kind == ComponentExternalKind::Instance
            && let Some(import) = self.import(index)
        {
            self.used(&import).whole = true;
        }
    }

    /// The imports, sorted by name.
    pub(super) fn imports(&self) -> Vec<Import> {
        self.used
            .iter()
            .map(|(interface, used)| {
                let name = crate::shown::shown(interface, 256);
                if used.whole {
                    Import::new(&name, Vec::new())
                } else if used.functions.is_empty() {
                    Import::of_types(&name)
                } else {
                    Import::new(&name, used.functions.iter().map(|f| crate::shown::shown(f, 256)).collect())
                }
            })
            .collect()
    }
}

/// Names may be 100 000 bytes long.
fn cut(name: &str) -> String {
    name.chars().take(256).collect()
}
