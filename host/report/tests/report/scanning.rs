//! SARIF as code scanning reads it.

use crate::inert::hostile;
use crate::support::{fixture, ledger, small, story, unclosed};
use crate::{parsed, shows_all};
use customs_report::sarif;
use serde_json::{Value, json};

/// What a code-scanning viewer relies on.
pub fn sarif_is_sound(made: &str, ledger: &[u8]) -> Value {
    let log = parsed(made);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: std::collections::BTreeSet<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), rules.len(), "an id stands twice");
    let lines: Vec<Value> =
        ledger.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    for result in run["results"].as_array().unwrap() {
        assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert_eq!(result["partialFingerprints"]["customsFlow/v1"].as_str().unwrap().len(), 32);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(
            (&place["artifactLocation"]["index"], place["artifactLocation"]["uri"].is_string()),
            (&json!(0), true)
        );
        let line = place["region"]["startLine"].as_u64().unwrap();
        assert!(line >= 1);
        let record = &lines.get(usize::try_from(line).unwrap() - 1);
        match result["ruleId"].as_str().unwrap() {
            "CUS-LEDGER" => {}
            denial if denial.starts_with("CUS-DENY-") => assert_eq!(record.unwrap()["decision"], "deny", "{result}"),
            _ => assert_eq!(record.unwrap()["event"], "finding", "{result}"),
        }
    }
    log
}

