//! The bytes that crossed: what came in (sources) and what went out (sinks). The boundary fills these while a call runs; the ledger
//! holds their digests; findings are made from them. No I/O here.

use crate::digest::Digest;

/// Where bytes came from. `as_str` is the contract's spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    Env,
    File,
    Listing,
    Metadata,
    Link,
    HttpResponse,
    Stdin,
    Argument,
    Socket,
}

impl SourceKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::File => "file",
            Self::Listing => "listing",
            Self::Metadata => "metadata",
            Self::Link => "link",
            Self::HttpResponse => "http-response",
            Self::Stdin => "stdin",
            Self::Argument => "argument",
            Self::Socket => "socket",
        }
    }

    /// The class a source has unless the policy says otherwise.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::Env => Class::Secret,
            Self::File | Self::Listing | Self::Metadata | Self::Link => Class::Private,
            Self::HttpResponse | Self::Socket => Class::Untrusted,
            Self::Stdin | Self::Argument => Class::Public,
        }
    }
}

/// Where bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SinkKind {
    Return,
    Error,
    HttpRequest,
    Dns,
    File,
    Stdout,
    Stderr,
    Progress,
    Log,
    Socket,
}

impl SinkKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Return => "return",
            Self::Error => "error",
            Self::HttpRequest => "http-request",
            Self::Dns => "dns",
            Self::File => "file",
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Progress => "progress",
            Self::Log => "log",
            Self::Socket => "socket",
        }
    }
}

/// How a source is to be treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Environment and injected secrets. Digests are keyed and values never shown whole.
    Secret,
    /// Files and what is known about them.
    Private,
    /// Network answers.
    Untrusted,
    /// What the caller sent.
    Public,
}

impl Class {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Private => "private",
            Self::Untrusted => "untrusted",
            Self::Public => "public",
        }
    }
}

/// Bytes in the order they crossed.
#[derive(Clone, Debug)]
pub struct Content {
    /// All that crossed, kept or not.
    pub bytes: u64,
    pub digest: Digest,
    /// The first `kept.len()` bytes of it.
    pub kept: Vec<u8>,
    /// False where something was cut: more crossed than is kept, or the flow ended by a limit.
    pub complete: bool,
}

/// Bytes that were handed to the guest.
#[derive(Clone, Debug)]
pub struct Source {
    pub id: u64,
    pub kind: SourceKind,
    /// A guest path, a variable's name, an origin: what the guest calls it.
    pub name: String,
    pub class: Class,
    pub content: Content,
}

/// Bytes that the guest gave out.
#[derive(Clone, Debug)]
pub struct Sink {
    pub id: u64,
    pub kind: SinkKind,
    pub name: String,
    pub content: Content,
}
