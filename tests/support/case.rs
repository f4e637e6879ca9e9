//! Cases that are data. A file in `fixtures/cases` is a list of them:
//!
//! ```toml
//! [defaults]                                 # for the cases that do not say otherwise
//! flags = ["--allow-write={work}::/box"]
//!
//! [[case]]
//! name = "open_dotdot_above_the_grant_is_denied"   # the promise
//! id = 1                                     # the threat it stands for
//! script = [{ op = "open", dir = "/box", path = "../outside/canary" }]
//! said = ["not-permitted"]                   # ok, or the error, of each operation
//! denied = ["fs.read path-escape /box/../outside/canary"]
//! twin = { script = [{ op = "open", dir = "/box", path = "a/../f" }] }
//! ```
//!
//! Every key of [`Act`] may stand in a case, and again in its twin, which is the case with something changed and which is allowed: by default
//! all of its operations are ok and nothing is denied. A case that denies needs a twin. The world is compared before and after: what is not
//! in `changed` must be what it was, to the inode and the time.

use super::{Run, World, checkout, guest};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    defaults: Act,
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    id: u32,
    #[serde(flatten)]
    act: Act,
    twin: Option<Act>,
}

/// What is done and what is expected. Texts are filled (see [`World::fill`]).
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// Files to be added to the world, with their content.
    files: Option<BTreeMap<String, String>>,
    dirs: Option<Vec<String>>,
    /// Links to be added: name and target.
    links: Option<BTreeMap<String, String>>,
    /// The program's environment.
    env: Option<BTreeMap<String, String>>,
    flags: Option<Vec<String>>,
    /// A guest other than the puppet, with its tool and arguments.
    guest: Option<String>,
    tool: Option<String>,
    args: Option<Value>,
    /// What the puppet does.
    script: Option<Vec<Value>>,
    exit: Option<i32>,
    /// As [`Run::ending`] says it.
    ending: Option<String>,
    /// `ok` or the error of each operation; all `ok` where it is left out.
    said: Option<Vec<String>>,
    /// The values of some operations, by index.
    values: Option<BTreeMap<String, Value>>,
    /// All denials, as [`Run::denials`] says them.
    denied: Option<Vec<String>>,
    /// Sources and sinks that are there, as `kind name`.
    sources: Option<Vec<String>>,
    sinks: Option<Vec<String>>,
    /// Texts in stdout.
    shows: Option<Vec<String>>,
    /// Texts in stderr.
    tells: Option<Vec<String>>,
    /// Texts in nothing that was said or recorded.
    hides: Option<Vec<String>>,
    /// What of the world may be another afterwards.
    changed: Option<Vec<String>>,
    /// What some files hold afterwards.
    after: Option<BTreeMap<String, String>>,
}

macro_rules! over {
    ($above:expr, $below:expr, $($key:ident)*) => { Act { $($key: $above.$key.clone().or_else(|| $below.$key.clone())),* } };
}

impl Act {
    /// This act, with what it does not say taken from another.
    fn over(&self, below: &Act) -> Act {
        over!(self, below, files dirs links env flags guest tool args script exit ending said values denied sources sinks shows tells hides
            changed after)
    }

    /// What a twin takes from its case: everything but what was expected of it.
    fn as_twin(&self) -> Act {
        Act {
            exit: None,
            ending: None,
            said: None,
            values: None,
            denied: None,
            sources: None,
            sinks: None,
            shows: None,
            tells: None,
            hides: None,
            changed: None,
            after: None,
            ..self.clone()
        }
    }

    fn play(&self) {
        let world = World::new();
        for dir in self.dirs.iter().flatten() {
            world.dir(dir);
        }
        for (path, content) in self.files.iter().flatten() {
            world.write(path, world.fill(content));
        }
        for (path, target) in self.links.iter().flatten() {
            world.link(path, target);
        }
        world.dir("ledgers");
        let changed: Vec<String> = self.changed.iter().flatten().cloned().chain(["ledgers".to_owned()]).collect();
        let before = world.tree("").without(&changed);

        let flags: Vec<&str> = self.flags.iter().flatten().map(String::as_str).collect();
        let mut customs = match (&self.guest, &self.script) {
            (None, Some(script)) => world.script(&flags, json!(script)),
            (Some(name), None) => {
                let args: Value =
                    serde_json::from_str(&world.fill(&self.args.clone().unwrap_or(json!({})).to_string())).unwrap();
                world.run(&guest(name), self.tool.as_deref().unwrap_or("run"), &args, &flags)
            }
            _ => panic!("a case has a script or a guest"),
        };
        for (name, value) in self.env.iter().flatten() {
            customs = customs.env(name, world.fill(value));
        }
        let run = customs.run();
        self.judge(&world, &run);
        let differences = before.differences(&world.tree("").without(&changed));
        assert!(differences.is_empty(), "the world changed: {differences:#?}{run}");
    }

