//! What checking a value against a schema can cost, before anything is compiled.
//!
//! A schema is a graph: a place of the value is checked by a schema and by all that apply to the same place (`$ref`, `allOf`, `anyOf`, ..),
//! its members and items by others. Each step that applies two schemas to one place doubles the work below it, so a small schema can ask
//! for 2^n steps. Counted here for each height of the value: the steps for one schema are its own, those of the schemas beside it, and,
//! for the most costly name or index, those of the schemas that apply there, one level lower. That bounds the steps for each node of a value,
//! and so for the value.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Schemas within one.
const MAX_SCHEMAS: usize = 4_000;
/// Different targets of `$ref`. They are compiled within each other.
const MAX_TARGETS: usize = 200;
const MAX_PATTERNS: usize = 100;
/// Characters of a pattern.
const MAX_PATTERN_TEXT: usize = 1_000;
/// Schemas that apply to one place, each counted as often as it is reached.
const MAX_AT_ONE_PLACE: u64 = 1_000;
/// Steps within each other that stay at one place.
const MAX_NESTED: usize = 48;
/// `unevaluatedItems` and `unevaluatedProperties` at one place: each looks at all that is beside it again.
const MAX_UNEVALUATED: u32 = 2;
/// Entries of the table that is gone through for each height.
const MAX_ENTRIES: usize = 100_000;
/// Looks at one of those schemas for one name.
const MAX_LOOKS: usize = 2_000_000;
/// Levels of a value. serde_json reads no more.
const LEVELS: usize = 130;

/// Steps for one byte of a text that is counted or compared, in 64ths.
const PLAIN_BYTE: u64 = 16;

/// How large a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) nodes: u64,
    /// Bytes of its texts and keys.
    pub(super) bytes: u64,
    /// Levels below the root.
    pub(super) depth: usize,
}

