//! The fields of a schema: every place in its values where something can be done differently, with the trail that leads there.

use super::fill::Step;
use super::guess::Use;
use super::schema::{Arm, Node};
use serde_json::Value;

/// Fields that are kept. Tools have tens.
const MAX_FIELDS: usize = 256;
/// Schemas that are visited on the way.
const MAX_VISITS: usize = 2_048;
/// Levels that are gone down, in which a recursive schema meets itself a few times.
const MAX_LEVELS: usize = 6;
/// Items of a list that has a schema for each place.
const MAX_PREFIX: usize = 16;

/// A place in the arguments.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) trail: Vec<Step>,
    /// What it is for.
    pub(super) use_: Use,
    pub(super) node: Node<'a>,
}

impl Field<'_> {
    /// As a JSON Pointer.
    pub(super) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.trail {
            match step {
                Step::Property(name) => {
                    pointer.push('/');
                    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                Step::Item(place) => pointer.push_str(&format!("/{place}")),
                Step::Arm(_) => {}
            }
        }
        pointer
    }

    /// Which alternative the trail ends with.
    pub(super) fn arm(&self) -> Option<usize> {
        match self.trail.last() {
            Some(Step::Arm(arm)) => Some(*arm),
            _ => None,
        }
    }
}

/// All fields, the arguments themselves first, breadth before depth: where there are too many, the deepest are left out.
pub(super) fn fields<'a>(root: &'a Value) -> Vec<Field<'a>> {
    struct Open<'a> {
        schemas: Vec<&'a Value>,
        trail: Vec<Step>,
        name: String,
        level: usize,
    }
    let mut fields: Vec<Field<'a>> = Vec::new();
    let mut open = std::collections::VecDeque::from([Open {
        schemas: vec![root],
        trail: Vec::new(),
        name: String::new(),
        level: 0,
    }]);
    let mut visits = 0;
    while let Some(next) = open.pop_front() {
        let arms = Node::new(root, &next.schemas, Arm(0)).arms.max(1);
        for arm in 0..arms {
            visits += 1;
            if visits > MAX_VISITS || fields.len() >= MAX_FIELDS {
                return fields;
            }
            let node = Node::new(root, &next.schemas, Arm(arm));
            let mut trail = next.trail.clone();
            if arms > 1 {
                trail.push(Step::Arm(arm));
            }
            let types = node.types();
            if next.level < MAX_LEVELS && node.listed().is_none() {
                let mut go = |step: Step, schemas: Vec<&'a Value>, name: &str| {
                    let trail = trail.iter().cloned().chain([step]).collect();
                    open.push_back(Open { schemas, trail, name: name.to_owned(), level: next.level + 1 });
                };
                if types.contains(&"object") {
                    for (name, schemas) in node.properties() {
                        go(Step::Property(name.to_owned()), schemas, name);
                    }
                }
                if types.contains(&"array") {
                    for place in 0..node.prefix().clamp(1, MAX_PREFIX) {
                        if let Some(schemas) = node.item(place) {
                            go(Step::Item(place), schemas, &next.name);
                        }
                    }
                }
            }
            let use_ = Use::of(node.format(), &next.name, node.description());
            fields.push(Field { trail, use_, node });
        }
    }
    fields
}
