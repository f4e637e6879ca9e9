//! What the bytes of a component say without being run.
//!
//! [`look`] walks all modules and components in the file once: imports, memories, producers, the features its code uses, and the texts in its data segments, custom
//! sections and names. Texts are also read through what hides them ([`Indication::decoding`]). What every compiler and standard library leaves is
//! not told, or is [`Severity::Info`].
//!
//! It is a look and no proof: what a tool makes up while it runs, encrypts, or puts together of pieces is not seen here, and the audit runs the tool for that.

mod advisories;
mod constants;
mod encodings;
mod features;
mod hidden;
mod hosts;
mod known;
mod packed;
mod scan;
mod secrets;
mod walk;
mod wiring;

pub use advisories::Advisory;

use crate::imports::Import;
use crate::score::{Evidence, Matter};
use crate::severity::Severity;

/// What kind of thing stands in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An address on the network.
    Url,
    /// A path of things that are nobody's business.
    Path,
    /// A command for a shell.
    Command,
    /// Characters that a reader does not see.
    Hidden,
    /// A secret by its form.
    Secret,
    /// Words for a model.
    Instructions,
    /// Bytes that look encrypted or compressed.
    Packed,
    /// An import that no tool needs.
    Import,
    /// Made with something that has a known hole.
    Advisory,
}

impl Kind {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Url => "url",
            Kind::Path => "path",
            Kind::Command => "command",
            Kind::Hidden => "hidden-text",
            Kind::Secret => "secret",
            Kind::Instructions => "instructions",
            Kind::Packed => "packed",
            Kind::Import => "import",
            Kind::Advisory => "advisory",
        }
    }
}

/// One thing that stands in the bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Indication {
    /// What kind of thing.
    pub kind: Kind,
    /// How bad. [`Severity::Info`] is for lists and not to be told unasked.
    pub severity: Severity,
    /// The thing itself, visible, clamped and on one line; the value of a secret is masked.
    pub what: String,
    /// What had to be undone to read it, the outermost first: `base64`, `hex`, `rot13`, `xor 0x5a`, `reversed`, `utf-16`. Empty as it stands.
    pub decoding: Vec<String>,
    /// Where: `data`, `custom NAME`, `name`, `docs`.
    pub place: String,
    /// Why it is told, as one clause.
    pub why: String,
}

/// A linear memory of some module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Pages at first.
    pub minimum: u64,
    /// Pages at most, if the module says so.
    pub maximum: Option<u64>,
    /// Shared between threads.
    pub shared: bool,
    /// Addresses of 64 bits.
    pub wide: bool,
}

/// A tool that had a part in making the component, by its own claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Producer {
    /// `language`, `sdk` or `processed-by`.
    pub role: String,
    /// For example `Rust`.
    pub name: String,
    /// May be empty.
    pub version: String,
}

/// What was seen. All texts are visible and clamped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statics {
    /// The imports of the outermost level, with the functions of each that are used.
    pub imports: Vec<Import>,
    /// Memories of all modules.
    pub memories: Vec<Memory>,
    /// Features of WebAssembly beyond the first version that are used, sorted, such as `simd`, `threads`, `exceptions`.
    pub features: Vec<&'static str>,
    /// Who made it, from all levels, sorted.
    pub producers: Vec<Producer>,
    /// What stands in it, the worst first.
    pub indications: Vec<Indication>,
    /// Core modules, on all levels.
    pub modules: usize,
    /// Bytes of data segments and custom sections that were looked at.
    pub looked_at: u64,
    /// Whether everything was looked at: false where the file is damaged or a bound was met.
    pub complete: bool,
    /// Indications beyond the most that are kept.
    pub suppressed: u64,
}

/// Looks at a component or core module. Never fails: what can't be read is not told, and `complete` is false.
#[must_use]
pub fn look(guest_wasm: &[u8]) -> Statics {
    let seen = walk::walk(guest_wasm);
    let mut scan = scan::Scan::default();
    for region in &seen.regions {
        scan.region(region);
    }
    scan.imports(&seen.imports);
    scan.producers(&seen.producers);
    let complete = seen.complete && scan.complete();
    let (looked_at, suppressed, indications) = scan.done();
    Statics {
        imports: seen.imports,
        memories: seen.memories,
        features: seen.features.into_iter().collect(),
        producers: seen.producers,
        indications,
        modules: seen.modules,
        looked_at,
        complete,
        suppressed,
    }
}

/// The known holes of a producer's version.
pub fn advisories_of(producer: &Producer) -> impl Iterator<Item = &'static Advisory> {
    advisories::of(producer)
}

impl Indication {
    /// What it adds to the score.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        let matter = match self.kind {
            Kind::Url => Matter::Address,
            Kind::Path => Matter::SensitivePath,
            Kind::Command => Matter::Command,
            Kind::Hidden => Matter::HiddenText,
            Kind::Secret => Matter::Secret,
            Kind::Instructions => Matter::Instructions,
            Kind::Import => Matter::OddImport,
            Kind::Advisory => Matter::Advisory,
            Kind::Packed => return None,
        };
        (self.severity > Severity::Info)
            .then(|| Evidence::new(matter, self.severity, self.what.clone(), self.place.clone()))
    }
}

#[cfg(test)]
mod tests;
