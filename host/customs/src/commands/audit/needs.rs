//! What the calls under the policy needed of it, and what they wanted beyond another policy.

use super::plan::Plan;
use super::trial::Tried;
use crate::cli::Audit as Args;
use crate::commands::shown_name;
use crate::exit::Fault;
use crate::machine::{self, Machine};
use customs_policy::least::{Access, Measured, Options, beyond, of};
use customs_policy::{Capability, Policy};
use customs_report::audit::{Least, Missing};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Accesses of all calls that are kept for this.
pub(super) const MOST: usize = 300_000;

/// The accesses of one call under the policy.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Everything that was allowed, and what was refused, in order.
    pub(super) all: Vec<Access>,
    /// Those that no argument named, or that the person's own arguments did.
    pub(super) own: Vec<Access>,
    pub(super) left_out: u64,
}

impl Needs {
    pub(super) fn add(&mut self, accesses: Vec<Access>, is_own: impl Fn(&Access) -> bool) {
        for access in accesses {
            if self.all.len() >= MOST {
                self.left_out += 1;
                continue;
            }
            // Records of many ledgers together have no numbers.
            let access = Access { seq: 0, ..access };
            if is_own(&access) {
                self.own.push(access.clone());
            }
            self.all.push(access);
        }
    }
}

/// The least policy, as text and flags, and what could not be put into it.
pub(super) fn least(args: &Args, plan: &Plan, tried: &Tried) -> Result<(Least, Vec<String>), Fault> {
    let base = match &args.write_policy {
        Some(path) => machine::parent(path)?.2.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf),
        None => machine::working_directory()?,
    };
    let options = Options { base, generalize: false };
    // Environment and clock need no narrowing; a call's use of limits is not what a hundred odd inputs used.
    let found = of(&plan.given, &tried.needs.all, &Measured::default(), &options, &Machine).map_err(Fault::refused)?;
    let name = shown_name(&args.component);
    let table = Path::new(&name).file_stem().map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned());
    let notes = vec![
        format!(
            "The least that {name} needed in an audit with seed {}, {} inputs for each tool.",
            args.seed, args.inputs
        ),
        "A call that the audit did not make may need more.".to_owned(),
    ];
    let flags = found.flags().map_or_else(Vec::new, |flags| if flags.is_empty() { Vec::new() } else { vec![flags] });
    let cuts = found
        .unmet
        .iter()
        .map(|told| format!("no grant could be made for {} {}: {}", told.capability, told.requested, told.reason));
    Ok((Least { flags, file: found.toml(&table, &notes) }, cuts.collect()))
}

/// Writes the least policy to a new file.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Fault> {
    let (dir, name, _) = machine::parent(path)?;
    let refuse = |e: std::io::Error| Fault::Refused(format!("{}: {}", path.display(), machine::plain(&e)));
    let mut options = cap_std::fs::OpenOptions::new();
    let mut file = dir.open_with(&name, options.write(true).create_new(true)).map_err(refuse)?;
    file.write_all(text.as_bytes()).map_err(refuse)
}

/// What the calls wanted that the policy of `--check` does not grant, each once.
pub(super) fn missing(check: &Policy, plan: &Plan, tried: &Tried) -> Vec<Missing> {
    // Under a policy of its own everything that was allowed was needed; what only a made-up argument asked for was not.
    let accesses = tried.needs.all.iter().filter(|access| plan.check_is_other && access.denied.is_none());
    let accesses: Vec<Access> = accesses.chain(&tried.needs.own).filter(|access| tells(access)).cloned().collect();
    let mut all: Vec<Missing> = Vec::new();
    for one in beyond(check, &accesses, &Machine) {
        let row = Missing {
            capability: one.capability.as_str().to_owned(),
            target: one.requested,
            grant: one.suggestion.unwrap_or_default(),
        };
        let known = |other: &Missing| other.capability == row.capability && other.target == row.target;
        if !all.iter().any(known) {
            all.push(row);
        }
    }
    all
}

fn tells(access: &Access) -> bool {
    !matches!(
        access.capability,
        Capability::ClockRead | Capability::RandomRead | Capability::StdioRead | Capability::StdioWrite
    )
}
