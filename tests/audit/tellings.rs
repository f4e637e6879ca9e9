//! The four formats, the schema, and what the documentation says of all this.

use super::audit;
use crate::report::{page, schema};
use crate::support::{World, checkout, guest};
use std::collections::BTreeSet;

fn document(name: &str) -> String {
    std::fs::read_to_string(checkout().join("docs").join(name)).unwrap()
}

#[test]
fn audit_json_fits_its_published_schema() {
    let world = World::new();
    let policy = "[tool.notes]\nallow-read = []\n";
    world.write("empty.toml", policy);
    for told in [
        audit(&world, "suspect", &["--inputs", "8"]),
        audit(&world, "notes", &["--check", world.path("empty.toml").to_str().unwrap(), "--inputs", "8"]),
        audit(&world, "hostile/spin", &["--timeout", "50ms"]),
    ] {
        assert_eq!(schema::faults(&schema::published("customs.audit-1.json"), &told.run.json), Vec::<String>::new());
    }
}

/// Names that a guest chose are text in every format: one of its tools reads whatever path it is given.
#[test]
fn audit_guest_text_is_text_in_every_format() {
    let world = World::new();
    let evil = "<script>alert(1)</script>\u{1b}[31m\u{202e}[x](http://a.example)";
    let arguments = serde_json::json!({"path": format!("/data/{evil}")}).to_string();
    for format in ["text", "json", "sarif", "html"] {
        let component = guest("suspect");
        let arguments = [
            "audit",
            component.to_str().unwrap(),
            "read-file",
            "--args",
            &arguments,
            "-o",
            format,
            "--inputs",
            "4",
            "--time",
            "10m",
        ];
        let told = world.customs(&arguments).run();
        told.exits(0);
        let hidden = told.stdout.chars().find(|c| *c != '\n' && customs_ledger::is_unsafe_char(*c));
        assert_eq!(hidden, None, "{format}");
        if format == "html" {
            let elements = page::elements(&told.stdout).unwrap();
            let tags = ["script", "a", "img", "link"];
            assert!(!elements.iter().any(|element| tags.contains(&element.tag.as_str())), "a page of text");
            assert!(!elements.iter().any(|element| element.attributes.contains_key("href")), "without a link");
        }
        if format == "sarif" {
            let log: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
            assert_eq!(log["version"], "2.1.0");
        }
    }
}

#[test]
fn audit_sarif_has_a_result_for_each_issue_with_its_rule() {
    let world = World::new();
    let told = audit(&world, "suspect", &["shout"]);
    let component = guest("suspect");
    let sarif = world
        .customs(&[
            "audit",
            component.to_str().unwrap(),
            "shout",
            "--inputs",
            "30",
            "--timeout",
            "20s",
            "--time",
            "10m",
            "-o",
            "sarif",
        ])
        .run();
    let log: serde_json::Value = serde_json::from_str(&sarif.stdout).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), told.issues().len());
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    assert!(results.iter().any(|result| result["ruleId"] == "CUA101" && result["level"] == "error"));
}

/// A person reads the verdict first, in aligned words.
#[test]
fn audit_text_begins_with_the_score_and_names_what_it_rests_on() {
    let world = World::new();
    let component = guest("suspect");
    let told = world.customs(&["audit", component.to_str().unwrap(), "shout", "--inputs", "20", "--time", "10m"]).run();
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert!(lines[0].starts_with("audit    suspect.wasm") && lines[1].starts_with("score    "), "{told}");
    assert!(lines.iter().any(|line| line.starts_with("high     ") && line.contains("CUA101")), "{told}");
    assert!(lines.iter().any(|line| line.starts_with("do       ")), "{told}");
    assert!(lines.iter().all(|line| line.chars().count() < 2_200), "lines are bounded");
}

#[test]
fn audit_documentation_has_every_code_and_no_other() {
    let text = document("audit.md");
    let codes: BTreeSet<&str> = customs_report::audit::audit_rules().iter().map(|rule| rule.code).collect();
    for rule in customs_report::audit::audit_rules() {
        assert!(text.contains(&format!("| {} | {} |", rule.code, rule.title)), "{} is not in docs/audit.md", rule.code);
    }
    for (at, _) in text.match_indices("CUA") {
        let code = text.get(at..at + 6).unwrap();
        assert!(codes.contains(code), "{code} is no code");
    }
}

/// The table against other audits names a test in each row, and each is there.
#[test]
fn audit_documentation_names_tests_that_exist() {
    let text = document("audit.md");
    let mut sources = String::new();
    let mut open = vec![checkout().join("tests"), checkout().join("host")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let table = text.split("## Row by row").nth(1).expect("the table is there").split("\n## ").next().unwrap();
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("---") && !line.contains("| shown by"))
        .collect();
    assert!(rows.len() >= 20, "{} rows", rows.len());
    for row in rows {
        let cell = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test is named: {row}");
        for name in names {
            assert!(sources.contains(&format!("fn {name}(")), "there is no test {name}");
        }
    }
}
