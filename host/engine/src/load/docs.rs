//! Documentation that a component carries: the custom section `package-docs`, a version byte and JSON as WIT tools
//! write it. Called by `facts`; the text ends up in tool descriptions.
//!
//! The section is the guest author's word. A broken one is left out rather than refused: a tool runs without docs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::text::{Lines, visible};

/// The largest section that is parsed: a book's worth of text.
const MAX_SECTION: usize = 1 << 20;

/// Functions that are kept, as many as a component may export.
const MAX_ENTRIES: usize = 10_000;

/// Characters kept of one text: about four screens, and it is sent with each tool listing.
const MAX_CHARS: usize = 8_000;

/// Brackets inside brackets in a WIT text; types nest at most ten deep in practice.
const MAX_WIT_DEPTH: usize = 100;

/// Characters kept of a name that documentation is for.
const MAX_NAME_CHARS: usize = 256;

/// What the author wrote about functions. Control and invisible characters are escaped, line ends kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Docs {
    /// Interface name (as in its package: `api`, not `demo:notes/api@1.0.0`), then function name.
    pub interfaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Functions that the world exports directly.
    pub functions: BTreeMap<String, String>,
    /// Whether a text held characters that were escaped.
    pub odd: bool,
    entries: usize,
}

impl Docs {
    /// The text for a function. `interface` may be the name of an export (`demo:notes/api@1.0.0`) or the short one.
    #[must_use]
    pub fn of(&self, interface: Option<&str>, function: &str) -> Option<&str> {
        let functions = match interface {
            None => &self.functions,
            Some(name) => self.interfaces.get(short_name(name))?,
        };
        functions.get(function).map(String::as_str)
    }

    /// From the data of the section.
    pub(super) fn parse(data: &[u8]) -> Self {
        let mut docs = Self::default();
        // 0 is the format before version 1 and reads the same.
        let Some((0 | 1, json)) = data.split_first().filter(|_| data.len() <= MAX_SECTION) else { return docs };
        let Ok(Value::Object(package)) = serde_json::from_slice(json) else { return docs };
        docs.add_interfaces(object(&package, "interfaces"));
        for world in object(&package, "worlds").into_iter().flat_map(Map::values) {
            let Some(world) = world.as_object() else { continue };
            // `funcs` and `interfaces` hold the imports as well: what is exported wins, so it comes last.
            docs.add_interfaces(object(world, "interfaces"));
            docs.add_interfaces(object(world, "interface_exports"));
            for key in ["funcs", "func_exports"] {
                for (name, entry) in object(world, key).into_iter().flatten() {
                    if let Some((name, text)) = docs.take(name, entry) {
                        docs.functions.insert(name, text);
                    }
                }
            }
        }
        docs
    }

    /// From a WIT text beside the component, for components whose toolchain leaves the documentation out. What is not WIT documents
    /// nothing.
    #[must_use]
    pub fn from_wit(text: &str) -> Self {
        let mut docs = Self::default();
        if text.len() > MAX_SECTION || too_deep(text) {
            return docs;
        }
        let Ok(group) = wit_parser::UnresolvedPackageGroup::parse("beside.wit", text) else { return docs };
        for (_, interface) in &group.main.interfaces {
            let Some(name) = &interface.name else { continue };
            for (function, item) in &interface.functions {
                docs.add_wit(Some(name), function, &item.docs);
            }
        }
        for (_, world) in &group.main.worlds {
            for (key, item) in &world.exports {
                if let (wit_parser::WorldKey::Name(function), wit_parser::WorldItem::Function(item)) = (key, item) {
                    docs.add_wit(None, function, &item.docs);
                }
            }
        }
        docs
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    fn add_wit(&mut self, interface: Option<&str>, function: &str, docs: &wit_parser::Docs) {
        let Some(text) = &docs.contents else { return };
        let Some((function, text)) = self.take(function, &Value::from(text.as_str())) else { return };
        match interface {
            Some(name) => {
                let name = visible(name, MAX_NAME_CHARS, Lines::One).text;
                self.interfaces.entry(name).or_default().insert(function, text);
            }
            None => {
                self.functions.insert(function, text);
            }
        }
    }

    fn add_interfaces(&mut self, interfaces: Option<&Map<String, Value>>) {
        for (interface, entry) in interfaces.into_iter().flatten() {
            let functions = entry.as_object().and_then(|entry| object(entry, "funcs"));
            for (function, entry) in functions.into_iter().flatten() {
                if let Some((function, text)) = self.take(function, entry) {
                    let interface = visible(interface, MAX_NAME_CHARS, Lines::One).text;
                    self.interfaces.entry(interface).or_default().insert(function, text);
                }
            }
        }
    }

    /// One function's entry: a text, or an object with `docs`.
    fn take(&mut self, function: &str, entry: &Value) -> Option<(String, String)> {
        let text = entry.as_str().or_else(|| entry.get("docs")?.as_str())?;
        if self.entries >= MAX_ENTRIES {
            return None;
        }
        self.entries += 1;
        let text = visible(text, MAX_CHARS, Lines::Many);
        self.odd |= text.odd;
        Some((visible(function, MAX_NAME_CHARS, Lines::One).text, text.text))
    }
}

/// The parser recurses into types: brackets nested deeper than any honest WIT are not given to it.
fn too_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'<' | b'(' | b'{' => depth += 1,
            b'>' | b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_WIT_DEPTH {
            return true;
        }
    }
    false
}

fn object<'a>(parent: &'a Map<String, Value>, key: &str) -> Option<&'a Map<String, Value>> {
    parent.get(key)?.as_object()
}

/// `api` of `demo:notes/api@1.0.0`.
fn short_name(interface: &str) -> &str {
    let after_package = interface.rsplit_once('/').map_or(interface, |(_, name)| name);
    after_package.split_once('@').map_or(after_package, |(name, _)| name)
}
