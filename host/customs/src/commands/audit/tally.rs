//! What all calls of one tool come to: each deed once, with where and how often; endings; what was found; and what the variants of a call did
//! that the call itself did not. Bounded, and what is beyond a bound is counted.

use super::scene::{AGAIN, ELSEWHERE, LATER, Scene};
use super::seen::{Count, Deed, Seen};
use customs_audit::decoys::Decoys;
use customs_audit::inputs::{Class, Input};
use customs_flow::Finding;
use customs_ledger::material::{SinkKind, Source, SourceKind};
use customs_policy::Capability;
use std::collections::{BTreeMap, BTreeSet};

/// Deeds, findings and the like of one tool that are kept apart.
const MOST: usize = 2_000;
/// Bytes of a decoy's secret part that make a finding certain: they stand nowhere else in the world.
const CERTAIN: usize = 8;

/// Something that was seen first here, and so often.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    pub(super) calls: u64,
    /// Scenario and input of the first.
    pub(super) first: String,
    pub(super) inputs: BTreeSet<usize>,
    /// Only variants of calls did it.
    pub(super) later: bool,
}

impl Times {
    fn add(&mut self, at: &Place<'_>) {
        let later = matches!(at.scene.name, LATER | ELSEWHERE | AGAIN);
        if self.calls == 0 {
            self.first = at.shown();
            self.later = later;
        }
        self.later &= later;
        self.calls += 1;
        if self.inputs.len() < MOST {
            self.inputs.insert(at.input);
        }
    }
}

/// Where something was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) scene: &'a Scene,
    /// Which input, by its number.
    pub(super) input: usize,
    pub(super) of: &'a Input,
    /// Which time of the same call.
    pub(super) time: usize,
}

impl Place<'_> {
    pub(super) fn shown(&self) -> String {
        let variant = if self.scene.variant.is_empty() { String::new() } else { format!(" ({})", self.scene.variant) };
        let time = if self.time > 1 { format!(", call {}", self.time) } else { String::new() };
        format!(
            "{}{variant}{time}, input {} {}: {}",
            self.scene.name,
            self.input + 1,
            self.of.class.as_str(),
            self.of.label
        )
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tallied {
    pub(super) scenes: BTreeMap<&'static str, Count>,
    pub(super) times: Times,
}

/// Bytes of a decoy in a sink.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Leak {
    /// The decoy's path or name.
    pub(super) decoy: String,
    pub(super) kind: &'static str,
    pub(super) sink: &'static str,
    /// The sink, without what is another in every call.
    pub(super) to: String,
    /// Arguments named the decoy and where it goes.
    pub(super) asked: bool,
}

/// A finding that is about no decoy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flow {
    pub(super) rule: &'static str,
    pub(super) source: String,
    pub(super) sink: String,
    pub(super) asked: bool,
}

/// A payload that was followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Followed {
    pub(super) class: &'static str,
    pub(super) capability: Capability,
    pub(super) needle: String,
    pub(super) by_design: bool,
    pub(super) allowed: bool,
}

/// Something that only a variant of a call did.
#[derive(Clone, Debug)]
pub(super) struct Latent {
    pub(super) scene: &'static str,
    pub(super) variant: String,
    pub(super) deed: Option<Deed>,
    /// How it ended, where that is what differs.
    pub(super) ending: Option<String>,
    pub(super) first: String,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) deeds: BTreeMap<Deed, Tallied>,
    pub(super) left_out: u64,
    pub(super) endings: BTreeMap<String, Times>,
    pub(super) leaks: BTreeMap<Leak, Times>,
    pub(super) flows: BTreeMap<Flow, (Times, Finding)>,
    pub(super) followed: BTreeMap<Followed, Times>,
    pub(super) latent: Vec<Latent>,
    pub(super) classes: BTreeMap<&'static str, u64>,
    pub(super) scenes: BTreeMap<&'static str, (u64, u64)>,
    pub(super) calls: u64,
    /// Calls of which not everything was recorded or searched: with ordinary inputs, and with payloads.
    pub(super) incomplete: u64,
    pub(super) in_part: u64,
    /// What each input did in the decoys' world, to compare variants with.
    bases: BTreeMap<usize, String>,
    /// Every deed of any call in it.
    usual: BTreeSet<Deed>,
    /// Variables that the audit itself brings and that are no secrets.
    made_up: BTreeSet<String>,
}

