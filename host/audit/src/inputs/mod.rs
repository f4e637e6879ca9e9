//! Arguments to try a tool with, made of its schema.
//!
//! [`generate`] reads a JSON Schema 2020-12 (the ones that `customs inspect` shows, or what an author wrote) and gives a list of [`Input`]s. Each is
//! one mutation of the typical arguments, in one field, with every required field filled, and fits the schema, so that it reaches the tool. The list is the same for the same
//! schema, seed and `most`; it goes round the classes, so that cutting it takes from all.
//!
//! A payload says what it would make a careless tool do: its [`Bait`]. An access at the boundary that names the bait is a tool that followed its
//! argument; the same words in the answer are an echo, and no finding.

use customs_policy::Capability;
use serde_json::{Map, Value};

/// A kind of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// What a caller would send, by the names and descriptions of the fields.
    Typical,
    /// The ends of what the schema allows.
    Boundary,
    /// With and without each optional field.
    Optional,
    /// Lists of none, one and many; every arm of alternatives.
    Nested,
    /// Commands for a shell.
    Command,
    /// SQL.
    Sql,
    /// Paths that lead out of where they start.
    Traversal,
    /// Markup that runs in a browser (XSS).
    Script,
    /// Addresses that are reached from inside only (SSRF).
    Request,
    /// XML that reads files (XXE).
    Entity,
    /// Templates that compute.
    Template,
    /// Words for a model.
    Prompt,
    /// Much more than anybody sends.
    Oversize,
    /// Characters that are not what they look like.
    Unicode,
}

impl Class {
    /// Every class, in the order in which they take turns.
    pub const ALL: [Class; 14] = [
        Class::Typical,
        Class::Boundary,
        Class::Optional,
        Class::Nested,
        Class::Traversal,
        Class::Request,
        Class::Command,
        Class::Sql,
        Class::Script,
        Class::Entity,
        Class::Template,
        Class::Prompt,
        Class::Oversize,
        Class::Unicode,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Typical => "typical",
            Class::Boundary => "boundary",
            Class::Optional => "optional",
            Class::Nested => "nested",
            Class::Command => "command-injection",
            Class::Sql => "sql-injection",
            Class::Traversal => "path-traversal",
            Class::Script => "xss",
            Class::Request => "ssrf",
            Class::Entity => "xxe",
            Class::Template => "template",
            Class::Prompt => "prompt-injection",
            Class::Oversize => "oversize",
            Class::Unicode => "unicode",
        }
    }

    /// Whether inputs of this class are attacks, rather than something that a caller might send.
    #[must_use]
    pub const fn is_payload(self) -> bool {
        !matches!(self, Class::Typical | Class::Boundary | Class::Optional | Class::Nested)
    }
}

/// Something that a payload names, and that a tool which follows it would ask the boundary for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bait {
    /// The kind of access that follows it. Others of its family count too, see [`Bait::caught`].
    pub capability: Capability,
    /// A part of the path, host or URL that the access would name, lower case.
    pub needle: String,
    /// The field asks for such a value by its name or description: following it is what the tool says it does, and the policy's business.
    pub by_design: bool,
}

impl Bait {
    /// Whether an access is one that follows the bait: of its family (files, or network), with the needle in what it asked for or where that leads.
    #[must_use]
    pub fn caught(&self, capability: Capability, requested: &str, resolved: Option<&str>) -> bool {
        family(capability) == family(self.capability)
            && [Some(requested), resolved].into_iter().flatten().any(|name| self.is_in(name))
    }

    /// Whole parts only: `/etc/passwd` is not in `/etc/passwd-notes`.
    fn is_in(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        name.match_indices(self.needle.as_str()).any(|(at, found)| {
            let before = name.get(..at).and_then(|text| text.chars().next_back());
            let after = name.get(at + found.len()..).and_then(|text| text.chars().next());
            ends(before) && ends(after)
        })
    }
}

fn family(capability: Capability) -> u8 {
    match capability {
        Capability::FsRead | Capability::FsWrite | Capability::FsList | Capability::FsStat => 0,
        Capability::HttpRequest
        | Capability::DnsLookup
        | Capability::TcpConnect
        | Capability::TcpListen
        | Capability::UdpSend => 1,
        Capability::EnvGet => 2,
        Capability::ClockRead | Capability::RandomRead | Capability::StdioRead | Capability::StdioWrite => 3,
    }
}

/// Arguments to try, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// What kind it is.
    pub class: Class,
    /// The field that was changed, as a JSON Pointer into `arguments`; empty for the arguments as a whole.
    pub field: String,
    /// What was done there, in a few words, such as `longest text` or `dot-dot to /etc/passwd`.
    pub label: String,
    /// The arguments.
    pub arguments: Map<String, Value>,
    /// What a tool that follows its argument would be seen to ask for.
    pub bait: Vec<Bait>,
}

/// At most `most` inputs for a tool with this input schema.
#[must_use]
pub fn generate(guest_schema: &Value, seed: u64, most: usize) -> Vec<Input> {
    let _ = (guest_schema, seed, most);
    Vec::new()
}
