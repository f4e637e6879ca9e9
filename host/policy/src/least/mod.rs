//! The least policy: from what runs did to the smallest grants that let exactly these runs pass.
//!
//! ```text
//!  ledgers ── Access ──┐                    ┌─ paths.rs   files and directories
//!  Policy (of the run) ┼─ of ── needs ──────┼─ net.rs     requests, lookups, sockets
//!  HostView ───────────┘                    ├─ carried.rs what the policy forbids inside of that
//!                                           └─ limits.rs  what was used, with room
//!                                   Least ── write.rs     customs.toml, or flags on one line
//!  Policy (to be checked) ── beyond ── Missing            what these runs did that it does not allow
//! ```
//!
//! Never wider than the policy that allowed it: a grant lies inside one of that policy, and what the policy forbids inside of it is
//! carried along. What was denied is told and not granted. Pure as the rest of this room: the machine is asked through [`HostView`].

mod access;
mod beyond;
mod carried;
mod limits;
mod net;
mod paths;
mod spell;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use crate::capability::Capability;
use crate::error::PolicyError;
use crate::policy::Policy;
use crate::raw::{HIDDEN_VALUE, HostView, Layer, Origin, RawFlow, RawGrants};

pub use access::Access;
use access::Question;
pub use beyond::{Missing, beyond};
pub(crate) use limits::{duration, size};
pub(crate) use write::{key, plain, quoted};

/// What the runs used at most, where it was measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Wall time of a call.
    pub time: Option<Duration>,
    /// Bytes of linear memory.
    pub memory: Option<u64>,
    /// Bytes given out.
    pub output: Option<u64>,
    /// Bytes that came in.
    pub input: Option<u64>,
    /// Bytes written to files.
    pub file_write: Option<u64>,
    /// Requests that were allowed.
    pub requests: Option<u64>,
}

impl Measured {
    /// What either used at most.
    pub fn or_more(&self, other: &Measured) -> Measured {
        Measured {
            time: self.time.max(other.time),
            memory: self.memory.max(other.memory),
            output: self.output.max(other.output),
            input: self.input.max(other.input),
            file_write: self.file_write.max(other.file_write),
            requests: self.requests.max(other.requests),
        }
    }
}

/// How the least policy is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What relative host paths will be relative to: the directory of the policy file. Absolute and canonical.
    pub base: PathBuf,
    /// Several files of one directory become that directory.
    pub generalize: bool,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its key: the flag without dashes.
    pub key: &'static str,
    /// The entry as it is written.
    pub text: String,
    /// It grants nothing by itself: a limit, or what the policy of the runs says inside of what is granted.
    pub carried: bool,
    /// What it was needed for.
    pub capabilities: BTreeSet<Capability>,
    /// How many accesses need it, and the record of the first.
    pub count: u64,
    pub seq: u64,
    /// Why it is not narrower.
    pub note: Option<String>,
}

impl Line {
    fn carried(key: &'static str, text: impl Into<String>) -> Line {
        Line { carried: true, ..Line::grant(key, text, Why::default()) }
    }

    fn grant(key: &'static str, text: impl Into<String>, why: Why) -> Line {
        let Why { capabilities, count, seq, note } = why;
        Line { key, text: text.into(), carried: false, capabilities, count, seq, note }
    }
}

/// Why a line is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Why {
    capabilities: BTreeSet<Capability>,
    count: u64,
    seq: u64,
    note: Option<String>,
}

impl Why {
    fn of(access: &Access) -> Why {
        Why { capabilities: [access.capability].into(), count: 1, seq: access.seq, note: None }
    }

    fn noted(self, note: Option<&str>) -> Why {
        Why { note: note.map(str::to_owned).or(self.note), ..self }
    }

    fn and(&mut self, other: Why) {
        self.capabilities.extend(other.capabilities);
        self.count = self.count.saturating_add(other.count);
        self.seq = if self.seq == 0 || other.seq == 0 { self.seq.max(other.seq) } else { self.seq.min(other.seq) };
        if self.note.is_none() {
            self.note = other.note;
        }
    }
}

/// Something that is told and has no line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    pub capability: Capability,
    pub operation: String,
    pub requested: String,
    /// The denial code, or the reason why no grant was made.
    pub reason: String,
    /// How often, and the record of the first.
    pub count: u64,
    pub seq: u64,
}

/// The least policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Least {
    /// Grants first, then what is carried along, then limits.
    pub lines: Vec<Line>,
    /// Flow rules of the policy, as they were.
    pub flow: Vec<RawFlow>,
    /// What was refused: not granted.
    pub denied: Vec<Told>,
    /// What was allowed and could not be put into a grant. Empty, or the runs may not pass.
    pub unmet: Vec<Told>,
    base: PathBuf,
}

