//! The policy itself: everything resolved, ready to decide. Built once from layers of raw grants, then only read.

use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::entry::{Split, entries};
use crate::error::{PolicyError, shown};
use crate::flow::{FlowAction, FlowDefaults, FlowEnds, FlowRule, FlowRules};
use crate::host_path::{bytes, covers};
use crate::limits::Limits;
use crate::mounts::{Mount, MountKind, Mounts};
use crate::net::NetRules;
use crate::path_deny::PathDeny;
use crate::raw::{HostView, Layer, RawFlow};
use crate::variables::{EnvVar, Variables};

/// 2020-01-01T00:00:00Z: where a fixed clock starts unless said otherwise, in seconds since 1970.
pub const CLOCK_START: u64 = 1_577_836_800;

/// Which clock the guest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The real one.
    Allowed,
    /// One that starts at a fixed time and moves a fixed step at each look.
    Fixed,
}

/// Which random numbers the guest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Random {
    /// Real ones.
    Allowed,
    /// The same ones every time.
    Seeded,
}

/// Names of the rules that need no grant.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    pub(crate) clock: Arc<str>,
    pub(crate) random: Arc<str>,
    pub(crate) stdio: Arc<str>,
}

/// What may cross.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) mounts: Vec<Mount>,
    pub(crate) denies: Vec<PathDeny>,
    pub(crate) variables: Variables,
    pub(crate) net: NetRules,
    pub(crate) defaults: Defaults,
    flows: FlowRules,
    limits: Limits,
    clock: Clock,
    clock_start: u64,
    random: Random,
    trace: bool,
    grants: Vec<String>,
    warnings: Vec<String>,
    digest: [u8; 32],
}

impl Policy {
    /// Makes a policy of layers, earlier ones first. Grants and denials of all layers count together; a limit of a later
    /// layer replaces that of an earlier one. Everything is checked here, so that deciding cannot fail.
    pub fn build(layers: &[Layer], host: &dyn HostView) -> Result<Policy, PolicyError> {
        let any = |switch: fn(&Layer) -> bool| layers.iter().any(switch);
        let all = any(|layer| layer.raw.allow_all);
        let dangerous = all || any(|layer| layer.raw.dangerously_allow);
        let clock = if any(|layer| layer.raw.deny_clock) { Clock::Fixed } else { Clock::Allowed };
        let random = if any(|layer| layer.raw.deny_random) { Random::Seeded } else { Random::Allowed };

        let Mounts { mounts, grants: path_grants, warnings: path_warnings } = Mounts::build(layers, host, dangerous)?;
        let denies = PathDeny::build(layers, host)?;
        let net = NetRules::build(layers, host, dangerous)?;
        let withheld: Vec<&str> = net.secrets().iter().map(|secret| secret.name.as_str()).collect();
        let variables = Variables::build(layers, host.env(), dangerous, &withheld)?;
        let grants = grant_texts(layers, path_grants, net.tls_roots_flag())?;
        let flows = FlowRules::build(layers)?;

        let mut policy = Policy {
            mounts,
            denies,
            variables,
            net,
            defaults: Defaults {
                clock: if clock == Clock::Fixed { "--deny-clock (a fixed clock)" } else { "default" }.into(),
                random: if random == Random::Seeded { "--deny-random (a seeded generator)" } else { "default" }.into(),
                stdio: "default".into(),
            },
            flows,
            limits: Limits::build(layers)?,
            clock,
            clock_start: CLOCK_START,
            random,
            trace: any(|layer| layer.raw.trace),
            grants,
            warnings: if all {
                vec!["-A grants everything: all files, all variables, the whole network".to_owned()]
            } else {
                Vec::new()
            },
            digest: [0; 32],
        };
        policy.warnings.extend(path_warnings);
        for (key, list) in
            layers.iter().flat_map(|l| [("allow-env", &l.raw.allow_env), ("allow-net", &l.raw.allow_net)])
        {
            if list.iter().any(|entry| entry.split(',').any(|part| part.trim() == "*")) {
                let all = if key == "allow-env" { "every variable of this environment" } else { "every public host" };
                policy.warnings.push(format!("--{key}=* gives the tool {all}"));
            }
        }
        policy.warnings.extend(policy.net.warnings());
        for secret in policy.net.secrets() {
            if let Some(deny) = policy.variables.denied(secret.name.as_bytes()) {
                let (secret, deny) = (shown(&secret.rule), shown(deny));
                policy.warnings.push(format!("{secret} has no effect: {deny} keeps its placeholder from the tool"));
            }
        }
        policy.digest = policy.compute_digest();
        Ok(policy)
    }

    /// What the guest sees of the file system, sorted by guest path.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// The variables that the guest sees, sorted by name.
    pub fn env(&self) -> &[EnvVar] {
        &self.variables.visible
    }

    /// The same policy with another value of a variable that the guest sees. What is granted, and so the digest, stays.
    #[must_use]
    pub fn with_value(&self, name: &str, value: &str) -> Policy {
        let mut policy = self.clone();
        for variable in policy.variables.visible.iter_mut().filter(|variable| variable.name == name) {
            variable.value = value.to_owned();
        }
        policy
    }

    /// Names that were granted but are not set on the host.
    pub fn env_absent(&self) -> &[String] {
        &self.variables.absent
    }

    /// Granted variables that the guest does not see because they are not UTF-8; named as well as can be.
    pub fn env_skipped(&self) -> &[String] {
        &self.variables.skipped
    }

    /// The network rules.
    pub fn net(&self) -> &NetRules {
        &self.net
    }

