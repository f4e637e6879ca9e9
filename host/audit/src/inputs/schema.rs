//! A schema as a generator needs it: everything that applies to a value, taken together, whether it stands there, behind `$ref` or in `allOf`.
//!
//! Schemas are hostile: a reference may lead to itself, a list of alternatives may be long, and every level may double the one before. All walks
//! are bounded; beyond a bound a schema says less than it does, and what is made of it is checked ([`super::fit`]) before it is used.

use super::numbers::Num;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// Schemas that apply to one value. More are left out.
const MAX_PARTS: usize = 64;
/// References that are followed for one value.
const MAX_HOPS: usize = 32;
/// Alternatives of one value that are tried.
pub(super) const MAX_ARMS: usize = 16;

/// Finds what a reference means.
pub(super) fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    if pointer.is_empty() {
        return Some(root);
    }
    if pointer.starts_with('/') {
        return root.pointer(&unescaped(pointer)?);
    }
    // A name: looked for where names are defined.
    let places = [root.get("$defs"), root.get("definitions")];
    places
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(Map::values)
        .find(|schema| schema.get("$anchor").and_then(Value::as_str) == Some(pointer))
}

/// A pointer in a fragment of a URI has percent escapes.
fn unescaped(pointer: &str) -> Option<String> {
    if !pointer.contains('%') {
        return Some(pointer.to_owned());
    }
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut rest = pointer.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let value = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Which alternative is taken, by the order in which the value's alternatives are met; the first where nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Arm(pub(super) usize);

/// Everything that applies to one value.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    parts: Vec<&'a Map<String, Value>>,
    /// How many alternatives the first list of alternatives has; 0 where there is none.
    pub(super) arms: usize,
}

