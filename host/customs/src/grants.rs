//! From flags and a policy file to a policy.

use crate::cli::{Grants, Limits};
use crate::exit::Fault;
use crate::machine::{self, Machine};
use customs_engine::replay::Grounds;
use customs_policy::file::{MAX_BYTES, PolicyFile, ToolEntry, parse};
use customs_policy::{Layer, Origin, Policy, RawGrants, RawLimits, Remembering};
use std::path::{Path, PathBuf};

impl Grants {
    pub(crate) fn raw(&self, limits: &Limits) -> RawGrants {
        RawGrants {
            allow_read: self.allow_read.clone(),
            allow_write: self.allow_write.clone(),
            allow_env: self.allow_env.clone(),
            env: self.env.clone(),
            allow_net: self.allow_net.clone(),
            allow_http: self.allow_http.clone(),
            allow_tcp: self.allow_tcp.clone(),
            allow_udp: self.allow_udp.clone(),
            allow_listen: self.allow_listen.clone(),
            resolve: self.resolve.clone(),
            tls_roots: self.tls_roots.clone(),
            secret: self.secret.clone(),
            deny_read: self.deny_read.clone(),
            deny_write: self.deny_write.clone(),
            deny_env: self.deny_env.clone(),
            deny_net: self.deny_net.clone(),
            dir: self.dir.clone(),
            // Flow rules stand in files only.
            flow: Vec::new(),
            deny_clock: self.deny_clock,
            deny_random: self.deny_random,
            dangerously_allow: self.dangerously_allow,
            allow_all: self.allow_all,
            // A flag of the verbs that can do it.
            trace: false,
            limits: RawLimits {
                timeout: limits.timeout.clone(),
                max_memory: limits.max_memory.clone(),
                max_output: limits.max_output.clone(),
                max_input: limits.max_input.clone(),
                max_file_write: limits.max_file_write.clone(),
                max_requests: limits.max_requests.clone(),
                fuel: limits.fuel.clone(),
            },
        }
    }
}

/// A policy file as read, with where it really is.
pub(crate) struct Read {
    pub(crate) file: PolicyFile,
    pub(crate) real: PathBuf,
    base: PathBuf,
    shown: String,
    /// Others may write it: what it says may not be what its owner wrote.
    pub(crate) weak: bool,
}

pub(crate) fn read_policy(path: &Path) -> Result<Read, Fault> {
    read_policy_bytes(path, &machine::read(path, MAX_BYTES as u64)?)
}

/// The same for bytes that were read from there already.
pub(crate) fn read_policy_bytes(path: &Path, bytes: &[u8]) -> Result<Read, Fault> {
    let shown = path.display().to_string();
    let file = parse(bytes, &shown).map_err(Fault::refused)?;
    let real = machine::canonical(path).ok_or_else(|| Fault::Refused(format!("{shown}: is gone")))?;
    let base = real.parent().unwrap_or(Path::new("/")).to_path_buf();
    let weak = machine::world_writable(&machine::open(path)?);
    Ok(Read { file, real, base, shown, weak })
}

impl Read {
    /// The table for a component: the one asked for, the one that names the component, the one called like it, or the only one. None
    /// where the file has no tables at all: then nothing is granted.
    pub(crate) fn entry(
        &self,
        tool: Option<&str>,
        component: Option<&Path>,
    ) -> Result<Option<(&str, &ToolEntry)>, Fault> {
        let tools = &self.file.tools;
        let refuse = |why: String| Fault::Refused(format!("{}: {why}", self.shown));
        if let Some(name) = tool {
            let found = tools.get_key_value(name).map(|(name, entry)| (name.as_str(), entry));
            return found.map(Some).ok_or_else(|| refuse(format!("there is no [tool.{name}]")));
        }
        if tools.is_empty() {
            return Ok(None);
        }
        let mut candidates = tools.iter().map(|(name, entry)| (name.as_str(), entry));
        if let Some(component) = component {
            let real = machine::canonical(component);
            let is_it = |named: &str| machine::canonical(&self.base.join(named)) == real;
            if let Some(found) = candidates.clone().find(|(_, e)| e.component.as_deref().is_some_and(is_it)) {
                return Ok(Some(found));
            }
            let stem = component.file_stem().and_then(|s| s.to_str());
            if let Some(found) = candidates.clone().find(|(name, e)| e.component.is_none() && Some(*name) == stem) {
                return Ok(Some(found));
            }
        }
        match (candidates.next(), candidates.next()) {
            (Some((name, entry)), None) if entry.component.is_none() || component.is_none() => Ok(Some((name, entry))),
            (Some((name, _)), None) => Err(refuse(format!("[tool.{name}] is for another component"))),
            _ if component.is_some() => Err(refuse("none of its [tool.NAME] tables is for this component".to_owned())),
            _ => Err(refuse("it has several tables; choose one with --tool".to_owned())),
        }
    }

    /// A path that is written in the file.
    pub(crate) fn beside(&self, written: &str) -> PathBuf {
        self.base.join(written)
    }

    pub(crate) fn layer(&self, name: &str) -> Option<Layer> {
        self.file.layer(name, self.base.clone())
    }
}

/// Builds the policy: the file first, then what was granted besides, then the flags.
pub(crate) fn build(layers: impl IntoIterator<Item = Layer>, flags: RawGrants) -> Result<Policy, Fault> {
    build_remembering(layers, flags).map(|(policy, _)| policy)
}

/// The same, with what it was built from.
pub(crate) fn build_remembering(
    layers: impl IntoIterator<Item = Layer>,
    flags: RawGrants,
) -> Result<(Policy, Grounds), Fault> {
    let flags = Layer { raw: flags, base: machine::working_directory()?, origin: Origin::Flags };
    let layers: Vec<Layer> = layers.into_iter().chain([flags]).collect();
    let host = Remembering::new(&Machine);
    let policy = Policy::build(&layers, &host).map_err(Fault::refused)?;
    let host = host.seen(&policy);
    // Who can write the roots decides who may pass for an origin.
    if let Some(roots) = policy.net().tls_roots() {
        refuse_self_reference(&policy, "the file of --tls-roots", roots)?;
    }
    Ok((policy, Grounds { layers, host }))
}

/// Files of the program that a tool must not be able to change. Who grants the whole file system grants these too.
pub(crate) fn refuse_self_reference(policy: &Policy, what: &str, real: &Path) -> Result<(), Fault> {
    match policy.covers_writable(real) {
        None => Ok(()),
        Some(mount) if mount.host == Path::new("/") => Ok(()),
        Some(mount) => Err(Fault::Refused(format!(
            "{what} {} lies inside {}: the tool could change it",
            real.display(),
            mount.rule
        ))),
    }
}
