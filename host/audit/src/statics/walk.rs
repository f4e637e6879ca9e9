//! Once through the file, all levels: what has to be scanned, and the facts that need no scanning.

use super::constants::Constants;
use super::features;
use super::wiring::Wiring;
use super::{Memory, Producer};
use crate::imports::Import;
use crate::shown::shown;
use std::borrow::Cow;
use std::collections::BTreeSet;
use wasmparser::{KnownCustom, Operator, Parser, Payload, TypeRef};

/// Components and modules inside one another: what can be loaded has fewer.
const MAX_NESTING: usize = 64;
/// Texts that are scanned: segments, sections, names. Components have thousands.
const MAX_REGIONS: usize = 100_000;
/// Bytes of code that are gone through for features and constants. The largest runtimes have 20 MB.
const MAX_CODE: u64 = 64 << 20;
/// Memories that are kept.
const MAX_MEMORIES: usize = 256;
/// Producers that are kept, as `customs inspect` does.
const MAX_PRODUCERS: usize = 64;

/// Where bytes are from, which decides what they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// What the code has at run time.
    Data,
    /// The same, put together from constants in the code.
    Code,
    /// A custom section: people and programs read it, the guest does not.
    Custom(String),
    /// The name of an import or export.
    Name,
    /// Documentation, which models read.
    Docs,
}

impl Place {
    pub(super) fn text(&self) -> String {
        match self {
            Place::Data => "data".to_owned(),
            Place::Code => "code".to_owned(),
            Place::Custom(name) => format!("custom {name}"),
            Place::Name => "name".to_owned(),
            Place::Docs => "docs".to_owned(),
        }
    }

    /// Whether somebody reads it as a text.
    pub(super) fn is_read(&self) -> bool {
        matches!(self, Place::Name | Place::Docs)
    }
}

/// Bytes to be scanned.
#[derive(Debug)]
pub(super) struct Region<'a> {
    pub(super) place: Place,
    pub(super) bytes: Cow<'a, [u8]>,
}

/// What a walk finds.
#[derive(Debug, Default)]
pub(super) struct Seen<'a> {
    pub(super) regions: Vec<Region<'a>>,
    pub(super) imports: Vec<Import>,
    pub(super) memories: Vec<Memory>,
    pub(super) features: BTreeSet<&'static str>,
    pub(super) producers: Vec<Producer>,
    pub(super) modules: usize,
    pub(super) complete: bool,
}

/// Goes through the file.
pub(super) fn walk(guest_wasm: &[u8]) -> Seen<'_> {
    let mut walk =
        Walk { seen: Seen { complete: true, ..Seen::default() }, wiring: Wiring::default(), code_left: MAX_CODE };
    let mut level = 0_usize;
    for payload in Parser::new(0).parse_all(guest_wasm) {
        let Ok(payload) = payload else {
            walk.seen.complete = false;
            break;
        };
        match &payload {
            Payload::ModuleSection { .. } => {
                level += 1;
                walk.seen.modules += 1;
            }
            Payload::ComponentSection { .. } => level += 1,
            Payload::Version { encoding: wasmparser::Encoding::Module, .. } if level == 0 => walk.seen.modules += 1,
            Payload::Version { encoding: wasmparser::Encoding::Component, .. } => {
                walk.seen.features.insert("component-model");
            }
            Payload::End(_) => level = level.saturating_sub(1),
            _ => {}
        }
        if level > MAX_NESTING {
            walk.seen.complete = false;
            break;
        }
        walk.payload(payload, level);
    }
    walk.seen.imports = walk.wiring.imports();
    walk.seen.producers.sort_unstable();
    walk.seen.producers.dedup();
    walk.seen
}

struct Walk<'a> {
    seen: Seen<'a>,
    wiring: Wiring,
    code_left: u64,
}

