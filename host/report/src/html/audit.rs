//! The page of an audit: the score and what it rests on, the issues, the three columns, what each tool did, decoys and checks. In the same
//! style and by the same writer of tags as the page of a run.

use super::STYLE;
use super::markup::Page;
use super::tables::{Column as Heading, numbers, small, table, words};
use crate::audit::json::title;
use crate::audit::{Audit, Tool};
use crate::records::Name;
use crate::words::{clean, count, short, size};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Tools that have a section; the rest is counted.
const MAX_TOOLS: usize = 50;
/// Lines of evidence in a cell.
const MAX_EVIDENCE: usize = 5;

/// The audit as one self-contained HTML page.
#[must_use]
pub fn audit_html(audit: &Audit) -> String {
    let mut page = Page::new();
    page.element("html", &[("lang", "en")], |page| {
        page.element("head", &[], |page| head(page, audit));
        page.element("body", &[], |page| {
            page.element("main", &[], |page| body(page, audit));
        });
    });
    page.finish()
}

fn head(page: &mut Page, audit: &Audit) {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    page.void("meta", &[("charset", "utf-8")]);
    page.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    page.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    page.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    let name = clean(&Name::new(&audit.component.name), 80);
    page.element("title", &[], |page| page.text(&format!("customs audit: {name} ({})", audit.verdict.score)));
    page.style(STYLE);
}

fn body(page: &mut Page, audit: &Audit) {
    banner(page, audit);
    issues(page, audit);
    advice(page, audit);
    page.element("section", &[], |page| {
        page.element("h2", &[], |page| page.text("Declared, imported, exercised"));
        columns(page, audit);
    });
    for tool in audit.tools.iter().take(MAX_TOOLS) {
        page.element("section", &[], |page| of_tool(page, tool));
    }
    let more = audit.tools.len().saturating_sub(MAX_TOOLS) as u64;
    if more > 0 {
        page.sentence(
            "note",
            &format!("And {} that are not shown; customs audit -o json has more.", count(more, "tool")),
        );
    }
    page.element("section", &[], |page| {
        page.element("h2", &[], |page| page.text("Decoys and checks"));
        decoys(page, audit);
        checks(page, audit);
    });
    page.element("section", &[], |page| {
        page.element("h2", &[], |page| page.text("About this audit"));
        about(page, audit);
    });
    page.element("footer", &[], |page| {
        page.sentence("", "Values of decoys and secrets are not in it. Characters that a reader would not see are written as escapes. That nothing was \
            found means that the methods named did not see it, with these inputs, in these scenarios.");
    });
}

fn banner(page: &mut Page, audit: &Audit) {
    let verdict = &audit.verdict;
    let class = if verdict.score >= 70 { "banner bad" } else { "banner" };
    page.element("header", &[("class", class)], |page| {
        page.element("h1", &[], |page| page.guest(&Name::new(&audit.component.name)));
        page.element("p", &[("class", "note")], |page| {
            page.text(&format!(
                "{} {}, sha256 {}: ",
                size(audit.component.size),
                audit.component.kind,
                short(&audit.component.sha256)
            ));
            page.element("strong", &[("class", "verdict")], |page| {
                page.text(&format!("score {} of 100, {}", verdict.score, verdict.word));
            });
        });
        if !audit.is_complete() {
            page.sentence("note", "The audit is not whole: what is missing is named at the end.");
        }
        page.element("ul", &[], |page| {
            for part in &verdict.parts {
                let class = match (part.points, part.points.saturating_mul(2) >= part.most) {
                    (0, _) => "",
                    (_, true) => "high",
                    (_, false) => "medium",
                };
                page.element("li", &[("class", class)], |page| {
                    page.element("strong", &[], |page| page.text(&format!("{} of {}", part.points, part.most)));
                    page.text(" ");
                    page.element("span", &[], |page| page.text(&format!("{}: {}", part.name, part.why)));
                });
            }
        });
    });
}

