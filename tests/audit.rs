//! `customs audit`: what it says of guests that are honest and of guests that are not, that it says the same twice, and that it leaves no trace.

mod guests;
mod honesty;
mod policy;
mod tellings;
mod triggers;

use crate::support::{Run, World, guest};
use serde_json::Value;

/// What an audit said, as JSON.
pub struct Audit {
    pub run: Run,
}

/// Audits a guest with few inputs, which is enough for what these tests ask.
pub fn audit(world: &World, name: &str, more: &[&str]) -> Audit {
    let component = guest(name);
    let mut arguments = vec!["audit", component.to_str().unwrap(), "-o", "json"];
    if !more.contains(&"--inputs") {
        arguments.extend(["--inputs", "30"]);
    }
    // A machine that is busy with other tests must not decide what is seen.
    if !more.contains(&"--timeout") {
        arguments.extend(["--timeout", "20s"]);
    }
    if !more.contains(&"--time") {
        arguments.extend(["--time", "10m"]);
    }
    arguments.extend(more);
    Audit { run: world.customs(&arguments).run() }
}

impl Audit {
    pub fn score(&self) -> u64 {
        self.run.json["score"].as_u64().unwrap_or_else(|| panic!("no score: {}", self.run))
    }

    pub fn word(&self) -> &str {
        self.run.json["verdict"]["word"].as_str().unwrap()
    }

    pub fn issues(&self) -> &[Value] {
        self.run.json["issues"].as_array().unwrap()
    }

    /// `rule severity subject` of every issue that is about a tool.
    pub fn told(&self) -> Vec<String> {
        let word = |issue: &Value, key: &str| issue[key].as_str().unwrap_or_default().to_owned();
        let rows = self.issues().iter().filter(|issue| !issue["tool"].is_null());
        rows.map(|issue| format!("{} {} {}", word(issue, "rule"), word(issue, "severity"), word(issue, "subject")))
            .collect()
    }

    /// The issue of a rule whose subject has this in it.
    pub fn issue(&self, rule: &str, subject: &str) -> &Value {
        let found = self
            .issues()
            .iter()
            .find(|issue| issue["rule"] == rule && issue["subject"].as_str().unwrap().contains(subject));
        found.unwrap_or_else(|| panic!("no {rule} about {subject}: {:#?}", self.told()))
    }

    pub fn has(&self, rule: &str) -> bool {
        self.issues().iter().any(|issue| issue["rule"] == rule)
    }

    /// Nothing grave was said of any tool.
    pub fn is_quiet(&self) -> &Audit {
        let grave = |issue: &&Value| issue["severity"] != "low" && issue["severity"] != "info";
        let grave: Vec<&Value> = self.issues().iter().filter(grave).collect();
        assert!(grave.is_empty(), "{grave:#?}");
        let leaked = self.decoys().into_iter().filter(|one| one["leaked"] != 0).count();
        assert_eq!(leaked, 0, "{}", self.run);
        self
    }

    pub fn decoys(&self) -> Vec<&Value> {
        let of = |key: &str| self.run.json["decoys"][key].as_array().unwrap().iter();
        of("files").chain(of("variables")).collect()
    }

    /// The evidence of an issue, as one text.
    pub fn evidence(issue: &Value) -> String {
        issue["evidence"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>().join("; ")
    }
}
