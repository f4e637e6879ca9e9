//! Values for a schema: typical ones, with one place in them done differently.

use super::Known;
use super::fit::Fit;
use super::guess::Use;
use super::numbers::Num;
use super::pattern;
use super::random::Random;
use super::schema::{Arm, Node};
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};

/// Levels of a value. Recursive schemas would go on for ever; engines take 64 and more.
const MAX_DEPTH: usize = 16;
/// Values within one value.
const MAX_VALUES: usize = 20_000;
/// Optional properties are filled in down to this level.
const OPTIONAL_DEPTH: usize = 3;
/// Characters that a text is padded to.
const MAX_PADDED: usize = 256 << 10;

/// A step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Property(String),
    Item(usize),
    /// Not deeper in the value: which of its alternatives is taken.
    Arm(usize),
}

/// What is done differently at the end of a trail.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Leaf {
    /// This value.
    Value(Value),
    /// A typical value, another one for each number.
    Typical(usize),
    /// A list of so many.
    Items(usize),
    /// Required properties only.
    Bare,
    /// All properties.
    All,
    /// Required ones and this one.
    Only(String),
    /// All but this one.
    Without(String),
}

/// Which optional properties are filled in.
#[derive(Clone, Copy)]
enum Optional<'t> {
    None,
    All,
    Only(&'t str),
    Without(&'t str),
}

impl Optional<'_> {
    fn wants(self, name: &str, depth: usize) -> bool {
        match self {
            Optional::None => false,
            Optional::All => depth <= OPTIONAL_DEPTH,
            Optional::Only(one) => name == one,
            Optional::Without(one) => name != one,
        }
    }
}

/// Makes values for one schema.
#[derive(Debug)]
pub(super) struct Filler<'a> {
    pub(super) root: &'a Value,
    pub(super) fit: &'a Fit<'a>,
    pub(super) known: &'a Known,
    pub(super) random: RefCell<Random>,
    pub(super) left: Cell<usize>,
    /// Values made so far, of all arguments.
    pub(super) spent: Cell<u64>,
}

impl<'a> Filler<'a> {
    /// The arguments with one place done differently. None where the schema can't be met as far as it is understood.
    pub(super) fn arguments(&self, trail: &[Step], leaf: &Leaf) -> Option<Map<String, Value>> {
        self.left.set(MAX_VALUES);
        match self.place(&[self.root], "", trail, leaf, 0)? {
            Value::Object(arguments) => Some(arguments),
            _ => None,
        }
    }

    /// On the trail.
    fn place(&self, schemas: &[&'a Value], name: &str, trail: &[Step], leaf: &Leaf, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (arm, trail) = match trail.split_first() {
            Some((Step::Arm(arm), rest)) => (*arm, rest),
            _ => (0, trail),
        };
        let node = Node::new(self.root, schemas, Arm(arm));
        match trail.split_first() {
            Some((Step::Property(next), rest)) => {
                let on_trail = Some((next.as_str(), rest, leaf));
                self.object(&node, Optional::None, on_trail, depth)
            }
            Some((Step::Item(next), rest)) => {
                self.array(&node, name, node.min_items().max(next + 1), Some((*next, rest, leaf)), depth)
            }
            Some((Step::Arm(_), _)) => None,
            None => match leaf {
                Leaf::Value(value) => Some(value.clone()),
                Leaf::Typical(salt) => self.of_node(&node, name, *salt, depth),
                Leaf::Items(count) => self.array(&node, name, *count, None, depth),
                Leaf::Bare => self.object(&node, Optional::None, None, depth),
                Leaf::All => self.object(&node, Optional::All, None, depth),
                Leaf::Only(one) => self.object(&node, Optional::Only(one), None, depth),
                Leaf::Without(one) => self.object(&node, Optional::Without(one), None, depth),
            },
        }
    }

