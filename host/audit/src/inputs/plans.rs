//! What to do in which field: cheap descriptions of inputs, of which only those that are sent are made.

use super::Class;
use super::fields::Field;
use super::fill::Leaf;
use super::numbers::Num;
use super::payloads::{PAYLOADS, Payload, is_for};
use super::random::Random;
use super::schema::Node;
use serde_json::Value;

/// One thing to do.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) class: Class,
    /// Which field, by its place.
    pub(super) field: usize,
    pub(super) label: String,
    pub(super) deed: Deed,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Deed {
    Leaf(Leaf),
    Payload(&'static Payload),
    /// A text of so many of these characters.
    Long(char, usize),
}

/// Lists of values of which each is tried.
const MAX_LISTED: usize = 16;
/// Optional properties of one object that are tried with and without.
const MAX_OPTIONAL: usize = 24;
/// Characters of a text that is as long as, or as short as, its schema says. More is for [`Class::Oversize`], which has lengths of its own.
const MAX_LENGTH: usize = 64 << 10;
/// Items of a list that is long.
const MANY: usize = 50;

/// All plans, a queue for each class in the order of [`Class::ALL`]. The seed decides the order within a queue, except that what a field is for comes
/// first, and the arguments as a whole before all.
pub(super) fn plans(fields: &[Field<'_>], random: &mut Random) -> Vec<Vec<Plan>> {
    let mut queues: Vec<Vec<Plan>> = Class::ALL.iter().map(|_| Vec::new()).collect();
    for (place, field) in fields.iter().enumerate() {
        let mut add = |class: Class, label: String, deed: Deed| {
            if let Some(queue) = Class::ALL.iter().position(|c| *c == class).and_then(|at| queues.get_mut(at)) {
                queue.push(Plan { class, field: place, label, deed });
            }
        };
        if place == 0 {
            add(Class::Typical, "required fields only".to_owned(), Deed::Leaf(Leaf::Bare));
            add(Class::Typical, "all fields".to_owned(), Deed::Leaf(Leaf::All));
        }
        plan(field, &mut add);
    }
    for (queue, class) in queues.iter_mut().zip(Class::ALL) {
        random.shuffle(queue);
        queue.sort_by_key(|plan| {
            let whole = plan.class == Class::Typical && plan.field == 0;
            // Bare before all, whichever way they were shuffled.
            let all = whole && plan.label == "all fields";
            let natural = fields.get(plan.field).is_some_and(|field| is_for(field.use_, class));
            (!whole, all, !natural)
        });
    }
    queues
}

fn plan(field: &Field<'_>, add: &mut impl FnMut(Class, String, Deed)) {
    let node = &field.node;
    if let Some(arm) = field.arm() {
        add(Class::Nested, format!("alternative {}", arm + 1), Deed::Leaf(Leaf::Typical(0)));
    }
    if let Some(listed) = node.listed() {
        for value in listed.iter().take(MAX_LISTED) {
            let label = format!("listed value {}", crate::shown::shown(&value.to_string(), 40));
            add(Class::Typical, label, Deed::Leaf(Leaf::Value((*value).clone())));
        }
        return;
    }
    for (number, value) in node.suggested().enumerate() {
        add(Class::Typical, format!("example {}", number + 1), Deed::Leaf(Leaf::Value(value.clone())));
    }
    for kind in node.types() {
        match kind {
            "object" => objects(node, add),
            "array" => arrays(node, add),
            "string" => texts(node, add),
            "integer" => numbers(node, true, add),
            "number" => numbers(node, false, add),
            "boolean" => {
                for value in [true, false] {
                    add(Class::Boundary, value.to_string(), Deed::Leaf(Leaf::Value(Value::Bool(value))));
                }
            }
            "null" => add(Class::Boundary, "null".to_owned(), Deed::Leaf(Leaf::Value(Value::Null))),
            _ => {}
        }
    }
}

fn objects(node: &Node<'_>, add: &mut impl FnMut(Class, String, Deed)) {
    let required = node.required();
    let optional: Vec<&str> =
        node.properties().into_iter().map(|(name, _)| name).filter(|name| !required.contains(name)).collect();
    for name in optional.iter().take(MAX_OPTIONAL) {
        let shown = crate::shown::shown(name, 40);
        add(Class::Optional, format!("with {shown} alone"), Deed::Leaf(Leaf::Only((*name).to_owned())));
        if optional.len() > 1 {
            add(Class::Optional, format!("all but {shown}"), Deed::Leaf(Leaf::Without((*name).to_owned())));
        }
    }
    if optional.len() > 1 {
        add(Class::Optional, "all optional fields".to_owned(), Deed::Leaf(Leaf::All));
    }
    if !optional.is_empty() {
        add(Class::Optional, "no optional field".to_owned(), Deed::Leaf(Leaf::Bare));
    }
}

fn arrays(node: &Node<'_>, add: &mut impl FnMut(Class, String, Deed)) {
    let most = node.max_items().unwrap_or(usize::MAX);
    let mut counts = vec![0, 1, 2, MANY.min(most), node.min_items(), most.min(1_000)];
    counts.sort_unstable();
    counts.dedup();
    for count in counts {
        let class = if count > MANY { Class::Boundary } else { Class::Nested };
        add(class, format!("{count} items"), Deed::Leaf(Leaf::Items(count)));
    }
    if most > 5_000 {
        add(Class::Oversize, "5000 items".to_owned(), Deed::Leaf(Leaf::Items(5_000)));
    }
}

fn texts(node: &Node<'_>, add: &mut impl FnMut(Class, String, Deed)) {
    for other in 1..4 {
        add(Class::Typical, format!("another text, {other}"), Deed::Leaf(Leaf::Typical(other)));
    }
    for payload in PAYLOADS {
        add(payload.class, payload.label.to_owned(), Deed::Payload(payload));
    }
    let mut fixed = |label: &str, text: &str| {
        add(Class::Boundary, label.to_owned(), Deed::Leaf(Leaf::Value(Value::from(text))));
    };
    for (label, text) in [
        ("empty text", ""),
        ("one blank", " "),
        ("only line ends", "\n\r\n"),
        ("a quote", "\""),
        ("a backslash", "\\"),
        ("the text null", "null"),
        ("the text 0", "0"),
        ("the text -1", "-1"),
        ("the text NaN", "NaN"),
        ("a text with blanks around it", "  x  "),
        ("braces", "{}"),
        ("the largest integer as text", "18446744073709551615"),
        ("the largest signed integer as text", "9223372036854775807"),
        ("the smallest signed integer as text", "-9223372036854775808"),
        ("one more than the largest integer, as text", "18446744073709551616"),
    ] {
        fixed(label, text);
    }
    let (least, most) = (node.min_length(), node.max_length());
    let mut lengths = vec![least, 255, 1_024, 4_096];
    lengths.extend(most);
    lengths.retain(|length| *length <= MAX_LENGTH);
    lengths.sort_unstable();
    lengths.dedup();
    for length in lengths {
        add(Class::Boundary, format!("{length} characters"), Deed::Long('x', length));
    }
    for (c, what, length) in [
        ('A', "letters", 64 << 10),
        ('\u{10348}', "characters of four bytes", 16 << 10),
        ('[', "open brackets", 32 << 10),
        ('A', "letters", 256 << 10),
    ] {
        add(Class::Oversize, format!("{length} {what}"), Deed::Long(c, length));
    }
    for (label, piece, times) in
        [("lines", "a\n", 16 << 10), ("dot-dots", "../", 8 << 10), ("nested JSON", "{\"a\":", 4 << 10)]
    {
        add(Class::Oversize, format!("{times} {label}"), Deed::Leaf(Leaf::Value(Value::from(piece.repeat(times)))));
    }
}

fn numbers(node: &Node<'_>, whole: bool, add: &mut impl FnMut(Class, String, Deed)) {
    for other in 1..3 {
        add(Class::Typical, format!("another number, {other}"), Deed::Leaf(Leaf::Typical(other)));
    }
    let mut numbers: Vec<(String, Num)> = Vec::new();
    let step = |num: Num, by: i128| match num {
        Num::Whole(whole) => Num::Whole(whole.saturating_add(by)),
        real => real,
    };
    if let Some(least) = node.minimum() {
        numbers.extend([("the smallest".to_owned(), least), ("next to the smallest".to_owned(), step(least, 1))]);
    }
    if let Some(most) = node.maximum() {
        numbers.extend([("the largest".to_owned(), most), ("next to the largest".to_owned(), step(most, -1))]);
    }
    for (label, number) in [
        ("0", 0),
        ("1", 1),
        ("-1", -1),
        ("2^31-1", i128::from(i32::MAX)),
        ("-2^31", i128::from(i32::MIN)),
        ("2^32", 1 << 32),
        ("2^53", 1 << 53),
        ("2^53+1", (1 << 53) + 1),
        ("2^63-1", i128::from(i64::MAX)),
        ("-2^63", i128::from(i64::MIN)),
        ("2^64-1", i128::from(u64::MAX)),
    ] {
        numbers.push((label.to_owned(), Num::Whole(number)));
    }
    if let Some(by) = node.multiple_of() {
        numbers.push(("one step".to_owned(), by));
    }
    if !whole {
        for (label, number) in
            [("0.1", 0.1), ("-0.5", -0.5), ("minus zero", -0.0), ("1e308", 1e308), ("the smallest real", 5e-324)]
        {
            numbers.push((label.to_owned(), Num::Real(number)));
        }
    }
    for (label, number) in numbers {
        if let Some(value) = number.json() {
            add(Class::Boundary, label, Deed::Leaf(Leaf::Value(value)));
        }
    }
}