impl<'a> Node<'a> {
    /// What applies where all of `schemas` do and of the first list of alternatives this one.
    pub(super) fn new(root: &'a Value, schemas: &[&'a Value], arm: Arm) -> Node<'a> {
        let mut node = Node { parts: Vec::new(), arms: 0 };
        let mut open: Vec<&'a Value> = schemas.iter().rev().copied().collect();
        let mut hops = 0_usize;
        while let Some(schema) = open.pop() {
            let Some(schema) = schema.as_object() else { continue };
            if node.parts.len() >= MAX_PARTS {
                break;
            }
            if node.parts.iter().any(|part| std::ptr::eq(*part, schema)) {
                continue;
            }
            node.parts.push(schema);
            if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|r| target(root, r))
                && hops < MAX_HOPS
            {
                hops += 1;
                open.push(target);
            }
            open.extend(list(schema, "allOf").iter().rev().take(MAX_PARTS));
            for key in ["oneOf", "anyOf"] {
                let arms = list(schema, key);
                if arms.is_empty() {
                    continue;
                }
                let chosen = if node.arms == 0 {
                    node.arms = arms.len().min(MAX_ARMS);
                    arm.0.min(node.arms.saturating_sub(1))
                } else {
                    0
                };
                open.extend(arms.get(chosen));
            }
        }
        node
    }

    fn values(&self, key: &'static str) -> impl Iterator<Item = &'a Value> {
        self.parts.iter().filter_map(move |part| part.get(key))
    }

    fn number(&self, key: &'static str, better: Ordering) -> Option<Num> {
        self.values(key).filter_map(Num::of).reduce(|a, b| if b.order(a) == better { b } else { a })
    }

    fn count(&self, key: &'static str, better: Ordering) -> Option<usize> {
        match self.number(key, better)? {
            Num::Whole(count) => usize::try_from(count.max(0)).ok(),
            Num::Real(_) => None,
        }
    }

    /// The types that it may have, in the order of the schema; empty where it says nothing that can be met.
    pub(super) fn types(&self) -> Vec<&'a str> {
        let mut allowed: Option<Vec<&'a str>> = None;
        for types in self.values("type") {
            let here: Vec<&'a str> = match types {
                Value::String(one) => vec![one.as_str()],
                Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
                _ => continue,
            };
            let meets = |name: &&str| here.contains(name) || (*name == "integer" && here.contains(&"number"));
            allowed = Some(match allowed {
                None => here,
                Some(before) => {
                    let mut both: Vec<&'a str> = before.iter().copied().filter(meets).collect();
                    if before.contains(&"number") && here.contains(&"integer") && !both.contains(&"integer") {
                        both.push("integer");
                    }
                    both
                }
            });
        }
        allowed.unwrap_or_else(|| {
            let has = |keys: &[&str]| keys.iter().any(|key| self.parts.iter().any(|part| part.contains_key(*key)));
            if has(&["properties", "required", "additionalProperties"]) {
                vec!["object"]
            } else if has(&["items", "prefixItems", "minItems"]) {
                vec!["array"]
            } else if has(&["minimum", "maximum", "multipleOf"]) {
                vec!["number"]
            } else {
                vec!["string"]
            }
        })
    }

    /// The values that it may have, where they are listed.
    pub(super) fn listed(&self) -> Option<Vec<&'a Value>> {
        if let Some(only) = self.values("const").next() {
            return Some(vec![only]);
        }
        self.values("enum").filter_map(Value::as_array).map(|list| list.iter().collect::<Vec<_>>()).min_by_key(Vec::len)
    }

    /// What the author gives as a value: the default, then examples.
    pub(super) fn suggested(&self) -> impl Iterator<Item = &'a Value> {
        let examples = self.values("examples").filter_map(Value::as_array).flatten();
        self.values("default").chain(examples).chain(self.values("example")).take(8)
    }

    /// The first description or title.
    pub(super) fn description(&self) -> &'a str {
        self.values("description").chain(self.values("title")).find_map(Value::as_str).unwrap_or_default()
    }

    pub(super) fn format(&self) -> Option<&'a str> {
        self.values("format").find_map(Value::as_str)
    }

    pub(super) fn is_base64(&self) -> bool {
        self.values("contentEncoding").any(|encoding| encoding == "base64")
    }

    pub(super) fn patterns(&self) -> impl Iterator<Item = &'a str> {
        self.values("pattern").filter_map(Value::as_str)
    }

    pub(super) fn min_length(&self) -> usize {
        self.count("minLength", Ordering::Greater).unwrap_or(0)
    }

    pub(super) fn max_length(&self) -> Option<usize> {
        self.count("maxLength", Ordering::Less)
    }

    pub(super) fn min_items(&self) -> usize {
        self.count("minItems", Ordering::Greater).unwrap_or(0)
    }

    pub(super) fn max_items(&self) -> Option<usize> {
        self.count("maxItems", Ordering::Less)
    }

    pub(super) fn is_unique(&self) -> bool {
        self.values("uniqueItems").any(|unique| unique == true)
    }

    /// The smallest number, moved inside where the bound itself is out.
    pub(super) fn minimum(&self) -> Option<Num> {
        let inside = self.number("exclusiveMinimum", Ordering::Greater).map(|bound| moved(bound, 1));
        [self.number("minimum", Ordering::Greater), inside]
            .into_iter()
            .flatten()
            .reduce(|a, b| if b.order(a) == Ordering::Greater { b } else { a })
    }

    /// The largest number, likewise.
    pub(super) fn maximum(&self) -> Option<Num> {
        let inside = self.number("exclusiveMaximum", Ordering::Less).map(|bound| moved(bound, -1));
        [self.number("maximum", Ordering::Less), inside]
            .into_iter()
            .flatten()
            .reduce(|a, b| if b.order(a) == Ordering::Less { b } else { a })
    }

    pub(super) fn multiple_of(&self) -> Option<Num> {
        self.values("multipleOf").find_map(Num::of)
    }

    /// The properties that are spoken of, in the order of the schema, each with all that applies to it.
    pub(super) fn properties(&self) -> Vec<(&'a str, Vec<&'a Value>)> {
        let mut all: Vec<(&'a str, Vec<&'a Value>)> = Vec::new();
        for (name, schema) in self.values("properties").filter_map(Value::as_object).flatten() {
            match all.iter_mut().find(|(known, _)| known == name) {
                Some((_, schemas)) => schemas.push(schema),
                None => all.push((name, vec![schema])),
            }
            // A schema of more is no tool's; what is required and was left out is filled in without being tried.
            if all.len() >= 256 {
                break;
            }
        }
        for name in self.required() {
            if !all.iter().any(|(known, _)| *known == name) {
                let other = self.values("additionalProperties").filter(|schema| schema.is_object()).collect();
                all.push((name, other));
            }
        }
        all
    }

    pub(super) fn required(&self) -> Vec<&'a str> {
        let mut all: Vec<&'a str> =
            self.values("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str).take(256).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What a property that is not spoken of must be; none where there must be no such property.
    pub(super) fn other_properties(&self) -> Option<Vec<&'a Value>> {
        let mut closed = self.values("additionalProperties").chain(self.values("unevaluatedProperties"));
        if closed.any(|schema| *schema == Value::Bool(false)) {
            return None;
        }
        Some(self.values("additionalProperties").filter(|schema| schema.is_object()).collect())
    }

    pub(super) fn min_properties(&self) -> usize {
        self.count("minProperties", Ordering::Greater).unwrap_or(0)
    }

    /// All that applies to the item at this place; none where there must be no such item.
    pub(super) fn item(&self, place: usize) -> Option<Vec<&'a Value>> {
        let mut schemas = Vec::new();
        for part in &self.parts {
            match list(part, "prefixItems").get(place).or_else(|| part.get("items")) {
                Some(Value::Bool(false)) => return None,
                Some(schema) => schemas.push(schema),
                None => {}
            }
        }
        if schemas.is_empty() {
            schemas.extend(self.values("contains"));
        }
        Some(schemas)
    }

    /// Items that have a schema of their own.
    pub(super) fn prefix(&self) -> usize {
        self.parts.iter().map(|part| list(part, "prefixItems").len()).max().unwrap_or(0)
    }
}

fn moved(bound: Num, step: i128) -> Num {
    match bound {
        Num::Whole(whole) => Num::Whole(whole.saturating_add(step)),
        Num::Real(real) => {
            let step = if step > 0 { 1.0 } else { -1.0 };
            Num::Real(real + step * real.abs().max(1.0) * 1e-6)
        }
    }
}

fn list<'a>(schema: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
