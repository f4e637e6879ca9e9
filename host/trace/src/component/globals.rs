//! Globals that core modules share, such as the stack pointer of libraries that are linked together: which of them never
//! carry a label.
//!
//! Globals that may be the same one are a class, by the names that they are exported and imported by. All classes are
//! assumed clean, and all modules rewritten. Where one of them writes a label to a global of a class, that class is no
//! longer clean, and the modules that have it are rewritten again.

use std::collections::HashMap;

use super::survey::{CoreModule, Survey};
use crate::core::function::CleanGlobals;
use crate::core::module::rewrite;
use crate::follow::Follow;
use crate::refusal::Refusal;

/// Classes of names.
#[derive(Debug, Default)]
pub(super) struct Classes {
    of: HashMap<String, usize>,
    /// The class that a class became a part of; its own number where it is one.
    parents: Vec<usize>,
    labelled: Vec<bool>,
}

impl Classes {
    fn class(&mut self, name: &str) -> usize {
        let at = match self.of.get(name) {
            Some(at) => *at,
            None => {
                let at = self.parents.len();
                self.of.insert(name.to_owned(), at);
                self.parents.push(at);
                self.labelled.push(false);
                at
            }
        };
        self.root(at)
    }

    fn root(&self, mut at: usize) -> usize {
        while let Some(parent) = self.parents.get(at).copied().filter(|parent| *parent != at) {
            at = parent;
        }
        at
    }

    /// Two names may be those of one global.
    fn join(&mut self, one: &str, other: &str) {
        let (one, other) = (self.class(one), self.class(other));
        if let Some(parent) = self.parents.get_mut(one) {
            *parent = other;
        }
    }

    /// Whether no global of this name carries a label.
    pub(super) fn is_clean(&self, name: &str) -> bool {
        let Some(at) = self.of.get(name) else { return false };
        self.labelled.get(self.root(*at)) == Some(&false)
    }

    /// Gives whether it was clean.
    fn refute(&mut self, name: &str) -> bool {
        let at = self.class(name);
        self.labelled.get_mut(at).is_some_and(|labelled| !std::mem::replace(labelled, true))
    }
}

fn classes(survey: &Survey) -> Classes {
    let mut classes = Classes::default();
    for module in &survey.modules {
        for names in names(module) {
            if let [first, rest @ ..] = names.as_slice() {
                classes.class(first);
                for name in rest {
                    classes.join(first, name);
                }
            }
        }
    }
    for (given, name) in &survey.renamed {
        classes.join(given, name);
    }
    classes
}

/// For each global of a module the names that others know it by.
fn names(module: &CoreModule) -> impl Iterator<Item = Vec<&str>> {
    module.facts.globals.iter().map(|global| {
        let imported = global.import.iter().map(|(_, name)| name.as_str());
        imported.chain(global.exports.iter().map(String::as_str)).collect()
    })
}

/// All core modules, rewritten, in order.
pub(super) fn rewritten(component: &[u8], survey: &Survey, follow: Follow) -> Result<(Vec<Vec<u8>>, Classes), Refusal> {
    let mut classes = classes(survey);
    let mut modules: Vec<Option<Vec<u8>>> = vec![None; survey.modules.len()];
    let mut assumed: Vec<CleanGlobals> =
        survey.modules.iter().map(|module| CleanGlobals::new(&module.facts, follow, follow == Follow::Data)).collect();
    if follow == Follow::Branches {
        classes.labelled.fill(true);
    }
    while modules.iter().any(Option::is_none) {
        for ((module, done), assumed) in survey.modules.iter().zip(&mut modules).zip(&mut assumed) {
            if done.is_some() {
                continue;
            }
            for (at, names) in (0u32..).zip(names(module)) {
                if names.iter().any(|name| !classes.is_clean(name)) {
                    assumed.refute(at);
                }
            }
            let bytes = component.get(module.range.clone()).unwrap_or_default();
            *done = rewrite(bytes, &module.facts, follow, assumed)?;
        }
        // What turned out to carry labels, carries them everywhere.
        let mut refuted = false;
        for (module, assumed) in survey.modules.iter().zip(&assumed) {
            for (at, (names, global)) in (0u32..).zip(names(module).zip(&module.facts.globals)) {
                if global.ty.mutable && !assumed.is_clean(at) {
                    for name in names {
                        refuted |= classes.refute(name);
                    }
                }
            }
        }
        if refuted {
            for ((module, done), assumed) in survey.modules.iter().zip(&mut modules).zip(&assumed) {
                let mut globals = (0u32..).zip(names(module));
                if globals.any(|(at, names)| assumed.is_clean(at) && names.iter().any(|name| !classes.is_clean(name))) {
                    *done = None;
                }
            }
        }
    }
    Ok((modules.into_iter().flatten().collect(), classes))
}