    /// Off the trail: a typical value, of the first alternative that works out.
    fn typical(&self, schemas: &[&'a Value], name: &str, salt: usize, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.left.set(self.left.get().checked_sub(1)?);
        self.spent.set(self.spent.get() + 1);
        let first = Node::new(self.root, schemas, Arm(0));
        let arms = first.arms.max(1);
        (0..arms).find_map(|arm| {
            let node = if arm == 0 { first.clone() } else { Node::new(self.root, schemas, Arm(arm)) };
            let value = self.of_node(&node, name, salt, depth)?;
            (arms == 1 || self.fit.fits_all(schemas, &value)).then_some(value)
        })
    }

    fn of_node(&self, node: &Node<'a>, name: &str, salt: usize, depth: usize) -> Option<Value> {
        if let Some(listed) = node.listed() {
            return listed.get(salt.checked_rem(listed.len())?).map(|&value| value.clone());
        }
        if let Some(suggested) = node.suggested().nth(salt) {
            return Some(suggested.clone());
        }
        let types = node.types();
        let kind = types.iter().find(|kind| **kind != "null").or(types.first())?;
        match *kind {
            "object" => self.object(node, Optional::None, None, depth),
            "array" => {
                let count =
                    node.min_items().max(1).min(node.max_items().unwrap_or(usize::MAX)).max(node.prefix().min(1));
                self.array(node, name, count, None, depth)
            }
            "string" => Some(Value::String(self.text(node, name, salt)?)),
            "integer" => number(node, salt, true),
            "number" => number(node, salt, false),
            "boolean" => Some(Value::Bool(salt.is_multiple_of(2))),
            _ => Some(Value::Null),
        }
    }

    fn object(
        &self,
        node: &Node<'a>,
        optional: Optional<'_>,
        on_trail: Option<(&str, &[Step], &Leaf)>,
        depth: usize,
    ) -> Option<Value> {
        if !node.types().contains(&"object") {
            return None;
        }
        let required = node.required();
        let mut members = Map::new();
        for (name, schemas) in node.properties() {
            let next = on_trail.filter(|(next, ..)| *next == name);
            let needed = required.contains(&name);
            if next.is_none() && !needed && !optional.wants(name, depth) {
                continue;
            }
            let value = match next {
                Some((_, rest, leaf)) => self.place(&schemas, name, rest, leaf, depth + 1),
                None => self.typical(&schemas, name, 0, depth + 1),
            };
            match value {
                Some(value) => {
                    members.insert(name.to_owned(), value);
                }
                None if needed || next.is_some() => return None,
                None => {}
            }
        }
        if let Some((next, rest, leaf)) = on_trail
            && !members.contains_key(next)
        {
            let schemas = node.other_properties()?;
            members.insert(next.to_owned(), self.place(&schemas, next, rest, leaf, depth + 1)?);
        }
        for extra in 0..node.min_properties().saturating_sub(members.len()).min(32) {
            let schemas = node.other_properties()?;
            let name = format!("key{extra}");
            let value = self.typical(&schemas, &name, extra, depth + 1)?;
            members.insert(name, value);
        }
        Some(Value::Object(members))
    }

    fn array(
        &self,
        node: &Node<'a>,
        name: &str,
        count: usize,
        on_trail: Option<(usize, &[Step], &Leaf)>,
        depth: usize,
    ) -> Option<Value> {
        if !node.types().contains(&"array") || count > MAX_VALUES {
            return None;
        }
        let mut items = Vec::new();
        for place in 0..count {
            let schemas = node.item(place)?;
            let item = match on_trail.filter(|(next, ..)| *next == place) {
                Some((_, rest, leaf)) => self.place(&schemas, name, rest, leaf, depth + 1)?,
                None => self.typical(&schemas, name, if node.is_unique() { place } else { place % 3 }, depth + 1)?,
            };
            items.push(item);
        }
        Some(Value::Array(items))
    }

    fn text(&self, node: &Node<'a>, name: &str, salt: usize) -> Option<String> {
        let (least, most) = (node.min_length(), node.max_length().unwrap_or(usize::MAX));
        if let Some(pattern) = node.patterns().next() {
            return pattern::made(pattern, least, &mut self.random.borrow_mut());
        }
        if node.is_base64() {
            let plain = format!("Hello {salt}");
            return Some(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, plain));
        }
        let use_ = Use::of(node.format(), name, node.description());
        let typical = self.known.of(use_).nth(salt).map(str::to_owned).or_else(|| {
            let typical = use_.typical();
            let text = typical.get(salt % typical.len().max(1)).copied().unwrap_or("text");
            Some(if salt < typical.len() { text.to_owned() } else { format!("{text}-{salt}") })
        })?;
        fitted(&typical, least, most)
    }
}

/// Cut or padded to a length.
pub(super) fn fitted(text: &str, least: usize, most: usize) -> Option<String> {
    if least > MAX_PADDED || least > most {
        return None;
    }
    let mut text: String = text.chars().take(most).collect();
    let missing = least.saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n('x', missing));
    Some(text)
}

/// A number that people use, or the nearest that is allowed.
fn number(node: &Node<'_>, salt: usize, whole: bool) -> Option<Value> {
    let salt = i128::try_from(salt).ok()?;
    let (least, most) = (node.minimum(), node.maximum());
    let mut number = Num::Whole(3 + salt);
    if let Some(step) = node.multiple_of() {
        number = match (step, least) {
            (Num::Whole(step), Some(Num::Whole(least))) if step != 0 => {
                Num::Whole(least.div_euclid(step).saturating_add(1 + salt).saturating_mul(step))
            }
            (Num::Whole(step), _) => Num::Whole(step.saturating_mul(1 + salt)),
            (real, _) => real,
        };
    } else if let Some(least) = least.filter(|least| least.order(number).is_gt()) {
        number = match least {
            Num::Whole(least) => Num::Whole(least.saturating_add(salt)),
            real if whole => Num::Whole(ceiling(real.real())),
            real => real,
        };
    } else if let Some(most) = most.filter(|most| most.order(number).is_lt()) {
        number = match most {
            Num::Whole(most) => Num::Whole(most.saturating_sub(salt)),
            real if whole => Num::Whole(ceiling(real.real()) - 1),
            real => real,
        };
    }
    number.json()
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from a real number saturates")]
fn ceiling(real: f64) -> i128 {
    real.ceil() as i128
}
