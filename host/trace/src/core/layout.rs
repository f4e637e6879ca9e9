//! Where the labels are that are no data and in no function: globals that all modules of a component share, and shadows of
//! a module's own.

use super::facts::{Facts, count};
use super::function::CleanGlobals;
use crate::refusal::Refusal;

/// The module name that the shared store is imported under. A component's own modules cannot be named so: instances
/// are passed by us.
pub(crate) const STORE: &str = "customs:trace";

/// Names of what the store exports.
pub(crate) const SHADOW: &str = "shadow";
pub(crate) const MEMORY: &str = "memory";
/// Runs of labels on their way to the host.
pub(crate) const REPORT: &str = "report";
/// What memory is labelled with that the host asks for to put bytes into, until it is known what they are.
pub(crate) const EXPECTED: &str = "expected";
/// The union of labels of references that went into any table.
pub(crate) const TABLES: &str = "tables";
/// The union of labels of the sizes that memory was grown by.
pub(crate) const PAGES: &str = "pages";
/// The label of what the call that comes next was decided by.
pub(crate) const DECIDED: &str = "decided";
/// The union of labels of the representations that resources were made from.
pub(crate) const HANDLES: &str = "handles";

/// The name of the global with the label of argument `at`, in a hook.
pub(crate) fn argument(at: u32) -> String {
    format!("a{at}")
}

/// The name of the global with the label of result `at`, in a hook.
pub(crate) fn result(at: u32) -> String {
    format!("r{at}")
}

/// The name under which the label of an exported global is exported.
pub(crate) fn label_of(name: &str) -> String {
    format!("{name} label")
}

/// How many globals for arguments and results the store has: as many as the widest hook needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lanes {
    pub(crate) arguments: u32,
    pub(crate) results: u32,
}

/// Indices in the rewritten module.
#[derive(Debug)]
pub(crate) struct Globals {
    pub(crate) tables: u32,
    pub(crate) pages: u32,
    pub(crate) decided: u32,
    /// How many globals are imported that were not.
    pub(crate) added_imports: u32,
    shadows: Vec<Option<u32>>,
    /// Indices of globals of the original module whose label is imported, in order.
    pub(crate) imported: Vec<u32>,
    /// The same for those whose label is defined.
    pub(crate) defined: Vec<u32>,
}

impl Globals {
    pub(crate) fn new(facts: &Facts, assumed: &CleanGlobals) -> Result<Self, Refusal> {
        let pools = facts.imported_globals;
        let mut imported = Vec::new();
        let mut defined = Vec::new();
        let mut shadows = vec![None; facts.globals.len()];
        let mut next = pools + 3;
        for (at, global) in facts.globals.iter().enumerate() {
            if global.ty.mutable && global.import.is_some() && !assumed.is_clean(count(at)?) {
                imported.push(count(at)?);
                if let Some(shadow) = shadows.get_mut(at) {
                    *shadow = Some(next);
                }
                next += 1;
            }
        }
        let added_imports = next - pools;
        next = count(facts.globals.len())? + added_imports;
        for (at, global) in facts.globals.iter().enumerate() {
            if global.ty.mutable && global.import.is_none() && !assumed.is_clean(count(at)?) {
                defined.push(count(at)?);
                if let Some(shadow) = shadows.get_mut(at) {
                    *shadow = Some(next);
                }
                next += 1;
            }
        }
        Ok(Self { tables: pools, pages: pools + 1, decided: pools + 2, added_imports, shadows, imported, defined })
    }

    /// The global with the label of a global. One that is assumed clean has none.
    pub(crate) fn shadow(&self, global: u32) -> Option<u32> {
        self.shadows.get(global as usize).copied().flatten()
    }
}
