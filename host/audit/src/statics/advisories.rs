//! Known holes of what components are made with, from a short list that comes with the program. Nobody is asked.

use super::Producer;
use crate::severity::Severity;
use serde_json::Value;
use std::sync::OnceLock;

const LIST: &str = include_str!("../../data/advisories.json");

/// One hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// Its public number.
    pub id: String,
    /// How bad it is for a component: most holes of a standard library need a host.
    pub severity: Severity,
    /// What it is, as one sentence.
    pub what: String,
    /// Where it is described.
    pub url: String,
    producer: String,
    from: Vec<u64>,
    fixed: Vec<u64>,
}

/// The list. A test makes sure that all of it is read.
fn list() -> &'static [Advisory] {
    static LISTED: OnceLock<Vec<Advisory>> = OnceLock::new();
    LISTED.get_or_init(|| {
        let list: Value = serde_json::from_str(LIST).unwrap_or_default();
        list.get("advisories").and_then(Value::as_array).into_iter().flatten().filter_map(read).collect()
    })
}

fn read(entry: &Value) -> Option<Advisory> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    Some(Advisory {
        id: text("id")?.to_owned(),
        severity: match text("severity")? {
            "low" => Severity::Low,
            "medium" => Severity::Medium,
            "high" => Severity::High,
            _ => Severity::Info,
        },
        what: text("what")?.to_owned(),
        url: text("url")?.to_owned(),
        producer: text("producer")?.to_owned(),
        from: version(text("from")?)?,
        fixed: version(text("fixed")?)?,
    })
}

/// The advisories that a producer's version falls under. A version that can't be read falls under none.
pub(crate) fn of(producer: &Producer) -> impl Iterator<Item = &'static Advisory> {
    let name = producer.name.to_ascii_lowercase();
    let version = version(&producer.version);
    list().iter().filter(move |advisory| {
        advisory.producer == name
            && version.as_ref().is_some_and(|version| *version >= advisory.from && *version < advisory.fixed)
    })
}

/// `1.81.0 (eeb90cda1 2024-09-04)`, `go1.21.3`, `v2.0`: the numbers at the start.
fn version(text: &str) -> Option<Vec<u64>> {
    let text = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let numbers: Option<Vec<u64>> =
        text.get(..end)?.trim_end_matches('.').split('.').map(|part| part.parse().ok()).collect();
    numbers.filter(|numbers| !numbers.is_empty() && numbers.len() <= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, version: &str) -> Vec<&'static str> {
        let producer = Producer { role: "language".to_owned(), name: name.to_owned(), version: version.to_owned() };
        of(&producer).map(|advisory| advisory.id.as_str()).collect()
    }

    #[test]
    fn advisories_are_all_read_and_say_where_they_are_from() {
        let raw: Value = serde_json::from_str(LIST).expect("it is JSON");
        assert_eq!(raw["advisories"].as_array().expect("a list").len(), list().len());
        assert!(raw["source"].is_string() && raw["date"].is_string());
        for advisory in list() {
            assert!(advisory.url.starts_with("https://") && advisory.from < advisory.fixed, "{advisory:?}");
        }
    }

    #[test]
    fn advisory_holds_below_the_fixed_version_and_not_from_it_on() {
        assert!(told("rustc", "1.51.0 (2fd73fabe 2021-03-23)").contains(&"CVE-2020-36323"));
        assert!(!told("rustc", "1.52.0 (88f19c6da 2021-05-03)").contains(&"CVE-2020-36323"));
        assert!(told("rustc", "1.95.0").is_empty());
        assert!(told("rustc", "nightly").is_empty());
        assert!(told("another", "1.0.0").is_empty());
    }
}
