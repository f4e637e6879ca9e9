//! The worlds that tools are run in, as policies. In all of them the clock and the random numbers are made up, so that the same audit twice
//! says the same; what may be changed is a copy; and what goes to the network is answered by the sinkhole.

use super::ground::Ground;
use super::sinkhole;
use crate::exit::Fault;
use crate::machine::Machine;
use customs_boundary::{Network, Roots};
use customs_policy::{Layer, Origin, Policy, RawGrants};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Time for one call unless a limit says otherwise. A tool that is asked a hundred times need not have the half minute of a single call.
const TIMEOUT: &str = "2s";
/// When the calls happen, unless a scenario says otherwise: Wednesday, 2026-03-04T10:00:00Z.
pub(super) const NOW: u64 = 1_772_618_400;

/// As granted: what the policy and the flags say.
pub(super) const GRANTED: &str = "granted";
pub(super) const NOTHING: &str = "nothing";
pub(super) const DECOYS: &str = "decoys";
pub(super) const LATER: &str = "later";
pub(super) const ELSEWHERE: &str = "elsewhere";
pub(super) const AGAIN: &str = "again";

/// What each scenario is, for a person.
pub(super) const ABOUT: [(&str, &str); 6] = [
    (GRANTED, "with the grants of the policy; what may be changed is a copy, the network is the sinkhole"),
    (NOTHING, "with no grants at all"),
    (DECOYS, "with the grants, a home and an environment full of decoys, and the sinkhole for every host"),
    (LATER, "the same on other days and at other hours"),
    (ELSEWHERE, "the same for another person, on another machine, in another language"),
    (AGAIN, "the same input again and again, with what the tool left behind"),
];

/// A policy with everything that a call under it needs.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    /// What is special about it, for evidence.
    pub(super) variant: String,
    pub(super) policy: Arc<Policy>,
    pub(super) roots: Arc<Roots>,
    pub(super) network: Arc<Network>,
}

/// What scenes are made of.
#[derive(Debug)]
pub(super) struct Scenery<'a> {
    /// As written: the policy file, the flags.
    pub(super) layers: &'a [Layer],
    /// What they come to.
    pub(super) given: &'a Policy,
    pub(super) ground: &'a Ground,
    /// Names and values of the decoys, and of the variables that every machine has.
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) empty: &'a std::fs::File,
}

impl Scenery<'_> {
    pub(super) fn granted(&self) -> Result<Scene, Fault> {
        let mut layers: Vec<Layer> = self.layers.iter().map(without_files).collect();
        layers.push(layer(RawGrants { dir: self.ground.grants_of_policy(self.given), ..RawGrants::default() }));
        self.scene(GRANTED, String::new(), layers, NOW)
    }

    pub(super) fn nothing(&self) -> Result<Scene, Fault> {
        let limits = |one: &Layer| Layer {
            raw: RawGrants { limits: one.raw.limits.clone(), ..RawGrants::default() },
            ..one.clone()
        };
        self.scene(NOTHING, String::new(), self.layers.iter().map(limits).collect(), NOW)
    }

    pub(super) fn decoys(&self) -> Result<Scene, Fault> {
        self.with_decoys(DECOYS, String::new(), &BTreeMap::new(), NOW)
    }

    /// The decoys at another time.
    pub(super) fn later(&self, variant: &str, seconds: u64) -> Result<Scene, Fault> {
        self.with_decoys(LATER, variant.to_owned(), &BTreeMap::new(), seconds)
    }

    /// The decoys with other variables.
    pub(super) fn elsewhere(&self, variant: &str, variables: &BTreeMap<String, String>) -> Result<Scene, Fault> {
        self.with_decoys(ELSEWHERE, variant.to_owned(), variables, NOW)
    }

    fn with_decoys(
        &self,
        name: &'static str,
        variant: String,
        others: &BTreeMap<String, String>,
        seconds: u64,
    ) -> Result<Scene, Fault> {
        let mut layers: Vec<Layer> = self.layers.iter().map(without_files).map(without_denials).collect();
        let mut dir = self.ground.grants_of_policy(self.given);
        dir.extend(self.ground.grants_of_laid(self.given));
        let taken = |name: &String| {
            self.given.env().iter().any(|held| held.name == *name)
                || self.given.env_absent().contains(name)
                || self.given.net().secrets().iter().any(|secret| secret.name == *name)
        };
        let mut variables = self.variables.clone();
        variables.extend(others.clone());
        let env = variables.iter().filter(|(name, _)| !taken(name)).map(|(name, value)| format!("{name}={value}"));
        layers.push(layer(RawGrants {
            dir,
            env: env.collect(),
            allow_net: vec!["https://*".to_owned(), "http://*".to_owned()],
            dangerously_allow: true,
            ..RawGrants::default()
        }));
        self.scene(name, variant, layers, seconds)
    }

    fn scene(&self, name: &'static str, variant: String, mut layers: Vec<Layer>, seconds: u64) -> Result<Scene, Fault> {
        if layers.iter().all(|one| one.raw.limits.timeout.is_none()) {
            let mut raw = RawGrants::default();
            raw.limits.timeout = Some(TIMEOUT.to_owned());
            layers.insert(0, layer(raw));
        }
        layers.push(layer(RawGrants { deny_clock: true, deny_random: true, ..RawGrants::default() }));
        let policy = Policy::build(&layers, &Machine).map_err(Fault::refused)?.starting_at(seconds);
        let roots = Roots::open(&policy, self.empty.try_clone().map_err(Fault::internal)?).map_err(Fault::refused)?;
        let network = sinkhole::network(&policy)?;
        Ok(Scene { name, variant, policy: Arc::new(policy), roots: Arc::new(roots), network: Arc::new(network) })
    }
}

fn layer(raw: RawGrants) -> Layer {
    Layer { raw, base: PathBuf::from("/"), origin: Origin::Flags }
}

/// What a layer says of anything but files that are there.
fn without_files(layer: &Layer) -> Layer {
    let raw = RawGrants { allow_read: Vec::new(), allow_write: Vec::new(), dir: Vec::new(), ..layer.raw.clone() };
    Layer { raw, ..layer.clone() }
}

fn without_denials(layer: Layer) -> Layer {
    let raw = RawGrants {
        deny_read: Vec::new(),
        deny_write: Vec::new(),
        deny_env: Vec::new(),
        deny_net: Vec::new(),
        ..layer.raw.clone()
    };
    Layer { raw, ..layer }
}