fn issues(page: &mut Page, audit: &Audit) {
    if audit.issues.is_empty() {
        page.sentence("note", "Nothing was seen that speaks against it.");
        return;
    }
    let columns: [Heading; 5] = [words("severity"), words("issue"), words("about"), words("what"), words("seen")];
    table(page, "Issues", &columns, &audit.issues, 0, |cells, issue| {
        cells.next(|page| {
            let severity = issue.severity.as_str();
            page.element("span", &[("class", &format!("pill {severity}"))], |page| page.text(severity));
            if issue.certain {
                page.text(" ");
                small(page, "certain");
            }
        });
        cells.next(|page| {
            page.text(title(issue));
            page.text(" ");
            small(page, &format!("{} by {}", issue.rule, issue.method));
        });
        cells.next(|page| {
            page.guest(&Name::new(&issue.subject));
            if let Some(tool) = &issue.tool {
                page.text(" ");
                page.element("small", &[], |page| {
                    page.text("tool ");
                    page.guest(&Name::new(tool));
                });
            }
        });
        cells.next(|page| page.guest(&Name::new(&issue.what)));
        cells.next(|page| {
            for seen in issue.evidence.iter().take(MAX_EVIDENCE) {
                page.element("small", &[], |page| page.guest(&Name::new(seen)));
            }
        });
    });
}

fn advice(page: &mut Page, audit: &Audit) {
    if audit.verdict.recommendations.is_empty() {
        return;
    }
    page.element("h3", &[], |page| page.text("What to do"));
    for advice in &audit.verdict.recommendations {
        page.element("p", &[], |page| page.guest(&Name::new(advice)));
    }
}

fn columns(page: &mut Page, audit: &Audit) {
    let headings: [Heading; 6] = [
        words("capability"),
        words("declared"),
        words("imported"),
        numbers("allowed"),
        numbers("denied"),
        words("what it comes to"),
    ];
    let rows: Vec<_> = audit
        .columns
        .iter()
        .filter(|one| {
            !(one.imported.is_empty() && one.granted.is_empty() && one.described.is_empty())
                || one.allowed + one.denied > 0
        })
        .collect();
    table(page, "Capabilities", &headings, &rows, 0, |cells, one| {
        cells.next(|page| page.code(one.capability));
        cells.next(|page| {
            for grant in &one.granted {
                page.element("small", &[], |page| page.guest(&Name::new(grant)));
            }
            if !one.described.is_empty() {
                page.element("small", &[], |page| {
                    page.guest(&Name::new(&format!("described: {}", one.described.join(", "))))
                });
            }
        });
        cells.next(|page| {
            for interface in &one.imported {
                page.element("small", &[], |page| page.guest(&Name::new(interface)));
            }
        });
        cells.text(&one.allowed.to_string());
        cells.text(&one.denied.to_string());
        cells.next(|page| {
            page.text(one.verdict);
            if let Some(says) = &one.says {
                page.text(" ");
                page.element("small", &[], |page| page.guest(&Name::new(says)));
            }
        });
    });
}

