//! `--causal`: what the decoys and the granted secrets that a call had decide of what it gives out, whatever it does with their bytes on the way. A
//! call is made again on its own recording with one of them changed; what changes with it depends on it.

use super::judge::{Judged, of};
use super::tally::Tally;
use customs_audit::decoys::Decoys;
use customs_audit::score::{Evidence, Matter};
use customs_engine::Report;
use customs_engine::replay::{Causes, Named};
use customs_flow::{Finding, Severity};
use customs_ledger::material::{Source, SourceKind};
use customs_policy::Policy;
use customs_report::audit::{Causal, Issue};
use std::collections::BTreeSet;

/// Sources that are changed in one audit of a tool. Each costs some five replays.
const MOST: usize = 64;

/// What came of it for one tool.
#[derive(Debug, Default)]
pub(super) struct Caused {
    pub(super) told: Causal,
    /// Source, sink kind and the finding.
    findings: Vec<(String, &'static str, Finding)>,
}

/// The sources that are worth a question.
pub(super) fn chosen(report: &Report, decoys: &Decoys, given: &Policy) -> Vec<Named> {
    let worth = |source: &&Source| match source.kind {
        SourceKind::Env => {
            let decoy = decoys.variables.iter().any(|one| one.name == source.name && !one.secrets.is_empty());
            decoy || given.env().iter().any(|held| held.name == source.name)
        }
        SourceKind::File => decoys.files.iter().any(|one| one.path == source.name && !one.secrets.is_empty()),
        _ => false,
    };
    let names: BTreeSet<(&str, &str)> =
        report.sources.iter().filter(worth).map(|source| (source.kind.as_str(), source.name.as_str())).collect();
    let named = |(kind, name): (&str, &str)| Named::Name(kind.to_owned(), name.to_owned());
    names.into_iter().take(MOST).map(named).collect()
}

impl Caused {
    pub(super) fn none(why: String) -> Caused {
        Caused { told: Causal { undecided: Some(why), ..Causal::default() }, findings: Vec::new() }
    }

    pub(super) fn of(causes: &Causes) -> Caused {
        let cleared = causes.causes.iter().filter(|cause| cause.is_cleared());
        let cleared = cleared.map(|cause| format!("{} {}", cause.kind.as_str(), cause.name)).collect();
        let report = &causes.unchanged.report;
        let findings = causes.findings.iter().filter_map(|finding| {
            let source = report.sources.iter().find(|source| Some(source.id) == finding.source)?;
            let sink = report.sinks.iter().find(|sink| sink.id == finding.sink);
            Some((source.name.clone(), sink.map_or("return", |sink| sink.kind.as_str()), finding.clone()))
        });
        Caused { told: Causal { cleared, undecided: None }, findings: findings.collect() }
    }

    /// Issues of what was found, but for what was certain already.
    pub(super) fn judge(&self, tool: &str, tally: &Tally) -> Vec<Judged> {
        let mut all: Vec<Judged> = Vec::new();
        for (source, sink, finding) in &self.findings {
            let certain = tally.leaks.keys().any(|leak| leak.decoy == *source && leak.sink == *sink);
            let subject = format!("{source} -> {sink}");
            let known = all.iter().any(|one| one.issue.subject == subject);
            if certain || known || finding.severity == Severity::Info {
                continue;
            }
            let issue = Issue {
                rule: finding.rule,
                severity: finding.severity,
                certain: false,
                method: "causal",
                tool: Some(tool.to_owned()),
                subject: subject.clone(),
                // In how many replays it changed is chance: the bytes of a decoy are new in every audit.
                what: format!("What the tool gave out changed when nothing but {source} was changed."),
                evidence: vec!["the same call with other bytes there".to_owned()],
                finding: None,
            };
            let evidence = Evidence::new(Matter::CausalLeak, of(finding.severity), subject, tool);
            all.push(Judged { issue, evidence: Some(evidence) });
        }
        all
    }
}