#[test]
fn sarif_points_at_the_records() {
    for bytes in [fixture("weather.jsonl"), hostile(), fixture("hostile.jsonl"), unclosed(&small())] {
        let made = sarif(&story(&bytes));
        shows_all(&made);
        sarif_is_sound(&made, &bytes);
    }
    let bytes = fixture("weather.jsonl");
    let log = sarif_is_sound(&sarif(&story(&bytes)), &bytes);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let first = &results[0];
    assert_eq!((&first["ruleId"], &first["level"]), (&json!("CUS101"), &json!("error")));
    assert_eq!(first["message"]["text"], "env API_KEY is in return /debug: 39 of 39 bytes, base64");
    let path: Vec<u64> = first["codeFlows"][0]["threadFlows"][0]["locations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| l["location"]["physicalLocation"]["region"]["startLine"].as_u64().unwrap())
        .collect();
    assert_eq!(path, [5, 15], "the records of the source and of the sink");
    assert!(
        results.iter().any(|r| r["ruleId"] == "CUS-DENY-no-grant" && r["occurrenceCount"] == 2 && r["level"] == "note")
    );
}

/// SARIF makes links of brackets in messages.
#[test]
fn a_message_of_sarif_has_no_link_of_a_guest() {
    let log = parsed(&sarif(&story(&hostile())));
    let mut messages = 0;
    let mut walk = vec![&log];
    while let Some(value) = walk.pop() {
        match value {
            Value::Object(members) => {
                if let Some(text) = members.get("text").and_then(Value::as_str) {
                    messages += 1;
                    let mut before = ' ';
                    for c in text.chars() {
                        assert!(!matches!(c, '[' | ']') || before == '\\', "{text}");
                        before = if before == '\\' && c == '\\' { ' ' } else { c };
                    }
                }
                walk.extend(members.values());
            }
            Value::Array(items) => walk.extend(items),
            _ => {}
        }
    }
    assert!(messages > 20);
}

#[test]
fn the_rules_of_sarif_are_those_of_findings_and_denials() {
    let log = parsed(&sarif(&story(&ledger(&small()))));
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in customs_flow::rules() {
        let told = rules.iter().find(|told| told["id"] == rule.code).unwrap();
        let tags = told["properties"]["tags"].as_array().unwrap();
        for id in rule.taxa {
            let tag = id.strip_prefix("CWE-").map_or((*id).to_owned(), |n| format!("external/cwe/cwe-{n}"));
            assert!(tags.contains(&json!(tag)), "{told}");
        }
        // Each is in its taxonomy, and where the rule says.
        let targets: Vec<&Value> = told["relationships"].as_array().unwrap().iter().map(|r| &r["target"]).collect();
        assert_eq!(targets.iter().map(|t| t["id"].as_str().unwrap()).collect::<Vec<_>>(), rule.taxa, "{}", rule.code);
        for target in targets {
            let at = |place: &Value| usize::try_from(place.as_u64().unwrap()).unwrap();
            let taxonomy = &log["runs"][0]["taxonomies"][at(&target["toolComponent"]["index"])];
            assert_eq!(taxonomy["name"], target["toolComponent"]["name"]);
            assert_eq!(taxonomy["taxa"][at(&target["index"])]["id"], target["id"]);
        }
        assert!(told["help"]["markdown"].as_str().unwrap().contains(rule.example));
        for part in ["name", "shortDescription", "fullDescription", "help", "defaultConfiguration"] {
            assert!(!told[part].is_null(), "{told}");
        }
    }
    for code in customs_policy::DenialCode::ALL {
        assert!(rules.iter().any(|told| told["id"] == format!("CUS-DENY-{code}")));
    }
}

/// A viewer knows a finding again in another run; another sink is another finding.
#[test]
fn fingerprints_are_of_the_flow_and_not_of_the_run() {
    let first = prints(&small());
    let mut later = small();
    later[0]["run"] = json!("another");
    later[0]["time"] = json!("2027-01-01T00:00:00Z");
    later[3]["bytes"] = json!(10);
    later[2]["t"] = json!(77);
    assert_eq!(prints(&later), first);
    later[4]["name"] = json!("/texts");
    let moved = prints(&later);
    assert!(moved[0] != first[0] && moved[1] == first[1]);
}

/// What GitHub's code scanning wants of a file beyond the standard; see its page on SARIF support.
#[test]
fn code_scanning_takes_it() {
    for bytes in [fixture("weather.jsonl"), hostile(), ledger(&small()), unclosed(&small())] {
        let log = parsed(&sarif(&story(&bytes)));
        let run = &log["runs"][0];
        let id = run["automationDetails"]["id"].as_str().unwrap();
        assert!(id.starts_with("customs/") && id.ends_with('/') && id.matches('/').count() == 2, "{id}");
        for rule in run["tool"]["driver"]["rules"].as_array().unwrap() {
            for part in ["shortDescription", "fullDescription", "help"] {
                let text = rule[part]["text"].as_str().unwrap();
                assert!(!text.is_empty() && text.chars().count() <= 1024, "{rule}");
            }
            assert!(rule["name"].as_str().unwrap().len() <= 255);
            let tags = rule["properties"]["tags"].as_array().unwrap();
            assert!(tags.len() <= 20 && tags[0] == "security", "{rule}");
            let cwe = |tag: &Value| tag.as_str().unwrap().starts_with("external/cwe/");
            assert!(tags.iter().skip(10).all(|tag| !cwe(tag)), "a weakness past the ten that are shown: {rule}");
            let score = &rule["properties"]["security-severity"];
            assert!(score.is_null() || score.as_str().unwrap().parse::<f64>().is_ok_and(|n| n > 0.0 && n <= 10.0));
        }
        let mut seen = std::collections::BTreeSet::new();
        for result in run["results"].as_array().unwrap() {
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert_eq!(result["locations"].as_array().unwrap().len(), 1);
            let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            assert!(uri.is_ascii() && !uri.starts_with('/') && !uri.contains([':', ' ']), "{uri}");
            let print = result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap();
            assert!(seen.insert(print.to_owned()), "two results are one to it: {result}");
        }
    }
}

/// The same flow in two calls is two results, and the first of them stays the first.
#[test]
fn the_same_flow_twice_is_two_results() {
    let mut records = small();
    let one = prints(&records);
    let second: Vec<Value> = small()
        .into_iter()
        .skip(1)
        .map(|mut r| {
            r["call"] = json!(2);
            r
        })
        .collect();
    records.extend(second);
    let two = prints(&records);
    assert_eq!((one.len(), two.len()), (2, 4));
    for print in &one {
        assert!(print.ends_with(":1") && two.contains(print), "{two:?}");
        assert!(two.contains(&print.replace(":1", ":2")), "{two:?}");
    }
}

/// What code scanning knows results by.
fn prints(records: &[Value]) -> Vec<String> {
    let log = parsed(&sarif(&story(&ledger(records))));
    let results = log["runs"][0]["results"].as_array().unwrap();
    results.iter().map(|r| r["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned()).collect()
}
