//! What the person asked for: the policy that the tools are audited under, and what else is to be known before anything runs.

use crate::cli::Audit;
use crate::exit::Fault;
use crate::grants::{build, read_policy, refuse_self_reference};
use crate::{arguments, machine, output};
use customs_engine::load::read_component;
use customs_policy::{Layer, Origin, Policy, RawGrants};
use serde_json::{Map, Value};
use std::path::Path;

/// Bytes of `--args`.
const MAX_ARGUMENTS: u64 = 64 << 20;

#[derive(Debug)]
pub(super) struct Plan {
    /// As written: the policy file's table, the flags.
    pub(super) layers: Vec<Layer>,
    pub(super) given: Policy,
    pub(super) sha256: Option<[u8; 32]>,
    /// Whether a policy file pins the component; none where there is no policy file.
    pub(super) pinned: Option<bool>,
    /// The tools that the policy file exposes.
    pub(super) expose: Option<Vec<String>>,
    /// Arguments that the person knows to work.
    pub(super) arguments: Option<Map<String, Value>>,
    /// The policy of `--check`.
    pub(super) check: Option<Policy>,
    /// It is another one than the tools are audited under.
    pub(super) check_is_other: bool,
}

impl Plan {
    pub(super) fn make(args: &Audit) -> Result<Plan, Fault> {
        if args.grants.allow_all {
            return Err(Fault::Refused(
                "-A cannot be audited: nothing is left to see; grant what the tool should have, or nothing".to_owned(),
            ));
        }
        let mut layers = Vec::new();
        let (mut sha256, mut pinned, mut expose) = (None, None, None);
        // Without a policy of its own a component is audited under the one that it is checked against.
        if let Some(path) = args.policy.as_ref().or(args.check.as_ref()) {
            let read = read_policy(path)?;
            if read.weak {
                output::person(
                    "warning  others may write the policy file: whoever does decides what this tool may do\n",
                );
            }
            if let Some((name, entry)) = read.entry(None, Some(&args.component))? {
                (sha256, expose) = (entry.sha256, entry.expose.clone());
                layers.extend(read.layer(name));
            }
            pinned = Some(sha256.is_some());
        }
        if layers.iter().any(|layer| layer.raw.allow_all) {
            return Err(Fault::Refused(
                "the policy grants everything, and an audit of that would say nothing".to_owned(),
            ));
        }
        let flags = args.grants.raw(&args.limits);
        let given = build(layers.iter().cloned(), flags.clone())?;
        layers.push(Layer { raw: flags, base: machine::working_directory()?, origin: Origin::Flags });
        refuse_self_reference(&given, "this program", &machine::own_program()?)?;
        if let Some(real) = machine::canonical(&args.component) {
            refuse_self_reference(&given, "the component", &real)?;
        }
        for (what, path) in [("the policy file", &args.policy), ("the policy file of --check", &args.check)] {
            if let Some(real) = path.as_deref().and_then(machine::canonical) {
                refuse_self_reference(&given, what, &real)?;
            }
        }
        for warning in given.warnings() {
            output::person(&format!("warning  {}\n", crate::show::text::clean(warning)));
        }
        let check = args.check.as_deref().map(|path| checked(path, &args.component)).transpose()?;
        let arguments = args.args.as_deref().map(|text| arguments::object(text, MAX_ARGUMENTS)).transpose()?;
        if let Some(path) = &args.write_policy
            && let Some(real) = machine::canonical(path)
        {
            return Err(Fault::Refused(format!("{}: is there already", real.display())));
        }
        Ok(Plan { layers, given, sha256, pinned, expose, arguments, check, check_is_other: args.policy.is_some() })
    }

    pub(super) fn grants_anything(&self) -> bool {
        let policy = &self.given;
        !(policy.mounts().is_empty()
            && policy.env().is_empty()
            && policy.net().is_empty()
            && policy.net().secrets().is_empty())
    }
}

/// The policy of a file alone.
fn checked(path: &Path, component: &Path) -> Result<Policy, Fault> {
    let read = read_policy(path)?;
    let layer = read.entry(None, Some(component))?.and_then(|(name, _)| read.layer(name));
    build(layer, RawGrants::default())
}

/// The bytes that were compiled, to be looked at.
pub(super) fn bytes(path: &Path, sha256: [u8; 32]) -> Result<Vec<u8>, Fault> {
    let wasm = read_component(machine::open(path)?, &super::shown_name(path), Some(sha256)).map_err(Fault::refused)?;
    Ok(wasm.bytes().to_vec())
}
