//! Whether a value fits a schema, so that what is made of one reaches the tool. JSON Schema 2020-12 as far as schemas of tools go. What it does not know or
//! can't afford does not fit: a candidate is lost, and nothing is sent that the engine would refuse.

use super::numbers::Num;
use super::pattern::Patterns;
use super::schema::target;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::cmp::Ordering;

/// Schemas asked about one value. Schemas of tools need hundreds.
const MAX_STEPS: u32 = 200_000;
/// Schemas within each other.
const MAX_DEPTH: u32 = 128;

/// Checks values against one schema.
#[derive(Debug)]
pub(super) struct Fit<'a> {
    root: &'a Value,
    patterns: &'a Patterns,
    steps: Cell<u32>,
    spent: Cell<u64>,
}

impl<'a> Fit<'a> {
    pub(super) fn new(root: &'a Value, patterns: &'a Patterns) -> Fit<'a> {
        Fit { root, patterns, steps: Cell::new(0), spent: Cell::new(0) }
    }

    /// Schemas asked so far, of all values.
    pub(super) fn spent(&self) -> u64 {
        self.spent.get()
    }

    /// Whether this value fits the whole schema.
    pub(super) fn fits(&self, value: &Value) -> bool {
        self.fits_all(&[self.root], value)
    }

    /// Whether it fits all of these parts of the schema.
    pub(super) fn fits_all(&self, schemas: &[&Value], value: &Value) -> bool {
        self.steps.set(MAX_STEPS);
        let fits = schemas.iter().all(|schema| self.check(schema, value, MAX_DEPTH));
        self.spent.set(self.spent.get() + u64::from(MAX_STEPS - self.steps.get()));
        fits
    }

    fn check(&self, schema: &Value, value: &Value, depth: u32) -> bool {
        // Giving up ends all of it: under `not`, a no that only means "don't know" would become a yes.
        let left = if depth == 0 { 0 } else { self.steps.get().saturating_sub(1) };
        self.steps.set(left);
        if left == 0 {
            return false;
        }
        let schema = match schema {
            Value::Bool(all) => return *all,
            Value::Object(schema) => schema,
            _ => return false,
        };
        if ["$dynamicRef", "$recursiveRef"].iter().any(|key| schema.contains_key(*key)) {
            self.steps.set(0);
            return false;
        }
        // Comparing with each of a list, and items with each other, is work too.
        let listed_values = schema.get("enum").and_then(Value::as_array).map_or(0, Vec::len);
        let items = match value {
            Value::Array(items) if schema.get("uniqueItems") == Some(&Value::Bool(true)) => items.len().min(MAX_UNIQUE),
            _ => 0,
        };
        self.charge(listed_values / 4 + items * items / 8);
        self.in_place(schema, value, depth)
            && listed(schema, value)
            && match value {
                Value::Null | Value::Bool(_) => true,
                Value::Number(_) => numbers(schema, value),
                Value::String(text) => self.text(schema, text),
                Value::Array(items) => self.array(schema, items, depth),
                Value::Object(members) => self.object(schema, value, members, depth),
            }
    }

    fn charge(&self, steps: usize) {
        self.steps.set(self.steps.get().saturating_sub(u32::try_from(steps).unwrap_or(u32::MAX)));
    }

    /// What applies to the same value.
    fn in_place(&self, schema: &Map<String, Value>, value: &Value, depth: u32) -> bool {
        let check = |schema: &Value| self.check(schema, value, depth - 1);
        let known = |key: &str| schema.get(key).and_then(Value::as_array);
        if let Some(reference) = schema.get("$ref") {
            let found = reference.as_str().and_then(|reference| target(self.root, reference));
            if !found.is_some_and(check) {
                return false;
            }
        }
        known("allOf").is_none_or(|all| all.iter().all(check))
            && known("anyOf").is_none_or(|any| any.iter().any(check))
            && known("oneOf").is_none_or(|one| one.iter().filter(|schema| check(schema)).count() == 1)
            && schema.get("not").is_none_or(|not| !check(not) && self.steps.get() > 0)
            && match schema.get("if") {
                None => true,
                Some(condition) => schema.get(if check(condition) { "then" } else { "else" }).is_none_or(check),
            }
    }

    fn text(&self, schema: &Map<String, Value>, text: &str) -> bool {
        let length = text.chars().count();
        at_least(schema, "minLength", length)
            && at_most(schema, "maxLength", length)
            && schema.get("pattern").is_none_or(|pattern| {
                let matches = pattern.as_str().and_then(|pattern| self.patterns.matches(pattern, text));
                if matches.is_none() {
                    self.steps.set(0);
                }
                matches == Some(true)
            })
    }

    fn array(&self, schema: &Map<String, Value>, items: &[Value], depth: u32) -> bool {
        let prefix = schema.get("prefixItems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if !at_least(schema, "minItems", items.len()) || !at_most(schema, "maxItems", items.len()) {
            return false;
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) && !unique(items) {
            return false;
        }
        if !prefix.iter().zip(items).all(|(schema, item)| self.check(schema, item, depth - 1)) {
            return false;
        }
        let rest = items.get(prefix.len()..).unwrap_or_default();
        if let Some(schema) = schema.get("items")
            && !rest.iter().all(|item| self.check(schema, item, depth - 1))
        {
            return false;
        }
        if let Some(contains) = schema.get("contains") {
            let found = items.iter().filter(|item| self.check(contains, item, depth - 1)).count();
            let least = if schema.contains_key("minContains") { 0 } else { 1 };
            if found < least || !at_least(schema, "minContains", found) || !at_most(schema, "maxContains", found) {
                return false;
            }
        }
        // What `unevaluatedItems` leaves open depends on all that was asked; only what no one could object to passes.
        !schema.contains_key("unevaluatedItems") || rest.is_empty() || schema.contains_key("items")
    }

    fn object(&self, schema: &Map<String, Value>, value: &Value, members: &Map<String, Value>, depth: u32) -> bool {
        if !at_least(schema, "minProperties", members.len()) || !at_most(schema, "maxProperties", members.len()) {
            return false;
        }
        let names = |key: &str| schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if !names("required").iter().all(|name| name.as_str().is_some_and(|name| members.contains_key(name))) {
            return false;
        }
        let map = |key: &str| schema.get(key).and_then(Value::as_object);
        let (properties, patterns) = (map("properties"), map("patternProperties"));
        for (name, member) in members {
            let mut spoken_of = false;
            if let Some(schema) = properties.and_then(|properties| properties.get(name)) {
                spoken_of = true;
                if !self.check(schema, member, depth - 1) {
                    return false;
                }
            }
            for (pattern, schema) in patterns.into_iter().flatten() {
                // A pattern that can't be read may be about this name.
                if self.patterns.matches(pattern, name).unwrap_or(true) {
                    spoken_of = true;
                    if !self.check(schema, member, depth - 1) {
                        return false;
                    }
                }
            }
            if !spoken_of
                && let Some(schema) = schema.get("additionalProperties")
                && !self.check(schema, member, depth - 1)
            {
                return false;
            }
            if let Some(schema) = schema.get("propertyNames")
                && !self.check(schema, &Value::String(name.clone()), depth - 1)
            {
                return false;
            }
        }
        let required_with = map("dependentRequired").into_iter().flatten().all(|(name, needs)| {
            !members.contains_key(name)
                || needs
                    .as_array()
                    .into_iter()
                    .flatten()
                    .all(|need| need.as_str().is_some_and(|n| members.contains_key(n)))
        });
        let schemas_with = map("dependentSchemas")
            .into_iter()
            .flatten()
            .all(|(name, schema)| !members.contains_key(name) || self.check(schema, value, depth - 1));
        required_with && schemas_with && self.nothing_unevaluated(schema, value, members, depth)
    }

    /// `unevaluatedProperties`: what no schema that applies speaks of.
    fn nothing_unevaluated(
        &self,
        schema: &Map<String, Value>,
        value: &Value,
        members: &Map<String, Value>,
        depth: u32,
    ) -> bool {
        let Some(other) = schema.get("unevaluatedProperties") else { return true };
        members.iter().all(|(name, member)| {
            self.speaks_of(schema, value, name, depth - 1) || self.check(other, member, depth - 1)
        })
    }

    fn speaks_of(&self, schema: &Map<String, Value>, value: &Value, name: &str, depth: u32) -> bool {
        if depth == 0 {
            return false;
        }
        if schema.get("properties").and_then(Value::as_object).is_some_and(|known| known.contains_key(name))
            || schema.contains_key("additionalProperties")
        {
            return true;
        }
        let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| target(self.root, reference));
        lists.chain(reference).any(|schema| {
            schema.as_object().is_some_and(|inner| self.speaks_of(inner, value, name, depth - 1))
                && self.check(schema, value, depth - 1)
        })
    }
}