impl Tally {
    pub(super) fn new(made_up: BTreeSet<String>) -> Tally {
        Tally { made_up, ..Tally::default() }
    }

    /// Takes one call in.
    pub(super) fn add(&mut self, at: &Place<'_>, seen: &Seen, decoys: &Decoys) {
        self.calls += 1;
        let denied = seen.report.denials.iter().map(|row| row.count).fold(0, u64::saturating_add);
        let counts = self.scenes.entry(at.scene.name).or_default();
        counts.0 += 1;
        counts.1 = counts.1.saturating_add(denied);
        if !seen.report.complete {
            // What is made to be too much may be.
            let counted = if at.of.class.is_payload() { &mut self.in_part } else { &mut self.incomplete };
            *counted += 1;
        }
        for (deed, count) in seen.behaviours() {
            if self.deeds.len() >= MOST && !self.deeds.contains_key(&deed) {
                self.left_out += 1;
                continue;
            }
            let tallied = self.deeds.entry(deed).or_default();
            tallied.times.add(at);
            let sums = tallied.scenes.entry(at.scene.name).or_default();
            sums.allowed = sums.allowed.saturating_add(count.allowed);
            sums.denied = sums.denied.saturating_add(count.denied);
        }
        self.endings.entry(seen.ending()).or_default().add(at);
        self.findings(at, seen, decoys);
        for bait in &at.of.bait {
            for access in seen.accesses.iter().filter(|access| access.asked) {
                let caught =
                    bait.caught(access.capability, &access.target, None) && is_followed(&access.target, &bait.needle);
                if caught && self.followed.len() < MOST {
                    let followed = Followed {
                        class: at.of.class.as_str(),
                        capability: access.capability,
                        needle: bait.needle.clone(),
                        by_design: bait.by_design,
                        allowed: access.allowed,
                    };
                    self.followed.entry(followed).or_default().add(at);
                }
            }
        }
    }

    /// Remembers a call in the decoys' world as what is usual.
    pub(super) fn usual(&mut self, at: &Place<'_>, seen: &Seen) {
        self.usual.extend(seen.behaviours().into_keys());
        self.bases.insert(at.input, seen.ending());
    }

    /// Compares a variant of a call with what is usual.
    pub(super) fn variant(&mut self, at: &Place<'_>, seen: &Seen) {
        for deed in seen.behaviours().into_keys() {
            // What arguments name is theirs; clocks, random numbers and output say nothing, and neither do variables, which libraries
            // ask for when something goes wrong.
            let silent = matches!(
                deed.capability,
                Capability::ClockRead
                    | Capability::RandomRead
                    | Capability::StdioRead
                    | Capability::StdioWrite
                    | Capability::EnvGet
            );
            let tells = !deed.asked && !silent;
            if tells && !self.usual.contains(&deed) && self.latent.len() < MOST {
                let known = |one: &Latent| one.deed.as_ref() == Some(&deed) && one.scene == at.scene.name;
                if !self.latent.iter().any(known) {
                    let (scene, variant) = (at.scene.name, at.scene.variant.clone());
                    self.latent.push(Latent { scene, variant, deed: Some(deed), ending: None, first: at.shown() });
                }
            }
        }
        let ending = seen.ending();
        // A time limit is reached by chance, too.
        if self.bases.get(&at.input).is_some_and(|usual| *usual != ending) && ending != "limit time" {
            let known = |one: &Latent| one.ending.as_ref() == Some(&ending) && one.scene == at.scene.name;
            if !self.latent.iter().any(known) {
                let (scene, variant) = (at.scene.name, at.scene.variant.clone());
                self.latent.push(Latent { scene, variant, deed: None, ending: Some(ending), first: at.shown() });
            }
        }
    }

    /// An input that was tried.
    pub(super) fn tried(&mut self, class: Class) {
        *self.classes.entry(class.as_str()).or_default() += 1;
    }