impl<'a> Walk<'a> {
    fn payload(&mut self, payload: Payload<'a>, level: usize) {
        let outermost = level == 0;
        if outermost {
            self.wiring.see(&payload);
        }
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports().map_while(Result::ok) {
                    if outermost {
                        self.region(Place::Name, Cow::Borrowed(import.name.as_bytes()));
                    }
                    if let TypeRef::Memory(memory) = import.ty {
                        self.memory(&memory);
                    }
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.into_iter().map_while(Result::ok) {
                    self.memory(&memory);
                }
            }
            Payload::ComponentImportSection(section) if outermost => {
                for import in section.into_iter().map_while(Result::ok) {
                    self.region(Place::Name, Cow::Borrowed(import.name.name.as_bytes()));
                }
            }
            Payload::ComponentExportSection(section) if outermost => {
                for export in section.into_iter().map_while(Result::ok) {
                    self.region(Place::Name, Cow::Borrowed(export.name.name.as_bytes()));
                }
            }
            Payload::ExportSection(section) if outermost => {
                for export in section.into_iter().map_while(Result::ok) {
                    self.region(Place::Name, Cow::Borrowed(export.name.as_bytes()));
                }
            }
            Payload::TagSection(_) => {
                self.seen.features.insert("exceptions");
            }
            Payload::DataSection(section) => {
                for segment in section {
                    match segment {
                        Ok(segment) => self.region(Place::Data, Cow::Borrowed(segment.data)),
                        Err(_) => {
                            self.seen.complete = false;
                            break;
                        }
                    }
                }
            }
            Payload::CodeSectionEntry(body) => self.code(&body),
            Payload::CustomSection(section) => self.custom(&section),
            _ => {}
        }
    }

    fn region(&mut self, place: Place, bytes: Cow<'a, [u8]>) {
        if self.seen.regions.len() >= MAX_REGIONS {
            self.seen.complete = false;
        } else if !bytes.is_empty() {
            self.seen.regions.push(Region { place, bytes });
        }
    }

    fn memory(&mut self, memory: &wasmparser::MemoryType) {
        if memory.shared {
            self.seen.features.insert("threads");
        }
        if memory.memory64 {
            self.seen.features.insert("memory64");
        }
        if self.seen.memories.len() < MAX_MEMORIES {
            self.seen.memories.push(Memory {
                minimum: memory.initial,
                maximum: memory.maximum,
                shared: memory.shared,
                wide: memory.memory64,
            });
        } else {
            self.seen.complete = false;
        }
    }

    fn code(&mut self, body: &wasmparser::FunctionBody<'a>) {
        let range = body.range();
        let size = u64::try_from(range.end.saturating_sub(range.start)).unwrap_or(u64::MAX);
        let Some(left) = self.code_left.checked_sub(size) else {
            self.seen.complete = false;
            return;
        };
        self.code_left = left;
        let Ok(mut operators) = body.get_operators_reader() else { return };
        let mut constants = Constants::default();
        // Most instructions are the same few: the set is asked only where the feature changes.
        let mut last = "";
        while !operators.eof() {
            let Ok(operator) = operators.read() else { break };
            let feature = features::of(&operator);
            if feature != last {
                last = feature;
                if !feature.is_empty() {
                    self.seen.features.insert(feature);
                }
            }
            if let Operator::MemoryGrow { mem } | Operator::MemorySize { mem } = operator
                && mem > 0
            {
                self.seen.features.insert("multi-memory");
            }
            constants.see(&operator);
        }
        for text in constants.texts() {
            self.region(Place::Code, Cow::Owned(text));
        }
    }

    fn custom(&mut self, section: &wasmparser::CustomSectionReader<'a>) {
        let name = section.name();
        match section.as_known() {
            KnownCustom::Producers(fields) => self.producers(fields),
            // Names of functions and what linkers and debuggers need: neither the guest nor a reader sees it.
            KnownCustom::Name(_) | KnownCustom::ComponentName(_) | KnownCustom::Linking(_) | KnownCustom::Reloc(_) => {}
            _ if name.starts_with(".debug") || name.starts_with("component-type") => {}
            _ if name == "package-docs" => self.region(Place::Docs, Cow::Borrowed(section.data())),
            _ => self.region(Place::Custom(shown(name, 40)), Cow::Borrowed(section.data())),
        }
    }

    fn producers(&mut self, fields: wasmparser::ProducersSectionReader<'a>) {
        for field in fields.into_iter().map_while(Result::ok) {
            for value in field.values.into_iter().map_while(Result::ok) {
                if self.seen.producers.len() >= 16 * MAX_PRODUCERS {
                    return;
                }
                let text = |text: &str| shown(text, 80);
                let producer =
                    Producer { role: text(field.name), name: text(value.name), version: text(value.version) };
                // Neighbours are often the same; the list is made unique at the end.
                if self.seen.producers.last() != Some(&producer) && self.seen.producers.len() < MAX_PRODUCERS {
                    self.seen.producers.push(producer);
                }
            }
        }
    }
}