fn listed(schema: &Map<String, Value>, value: &Value) -> bool {
    let types = match schema.get("type") {
        None => true,
        Some(Value::String(one)) => is_of(one, value),
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).any(|one| is_of(one, value)),
        Some(_) => false,
    };
    types
        && schema.get("const").is_none_or(|only| same(only, value))
        && schema
            .get("enum")
            .is_none_or(|list| list.as_array().is_some_and(|list| list.iter().any(|one| same(one, value))))
}

/// 1 and 1.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (Num::of(a), Num::of(b)) {
        (Some(a), Some(b)) => a.order(b) == Ordering::Equal,
        _ => a == b,
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => Num::of(value).is_some_and(Num::is_whole),
        _ => false,
    }
}

fn numbers(schema: &Map<String, Value>, value: &Value) -> bool {
    let Some(number) = Num::of(value) else { return false };
    let holds = |key: &str, good: fn(Ordering) -> bool| {
        schema.get(key).is_none_or(|bound| Num::of(bound).is_some_and(|bound| good(number.order(bound))))
    };
    holds("minimum", Ordering::is_ge)
        && holds("maximum", Ordering::is_le)
        && holds("exclusiveMinimum", Ordering::is_gt)
        && holds("exclusiveMaximum", Ordering::is_lt)
        && schema.get("multipleOf").is_none_or(|step| Num::of(step).is_some_and(|step| number.is_multiple_of(step)))
}

fn at_least(schema: &Map<String, Value>, key: &str, length: usize) -> bool {
    bound(schema, key).is_none_or(|bound| bound.is_some_and(|bound| length >= bound))
}

fn at_most(schema: &Map<String, Value>, key: &str, length: usize) -> bool {
    bound(schema, key).is_none_or(|bound| bound.is_none_or(|bound| length <= bound))
}

/// A bound on a length: absent, or too large to be met by anything.
fn bound(schema: &Map<String, Value>, key: &str) -> Option<Option<usize>> {
    match Num::of(schema.get(key)?) {
        Some(Num::Whole(bound)) => Some(usize::try_from(bound.max(0)).ok()),
        _ => Some(None),
    }
}

/// Items that are looked at for being different: comparing them all with each other is not linear.
const MAX_UNIQUE: usize = 512;

fn unique(items: &[Value]) -> bool {
    items.len() <= MAX_UNIQUE
        && items.iter().enumerate().all(|(place, item)| !items.iter().take(place).any(|before| same(before, item)))
}
