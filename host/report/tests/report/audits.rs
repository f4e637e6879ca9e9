//! Audits in every format: whatever a guest wrote is text, long lists are cut and counted, and the JSON is what the schema says.

use crate::inert::EVIL;
use crate::support::page::elements;
use crate::support::schema::{faults, published};
use crate::{parsed, shows_all, support};
use customs_flow::Severity;
use customs_report::audit::{
    Audit, Behaviour, Causal, Check, Column, Component, Decoy, Decoys, Issue, Least, Missing, Part, Scenario, Tool,
    Verdict,
};
use customs_report::{audit_html, audit_json, audit_sarif, audit_text};
use serde_json::json;

/// An audit with this text in every place that one can stand, and so many rows in every list.
fn sample(text: &str, rows: usize) -> Audit {
    let some = || text.to_owned();
    let many = |n: usize| vec![some(); n];
    let issue = |severity| Issue {
        rule: "CUA101",
        severity,
        certain: true,
        method: "match",
        tool: Some(some()),
        subject: some(),
        what: some(),
        evidence: many(5),
        finding: Some(json!({"preview": text})),
    };
    let behaviour = Behaviour {
        capability: "fs.read",
        operation: some(),
        target: some(),
        asked: false,
        decoy: Some(some()),
        scenarios: [("granted", "allowed"), ("nothing", "denied")].into(),
        calls: 3,
        input: some(),
    };
    let tool = Tool {
        name: some(),
        description: Some(some()),
        refused: None,
        inputs: [("typical".to_owned(), 3)].into(),
        calls: 9,
        endings: [(some(), 9)].into(),
        in_part: 1,
        causal: Some(Causal { cleared: many(2), undecided: Some(some()) }),
        behaviours: vec![behaviour; rows],
        behaviours_left_out: 4,
    };
    let refused = Tool { refused: Some(some()), ..tool.clone() };
    let decoy = || Decoy { name: some(), kind: some(), touched: 1, leaked: 2 };
    Audit {
        component: Component {
            path: some(),
            name: some(),
            sha256: support::zeros(),
            size: 12_345,
            kind: "component",
            form: "typed exports",
            imports: many(2),
        },
        seed: 1,
        scenarios: vec![Scenario { name: "granted", about: "as granted", calls: 3, denied: 1 }],
        tools: vec![tool, refused],
        issues: [vec![issue(Severity::High); rows], vec![issue(Severity::Low)]].concat(),
        columns: vec![Column {
            capability: "fs.read",
            granted: many(2),
            described: many(1),
            imported: many(1),
            allowed: 1,
            denied: 2,
            verdict: "surprise",
            says: Some(some()),
        }],
        decoys: Decoys { files: (0..rows).map(|_| decoy()).collect(), variables: vec![decoy()] },
        checks: vec![Check { id: "W1".to_owned(), title: some(), verdict: "fail", why: some(), fix: some() }],
        statics: json!({text: text}),
        verdict: Verdict {
            score: 80,
            word: "refuse",
            parts: vec![Part { name: "decoys".to_owned(), points: 80, most: 80, why: some() }],
            recommendations: many(3),
        },
        least: Some(Least { flags: many(1), file: some() }),
        beyond: Some(vec![Missing { capability: "fs.read".to_owned(), target: some(), grant: some() }]),
        methods: vec!["boundary", "match"],
        cuts: many(1),
    }
}

/// 164, 165, 166 for audits.
#[test]
fn audit_text_of_a_guest_is_text_in_every_format() {
    let audit = sample(EVIL, 3);
    for made in [audit_text(&audit), audit_json(&audit), audit_sarif(&audit), audit_html(&audit)] {
        shows_all(&made);
    }
    let page = audit_html(&audit);
    let tags = ["script", "a", "img", "link", "iframe", "form", "input", "object", "embed", "base"];
    let elements = elements(&page).unwrap();
    assert!(!elements.iter().any(|element| tags.contains(&element.tag.as_str())));
    assert!(
        !elements
            .iter()
            .any(|e| e.attributes.keys().any(|name| name.starts_with("on") || name == "href" || name == "src"))
    );
    assert!(elements.iter().any(|element| element.text.contains("<script>alert(1)</script>")), "all of it is there");
    let log = parsed(&audit_sarif(&audit));
    let run = &log["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], result["ruleId"]);
        // Viewers make links of what stands in brackets.
        let message = result["message"]["text"].as_str().unwrap();
        assert!(!message.contains("](") || message.contains("\\]("), "{message}");
    }
}

#[test]
fn audit_json_is_what_the_schema_says() {
    for rows in [0, 3] {
        let made = parsed(&audit_json(&sample("x", rows)));
        assert_eq!(faults(&published("customs.audit-1.json"), &made), Vec::<String>::new());
    }
}

#[test]
fn audit_of_many_rows_is_cut_and_counted() {
    let audit = sample("/some/long/path/that/goes/on", 5_000);
    let text = audit_text(&audit);
    assert!(text.lines().count() < 500 && text.contains("more that are not shown"), "{}", text.lines().count());
    assert!(audit_html(&audit).len() < 8 << 20);
    let page = audit_html(&audit);
    assert!(page.contains("more that are not shown"));
    assert_eq!(parsed(&audit_sarif(&audit))["runs"][0]["results"].as_array().unwrap().len(), 5_000);
}

#[test]
fn audit_verdict_stands_first_for_a_person() {
    let text = audit_text(&sample("notes", 1));
    let first: Vec<&str> = text.lines().take(2).map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(first, ["audit", "score"]);
    assert!(text.contains("80 of 100: refuse") && text.contains("CUA101 A decoy left the tool (certain)"), "{text}");
}
