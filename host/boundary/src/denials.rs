//! The refused accesses of a call: counted without end, recorded and shown up to a bound.

use customs_policy::{Capability, Denial, DenialCode};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// Ledger records of refused accesses for one capability, operation and code; further ones are counted and closed by a `suppressed`
/// record.
pub const MAX_DENIALS_RECORDED: u64 = 1_000;
/// Distinct rows of refused accesses kept for the report; the ledger and the counts have the rest.
pub const MAX_DENIAL_ROWS: usize = 1_000;
/// Characters of a requested name that tell rows apart.
const MAX_SHOWN: usize = 1024;

/// A refused access as the report shows it: one row for each distinct one.
#[derive(Clone, Debug)]
pub struct DenialRow {
    /// The ledger record of the first, where it was recorded one by one.
    pub seq: u64,
    pub capability: Capability,
    pub operation: &'static str,
    pub requested: String,
    pub resolved: Option<String>,
    pub code: DenialCode,
    pub rule: Option<Arc<str>>,
    pub count: u64,
}

type Kind = (Capability, &'static str, DenialCode);

/// All refusals of a call.
#[derive(Default)]
pub(crate) struct Denials {
    rows: Vec<DenialRow>,
    index: BTreeMap<(Kind, String), usize>,
    counts: BTreeMap<Kind, u64>,
    /// There were more distinct ones than rows.
    pub(crate) cut: bool,
}

impl Denials {
    /// Counts one; true where it gets a record of its own.
    pub(crate) fn count(&mut self, denial: &Denial, op: &'static str) -> bool {
        let seen = self.counts.entry((denial.capability, op, denial.code)).or_insert(0);
        *seen += 1;
        *seen <= MAX_DENIALS_RECORDED
    }

    /// Adds it to its row, or a row for it. `seq` is its record, or 0.
    pub(crate) fn add(&mut self, denial: &Denial, op: &'static str, requested: &str, resolved: Option<&str>, seq: u64) {
        let shown: String = requested.chars().take(MAX_SHOWN).collect();
        let next = self.rows.len();
        match self.index.entry(((denial.capability, op, denial.code), shown)) {
            Entry::Occupied(at) => {
                if let Some(row) = self.rows.get_mut(*at.get()) {
                    row.count += 1;
                }
            }
            Entry::Vacant(at) if next < MAX_DENIAL_ROWS => {
                self.rows.push(DenialRow {
                    seq,
                    capability: denial.capability,
                    operation: op,
                    requested: at.key().1.clone(),
                    resolved: resolved.map(str::to_owned),
                    code: denial.code,
                    rule: denial.rule.clone(),
                    count: 1,
                });
                at.insert(next);
            }
            Entry::Vacant(_) => self.cut = true,
        }
    }

    /// The kinds that have refusals without a record, and how many.
    pub(crate) fn unrecorded(&self) -> Vec<(Kind, u64)> {
        let over = self.counts.iter().map(|(kind, n)| (*kind, n.saturating_sub(MAX_DENIALS_RECORDED)));
        over.filter(|(_, n)| *n > 0).collect()
    }

    /// In the order of their records, which on a replay need not be that of their coming.
    pub(crate) fn take_rows(&mut self) -> Vec<DenialRow> {
        let mut rows = std::mem::take(&mut self.rows);
        if rows.iter().all(|row| row.seq != 0) {
            rows.sort_by_key(|row| row.seq);
        }
        rows
    }
}