fn of_tool(page: &mut Page, tool: &Tool) {
    page.element("h2", &[], |page| {
        page.text("Tool ");
        page.guest(&Name::new(&tool.name));
    });
    if let Some(why) = &tool.refused {
        page.element("p", &[], |page| {
            page.text("Cannot be called: ");
            page.guest(&Name::new(why));
        });
        return;
    }
    if let Some(description) = &tool.description {
        page.element("p", &[("class", "note")], |page| page.guest(&Name::new(description)));
    }
    let inputs = tool.inputs.values().copied().fold(0_u64, u64::saturating_add);
    let list = |map: &std::collections::BTreeMap<String, u64>| {
        map.iter().map(|(word, number)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
    };
    let said = format!(
        "{} ({}) in {}: {}.",
        count(inputs, "input"),
        list(&tool.inputs),
        count(tool.calls, "call"),
        list(&tool.endings)
    );
    page.element("p", &[], |page| page.guest(&Name::new(&said)));
    if let Some(causal) = &tool.causal {
        let said = match &causal.undecided {
            Some(why) => format!("What its sources decide is not known: {why}"),
            None if causal.cleared.is_empty() => "No secret that it had was cleared by changing it.".to_owned(),
            None => format!("Changed without effect: {}", causal.cleared.join(", ")),
        };
        page.element("p", &[("class", "note")], |page| page.guest(&Name::new(&said)));
    }
    let headings: [Heading; 5] =
        [words("capability"), words("of what"), words("scenarios"), numbers("calls"), words("first with")];
    table(page, "What it did", &headings, &tool.behaviours, tool.behaviours_left_out, |cells, one| {
        cells.next(|page| {
            page.code(one.capability);
            page.text(" ");
            page.element("small", &[], |page| page.guest(&Name::new(&one.operation)));
        });
        cells.next(|page| match one.asked {
            true => page.text("what its arguments name"),
            false => {
                page.guest(&Name::new(&one.target));
                if let Some(kind) = &one.decoy {
                    page.text(" ");
                    small(page, &format!("decoy: {kind}"));
                }
            }
        });
        let states: Vec<String> = one.scenarios.iter().map(|(scenario, state)| format!("{scenario} {state}")).collect();
        cells.text(&states.join(", "));
        cells.text(&one.calls.to_string());
        cells.next(|page| page.element("small", &[], |page| page.guest(&Name::new(&one.input))));
    });
}

fn decoys(page: &mut Page, audit: &Audit) {
    let all: Vec<_> = audit.decoys.files.iter().chain(&audit.decoys.variables).collect();
    let headings: [Heading; 4] = [words("decoy"), words("kind"), numbers("touched"), numbers("given out")];
    table(page, "Decoys", &headings, &all, 0, |cells, one| {
        let class = if one.leaked + one.touched > 0 { "denied" } else { "" };
        cells.with(class, |page| page.guest(&Name::new(&one.name)));
        cells.text(&one.kind);
        cells.text(&one.touched.to_string());
        cells.text(&one.leaked.to_string());
    });
}

fn checks(page: &mut Page, audit: &Audit) {
    let headings: [Heading; 4] = [words("check"), words("asks"), words("answer"), words("why")];
    table(page, "Checks of component and policy", &headings, &audit.checks, 0, |cells, one| {
        cells.text(&one.id);
        cells.text(&one.title);
        let class = if one.verdict == "fail" { "denied" } else { "" };
        cells.with(class, |page| page.text(one.verdict));
        cells.next(|page| {
            page.guest(&Name::new(&one.why));
            if !one.fix.is_empty() {
                page.text(" ");
                page.element("small", &[], |page| page.guest(&Name::new(&one.fix)));
            }
        });
    });
}

fn about(page: &mut Page, audit: &Audit) {
    let fact = |page: &mut Page, what: &str, value: &str| {
        page.element("dt", &[], |page| page.text(what));
        page.element("dd", &[], |page| page.guest(&Name::new(value)));
    };
    page.element("dl", &[], |page| {
        fact(page, "component", &audit.component.path);
        fact(page, "sha256", &audit.component.sha256);
        fact(page, "form", audit.component.form);
        fact(page, "seed", &audit.seed.to_string());
        fact(page, "made by", &format!("customs {}", env!("CARGO_PKG_VERSION")));
        fact(page, "methods", &audit.methods.join(", "));
        for scenario in &audit.scenarios {
            fact(
                page,
                scenario.name,
                &format!("{} ({}, {} refused)", scenario.about, count(scenario.calls, "call"), scenario.denied),
            );
        }
        if let Some(least) = &audit.least {
            let flags = if least.flags.is_empty() { "nothing".to_owned() } else { least.flags.join(" ") };
            fact(page, "needs", &flags);
        }
        for missing in audit.beyond.iter().flatten() {
            fact(page, "beyond", &format!("{} {} {}", missing.capability, missing.target, missing.grant));
        }
        for cut in &audit.cuts {
            fact(page, "missing", cut);
        }
    });
}