    /// What is to be done about a flow, and the rule that says so; none where it is a default.
    pub fn flow(&self, ends: &FlowEnds<'_>, defaults: FlowDefaults) -> (FlowAction, Option<&Arc<str>>) {
        self.flows.decide(ends, defaults)
    }

    /// The flow rules, in the order in which they were written.
    pub fn flow_rules(&self) -> &[FlowRule] {
        self.flows.as_slice()
    }

    /// Whether some flow to a sink of this kind could be redacted or blocked, so that its bytes have to be looked at before
    /// they leave.
    pub fn may_stop_flows_to(&self, sink_kind: &str, defaults: FlowDefaults) -> bool {
        self.flows.may_stop(sink_kind, defaults)
    }

    /// What one call may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Which clock the guest has.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Where a fixed clock starts, in seconds since 1970.
    pub fn clock_start(&self) -> u64 {
        self.clock_start
    }

    /// The same policy with a fixed clock that starts at another time: an audit looks what a tool does later.
    #[must_use]
    pub fn starting_at(mut self, seconds: u64) -> Policy {
        self.clock = Clock::Fixed;
        self.clock_start = seconds;
        self.digest = self.compute_digest();
        self
    }

    /// Which random numbers the guest has.
    pub fn random(&self) -> Random {
        self.random
    }

    /// Whether the tool's data is followed, byte by byte. It grants nothing: flow rules see more.
    pub fn traces(&self) -> bool {
        self.trace
    }

    /// Every grant and denial as one line each, sorted, such as `--allow-read=./data::/data`; values of variables left out.
    /// Flow rules are among them, as `flow secret -> return: redact`.
    pub fn grants(&self) -> &[String] {
        &self.grants
    }

    /// What a person should be told before the tool runs.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// SHA-256 over the resolved policy: the same whatever the order and spelling of its entries. Values of variables are
    /// not in it: the digest is written to ledgers, and a short value could be guessed from it.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The host paths that deny rules name, with the rule, and whether it denies reading too. The boundary looks them up once, to know a
    /// denied file again under another name.
    pub fn denied_hosts(&self) -> impl Iterator<Item = (&Path, &Arc<str>, bool)> {
        self.denies.iter().flat_map(|deny| deny.paths().map(|path| (path, &deny.rule, deny.reading)))
    }

    /// The mount through which the guest could change this host path (canonical). Deny rules are not counted: the program
    /// asks this about its own files, and those have no business inside a writable grant at all.
    pub fn covers_writable(&self, host: &Path) -> Option<&Mount> {
        self.mounts.iter().find(|mount| {
            mount.writable
                && match mount.kind {
                    MountKind::Dir => covers(bytes(&mount.host), bytes(host)),
                    MountKind::File => mount.host == host,
                }
        })
    }

    fn compute_digest(&self) -> [u8; 32] {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for mount in &self.mounts {
            let kind = if mount.kind == MountKind::Dir { "dir" } else { "file" };
            let access = if mount.writable { "rw" } else { "ro" };
            let mut line = format!("mount {kind} {access} {}\0", mount.guest).into_bytes();
            line.extend_from_slice(bytes(&mount.host));
            lines.push(line);
        }
        lines.extend(self.denies.iter().map(PathDeny::line));
        lines.extend(self.variables.lines().map(String::into_bytes));
        lines.extend(self.net.lines().into_iter().map(String::into_bytes));
        lines.extend(self.net.tls_roots().map(|roots| [b"tls-roots ", bytes(roots)].concat()));
        lines.extend(self.flows.lines().map(String::into_bytes));
        lines.extend(self.limits.entries().map(|(name, value)| format!("limit {name} {value}").into_bytes()));
        lines.push(format!("clock {:?}", self.clock).into_bytes());
        if self.clock_start != CLOCK_START {
            lines.push(format!("clock start {}", self.clock_start).into_bytes());
        }
        lines.push(format!("random {:?}", self.random).into_bytes());
        lines.extend(self.trace.then(|| b"trace".to_vec()));
        lines.sort_unstable();
        lines.dedup();

        let mut hash = Sha256::new();
        hash.update(b"customs.policy/1\n");
        for line in lines {
            // With its length in front no line can pass for two.
            hash.update(u64::try_from(line.len()).unwrap_or(u64::MAX).to_le_bytes());
            hash.update(&line);
        }
        hash.finalize().into()
    }
}

fn grant_texts(layers: &[Layer], paths: Vec<String>, tls_roots: Option<&str>) -> Result<Vec<String>, PolicyError> {
    let mut grants = paths;
    grants.extend(tls_roots.map(str::to_owned));
    let commas = [
        "allow-env",
        "allow-net",
        "allow-tcp",
        "allow-udp",
        "allow-listen",
        "resolve",
        "secret",
        "deny-read",
        "deny-write",
        "deny-env",
        "deny-net",
    ];
    for key in commas {
        grants.extend(entries(layers, key, Split::Commas)?.iter().map(|entry| entry.flag()));
    }
    for key in ["env", "allow-http"] {
        grants.extend(entries(layers, key, Split::Whole)?.iter().map(|entry| entry.flag()));
    }
    for layer in layers {
        let raw = &layer.raw;
        grants.extend(raw.flow.iter().map(RawFlow::text));
        let switches = [
            (raw.allow_all, "-A"),
            (raw.dangerously_allow, "--dangerously-allow"),
            (raw.deny_clock, "--deny-clock"),
            (raw.deny_random, "--deny-random"),
            (raw.trace, "--trace"),
        ];
        grants.extend(switches.iter().filter(|(given, _)| *given).map(|(_, flag)| (*flag).to_owned()));
    }
    grants.sort_unstable();
    grants.dedup();
    Ok(grants)
}
