//! What a run said and left.

use super::{hex, program};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

pub struct Run {
    /// The exit code; negative for a signal.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// stdout as JSON; null where it is not.
    pub json: Value,
    /// The records of the ledger.
    pub ledger: Vec<Value>,
    ledger_text: String,
}

impl Run {
    pub(super) fn new(output: Output, ledger: Option<&Path>) -> Run {
        use std::os::unix::process::ExitStatusExt as _;
        let code = output.status.code().unwrap_or_else(|| -output.status.signal().unwrap_or(1));
        let stdout = String::from_utf8(output.stdout).expect("stdout is UTF-8");
        let stderr = String::from_utf8(output.stderr).expect("stderr is UTF-8");
        let json = serde_json::from_str(&stdout).unwrap_or(Value::Null);
        let ledger_text = ledger.and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
        let ledger_text = String::from_utf8(ledger_text).expect("the ledger is UTF-8");
        let ledger = ledger_text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Run { code, stdout, stderr, json, ledger, ledger_text }
    }

    /// What holds for every run.
    pub(super) fn check(&self, outside: &str, ledger: Option<&Path>) {
        assert!((0..=4).contains(&self.code), "the program failed ({}): {self}", self.code);
        // What a guest says stands behind the word "stderr".
        assert!(!self.stderr.lines().any(|line| line.starts_with("thread '")), "the program panicked: {self}");
        self.never_shows(outside);
        if let Some(path) = ledger.filter(|path| path.exists()) {
            assert_eq!(self.ledger.len(), self.ledger_text.lines().count(), "each line is one JSON object: {self}");
            let verified = Command::new(program()).env_clear().arg("verify").arg(path).output().unwrap();
            let said = String::from_utf8_lossy(&verified.stdout);
            assert!(verified.status.success() && said.starts_with("ok"), "verify says {said}: {self}");
        }
    }

    /// The text is in nothing that was said or recorded, nor its hex form.
    pub fn never_shows(&self, secret: &str) {
        for form in [secret.to_owned(), hex(secret.as_bytes())] {
            for (place, text) in [("stdout", &self.stdout), ("stderr", &self.stderr), ("ledger", &self.ledger_text)] {
                assert!(!text.contains(&form), "{secret} is in {place}: {self}");
            }
        }
    }

    pub fn exits(&self, code: i32) -> &Run {
        assert_eq!(self.code, code, "exit code: {self}");
        self
    }

    /// How the call ended, and by which limit where it was one: `returned`, `limit time`.
    pub fn ending(&self) -> String {
        let text = |key: &str| self.json["ending"][key].as_str().map(str::to_owned);
        let kind = text("kind").unwrap_or_else(|| panic!("there is no ending: {self}"));
        text("limit").map_or(kind.clone(), |limit| format!("{kind} {limit}"))
    }

    /// The outcomes of a puppet's script.
    pub fn outcomes(&self) -> Vec<Value> {
        let text = self.json["result"]["structuredContent"]["result"].as_str();
        let text = text.unwrap_or_else(|| panic!("the script gave no outcomes: {self}"));
        serde_json::from_str(text).unwrap()
    }

    /// `ok` or the error of each operation of a puppet's script.
    pub fn said(&self) -> Vec<String> {
        let word = |outcome: &Value| match outcome["ok"].as_bool() {
            Some(true) => "ok".to_owned(),
            _ => outcome["error"].as_str().unwrap_or("?").to_owned(),
        };
        self.outcomes().iter().map(word).collect()
    }

    /// The denials, as `capability code requested`, with ` -> resolved` where that is known and another.
    pub fn denials(&self) -> Vec<String> {
        let rows = self.json["denials"].as_array().unwrap_or_else(|| panic!("there are no denials: {self}"));
        rows.iter()
            .map(|row| {
                let text = |key: &str| row[key].as_str().unwrap_or_default();
                let (requested, resolved) = (text("requested"), text("resolved"));
                let end = if resolved.is_empty() || resolved == requested {
                    String::new()
                } else {
                    format!(" -> {resolved}")
                };
                format!("{} {} {requested}{end}", text("capability"), text("code"))
            })
            .collect()
    }

    /// Exactly these were denied, in this order.
    pub fn denied(&self, rows: &[&str]) -> &Run {
        assert_eq!(self.denials(), rows, "denials: {self}");
        self
    }

    /// The sources, as `kind name`.
    pub fn sources(&self) -> Vec<String> {
        self.crossed("sources")
    }

    /// The sinks, as `kind name`.
    pub fn sinks(&self) -> Vec<String> {
        self.crossed("sinks")
    }

    fn crossed(&self, way: &str) -> Vec<String> {
        let rows = self.json[way].as_array().unwrap_or_else(|| panic!("there are no {way}: {self}"));
        rows.iter().map(|row| format!("{} {}", row["kind"].as_str().unwrap(), row["name"].as_str().unwrap())).collect()
    }

    /// The ledger's access records of one capability.
    pub fn accesses(&self, capability: &str) -> Vec<&Value> {
        self.ledger.iter().filter(|r| r["event"] == "access" && r["cap"] == capability).collect()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut = |text: &str| text.chars().take(2_000).collect::<String>();
        write!(
            f,
            "\nexit {}\n--- stdout\n{}\n--- stderr\n{}\n--- ledger\n{}",
            self.code,
            cut(&self.stdout),
            cut(&self.stderr),
            cut(&self.ledger_text)
        )
    }
}