impl Size {
    pub(super) fn of(value: &Value) -> Size {
        let len = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
        let mut size = Size { nodes: 0, bytes: 0, depth: 0 };
        let mut left = vec![(value, 0_usize)];
        while let Some((value, depth)) = left.pop() {
            size.nodes += 1;
            size.depth = size.depth.max(depth);
            match value {
                Value::String(text) => size.bytes += len(text),
                Value::Array(items) => left.extend(items.iter().map(|item| (item, depth + 1))),
                Value::Object(members) => {
                    size.bytes += members.keys().map(|key| len(key)).sum::<u64>();
                    left.extend(members.values().map(|member| (member, depth + 1)));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        size
    }
}

/// The most that a check with a schema can cost.
#[derive(Debug)]
pub(super) struct Bounds {
    /// By the height of the value.
    levels: Vec<Level>,
    branches: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Level {
    /// Steps for each node.
    node: u64,
    /// Steps for each byte, in 64ths.
    byte: u64,
    /// Schemas within each other.
    chain: u64,
}

impl Bounds {
    fn at(&self, depth: usize) -> Level {
        let most = Level { node: u64::MAX, byte: u64::MAX, chain: u64::MAX };
        if depth >= LEVELS {
            return most;
        }
        self.levels.get(depth).or(self.levels.last()).copied().unwrap_or(most)
    }

    pub(super) fn steps(&self, size: Size) -> u64 {
        let level = self.at(size.depth);
        size.nodes.saturating_mul(level.node).saturating_add(size.bytes.saturating_mul(level.byte) / 64)
    }

    pub(super) fn chain(&self, depth: usize) -> u64 {
        self.at(depth).chain
    }

    /// Whether there are alternatives, which are gone through again to say why none fits.
    pub(super) fn branches(&self) -> bool {
        self.branches
    }
}

/// A schema, without those that are `true` or `false`.
#[derive(Debug, Default)]
struct Node<'a> {
    own: u64,
    byte: u64,
    beside: Vec<usize>,
    named: BTreeMap<&'a str, Option<usize>>,
    /// For members of whatever name.
    members: Vec<usize>,
    /// For members that `named` has not.
    other: Option<usize>,
    prefix: Vec<Option<usize>>,
    /// For items of whatever index.
    items: Vec<usize>,
    /// For items after `prefix`.
    rest: Option<usize>,
    unevaluated: bool,
}

type Made<T> = Result<T, String>;

/// Refuses what cannot be checked, or not in bounded time. `pattern` says how many steps a pattern may take for one byte, or why it can't be
/// matched. The error is a sentence about the schema.
pub(super) fn bounds(schema: &Value, pattern: &dyn Fn(&str) -> Made<u64>) -> Made<Bounds> {
    let mut graph = Graph::new(schema, pattern);
    graph.read()?;
    let places = graph.places()?;
    Ok(Bounds { levels: levels(&places), branches: graph.branches })
}

struct Graph<'a> {
    root: &'a Value,
    nodes: Vec<Node<'a>>,
    known: BTreeMap<*const Value, usize>,
    /// Seen and not yet read.
    left: Vec<(usize, &'a Map<String, Value>)>,
    anchors: BTreeMap<&'a str, Vec<&'a Value>>,
    targets: BTreeSet<&'a str>,
    measure: &'a dyn Fn(&str) -> Made<u64>,
    /// Steps for a byte, in 64ths.
    patterns: BTreeMap<&'a str, u64>,
    branches: bool,
}

impl<'a> Graph<'a> {
    fn new(root: &'a Value, measure: &'a dyn Fn(&str) -> Made<u64>) -> Graph<'a> {
        let mut anchors: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        let mut left = vec![root];
        while let Some(value) = left.pop() {
            match value {
                Value::Array(items) => left.extend(items),
                Value::Object(members) => {
                    if let Some(Value::String(name)) = members.get("$anchor") {
                        anchors.entry(name).or_default().push(value);
                    }
                    left.extend(members.values());
                }
                _ => {}
            }
        }
        Graph {
            root,
            nodes: Vec::new(),
            known: BTreeMap::new(),
            left: Vec::new(),
            anchors,
            targets: BTreeSet::new(),
            measure,
            patterns: BTreeMap::new(),
            branches: false,
        }
    }

    fn read(&mut self) -> Made<()> {
        self.schema("the root", self.root)?;
        while let Some((at, members)) = self.left.pop() {
            let node = self.node(members)?;
            if let Some(place) = self.nodes.get_mut(at) {
                *place = node;
            }
        }
        Ok(())
    }

    /// A schema's number; none for `true` and `false`.
    fn schema(&mut self, keyword: &str, value: &'a Value) -> Made<Option<usize>> {
        match value {
            Value::Bool(_) => Ok(None),
            Value::Object(members) => {
                if let Some(at) = self.known.get(&std::ptr::from_ref(value)) {
                    return Ok(Some(*at));
                }
                let at = self.nodes.len();
                if at >= MAX_SCHEMAS {
                    return Err(format!("it has more than {MAX_SCHEMAS} schemas within it"));
                }
                self.known.insert(std::ptr::from_ref(value), at);
                self.nodes.push(Node::default());
                self.left.push((at, members));
                Ok(Some(at))
            }
            _ => Err(format!("{keyword} must be a schema, which is an object, true or false")),
        }
    }

    fn list(&mut self, keyword: &str, value: &'a Value) -> Made<Vec<Option<usize>>> {
        let Value::Array(items) = value else { return Err(format!("{keyword} must be an array of schemas")) };
        items.iter().map(|item| self.schema(keyword, item)).collect()
    }

    fn map(&mut self, keyword: &str, value: &'a Value) -> Made<Vec<(&'a str, Option<usize>)>> {
        let Value::Object(members) = value else { return Err(format!("{keyword} must be an object of schemas")) };
        members.iter().map(|(name, member)| Ok((name.as_str(), self.schema(keyword, member)?))).collect()
    }

    fn node(&mut self, members: &'a Map<String, Value>) -> Made<Node<'a>> {
        let is_root = self.root.as_object().is_some_and(|root| std::ptr::eq(root, members));
        let mut node = Node { own: 4, ..Node::default() };
        for (keyword, value) in members {
            node.own += 2;
            let keyword = keyword.as_str();
            match keyword {
                "$schema" => {
                    let named = value.as_str().map(|name| name.strip_suffix('#').unwrap_or(name));
                    if !is_root || named != Some(DIALECT) {
                        return Err("its dialect must be JSON Schema 2020-12".to_owned());
                    }
                }
                "$id" if is_root => {}
                "$id" | "$dynamicRef" | "$dynamicAnchor" | "$recursiveRef" | "$recursiveAnchor" | "$vocabulary" => {
                    return Err(format!("{keyword} is not supported"));
                }
                "$ref" => {
                    let target = self.target(value)?;
                    node.beside.extend(target);
                }
                "allOf" | "anyOf" | "oneOf" => {
                    self.branches |= keyword != "allOf";
                    node.beside.extend(self.list(keyword, value)?.into_iter().flatten());
                }
                "not" | "if" | "then" | "else" => node.beside.extend(self.schema(keyword, value)?),
                "dependentSchemas" => {
                    node.beside.extend(self.map(keyword, value)?.into_iter().filter_map(|(_, schema)| schema));
                }
                "dependencies" | "additionalItems" => {
                    return Err(format!("{keyword} is not a keyword of JSON Schema 2020-12"));
                }
                "properties" => {
                    node.named = self.map(keyword, value)?.into_iter().collect();
                    node.own = node.own.saturating_add(node.named.len() as u64);
                }
                "patternProperties" => {
                    for (pattern, schema) in self.map(keyword, value)? {
                        node.byte = node.byte.saturating_add(self.pattern(pattern)?);
                        node.own += 4;
                        node.members.extend(schema);
                    }
                }
                "additionalProperties" => {
                    node.other = self.schema(keyword, value)?;
                }
                "propertyNames" => node.members.extend(self.schema(keyword, value)?),
                "prefixItems" => node.prefix = self.list(keyword, value)?,
                "items" => node.rest = self.schema(keyword, value)?,
                "contains" => node.items.extend(self.schema(keyword, value)?),
                "unevaluatedItems" => {
                    node.unevaluated = true;
                    node.items.extend(self.schema(keyword, value)?);
                }
                "unevaluatedProperties" => {
                    node.unevaluated = true;
                    node.members.extend(self.schema(keyword, value)?);
                }
                "$defs" | "definitions" => {
                    // Not applied, but none of them may ask for what is refused.
                    self.map(keyword, value)?;
                }
                "pattern" => {
                    let Value::String(pattern) = value else { return Err("pattern must be a string".to_owned()) };
                    node.byte = node.byte.saturating_add(self.pattern(pattern)?);
                }
                "enum" | "const" | "required" | "dependentRequired" => {
                    node.own = node.own.saturating_add(Size::of(value).nodes);
                    node.byte += PLAIN_BYTE;
                }
                "uniqueItems" => {
                    node.own += 16;
                    node.byte += PLAIN_BYTE * 4;
                }
                "minLength" | "maxLength" => node.byte += PLAIN_BYTE,
                _ => {}
            }
        }
        if members.contains_key("additionalProperties") {
            // Which names are no others is found with the patterns once more.
            node.byte = node.byte.saturating_mul(2);
        }
        Ok(node)
    }

    fn pattern(&mut self, pattern: &'a str) -> Made<u64> {
        if let Some(steps) = self.patterns.get(pattern) {
            return Ok(*steps);
        }
        if self.patterns.len() >= MAX_PATTERNS {
            return Err(format!("it has more than {MAX_PATTERNS} patterns"));
        }
        if pattern.chars().count() > MAX_PATTERN_TEXT {
            return Err(format!("a pattern of it has more than {MAX_PATTERN_TEXT} characters"));
        }
        let steps = (self.measure)(pattern);
        let steps = steps.map_err(|why| format!("the pattern {:?} {why}", super::mismatch::clamp(pattern)))?;
        let steps = steps.saturating_mul(64);
        self.patterns.insert(pattern, steps);
        Ok(steps)
    }

    fn target(&mut self, value: &'a Value) -> Made<Option<usize>> {
        let Value::String(reference) = value else { return Err("$ref must be a string".to_owned()) };
        let shown = super::mismatch::clamp(reference);
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(format!("$ref {shown:?} leads out of it, and nothing is fetched"));
        };
        if fragment.contains('%') {
            return Err(format!("$ref {shown:?} has percent signs, which are not supported"));
        }
        self.targets.insert(reference);
        if self.targets.len() > MAX_TARGETS {
            return Err(format!("its $refs lead to more than {MAX_TARGETS} places"));
        }
        let found = if fragment.is_empty() || fragment.starts_with('/') {
            self.root.pointer(fragment)
        } else {
            match self.anchors.get(fragment).map(Vec::as_slice) {
                Some([only]) => Some(*only),
                _ => None,
            }
        };
        match found {
            Some(schema) => self.schema("the target of a $ref", schema),
            None => Err(format!("$ref {shown:?} leads nowhere")),
        }
    }

    /// All schemas that are the first at some place, with what applies there and below.
    fn places(&self) -> Made<Vec<Place>> {
        let mut places = Vec::with_capacity(self.nodes.len());
        let mut entries = Entries::default();
        for at in 0..self.nodes.len() {
            let mut walk = Walk { graph: self, times: BTreeMap::new(), reached: 0, within: Vec::new(), nested: 0 };
            walk.enter(at)?;
            let place = self.place(&walk, &mut entries)?;
            places.push(place);
        }
        Ok(places)
    }

    fn place(&self, walk: &Walk<'_, 'a>, entries: &mut Entries) -> Made<Place> {
        let here: Vec<(&Node<'a>, u64)> =
            walk.times.iter().filter_map(|(at, times)| Some((self.nodes.get(*at)?, *times))).collect();
        let unevaluated = here.iter().filter(|(node, _)| node.unevaluated).map(|(_, times)| *times).sum::<u64>();
        let again = match u32::try_from(unevaluated) {
            Ok(0) => 1,
            Ok(count) if count <= MAX_UNEVALUATED => (walk.nested as u64 + 3).saturating_pow(count),
            _ => return Err(format!("more than {MAX_UNEVALUATED} unevaluated keywords apply to one place of a value")),
        };
        let here: Vec<(&Node<'a>, u64)> =
            here.into_iter().map(|(node, times)| (node, times.saturating_mul(again))).collect();
        let sum = |of: fn(&Node<'a>) -> u64| {
            here.iter().fold(0_u64, |sum, (node, times)| sum.saturating_add(of(node).saturating_mul(*times)))
        };
        let mut place =
            Place { own: sum(|n| n.own), byte: sum(|n| n.byte), nested: walk.nested as u64, below: Vec::new() };
        let mut look = |found: BTreeMap<usize, u64>| {
            entries.count += found.len() + 1;
            entries.looks += here.len();
            if entries.count > MAX_ENTRIES || entries.looks > MAX_LOOKS {
                return Err("it is too large: too many schemas apply to too many names".to_owned());
            }
            let found: Vec<(usize, u64)> = found.into_iter().collect();
            if !found.is_empty() && !place.below.contains(&found) {
                place.below.push(found);
            }
            Ok(())
        };
        let names: BTreeSet<&str> = here.iter().flat_map(|(node, _)| node.named.keys().copied()).collect();
        for name in names.into_iter().map(Some).chain([None]) {
            let mut found = BTreeMap::new();
            for (node, times) in &here {
                let own = match name.and_then(|name| node.named.get(name)) {
                    Some(schema) => *schema,
                    None => node.other,
                };
                for schema in own.iter().chain(&node.members) {
                    let count: &mut u64 = found.entry(*schema).or_default();
                    *count = count.saturating_add(*times);
                }
            }
            look(found)?;
        }
        let most = here.iter().map(|(node, _)| node.prefix.len()).max().unwrap_or(0);
        for index in 0..=most {
            let mut found = BTreeMap::new();
            for (node, times) in &here {
                let own = match node.prefix.get(index) {
                    Some(schema) => *schema,
                    None => node.rest,
                };
                for schema in own.iter().chain(&node.items) {
                    let count: &mut u64 = found.entry(*schema).or_default();
                    *count = count.saturating_add(*times);
                }
            }
            look(found)?;
        }
        Ok(place)
    }
}

#[derive(Default)]
struct Entries {
    count: usize,
    looks: usize,
}

/// Goes through all that applies to one place.
struct Walk<'g, 'a> {
    graph: &'g Graph<'a>,
    times: BTreeMap<usize, u64>,
    reached: u64,
    /// The schemas that it is in, to see one that comes back to itself.
    within: Vec<usize>,
    nested: usize,
}

impl Walk<'_, '_> {
    fn enter(&mut self, at: usize) -> Made<()> {
        if self.within.contains(&at) {
            return Err("a schema of it applies itself to the same value, without end".to_owned());
        }
        self.reached += 1;
        if self.reached > MAX_AT_ONE_PLACE {
            return Err(format!("more than {MAX_AT_ONE_PLACE} schemas apply to one place of a value"));
        }
        self.within.push(at);
        if self.within.len() > MAX_NESTED {
            return Err(format!("more than {MAX_NESTED} schemas within each other apply to one place of a value"));
        }
        self.nested = self.nested.max(self.within.len());
        let times = self.times.entry(at).or_default();
        *times = times.saturating_add(1);
        let graph = self.graph;
        for beside in graph.nodes.get(at).map(|node| node.beside.as_slice()).unwrap_or_default() {
            self.enter(*beside)?;
        }
        self.within.pop();
        Ok(())
    }
}

/// What applies where a schema is the first.
struct Place {
    own: u64,
    byte: u64,
    nested: u64,
    /// For each name or index: the schemas there, and how often.
    below: Vec<Vec<(usize, u64)>>,
}

fn levels(places: &[Place]) -> Vec<Level> {
    let mut now: Vec<Level> =
        places.iter().map(|p| Level { node: p.own.max(1), byte: p.byte, chain: p.nested }).collect();
    let mut levels = Vec::new();
    while levels.len() < LEVELS {
        levels.push(now.first().copied().unwrap_or_default());
        let next: Vec<Level> = places.iter().map(|place| higher(place, &now)).collect();
        if next == now {
            break;
        }
        now = next;
    }
    levels
}

fn higher(place: &Place, lower: &[Level]) -> Level {
    let (mut node, mut byte, mut chain) = (0_u64, 0_u64, 0_u64);
    for found in &place.below {
        let (mut node_there, mut byte_there) = (0_u64, 0_u64);
        for (at, times) in found {
            let level = lower.get(*at).copied().unwrap_or_default();
            node_there = node_there.saturating_add(level.node.saturating_mul(*times));
            byte_there = byte_there.saturating_add(level.byte.saturating_mul(*times));
            chain = chain.max(level.chain);
        }
        node = node.max(node_there);
        byte = byte.max(byte_there);
    }
    Level {
        node: place.own.max(1).saturating_add(node),
        byte: place.byte.saturating_add(byte),
        chain: place.nested.saturating_add(chain),
    }
}
