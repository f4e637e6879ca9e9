//! The kinds of sources and sinks that rules can name: how their names look, and what can be done there.

/// Classes of sources.
pub(super) const CLASSES: &[&str] = &["secret", "private", "untrusted", "public"];

/// What the names of a kind look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// There is one of the kind, so it has no name to choose by.
    Single,
    /// The name of a variable.
    Variable,
    /// A JSON Pointer.
    Pointer,
    /// A guest path.
    Path,
    /// `https://HOST[:PORT]/PATH`.
    Url,
    /// A host name.
    Host,
    /// `tcp://HOST:PORT` or `udp://HOST:PORT`.
    Socket,
    /// That, or `dns:NAME` for what a lookup gave.
    Peer,
}

/// A kind of source or sink.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// The word of the contract.
    pub(super) word: &'static str,
    pub(super) form: Form,
    /// What can stand behind a `#` after a name; `*` for anything.
    pub(super) parts: &'static [&'static str],
    /// A source whose class is `public`.
    pub(super) public: bool,
    /// A sink whose bytes can be replaced before they leave.
    pub(super) redact: bool,
    /// A sink whose bytes can be held back.
    pub(super) block: bool,
}

const fn kind(word: &'static str, form: Form) -> Kind {
    Kind { word, form, parts: &[], public: false, redact: false, block: false }
}

pub(super) static SOURCES: &[Kind] = &[
    kind("env", Form::Variable),
    kind("file", Form::Path),
    kind("listing", Form::Path),
    kind("metadata", Form::Path),
    kind("link", Form::Path),
    Kind { parts: &["head", "body", "trailers"], ..kind("http-response", Form::Url) },
    Kind { public: true, ..kind("stdin", Form::Single) },
    Kind { public: true, ..kind("argument", Form::Pointer) },
    kind("socket", Form::Peer),
];

pub(super) static SINKS: &[Kind] = &[
    Kind { parts: &["*"], redact: true, block: true, ..kind("return", Form::Pointer) },
    Kind { parts: &["*"], redact: true, block: true, ..kind("error", Form::Pointer) },
    Kind { parts: &["line", "headers", "body", "trailers"], block: true, ..kind("http-request", Form::Url) },
    Kind { block: true, ..kind("dns", Form::Host) },
    Kind { parts: &["name", "target"], ..kind("file", Form::Path) },
    kind("stdout", Form::Single),
    kind("stderr", Form::Single),
    kind("progress", Form::Single),
    kind("log", Form::Single),
    kind("socket", Form::Socket),
];

pub(super) fn find(kinds: &'static [Kind], word: &str) -> Option<&'static Kind> {
    kinds.iter().find(|kind| kind.word == word)
}

/// The words of these kinds, for a message.
pub(super) fn words<'a>(kinds: impl Iterator<Item = &'a Kind>, between: &str) -> String {
    kinds.map(|kind| kind.word).collect::<Vec<_>>().join(between)
}