    fn findings(&mut self, at: &Place<'_>, seen: &Seen, decoys: &Decoys) {
        let report = &seen.report;
        for finding in &report.findings {
            // A payload that comes back is an echo, whatever it says to whom.
            if finding.rule.starts_with("CUS3") && (at.of.class.is_payload() || is_argument(finding, &report.sources)) {
                continue;
            }
            let Some(sink) = report.sinks.iter().find(|sink| sink.id == finding.sink) else { continue };
            let source = finding.source.and_then(|id| report.sources.iter().find(|source| source.id == id));
            let to = match sink.kind {
                SinkKind::Return | SinkKind::Error => String::new(),
                SinkKind::HttpRequest => sink.name.split(['?', '#']).next().unwrap_or_default().to_owned(),
                SinkKind::Stdout | SinkKind::Stderr | SinkKind::Progress | SinkKind::Log => String::new(),
                SinkKind::Dns | SinkKind::File | SinkKind::Socket => sink.name.clone(),
            };
            let asked_for = source.is_some_and(|source| {
                let capability = if source.kind == SourceKind::Env { Capability::EnvGet } else { Capability::FsRead };
                seen.named.names(capability, &source.name)
            });
            let asked_to = match sink.kind {
                SinkKind::HttpRequest => seen.named.names(Capability::HttpRequest, &sink.name),
                SinkKind::Dns => seen.named.names(Capability::DnsLookup, &sink.name),
                SinkKind::File => seen.named.names(Capability::FsWrite, &sink.name),
                SinkKind::Socket => seen.named.names(Capability::TcpConnect, &sink.name),
                _ => true,
            };
            let asked = asked_for && asked_to;
            match source.and_then(|source| decoy(source, finding, decoys)) {
                Some((decoy, kind)) => {
                    if self.leaks.len() < MOST {
                        let leak = Leak { decoy, kind, sink: sink.kind.as_str(), to, asked };
                        self.leaks.entry(leak).or_default().add(at);
                    }
                }
                None if source.is_some_and(|one| one.kind == SourceKind::Env && self.made_up.contains(&one.name)) => {}
                None => {
                    let name = |source: &Source| match source.kind {
                        SourceKind::HttpResponse | SourceKind::Socket => source.kind.as_str().to_owned(),
                        _ => format!(
                            "{} {}",
                            source.kind.as_str(),
                            if asked_for { "that an argument names" } else { &source.name }
                        ),
                    };
                    let flow = Flow {
                        rule: finding.rule,
                        source: source.map_or_else(String::new, name),
                        sink: format!("{} {to}", sink.kind.as_str()).trim_end().to_owned(),
                        asked,
                    };
                    if self.flows.len() < MOST || self.flows.contains_key(&flow) {
                        self.flows.entry(flow).or_insert_with(|| (Times::default(), finding.clone())).0.add(at);
                    }
                }
            }
        }
    }
}

fn is_argument(finding: &Finding, sources: &[Source]) -> bool {
    let source = finding.source.and_then(|id| sources.iter().find(|source| source.id == id));
    source.is_some_and(|source| matches!(source.kind, SourceKind::Argument | SourceKind::Stdin))
}

/// The path is where the payload leads, and not the payload's own text as a file's name.
fn is_followed(target: &str, needle: &str) -> bool {
    let Some(path) = target.strip_prefix('/') else { return true };
    let before = path.to_ascii_lowercase();
    let Some(before) = before.strip_suffix(needle.trim_start_matches('/')) else { return false };
    // The root, a home, or a folder of plain names in between.
    before.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte))
}

/// The decoy whose secret part stands in what was found of a source.
fn decoy(source: &Source, finding: &Finding, decoys: &Decoys) -> Option<(String, &'static str)> {
    let found = finding.source_ranges.iter().filter_map(|(from, to)| {
        let (from, to) = (usize::try_from(*from).ok()?, usize::try_from(*to).ok()?);
        source.content.kept.get(from..to)
    });
    let found: BTreeSet<&[u8]> = found.flat_map(|range| range.windows(CERTAIN)).collect();
    let holds = |part: &[u8]| part.windows(CERTAIN).any(|bytes| found.contains(bytes));
    match source.kind {
        SourceKind::Env => {
            let one = decoys.variables.iter().find(|one| one.name == source.name)?;
            one.secret_parts().any(holds).then(|| (one.name.to_owned(), one.kind))
        }
        SourceKind::File => {
            let one = decoys.files.iter().find(|one| one.path == source.name)?;
            one.secret_parts().any(holds).then(|| (one.path.clone(), one.kind))
        }
        _ => None,
    }
}