    fn judge(&self, world: &World, run: &Run) {
        let filled = |texts: &Option<Vec<String>>| texts.iter().flatten().map(|t| world.fill(t)).collect::<Vec<_>>();
        run.exits(self.exit.unwrap_or(0));
        if let Some(ending) = &self.ending {
            assert_eq!(&run.ending(), ending, "{run}");
        }
        if self.script.is_some()
            && self.ending.as_deref().is_none_or(|e| e == "returned")
            && self.exit.unwrap_or(0) == 0
        {
            let said = run.said();
            match self.said.as_deref() {
                None => assert!(said.iter().all(|word| word == "ok"), "everything is ok: {said:?}{run}"),
                Some(expected) => assert_eq!(said, expected, "{run}"),
            }
            let outcomes = run.outcomes();
            for (at, expected) in self.values.iter().flatten() {
                let expected: Value = serde_json::from_str(&world.fill(&expected.to_string())).unwrap();
                let outcome = &outcomes[at.parse::<usize>().unwrap()]["value"];
                assert!(holds(outcome, &expected), "value {at} is {outcome}, not {expected}{run}");
            }
        }
        if run.json["denials"].is_array() {
            assert_eq!(run.denials(), filled(&self.denied), "denials: {run}");
        }
        for source in filled(&self.sources) {
            assert!(run.sources().contains(&source), "no source {source}: {run}");
        }
        for sink in filled(&self.sinks) {
            assert!(run.sinks().contains(&sink), "no sink {sink}: {run}");
        }
        for text in filled(&self.shows) {
            assert!(run.stdout.contains(&text), "stdout does not have {text:?}: {run}");
        }
        for text in filled(&self.tells) {
            assert!(run.stderr.contains(&text), "stderr does not have {text:?}: {run}");
        }
        for text in filled(&self.hides) {
            run.never_shows(&text);
        }
        for (path, content) in self.after.iter().flatten() {
            let found = world.read(path);
            assert_eq!(String::from_utf8_lossy(&found), world.fill(content), "{path}: {run}");
        }
    }
}

/// An object holds what is expected where each key of it does; everything else is equal.
fn holds(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            expected.iter().all(|(key, expected)| value.get(key).is_some_and(|value| holds(value, expected)))
        }
        _ => value == expected,
    }
}

/// Plays all cases of `fixtures/cases/<group>.toml` and names those that fail. `ids` are the threats that it must have a case for.
pub fn play(group: &str, ids: &[u32]) {
    let path = checkout().join("fixtures/cases").join(format!("{group}.toml"));
    let file: File = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{group}: {e}"));
    for id in ids {
        assert!(file.case.iter().any(|case| case.id == *id), "{group} has no case for {id}");
    }
    let failures = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = file.case.get(next.fetch_add(1, Ordering::Relaxed)) {
                    failures.lock().unwrap().extend(play_one(case, &file.defaults));
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), file.case.len(), failures.join("\n\n"));
}

fn play_one(case: &Case, defaults: &Act) -> Vec<String> {
    let act = case.act.over(defaults);
    let denies = act.denied.as_ref().is_some_and(|rows| !rows.is_empty());
    if denies && case.twin.is_none() {
        return vec![format!("{}: it denies and has no twin", case.name)];
    }
    let twin = case.twin.as_ref().map(|twin| ("its twin", twin.over(&case.act.as_twin()).over(&defaults.as_twin())));
    [("the case", act)]
        .into_iter()
        .chain(twin)
        .filter_map(|(which, act)| {
            let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act.play()));
            played.err().map(|panic| {
                let why = panic.downcast_ref::<String>().cloned();
                let why = why.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                format!("== {} ({}), {which}: {}", case.name, case.id, why.unwrap_or_default())
            })
        })
        .collect()
}