/// The smallest grants that let exactly these accesses pass, as the policy let them pass.
pub fn of(
    policy: &Policy,
    accesses: &[Access],
    measured: &Measured,
    options: &Options,
    host: &dyn HostView,
) -> Result<Least, PolicyError> {
    let mut unmet = Unmet::default();
    let mut denied = Unmet::default();
    let mut allowed: Vec<&Access> = Vec::new();
    // The same access again is decided in the same way.
    let mut refused: BTreeMap<Question<'_>, bool> = BTreeMap::new();
    for access in accesses {
        match &access.denied {
            Some(code) => denied.add(access, code),
            None if access.gave_nothing() => {}
            None => {
                let decided = || beyond::refusal(policy, access, host).is_some();
                if *refused.entry(access.question()).or_insert_with(decided) {
                    unmet.add(access, "this policy does not allow it");
                } else {
                    allowed.push(access);
                }
            }
        }
    }
    let (mut lines, trees) = paths::lines(policy, &allowed, options, host, &mut unmet);
    lines.extend(variables(policy, &allowed, &mut unmet));
    let (reached, hosts) = net::lines(policy, &allowed, &mut unmet);
    lines.extend(reached);
    lines.extend(carried::lines(policy, &trees, &hosts, options));
    let https = allowed.iter().any(|access| access.capability == Capability::HttpRequest);
    lines.extend(limits::lines(policy.limits(), measured, https));

    let flow = policy.flow_rules().iter().map(|rule| RawFlow {
        from: rule.from(),
        to: rule.to(),
        action: rule.action().as_str().to_owned(),
    });
    let mut least =
        Least { lines, flow: flow.collect(), denied: denied.told(), unmet: Vec::new(), base: options.base.clone() };
    // Once more, by the code that decides: what the lines were meant to let pass does pass.
    let built = match Policy::build(&[least.layer()], host) {
        Ok(built) => built,
        // What the policy of the runs had to say for itself has to be said again.
        Err(refused) => {
            least.lines.push(Line::carried("dangerously-allow", "true"));
            Policy::build(&[least.layer()], host).map_err(|_| refused)?
        }
    };
    let again: Vec<Access> = allowed.iter().copied().cloned().collect();
    for missing in beyond(&built, &again, host) {
        unmet.missing(&missing);
    }
    least.unmet = unmet.told();
    Ok(least)
}

impl Least {
    /// The grants as one layer, ready for [`Policy::build`].
    pub fn layer(&self) -> Layer {
        Layer { raw: self.raw(), base: self.base.clone(), origin: Origin::Flags }
    }

    /// The grants as written.
    pub fn raw(&self) -> RawGrants {
        let mut raw = RawGrants { flow: self.flow.clone(), ..RawGrants::default() };
        for line in &self.lines {
            if let Some(list) = raw.list_slot(line.key) {
                list.push(line.text.clone());
            } else if let Some(switch) = raw.switch_slot(line.key) {
                *switch = true;
            } else if let Some(limit) = raw.limits.slot(line.key) {
                *limit = Some(line.text.clone());
            } else if line.key == "tls-roots" {
                raw.tls_roots = Some(line.text.clone());
            }
        }
        raw
    }

    /// The lines that grant something.
    pub fn grants(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.carried)
    }
}

/// Told things, each once and counted.
#[derive(Debug, Default)]
struct Unmet(BTreeMap<(Capability, String, String, String), (u64, u64)>);

impl Unmet {
    fn add(&mut self, access: &Access, reason: &str) {
        let key = (access.capability, access.operation.clone(), access.requested.clone(), reason.to_owned());
        self.0.entry(key).or_insert((0, access.seq)).0 += 1;
    }

    /// Where a reason was told already, that is the better one.
    fn missing(&mut self, missing: &Missing) {
        let told = self.0.keys().any(|(capability, operation, requested, _)| {
            *capability == missing.capability && *operation == missing.operation && *requested == missing.requested
        });
        if !told {
            let (operation, requested) = (missing.operation.clone(), missing.requested.clone());
            let key = (missing.capability, operation, requested, missing.code.sentence().to_owned());
            self.0.insert(key, (missing.count, missing.seq));
        }
    }

    fn told(self) -> Vec<Told> {
        let told = |((capability, operation, requested, reason), (count, seq))| Told {
            capability,
            operation,
            requested,
            reason,
            count,
            seq,
        };
        self.0.into_iter().map(told).collect()
    }
}

/// WASI hands over all variables at once, so each that was there was used as far as anybody can see.
fn variables(policy: &Policy, allowed: &[&Access], unmet: &mut Unmet) -> Vec<Line> {
    let mut needed: BTreeMap<&str, Why> = BTreeMap::new();
    for access in allowed.iter().filter(|access| access.capability == Capability::EnvGet) {
        needed.entry(access.requested.as_str()).or_default().and(Why::of(access));
    }
    let mut lines = Vec::new();
    for (name, why) in needed {
        let secrets = policy.net.secrets();
        if secrets.iter().any(|secret| secret.name == name) {
            let used = |origin: &str| {
                let goes =
                    |access: &&&Access| access.capability == Capability::HttpRequest && access.operation == "connect";
                allowed.iter().filter(goes).any(|access| access.requested == origin)
            };
            let own: Vec<_> = secrets.iter().filter(|secret| secret.name == name).collect();
            let mut kept: Vec<_> = own.iter().filter(|secret| used(&secret.origin.to_string())).collect();
            if kept.is_empty() {
                kept.extend(own.first());
            }
            for secret in kept {
                let note = "the tool has a placeholder; the value goes into requests to this origin";
                lines.push(Line::grant("secret", format!("{name}@{}", secret.origin), why.clone().noted(Some(note))));
            }
            continue;
        }
        match policy.env().iter().find(|variable| variable.name == name) {
            // Read from a ledger, which leaves values out.
            Some(given) if !given.from_host && given.value == HIDDEN_VALUE => {
                for access in allowed.iter().filter(|access| access.requested == name) {
                    unmet
                        .add(access, "its value is not in the ledger; give the policy of the run, or --env NAME=VALUE");
                }
            }
            Some(given) if !given.from_host => {
                lines.push(Line::grant("env", format!("{name}={}", given.value), why));
            }
            _ if name.contains(['*', ',', '=', '\0']) || name.trim() != name || name.is_empty() => {
                for access in allowed.iter().filter(|access| access.requested == name) {
                    unmet.add(access, "no entry of a policy can have this name");
                }
            }
            _ => lines.push(Line::grant("allow-env", name, why)),
        }
    }
    lines
}
