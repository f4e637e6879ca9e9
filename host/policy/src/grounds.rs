//! What a policy was built from, kept so that it can be built again without the machine: the layers as written, and what the host said.

use crate::file::tool::places;
use crate::policy::Policy;
use crate::raw::{HostView, Layer, Lines, Origin, PathKind, RawFlow, RawGrants, RawLimits};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A path, and what the host said of it.
pub type Said = (PathBuf, Result<(PathBuf, PathKind), String>);

/// What the host was asked, and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenHost {
    /// In the order of the paths.
    pub canonical: Vec<Said>,
    /// The variables that the policy uses, and no others.
    pub env: Vec<(OsString, OsString)>,
    pub home: Option<PathBuf>,
}

impl HostView for SeenHost {
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
        let found = self.canonical.iter().find(|(asked, _)| asked == path);
        found.map_or_else(|| Err("no such file or directory".to_owned()), |(_, said)| said.clone())
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        self.env.clone()
    }

    fn home(&self) -> Option<PathBuf> {
        self.home.clone()
    }
}

/// What a host says of a path.
type Answer = Result<(PathBuf, PathKind), String>;

/// Asks a host and remembers what it said.
pub struct Remembering<'h> {
    host: &'h dyn HostView,
    canonical: RefCell<BTreeMap<PathBuf, Answer>>,
}

impl std::fmt::Debug for Remembering<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembering").finish_non_exhaustive()
    }
}

impl<'h> Remembering<'h> {
    #[must_use]
    pub fn new(host: &'h dyn HostView) -> Remembering<'h> {
        Remembering { host, canonical: RefCell::default() }
    }

    /// What was said, with those variables that `policy` uses: the others are nobody's business.
    #[must_use]
    pub fn seen(&self, policy: &Policy) -> SeenHost {
        let used = |name: &OsStr| {
            policy.env().iter().any(|v| v.from_host && v.name.as_bytes() == name.as_bytes())
                || policy.env_skipped().iter().any(|skipped| *skipped == name.to_string_lossy())
        };
        let canonical = self.canonical.borrow().iter().map(|(path, said)| (path.clone(), said.clone())).collect();
        let env = self.host.env().into_iter().filter(|(name, _)| used(name)).collect();
        SeenHost { canonical, env, home: self.host.home() }
    }
}

impl HostView for Remembering<'_> {
    fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
        let said = self.host.canonical(path);
        self.canonical.borrow_mut().insert(path.to_owned(), said.clone());
        said
    }

    fn env(&self) -> Vec<(OsString, OsString)> {
        self.host.env()
    }

    fn home(&self) -> Option<PathBuf> {
        self.host.home()
    }
}

const SWITCHES: [&str; 5] = ["deny-clock", "deny-random", "dangerously-allow", "allow-all", "trace"];

impl Layer {
    /// The layer as plain lists of texts, by key. [`Layer::from_written`] reads them.
    #[must_use]
    pub fn written(&self) -> Vec<(String, Vec<String>)> {
        let mut all = Vec::new();
        let mut raw = self.raw.clone();
        for key in RawGrants::KEYS {
            if let Some(list) = self.raw.list(key).filter(|list| !list.is_empty()) {
                all.push(((*key).to_owned(), list.to_vec()));
            }
        }
        for key in SWITCHES {
            if raw.switch_slot(key).is_some_and(|switch| *switch) {
                all.push((key.to_owned(), Vec::new()));
            }
        }
        for key in RawLimits::KEYS {
            if let Some(text) = self.raw.limits.get(key) {
                all.push((format!("limit {key}"), vec![text.to_owned()]));
            }
        }
        for flow in &self.raw.flow {
            all.push(("flow".to_owned(), vec![flow.from.clone(), flow.to.clone(), flow.action.clone()]));
        }
        all.push(("base".to_owned(), vec![hex(self.base.as_os_str().as_bytes())]));
        if let Origin::File { name, table, lines } = &self.origin {
            all.push(("origin".to_owned(), vec![name.clone(), table.clone()]));
            for (key, numbers) in &lines.0 {
                all.push((format!("line {key}"), numbers.iter().map(ToString::to_string).collect()));
            }
        }
        all
    }

