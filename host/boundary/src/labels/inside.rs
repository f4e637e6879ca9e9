//! Calls between the components of a composition. What one gives another crosses as if we were between them: labels of the
//! arguments are said where they leave the caller, and asked for where they arrive at the callee; of the result, the other way round.
//!
//! Which component calls which is seen from the order: an import that has begun and is not over, and then an export that begins.

use super::given::piece;
use super::runs::{Runs, all, push};
use super::{Run, byte};
use customs_trace::{Label, Map};
use std::collections::{BTreeMap, HashMap};

/// An import that has begun, in a composition.
#[derive(Debug)]
struct Open {
    import: u32,
    /// The export that it turned out to be, and what that returns.
    export: Option<(u32, Vec<Run>)>,
}

/// What crosses from one component to another, while it is asked for.
#[derive(Debug)]
struct Crossing {
    /// The hook that said it, whose paths its parts are.
    said: u32,
    parts: BTreeMap<(u32, [u32; 3]), Runs>,
}

#[derive(Debug, Default)]
pub(super) struct Inside {
    open: Vec<Open>,
    crossing: Option<Crossing>,
    /// A path of one hook as one of another's.
    twins: HashMap<(u32, u32, u32), Option<u32>>,
}

impl Inside {
    /// An import begins.
    pub(super) fn begins(&mut self, import: u32) {
        self.open.push(Open { import, export: None });
    }

    /// An export begins. True where an import of another component is what calls it, with these labels.
    pub(super) fn export(&mut self, export: u32, leaving: Option<(u32, Vec<Run>)>) -> bool {
        self.crossing = None;
        let Some(open) = self.open.last_mut().filter(|open| open.export.is_none()) else { return false };
        open.export = Some((export, Vec::new()));
        let runs = leaving.filter(|(import, _)| *import == open.import).map(|(_, runs)| runs).unwrap_or_default();
        self.crossing = Some(crossing(open.import, runs));
        true
    }

    /// What an export returns to another component. The rest is for the host.
    pub(super) fn returns(&mut self, export: u32, runs: Vec<Run>) -> Option<Vec<Run>> {
        match self.open.last_mut().and_then(|open| open.export.as_mut()) {
            Some((called, returned)) if *called == export => {
                returned.extend(runs);
                None
            }
            _ => Some(runs),
        }
    }

    /// An import is over. True where it was another component's export.
    pub(super) fn over(&mut self, import: u32) -> bool {
        self.crossing = None;
        if self.open.last().is_none_or(|open| open.import != import) {
            return false;
        }
        let export = self.open.pop().and_then(|open| open.export);
        self.crossing = export.map(|(export, runs)| crossing(export, runs));
        self.crossing.is_some()
    }

    /// Whether something crosses from another component.
    pub(super) fn crosses(&self) -> bool {
        self.crossing.is_some()
    }

    /// The labels of a part of what crosses, as the side that gets it names the part.
    fn part(&mut self, map: &Map, hook: u32, path: u32, places: [u32; 3]) -> &[(u64, u64, Label)] {
        let Some(crossing) = &self.crossing else { return &[] };
        let twin =
            *self.twins.entry((hook, path, crossing.said)).or_insert_with(|| twin(map, hook, path, crossing.said));
        twin.and_then(|path| crossing.parts.get(&(path, places))).map(Vec::as_slice).unwrap_or_default()
    }

    /// The same, from an offset on.
    pub(super) fn piece(&mut self, map: &Map, hook: u32, path: u32, places: [u32; 3], offset: u32) -> u32 {
        let (runs, offset) = (self.part(map, hook, path, places), u64::from(offset));
        // Asked for piece by piece, so that all of them would be looked at again for each.
        let first = runs.partition_point(|(_, to, _)| *to <= offset);
        piece(runs.get(first..).unwrap_or_default(), offset)
    }

    pub(super) fn label(&mut self, map: &Map, hook: u32, path: u32, places: [u32; 3]) -> Label {
        all(self.part(map, hook, path, places))
    }
}

fn crossing(said: u32, runs: Vec<Run>) -> Crossing {
    let mut parts: BTreeMap<(u32, [u32; 3]), Runs> = BTreeMap::new();
    for (path, first, second, third, offset, length, label) in runs {
        let from = u64::from(offset);
        let part = parts.entry((path, [first, second, third])).or_default();
        push(part, (from, from.saturating_add(u64::from(length)), byte(label)));
    }
    Crossing { said, parts }
}

/// Both sides have the same types, so that they have the same parts.
fn twin(map: &Map, hook: u32, path: u32, other: u32) -> Option<u32> {
    let path = map.hooks.get(hook as usize)?.paths.get(path as usize)?;
    let at = map.hooks.get(other as usize)?.paths.iter().position(|other| other == path)?;
    u32::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use customs_trace::{Crossing as Way, Hook, Part, Path, Step};

    fn map() -> Map {
        let path = |steps: Vec<Step>| Path { steps, part: Part::Text };
        let hook = |crossing, paths| Hook { crossing, paths };
        let name = |function: &str| (String::new(), function.to_owned());
        let ((interface, function), (other, export)) = (name("ask"), name("ask"));
        Map {
            hooks: vec![
                hook(
                    Way::Import { interface, function },
                    vec![path(vec![Step::Argument("a".into())]), path(vec![Step::Result])],
                ),
                // The same parts, in another order.
                hook(
                    Way::Export { interface: other, function: export },
                    vec![path(vec![Step::Result]), path(vec![Step::Argument("a".into())])],
                ),
            ],
        }
    }

    #[test]
    fn labels_go_in_with_the_arguments_and_out_with_the_result() {
        let (map, mut inside) = (map(), Inside::default());
        inside.begins(0);
        assert!(inside.export(1, Some((0, vec![(0, 0, 0, 0, 3, 2, 1)]))));
        assert_eq!(inside.part(&map, 1, 1, [0; 3]), [(3, 5, Label(1))]);
        // It calls the host in between.
        inside.begins(7);
        assert!(!inside.over(7));
        assert!(inside.returns(1, vec![(0, 0, 0, 0, 0, 4, 2)]).is_none());
        assert!(inside.over(0));
        assert_eq!(inside.part(&map, 0, 1, [0; 3]), [(0, 4, Label(2))]);
        assert_eq!(inside.label(&map, 0, 1, [0, 0, 1]), Label::CLEAN);
    }

    #[test]
    fn what_the_host_calls_returns_to_the_host() {
        let mut inside = Inside::default();
        assert!(!inside.export(1, None));
        assert_eq!(inside.returns(1, vec![(0, 0, 0, 0, 0, 4, 2)]).map(|runs| runs.len()), Some(1));
    }

    /// Two instances of one component, one behind the other.
    #[test]
    fn an_import_that_the_host_answers_is_not_taken_for_the_one_that_called() {
        let mut inside = Inside::default();
        inside.begins(0);
        assert!(inside.export(1, None));
        inside.begins(0);
        assert!(!inside.over(0));
        assert!(inside.over(0));
    }
}
