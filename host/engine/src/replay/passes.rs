//! More sources than labels: the recorded call is made again, each time with other sources on the labels, and what each pass found is laid over
//! the others. A replay in order is the same run to the byte, so that a source has the same number in each.
//!
//! ```text
//!  first pass: labels as sources come --> those that had one of their own
//!                                         the others, four in each further pass; what matters first, what the caller knows last
//!                                         and past the most that are told apart, one pass in which they share
//! ```

use super::Recording;
use super::compare::parts;
use super::play::{How, NotPlayed, Played, play};
use crate::Program;
use crate::traced::Painted;
use customs_boundary::Assignment;
use customs_flow::{Finding, Method};
use customs_ledger::material::{Class, Source};
use customs_trace::SOURCES;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Sources that are told apart. Each four more take the time of the run once more; sixteen runs are what a person waits for.
pub const MAX_SOURCES: usize = 64;

/// How a trace was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    /// How often the call was made.
    pub made: usize,
    /// Sources that share a label all the same.
    pub sharing: usize,
}

/// Makes the passes that a traced replay in order, which is the first of them, leaves to be made.
pub async fn further(program: &Arc<Program>, recording: &Recording, first: &mut Played) -> Result<Passes, NotPlayed> {
    let mut passes = Passes { made: 1, sharing: 0 };
    let Some(labels) = first.report.labels.take() else { return Ok(passes) };
    let own: BTreeSet<u64> = labels.bits.iter().filter(|bit| bit.len() == 1).flatten().copied().collect();
    let plans = plans(&first.report.sources, &own);
    passes.sharing = plans.sharing;
    if plans.all.is_empty() {
        return Ok(passes);
    }
    let mut painted = labels.painted;
    painted.keep(&own);
    let ours = |finding: &Finding, of: &BTreeSet<u64>| {
        finding.method == Method::Trace && finding.source.is_some_and(|number| of.contains(&number))
    };
    first.report.findings.retain(|finding| finding.method != Method::Trace || ours(finding, &own));
    for plan in plans.all {
        let how = How { plan: Some(plan.clone()), ..How::in_order() };
        let mut played = play(program, recording, &how).await?;
        passes.made += 1;
        let report = &mut first.report;
        let Some(found) = played.report.labels.take().filter(|_| parts(recording, &played).is_none()) else {
            // It was not the same run: of these sources nothing is known.
            report.complete = false;
            continue;
        };
        let numbers: BTreeSet<u64> = plan.keys().copied().collect();
        report.findings.extend(played.report.findings.into_iter().filter(|finding| ours(finding, &numbers)));
        report.complete &= played.report.complete;
        painted.lay(&found.painted);
    }
    first.report.findings.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.sink, f.source));
    first.report.traced = Some(painted.told());
    Ok(passes)
}

/// What the first pass knows of its labels.
#[derive(Debug)]
pub(crate) struct Labelled {
    pub(crate) bits: Vec<Vec<u64>>,
    pub(crate) painted: Painted,
}

struct Plans {
    all: Vec<Assignment>,
    sharing: usize,
}

/// Who has a label in which pass, of the sources that had none of their own.
fn plans(sources: &[Source], own: &BTreeSet<u64>) -> Plans {
    let mut left: Vec<&Source> = sources.iter().filter(|source| !own.contains(&source.id)).collect();
    left.sort_by_key(|source| (source.class == Class::Public, source.id));
    let room = MAX_SOURCES.saturating_sub(own.len()).min(left.len());
    let (apart, rest) = left.split_at(room);
    let plan = |sources: &[&Source]| sources.iter().map(|source| source.id).zip(0..SOURCES).collect();
    let mut all: Vec<Assignment> = apart.chunks(usize::from(SOURCES)).map(plan).collect();
    if !rest.is_empty() {
        // What the caller knows makes nothing less sure.
        all.push(rest.iter().map(|source| (source.id, u8::from(source.class == Class::Public))).collect());
    }
    Plans { all, sharing: rest.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use customs_ledger::digest::Digest;
    use customs_ledger::material::{Content, SourceKind};

    fn sources(many: u64, public: u64) -> Vec<Source> {
        let content = || Content { bytes: 1, digest: Digest::of(b"x"), kept: vec![b'x'], complete: true };
        let source = |id: u64| {
            let kind = if id <= public { SourceKind::Argument } else { SourceKind::File };
            Source { id, kind, name: format!("/{id}"), class: kind.class(), content: content() }
        };
        (1..=many).map(source).collect()
    }

    #[test]
    fn every_source_without_a_label_of_its_own_has_one_in_one_further_pass_what_matters_first() {
        let plans = plans(&sources(9, 2), &BTreeSet::from([3, 4, 5]));
        let passes: Vec<Vec<(u64, u8)>> = plans.all.into_iter().map(|plan| plan.into_iter().collect()).collect();
        assert_eq!(passes, [vec![(6, 0), (7, 1), (8, 2), (9, 3)], vec![(1, 0), (2, 1)]]);
        assert_eq!(plans.sharing, 0);
    }

    #[test]
    fn past_the_most_that_are_told_apart_the_rest_share() {
        let plans = plans(&sources(80, 1), &BTreeSet::from([2, 3, 4]));
        assert_eq!((plans.all.len(), plans.sharing), (17, 16));
        let last = plans.all.last().unwrap();
        assert_eq!((last.len(), last.get(&80), last.get(&1)), (16, Some(&0), Some(&1)));
        assert!(super::plans(&sources(3, 0), &BTreeSet::from([1, 2, 3])).all.is_empty());
    }
}
