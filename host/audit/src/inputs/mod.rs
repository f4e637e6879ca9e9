//! Arguments to try a tool with, made of its schema.
//!
//! [`generate`] reads a JSON Schema 2020-12 (the ones that `customs inspect` shows, or what an author wrote) and gives a list of [`Input`]s. Each is
//! one mutation of the typical arguments, in one field, with every required field filled, and fits the schema, so that it reaches the tool. The list is the same for the same
//! schema, seed and `most`; it goes round the classes, so that cutting it takes from all.
//!
//! A payload says what it would make a careless tool do: its [`Bait`]. An access at the boundary that names the bait is a tool that followed its
//! argument; the same words in the answer are an echo, and no finding.

mod fields;
mod fill;
mod fit;
mod guess;
mod numbers;
mod pattern;
mod payloads;
mod plans;
mod random;
mod schema;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use customs_policy::Capability;
use fields::Field;
use fill::{Filler, Leaf, fitted};
use fit::Fit;
use guess::Use;
use pattern::Patterns;
use plans::{Deed, Plan};
use random::Random;
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};

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

/// What is there to be named: put into fields that ask for it before made-up names, so that a tool gets past its first check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Guest paths of files and directories.
    pub paths: Vec<String>,
    /// URLs of origins that are granted.
    pub urls: Vec<String>,
    /// Hosts that are granted.
    pub hosts: Vec<String>,
}

impl Known {
    fn of(&self, use_: Use) -> impl Iterator<Item = &str> {
        let known = match use_ {
            Use::Path => self.paths.as_slice(),
            Use::Url => self.urls.as_slice(),
            Use::Host => self.hosts.as_slice(),
            _ => &[],
        };
        known.iter().map(String::as_str)
    }
}

/// Inputs that are made at all, whatever is asked for.
const MOST: usize = 100_000;
/// Bytes of text of all inputs together. Oversize ones are left out beyond.
const MAX_BYTES: usize = 64 << 20;
/// Candidates that may be made and thrown away because they do not fit: so many, and more for each that did. Fields of honest schemas refuse half of
/// what is put into them.
const MISSES: usize = 2_000;
const MISSES_EACH: usize = 8;
/// The same while none has fitted at all: then none will.
const MISSES_AT_FIRST: usize = 300;
/// Steps of making and checking, of some 100 ns: a second or two on a hostile schema.
const MAX_STEPS: u64 = 10_000_000;
/// Steps that making one value within the arguments is worth.
const STEPS_OF_VALUE: u64 = 8;

/// At most `most` inputs for a tool with this input schema; none where no value could be shown to fit it.
#[must_use]
pub fn generate(guest_schema: &Value, seed: u64, most: usize) -> Vec<Input> {
    generate_with(guest_schema, seed, most, &Known::default())
}

/// As [`generate`], with names of what is there.
#[must_use]
pub fn generate_with(guest_schema: &Value, seed: u64, most: usize, known: &Known) -> Vec<Input> {
    let patterns = Patterns::default();
    let fit = Fit::new(guest_schema, &patterns);
    let mut random = Random::new(seed);
    let run = Run {
        host: format!("c{:08x}.test", random.next() & 0xffff_ffff),
        word: format!("m{:08x}", random.next() & 0xffff_ffff),
    };
    let filler = Filler {
        root: guest_schema,
        fit: &fit,
        known,
        random: RefCell::new(Random::new(seed)),
        left: Cell::new(0),
        spent: Cell::new(0),
    };
    let fields = fields::fields(guest_schema);
    let mut queues: Vec<VecDeque<Plan>> = plans::plans(&fields, &mut random).into_iter().map(VecDeque::from).collect();

    let mut inputs: Vec<Input> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let (mut bytes, mut misses) = (0_usize, 0_usize);
    while inputs.len() < most.min(MOST) && queues.iter().any(|queue| !queue.is_empty()) {
        for queue in &mut queues {
            // The next of this class that fits and is new.
            while let Some(plan) = queue.pop_front() {
                let allowed = if inputs.is_empty() { MISSES_AT_FIRST } else { MISSES + MISSES_EACH * inputs.len() };
                if misses > allowed || fit.spent() + patterns.spent() + STEPS_OF_VALUE * filler.spent.get() > MAX_STEPS
                {
                    return inputs;
                }
                let Some(field) = fields.get(plan.field) else { continue };
                let made = (bytes <= MAX_BYTES || plan.class != Class::Oversize)
                    .then(|| make(&filler, field, &plan, &run))
                    .flatten();
                let Some(input) = made else {
                    misses += 1;
                    continue;
                };
                let arguments = Value::Object(input.arguments);
                let text = arguments.to_string();
                let size = text.len();
                // The same arguments twice say nothing new; the first one has the better name.
                if !fit.fits(&arguments) || !seen.insert(text) {
                    misses += 1;
                    continue;
                }
                bytes = bytes.saturating_add(size);
                if let Value::Object(arguments) = arguments {
                    inputs.push(Input { arguments, ..input });
                }
                break;
            }
            if inputs.len() >= most.min(MOST) {
                break;
            }
        }
    }
    inputs
}

/// What is of this run in payloads.
struct Run {
    host: String,
    word: String,
}

impl Run {
    fn fill(&self, text: &str) -> String {
        text.replace("{oob}", &self.host).replace("{tok}", &self.word)
    }
}

fn make(filler: &Filler<'_>, field: &Field<'_>, plan: &Plan, run: &Run) -> Option<Input> {
    let mut bait = Vec::new();
    let leaf = match &plan.deed {
        Deed::Leaf(leaf) => leaf.clone(),
        Deed::Long(c, length) => {
            if field.node.max_length().is_some_and(|most| most < *length) || field.node.min_length() > *length {
                return None;
            }
            text_leaf(field, c.to_string().repeat(*length))
        }
        Deed::Payload(payload) => {
            let by_design = payloads::is_for(field.use_, payload.class);
            bait.extend(payload.bait.iter().map(|&(capability, needle)| Bait {
                capability,
                needle: run.fill(needle),
                by_design,
            }));
            let text = run.fill(payload.text);
            text_leaf(field, fitted(&text, field.node.min_length(), usize::MAX)?)
        }
    };
    let arguments = filler.arguments(&field.trail, &leaf)?;
    Some(Input { class: plan.class, field: field.pointer(), label: plan.label.clone(), arguments, bait })
}

/// In a field of base64 the text is what it stands for.
fn text_leaf(field: &Field<'_>, text: String) -> Leaf {
    Leaf::Value(Value::String(if field.node.is_base64() { STANDARD.encode(text) } else { text }))
}

#[cfg(test)]
mod tests;
