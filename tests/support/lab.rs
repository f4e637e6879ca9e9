//! A call of the puppet in this process, with a resolver of the test's own: where it matters who was asked for a name.

use super::inside::Inside;
use super::resolver::FakeResolver;
use customs_boundary::network::{Network, Peer, Secrets, Tls};
use customs_engine::{Program, Report};
use customs_ledger::verify;
use customs_policy::file::parse;
use customs_policy::{Layer, Policy};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

pub struct Lab {
    inside: Inside,
    puppet: Arc<Program>,
    pub resolver: Arc<FakeResolver>,
    /// The variables that secrets are taken from.
    secrets: Vec<(String, String)>,
    roots: Option<rustls::RootCertStore>,
    /// Answers in place of everything outside.
    peer: Option<Arc<dyn Peer>>,
}

/// What a call said and left. The ledger has been verified.
pub struct Call {
    pub report: Report,
    pub ledger: Vec<Value>,
    text: String,
}

impl Lab {
    /// The table is that of [`FakeResolver::new`].
    pub fn new(answers: &[(&str, &[&str])]) -> Lab {
        let inside = Inside::new();
        let (puppet, _) = inside.program("puppet");
        let resolver = Arc::new(FakeResolver::new(answers));
        Lab { inside, puppet, resolver, secrets: Vec::new(), roots: None, peer: None }
    }

    pub fn secret(mut self, name: &str, value: &str) -> Lab {
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn answered_by(mut self, peer: Arc<dyn Peer>) -> Lab {
        self.peer = Some(peer);
        self
    }

    pub fn trusting(mut self, roots: rustls::RootCertStore) -> Lab {
        self.roots = Some(roots);
        self
    }

    /// Runs a script. The flags are those of the command line; each has a value, a switch `true`.
    pub fn perform(&self, flags: &[&str], script: Value) -> Call {
        self.perform_with(flags, |_| script)
    }

    /// The same with a script that uses what stands for secrets, by the name of the variable.
    pub fn perform_with(&self, flags: &[&str], script: impl FnOnce(&BTreeMap<String, String>) -> Value) -> Call {
        let layer = layer(flags);
        let network = |policy: &Policy| {
            let value = |name: &str| self.secrets.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
            let secrets = Secrets::of(policy, value).unwrap();
            if let Some(peer) = &self.peer {
                return Network::answered_by(Arc::clone(peer), secrets);
            }
            let roots = self.roots.clone().unwrap_or_else(rustls::RootCertStore::empty);
            Network::new(Arc::clone(&self.resolver) as Arc<_>, Tls::trusting(move || Ok(roots.clone())), secrets)
        };
        let arguments = |network: &Network| {
            let pair = |(name, placeholder): (&str, &str)| (name.to_owned(), placeholder.to_owned());
            json!({"script": script(&network.secrets().placeholders().map(pair).collect()).to_string()})
        };
        let (report, bytes) = self.inside.call_under(&self.puppet, "perform", layer, network, arguments);
        let verdict = verify(bytes.as_slice(), None).unwrap().verdict;
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(verdict.as_str(), "ok", "{text}");
        let ledger = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let call = Call { report, ledger, text };
        // A secret is a value that the guest never holds: neither it nor any record of it can have it.
        for (_, value) in &self.secrets {
            assert!(
                !call.text.contains(value.as_str()) && !format!("{:?}", call.report.result).contains(value.as_str()),
                "{call}"
            );
            for source in &call.report.sources {
                assert!(
                    !contains(&source.content.kept, value.as_bytes()),
                    "{} {}: {call}",
                    source.kind.as_str(),
                    source.name
                );
            }
            for sink in &call.report.sinks {
                assert!(
                    !contains(&sink.content.kept, value.as_bytes()),
                    "{} {}: {call}",
                    sink.kind.as_str(),
                    sink.name
                );
            }
        }
        call
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Flags as a table of a policy file: the keys are the same.
fn layer(flags: &[&str]) -> Layer {
    let mut lists: Map<String, Value> = Map::new();
    let mut single = String::new();
    for flag in flags {
        let (key, value) = flag.strip_prefix("--").and_then(|flag| flag.split_once('=')).expect("--key=value");
        if value == "true" {
            single.push_str(&format!("{key} = true\n"));
        } else if key.starts_with("max-") || ["timeout", "fuel", "tls-roots"].contains(&key) {
            single.push_str(&format!("{key} = {}\n", json!(value)));
        } else {
            lists.entry(key).or_insert(json!([])).as_array_mut().unwrap().push(json!(value));
        }
    }
    let lists: String = lists.iter().map(|(key, values)| format!("{key} = {values}\n")).collect();
    let text = format!("[tool.puppet]\n{single}{lists}");
    parse(text.as_bytes(), "flags").unwrap().layer("puppet", PathBuf::from("/")).unwrap()
}

impl Call {
    /// The outcomes of the script.
    pub fn outcomes(&self) -> Vec<Value> {
        let result = self.report.result.as_ref().unwrap_or_else(|| panic!("no result: {self}"));
        let text = result.structured.as_ref().unwrap()["result"].as_str().unwrap();
        serde_json::from_str(text).unwrap()
    }

    /// `ok` or the error of each operation.
    pub fn said(&self) -> Vec<String> {
        let word = |outcome: &Value| match outcome["ok"].as_bool() {
            Some(true) => "ok".to_owned(),
            _ => outcome["error"].as_str().unwrap_or("?").to_owned(),
        };
        self.outcomes().iter().map(word).collect()
    }

    /// As [`super::Run::ending`] says it.
    pub fn ending(&self) -> String {
        let kind = self.report.ending.kind();
        self.report.ending.limit().map_or(kind.to_owned(), |limit| format!("{kind} {limit}"))
    }

    /// As [`super::Run::denials`] says them.
    pub fn denials(&self) -> Vec<String> {
        let row = |row: &customs_boundary::DenialRow| {
            let resolved = row.resolved.as_deref().filter(|resolved| *resolved != row.requested);
            let end = resolved.map_or_else(String::new, |resolved| format!(" -> {resolved}"));
            format!("{} {} {}{end}", row.capability.as_str(), row.code.as_str(), row.requested)
        };
        self.report.denials.iter().map(row).collect()
    }

    /// The sinks, as `kind name`.
    pub fn sinks(&self) -> Vec<String> {
        self.report.sinks.iter().map(|sink| format!("{} {}", sink.kind.as_str(), sink.name)).collect()
    }

    /// The sinks that a rule found something in, as `kind name`.
    pub fn found(&self, rule: &str) -> Vec<String> {
        let sink = |id: u64| self.report.sinks.iter().find(|sink| sink.id == id).unwrap();
        let findings =
            self.report.findings.iter().filter(|finding| finding.rule == rule).map(|finding| sink(finding.sink));
        findings.map(|sink| format!("{} {}", sink.kind.as_str(), sink.name)).collect()
    }

    /// The allowed accesses of one operation, by where they lead.
    pub fn led_to(&self, operation: &str) -> Vec<String> {
        let allowed = self.ledger.iter().filter(|r| r["op"] == operation && r["decision"] == "allow");
        allowed.map(|r| r["resolved"].as_str().or(r["requested"].as_str()).unwrap().to_owned()).collect()
    }
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{:?}\n{:?}\n--- ledger\n", self.report.ending, self.report.result)?;
        self.ledger.iter().take(60).try_for_each(|record| writeln!(f, "{record}"))
    }
}