    /// None where it is not what [`Layer::written`] writes.
    #[must_use]
    pub fn from_written(all: &[(String, Vec<String>)]) -> Option<Layer> {
        let mut layer = Layer { raw: RawGrants::default(), base: PathBuf::new(), origin: Origin::Flags };
        let mut lines = Lines::default();
        for (key, texts) in all {
            match (key.split_once(' '), key.as_str(), texts.as_slice()) {
                (Some(("limit", key)), _, [text]) => *layer.raw.limits.slot(key)? = Some(text.clone()),
                (Some(("line", key)), _, numbers) => {
                    let known = places().find(|one| *one == key)?;
                    lines.0.insert(known, numbers.iter().map(|n| n.parse().ok()).collect::<Option<_>>()?);
                }
                (None, "flow", [from, to, action]) => {
                    let rule = RawFlow { from: from.clone(), to: to.clone(), action: action.clone() };
                    layer.raw.flow.push(rule);
                }
                (None, "base", [base]) => layer.base = PathBuf::from(OsString::from_vec(unhex(base)?)),
                (None, "origin", [name, table]) => {
                    layer.origin = Origin::File { name: name.clone(), table: table.clone(), lines: Lines::default() };
                }
                (None, "tls-roots", [file]) => layer.raw.tls_roots = Some(file.clone()),
                (None, key, []) => *layer.raw.switch_slot(key)? = true,
                (None, key, texts) => *layer.raw.list_slot(key)? = texts.to_vec(),
                _ => return None,
            }
        }
        if let Origin::File { lines: place, .. } = &mut layer.origin {
            *place = lines;
        }
        Some(layer)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let pair = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(pair).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Table;

    impl HostView for Table {
        fn canonical(&self, path: &Path) -> Result<(PathBuf, PathKind), String> {
            match path.to_str() {
                Some("/w/data") => Ok((PathBuf::from("/real/data"), PathKind::Dir)),
                _ => Err("no such file or directory".to_owned()),
            }
        }

        fn env(&self) -> Vec<(OsString, OsString)> {
            vec![("KEY".into(), "value".into()), ("OTHER".into(), "private".into())]
        }

        fn home(&self) -> Option<PathBuf> {
            Some(PathBuf::from("/home/me"))
        }
    }

    #[test]
    fn a_policy_built_from_what_was_remembered_is_the_same_and_holds_no_other_variable() {
        let raw = RawGrants {
            allow_read: vec!["data".to_owned()],
            allow_env: vec!["KEY".to_owned(), "ABSENT".to_owned()],
            env: vec!["A=1".to_owned()],
            deny_read: vec!["data/private".to_owned()],
            flow: vec![RawFlow { from: "secret".to_owned(), to: "*".to_owned(), action: "warn".to_owned() }],
            deny_clock: true,
            trace: true,
            limits: RawLimits { timeout: Some("5s".to_owned()), ..RawLimits::default() },
            ..RawGrants::default()
        };
        let mut lines = Lines::default();
        lines.0.extend([("component", vec![2]), ("allow-read", vec![3]), ("flow.from", vec![5])]);
        let origin = Origin::File { name: "customs.toml".to_owned(), table: "tool.t".to_owned(), lines };
        let layers = [Layer { raw, base: PathBuf::from("/w"), origin }];
        let host = Remembering::new(&Table);
        let policy = Policy::build(&layers, &host).unwrap();
        let seen = host.seen(&policy);
        assert_eq!(seen.env, [(OsString::from("KEY"), OsString::from("value"))]);
        let again = Layer::from_written(&layers[0].written()).unwrap();
        assert_eq!((&again.raw, &again.base, &again.origin), (&layers[0].raw, &layers[0].base, &layers[0].origin));
        let rebuilt = Policy::build(&[again], &seen).unwrap();
        assert_eq!((rebuilt.digest(), rebuilt.traces()), (policy.digest(), true));
        assert_eq!((rebuilt.grants(), rebuilt.env()), (policy.grants(), policy.env()));
        assert_eq!(rebuilt.mounts().first().map(|m| m.rule.clone()), policy.mounts().first().map(|m| m.rule.clone()));
    }

    #[test]
    fn what_is_not_a_written_layer_is_none() {
        for (key, texts) in
            [("nonsense", vec!["x"]), ("limit x", vec!["1"]), ("line x", vec!["1"]), ("base", vec!["0g"])]
        {
            let texts = texts.into_iter().map(str::to_owned).collect();
            assert!(Layer::from_written(&[(key.to_owned(), texts)]).is_none(), "{key}");
        }
    }
}
