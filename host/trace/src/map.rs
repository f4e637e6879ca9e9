//! The label map: what the numbers in a traced component's calls to the host mean.
//!
//! A traced component imports [`INTERFACE`]. `leaving(hook, runs)` comes before bytes leave: labels of the arguments of
//! an import, right before the host's function is called; of what an export returns, right before it does. Each run is
//! `(path, first, second, third, offset, length, label)`: the part of the value, the places in up to three lists on the
//! way to it, and a range of its bytes; bytes that no run names are clean. When all are clean there is no call.
//! `arrived(hook)` comes after bytes arrived: the host answers with their label, or with [`ASK`] to be asked for each
//! part with `source(hook, path, first, second, third)`.

/// The name of the interface that a traced component imports.
pub const INTERFACE: &str = "customs:trace/labels@0.1.0";

/// The answer of `arrived` that asks for `source` calls.
pub const ASK: u32 = 0x100;

/// Every place where bytes cross, by its number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Map {
    /// The places; their index is the `hook` of the calls.
    pub hooks: Vec<Hook>,
}

/// A function whose arguments and results are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Which way, and what.
    pub crossing: Crossing,
    /// Parts of its arguments and results; their index is the `path` of the calls.
    pub paths: Vec<Path>,
}

/// Which function. An interface is empty for functions of the world itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crossing {
    /// The guest calls the host.
    Import {
        /// With its version.
        interface: String,
        /// As in WIT's canonical names, such as `[method]descriptor.read`.
        function: String,
    },
    /// The host calls the guest.
    Export {
        /// With its version.
        interface: String,
        /// Its name.
        function: String,
    },
}

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// From the argument or result inwards.
    pub steps: Vec<Step>,
    /// What the bytes are.
    pub part: Part,
}

/// One step inwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An argument.
    Argument(String),
    /// What is returned.
    Result,
    /// A field of a record.
    Field(String),
    /// An element of a tuple.
    Element(u32),
    /// Each element of a list; the runs say which.
    Each,
    /// The payload of a variant's case.
    Case(String),
    /// The payload of an option.
    Some,
    /// The payload of a result.
    Ok,
    /// The error of a result.
    Err,
}

/// What the bytes of a part are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A string's.
    Text,
    /// Numbers in a row, each of so many bytes.
    Numbers(u32),
    /// One number, character, enum or set of flags.
    Value,
    /// Which case it is.
    Case,
}
