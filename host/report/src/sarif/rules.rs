//! The rules that results name, and the public taxonomies that the rules belong to.
//!
//! There is no `helpUri`: SARIF wants an absolute address, and the documentation has none that lasts. What it says of a rule is in `help`.

use super::{level, message};
use crate::audit::audit_rules;
use crate::records::Name;
use crate::story::Found;
use crate::words::clean;
use customs_flow::Rule;
use customs_policy::DenialCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The rule of a ledger that is not sound.
pub(super) const LEDGER_RULE: &str = "CUS-LEDGER";

/// A public list of names for what can go wrong.
struct Taxonomy {
    name: &'static str,
    organization: &'static str,
    about: &'static str,
    uri: &'static str,
    /// What its ids begin with.
    prefix: &'static str,
    /// Where one of its ids is explained: what stands before the id and after it.
    page: Option<(&'static str, &'static str)>,
}

const TAXONOMIES: [Taxonomy; 5] = [
    Taxonomy {
        name: "CWE",
        organization: "MITRE",
        about: "Common Weakness Enumeration",
        uri: "https://cwe.mitre.org/",
        prefix: "CWE-",
        page: Some(("https://cwe.mitre.org/data/definitions/", ".html")),
    },
    Taxonomy {
        name: "ATLAS",
        organization: "MITRE",
        about: "Adversarial Threat Landscape for Artificial-Intelligence Systems",
        uri: "https://atlas.mitre.org/",
        prefix: "AML.",
        page: None,
    },
    Taxonomy {
        name: "OWASP MCP Top 10",
        organization: "OWASP",
        about: "The ten gravest risks of Model Context Protocol servers, 2025",
        uri: "https://owasp.org/www-project-mcp-top-10/",
        prefix: "MCP",
        page: None,
    },
    Taxonomy {
        name: "OWASP Agentic Top 10",
        organization: "OWASP",
        about: "The ten gravest risks of agentic applications",
        uri: "https://genai.owasp.org/",
        prefix: "ASI",
        page: None,
    },
    Taxonomy {
        name: "SAFE-MCP",
        organization: "SAFE-MCP",
        about: "Techniques against Model Context Protocol servers and their hosts",
        uri: "https://github.com/SAFE-MCP/safe-mcp",
        prefix: "SAFE-",
        page: None,
    },
];

/// The place of a taxon: of its taxonomy in the run, and its own in that.
fn place(id: &str) -> Option<(usize, usize)> {
    let at = TAXONOMIES.iter().position(|taxonomy| id.starts_with(taxonomy.prefix))?;
    let taxonomy = TAXONOMIES.get(at)?;
    Some((at, taxa(taxonomy).iter().position(|known| *known == id)?))
}

