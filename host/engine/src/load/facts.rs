//! What the bytes say about themselves, without compiling them: for `customs inspect` and the ledger's open record.
//! Reads section headers and a few bounded sections; never validates, so that "no fact" means no more than that.

use wasmparser::{Imports, KnownCustom, Payload};

use super::bytes::{Kind, Wasm};
use super::check::{invalid, within_nesting};
use super::docs::Docs;
use super::error::LoadError;
use super::text::{Lines, visible};

/// Producers that are kept. Real components name fewer than ten.
const MAX_PRODUCERS: usize = 64;

/// Entries that are looked at: a section of millions of repetitions must not cost time.
const MAX_PRODUCER_ENTRIES: usize = 1_000;

/// Characters of a producer's name or version.
const MAX_PRODUCER_CHARS: usize = 80;

/// Import names that are kept, as many as a component may have.
const MAX_IMPORTS: usize = 10_000;

/// Characters of an import name.
const MAX_IMPORT_CHARS: usize = 256;

/// Bytes of data segments that are kept, of all modules together, in their order.
const MAX_DATA: usize = 1 << 20;

/// A tool that had a part in making the component, by its own claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Producer {
    /// `language`, `sdk` or `processed-by`.
    pub role: &'static str,
    /// For example `Rust`.
    pub name: String,
    /// May be empty.
    pub version: String,
}

/// What is known of a component from its bytes. All text is clamped and visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// A component, or a core module that is adapted when it is loaded.
    pub kind: Kind,
    /// Bytes of the file.
    pub size: u64,
    /// Digest of the file.
    pub sha256: [u8; 32],
    /// Who made it, from all levels, without repetition.
    pub producers: Vec<Producer>,
    /// What the author wrote about the functions.
    pub docs: Docs,
    /// Names of the imports on the outermost level: interfaces of a component, `module.name` of a core module.
    pub imports: Vec<String>,
    /// Whether a name or text held control or invisible characters; honest ones do not.
    pub odd_text: bool,
    /// What the component brings along: its data segments, one after the other with a zero between, up to 1 MiB. Raw guest bytes.
    pub data: Vec<u8>,
}

impl Facts {
    /// Reads the facts.
    ///
    /// # Errors
    /// When the sections cannot be told apart, or nest too deeply.
    pub fn read(wasm: &Wasm) -> Result<Self, LoadError> {
        let mut facts = Self {
            kind: wasm.kind(),
            size: u64::try_from(wasm.bytes().len()).unwrap_or(u64::MAX),
            sha256: wasm.sha256(),
            producers: Vec::new(),
            docs: Docs::default(),
            imports: Vec::new(),
            odd_text: false,
            data: Vec::new(),
        };
        facts.scan(wasm.bytes()).map_err(|error| error.about(wasm.name()))?;
        facts.odd_text |= facts.docs.odd;
        Ok(facts)
    }

    fn scan(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        let mut level = 0_usize;
        let mut entries_left = MAX_PRODUCER_ENTRIES;
        for payload in within_nesting(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => level += 1,
                Payload::End(_) => level = level.saturating_sub(1),
                Payload::ComponentImportSection(section) if level == 0 => {
                    for import in section {
                        let import = import.map_err(|error| invalid(&error))?;
                        self.add_import(import.name.name);
                    }
                }
                Payload::ImportSection(section) if level == 0 => {
                    for group in section {
                        self.add_core_imports(group.map_err(|error| invalid(&error))?);
                    }
                }
                Payload::CustomSection(section) if section.name() == "package-docs" && level == 0 => {
                    self.docs = Docs::parse(section.data());
                }
                Payload::CustomSection(section) if section.name() == "producers" => {
                    if let KnownCustom::Producers(fields) = section.as_known() {
                        // A broken section tells less, and is not worth refusing a tool for.
                        self.add_producers(fields, &mut entries_left);
                    }
                }
                Payload::DataSection(section) => {
                    // What does not read is for the compiler to refuse.
                    for segment in section.into_iter().map_while(Result::ok) {
                        let room = MAX_DATA.saturating_sub(self.data.len() + 1);
                        if room == 0 {
                            break;
                        }
                        self.data
                            .extend_from_slice(segment.data.get(..segment.data.len().min(room)).unwrap_or_default());
                        self.data.push(0);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add_import(&mut self, guest_name: &str) {
        if self.imports.len() < MAX_IMPORTS {
            let name = visible(guest_name, MAX_IMPORT_CHARS, Lines::One);
            self.odd_text |= name.odd;
            self.imports.push(name.text);
        }
    }

    fn add_core_imports(&mut self, group: Imports<'_>) {
        match group {
            Imports::Single(_, import) => self.add_core_import(import.module, import.name),
            Imports::Compact1 { module, items } => {
                for item in items.into_iter().map_while(Result::ok) {
                    self.add_core_import(module, item.name);
                }
            }
            Imports::Compact2 { module, names, .. } => {
                for name in names.into_iter().map_while(Result::ok) {
                    self.add_core_import(module, name);
                }
            }
        }
    }

    fn add_core_import(&mut self, module: &str, name: &str) {
        if self.imports.len() < MAX_IMPORTS {
            // Clamped before they are joined: each may be 100 000 bytes long.
            let short = |text: &str| text.chars().take(MAX_IMPORT_CHARS).collect::<String>();
            self.add_import(&format!("{}.{}", short(module), short(name)));
        }
    }

    fn add_producers(&mut self, fields: wasmparser::ProducersSectionReader<'_>, entries_left: &mut usize) {
        for field in fields.into_iter().map_while(Result::ok) {
            let Some(role) = ["language", "sdk", "processed-by"].into_iter().find(|role| *role == field.name) else {
                continue;
            };
            for value in field.values.into_iter().map_while(Result::ok) {
                if self.producers.len() >= MAX_PRODUCERS || *entries_left == 0 {
                    return;
                }
                *entries_left -= 1;
                let name = visible(value.name, MAX_PRODUCER_CHARS, Lines::One);
                let version = visible(value.version, MAX_PRODUCER_CHARS, Lines::One);
                self.odd_text |= name.odd || version.odd;
                let producer = Producer { role, name: name.text, version: version.text };
                if !self.producers.contains(&producer) {
                    self.producers.push(producer);
                }
            }
        }
    }
}