/// The ids of a taxonomy that a rule has, each once, in their order.
fn taxa(taxonomy: &Taxonomy) -> Vec<&'static str> {
    let all = customs_flow::rules().iter().flat_map(|rule| rule.taxa.iter().copied());
    let mut ids: Vec<&str> = all.filter(|id| id.starts_with(taxonomy.prefix)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The taxonomies of a run, each with the ids that are used.
pub(super) fn taxonomies() -> Vec<Value> {
    let of = |taxonomy: &Taxonomy| {
        let taxon = |id: &str| {
            let mut taxon = json!({"id": id});
            if let (Some((before, after)), Some(members)) = (taxonomy.page, taxon.as_object_mut()) {
                let bare = id.strip_prefix(taxonomy.prefix).unwrap_or(id);
                members.insert("helpUri".to_owned(), json!(format!("{before}{bare}{after}")));
            }
            taxon
        };
        json!({
            "name": taxonomy.name,
            "organization": taxonomy.organization,
            "shortDescription": {"text": taxonomy.about},
            "informationUri": taxonomy.uri,
            "isComprehensive": false,
            "taxa": taxa(taxonomy).into_iter().map(taxon).collect::<Vec<_>>(),
        })
    };
    TAXONOMIES.iter().map(of).collect()
}

/// What the driver says of the taxonomies that it knows.
pub(super) fn references() -> Vec<Value> {
    TAXONOMIES.iter().enumerate().map(|(index, taxonomy)| json!({"name": taxonomy.name, "index": index})).collect()
}

fn relationship(id: &str) -> Option<Value> {
    let (taxonomy, index) = place(id)?;
    let component = json!({"name": TAXONOMIES.get(taxonomy)?.name, "index": taxonomy});
    Some(json!({"target": {"id": id, "index": index, "toolComponent": component}, "kinds": ["relevant"]}))
}

/// The page of a rule. All of it is ours; what Markdown would take for markup stands in a block of code.
fn markdown(rule: &Rule) -> String {
    let example = rule.example.replace('`', "'");
    format!(
        "**{}**\n\n{}\n\nExample:\n\n```text\n{example}\n```\n\nKnown elsewhere as {}.\n",
        rule.title,
        rule.explanation,
        rule.taxa.join(", ")
    )
}

/// Rules by their place in the driver's list, which results name.
pub(super) struct Rules {
    pub(super) list: Vec<Value>,
    pub(super) places: BTreeMap<String, usize>,
}

impl Rules {
    pub(super) fn known() -> Rules {
        let mut rules = Rules { list: Vec::new(), places: BTreeMap::new() };
        for rule in customs_flow::rules() {
            // Code scanning shows ten: weaknesses, which it knows, come first.
            let mut tags = vec!["security".to_owned()];
            let (cwe, others): (Vec<&str>, Vec<&str>) = rule.taxa.iter().partition(|id| id.starts_with("CWE-"));
            tags.extend(cwe.into_iter().chain(others).map(tag));
            let severity = rule.severity.as_str();
            let mut properties = json!({"tags": tags});
            if let (Some(score), Some(object)) = (score(severity), properties.as_object_mut()) {
                object.insert("security-severity".to_owned(), json!(score));
            }
            rules.add(
                rule.code,
                json!({
                    "id": rule.code,
                    "name": pascal(rule.title),
                    "shortDescription": {"text": message(rule.title)},
                    "fullDescription": {"text": message(rule.explanation)},
                    "help": {
                        "text": message(&format!("{} Example: {}", rule.explanation, rule.example)),
                        "markdown": markdown(rule),
                    },
                    "relationships": rule.taxa.iter().filter_map(|id| relationship(id)).collect::<Vec<_>>(),
                    "defaultConfiguration": {"level": level(severity)},
                    "properties": properties,
                }),
            );
        }
        for code in DenialCode::ALL {
            rules.denial(code.as_str(), code.sentence());
        }
        rules.add(
            LEDGER_RULE,
            json!({
                "id": LEDGER_RULE,
                "name": "LedgerNotSound",
                "shortDescription": {"text": "The ledger is not whole and unchanged"},
                "fullDescription": {"text": "The ledger is cut, not closed, or was changed after it was written. What it says is not all that happened, or not what happened."},
                "help": {"text": "Run customs verify on it, with the head of the run if it was kept."},
                "defaultConfiguration": {"level": "error"},
                "properties": {"tags": ["security"]},
            }),
        );
        rules
    }

    /// Those that an audit's issues name: its own, and those of findings.
    pub(super) fn of_audit() -> Rules {
        let mut rules = Rules::known();
        for rule in audit_rules() {
            let (cwe, others): (Vec<&str>, Vec<&str>) = rule.taxa.iter().partition(|id| id.starts_with("CWE-"));
            let tags: Vec<String> =
                std::iter::once("security".to_owned()).chain(cwe.into_iter().chain(others).map(tag)).collect();
            let severity = rule.severity.as_str();
            let mut properties = json!({"tags": tags});
            if let (Some(score), Some(object)) = (score(severity), properties.as_object_mut()) {
                object.insert("security-severity".to_owned(), json!(score));
            }
            rules.add(
                rule.code,
                json!({
                    "id": rule.code,
                    "name": pascal(rule.title),
                    "shortDescription": {"text": message(rule.title)},
                    "fullDescription": {"text": message(rule.explanation)},
                    "help": {"text": message(rule.explanation)},
                    "relationships": rule.taxa.iter().filter_map(|id| relationship(id)).collect::<Vec<_>>(),
                    "defaultConfiguration": {"level": level(severity)},
                    "properties": properties,
                }),
            );
        }
        rules
    }

    fn add(&mut self, id: &str, rule: Value) -> usize {
        let at = self.list.len();
        self.places.insert(id.to_owned(), at);
        self.list.push(rule);
        at
    }

    fn denial(&mut self, code: &str, sentence: &str) -> usize {
        let id = denial_id(code);
        let name = format!("Denied{}", pascal(code));
        let full = format!("The tool asked for something and was refused: {sentence}. Nothing of it was done.");
        self.add(
            &id,
            json!({
                "id": id,
                "name": name,
                "shortDescription": {"text": message(&format!("Denied: {sentence}"))},
                "fullDescription": {"text": message(&full)},
                "help": {"text": message(&full)},
                "defaultConfiguration": {"level": "note"},
                "properties": {"tags": ["security", "denial"]},
            }),
        )
    }

    /// A code that this version does not know is a rule of its own.
    pub(super) fn of_denial(&mut self, code: &Name) -> (String, usize) {
        let shown = clean(code, 60);
        let id = denial_id(&shown);
        let at = match self.places.get(&id) {
            Some(at) => *at,
            None => self.denial(&shown, "for a reason that this version does not know"),
        };
        (id, at)
    }

    pub(super) fn of_finding(&mut self, found: &Found) -> (String, usize) {
        let id = clean(&found.rule, 60);
        let at = match self.places.get(&id) {
            Some(at) => *at,
            None => {
                let what = "A rule that this version does not know";
                let full = "The ledger was written by another version of customs, or was changed. That version's documentation has the rule.";
                self.add(
                    &id,
                    json!({
                        "id": id,
                        "name": "UnknownRule",
                        "shortDescription": {"text": what},
                        "fullDescription": {"text": full},
                        "help": {"text": full},
                        "defaultConfiguration": {"level": "warning"},
                        "properties": {"tags": ["security"]},
                    }),
                )
            }
        };
        (id, at)
    }
}

fn denial_id(code: &str) -> String {
    format!("CUS-DENY-{code}")
}

/// As code scanning knows weaknesses; the ids of other taxonomies as they are.
fn tag(id: &str) -> String {
    match id.strip_prefix("CWE-") {
        Some(number) => format!("external/cwe/cwe-{number}"),
        None => id.to_owned(),
    }
}

/// On the scale from 0 to 10 that code scanning sorts by.
fn score(severity: &str) -> Option<&'static str> {
    match severity {
        "high" => Some("8.0"),
        "medium" => Some("5.5"),
        "low" => Some("3.0"),
        _ => None,
    }
}

/// `Secret in the output` and `no-grant` as one word.
fn pascal(title: &str) -> String {
    let mut name = String::new();
    for word in title.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}
