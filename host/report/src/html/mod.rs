//! One page that needs nothing else: no script, no link, no other file, and a policy of its own that forbids them.
//!
//! `markup.rs` is the only writer of tags, so that a guest's text cannot be anything but text; `picture.rs` draws what flowed; `style.css` is
//! allowed by its hash. Long lists are cut and counted, and the page as a whole has a bound.

mod markup;
mod picture;

use crate::records::Name;
use crate::story::{Call, Ending, Flow, Opened, Story, What};
use crate::words::{clean, count, how, size, title, why};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use markup::Page;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Calls that have a section; the rest is counted.
const MAX_CALLS: usize = 20;
/// Rows of one table; the rest is counted.
const MAX_ROWS: usize = 500;
/// Grants, and warnings, that are shown; the rest is counted.
const MAX_FACTS: usize = 100;
/// Bytes after which no table begins another row. With what may follow the page stays below twice of it.
const MAX_PAGE: usize = 3 << 20;

const STYLE: &str = include_str!("style.css");

/// The report as one self-contained HTML page of a few MiB at most.
#[must_use]
pub fn html(story: &Story) -> String {
    let mut page = Page::new();
    page.element("html", &[("lang", "en")], |page| {
        page.element("head", &[], |page| head(page, story));
        page.element("body", &[], |page| {
            page.element("main", &[], |page| body(page, story));
        });
    });
    page.finish()
}

fn head(page: &mut Page, story: &Story) {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'");
    page.void("meta", &[("charset", "utf-8")]);
    page.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    page.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    page.void("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    let component = story.opened.as_ref().map_or_else(String::new, |opened| clean(&opened.component, 80));
    page.element("title", &[], |page| page.text(&format!("customs: {} ({})", component, story.word())));
    page.style(STYLE);
}

fn body(page: &mut Page, story: &Story) {
    banner(page, story);
    match &story.opened {
        Some(opened) => facts(page, story, opened),
        None => page.sentence("note", "The record that says what ran cannot be read."),
    }
    for call in story.calls.iter().take(MAX_CALLS) {
        page.element("section", &[], |page| section(page, call));
    }
    let more = story.calls_left_out.saturating_add(story.calls.len().saturating_sub(MAX_CALLS) as u64);
    if more > 0 {
        page.sentence(
            "note",
            &format!("And {} that are not shown; customs report -o json has more.", count(more, "call")),
        );
    }
    page.element("footer", &[], |page| {
        page.sentence("", "Made from the ledger alone. Values are not in it; what is shown of them is cut short. \
            Characters that a reader would not see are written as escapes. That nothing was found means that the methods named did not see it.");
    });
}

fn banner(page: &mut Page, story: &Story) {
    let class = if story.is_sound() { "banner" } else { "banner bad" };
    page.element("header", &[("class", class)], |page| {
        page.element("h1", &[], |page| {
            page.text("Ledger ");
            page.guest(&Name::new(&story.ledger));
            page.text(": ");
            page.element("strong", &[], |page| page.text(story.word()));
        });
        if story.is_sound() {
            page.sentence("", &story.verdict.detail);
        }
        for alarm in story.alarms() {
            page.element("p", &[("role", "alert")], |page| page.text(&alarm));
        }
        let incomplete = story.is_sound() && !story.is_complete();
        if incomplete {
            page.sentence("", "The record is not complete: something was capped, suppressed, or stopped.");
        }
    });
}

fn facts(page: &mut Page, story: &Story, opened: &Opened) {
    page.element("dl", &[], |page| {
        fact(page, "component", |page| page.guest(&opened.component));
        fact(page, "sha256", |page| page.code(&opened.sha256));
        fact(page, "when", |page| page.guest(&opened.time));
        fact(page, "run", |page| page.guest(&opened.run));
        fact(page, "made by", |page| {
            page.text("customs ");
            page.guest(&opened.customs);
            page.text(", wasmtime ");
            page.guest(&opened.wasmtime);
        });
        for grant in opened.grants.iter().take(MAX_FACTS) {
            fact(page, "grant", |page| page.guest(grant));
        }
        for warning in opened.warnings.iter().take(MAX_FACTS) {
            fact(page, "warning", |page| page.guest(warning));
        }
        let hidden = |list: &[Name]| list.len().saturating_sub(MAX_FACTS) as u64;
        let more = [hidden(&opened.grants), hidden(&opened.warnings), opened.grants_left_out, opened.warnings_left_out];
        let more = more.into_iter().fold(0, u64::saturating_add);
        if more > 0 {
            fact(page, "", |page| page.text(&format!("and {more} grants and warnings that are not shown")));
        }
        fact(page, "policy", |page| page.code(&opened.policy));
        fact(page, "head", |page| page.code(&story.head()));
    });
}

fn fact(page: &mut Page, what: &str, value: impl FnOnce(&mut Page)) {
    page.element("dt", &[], |page| page.text(what));
    page.element("dd", &[], value);
}

fn section(page: &mut Page, call: &Call) {
    page.element("h2", &[], |page| {
        page.text(&format!("Call {}: ", call.number));
        match &call.tool {
            Some(tool) => page.guest(tool),
            None => page.text("its record is missing"),
        }
    });
    page.element("p", &[], |page| ended(page, call));
    picture::draw(page, call);
    findings(page, call);
    denials(page, call);
    flows(page, "Came in", &call.sources, call.left_out.sources);
    flows(page, "Went out", &call.sinks, call.left_out.sinks);
    moments(page, call);
}

fn ended(page: &mut Page, call: &Call) {
    match &call.ending {
        None => page.text("How it ended is not recorded."),
        Some(Ending { kind, limit, detail }) => {
            page.text("Ended: ");
            page.element("strong", &[], |page| page.text(kind));
            if let Some(limit) = limit {
                page.text(" ");
                page.guest(limit);
            }
            if let Some(detail) = detail {
                page.text(": ");
                page.guest(detail);
            }
            page.text(". ");
        }
    }
    if !call.is_complete() {
        page.text(" The record of this call is not complete. ");
    }
    let denied = if call.denied > 0 { format!(", {} denied", call.denied) } else { String::new() };
    let sources = call.left_out.sources.saturating_add(call.sources.len() as u64);
    let sinks = call.left_out.sinks.saturating_add(call.sinks.len() as u64);
    let findings = call.left_out.findings.saturating_add(call.findings.len() as u64);
    page.text(&format!(
        "{}, {}, {}{denied}.",
        count(sources, "source"),
        count(sinks, "sink"),
        count(findings, "finding")
    ));
}

/// A table with a heading: at most [`MAX_ROWS`] rows, and a line that counts the rest. Nothing at all where there is nothing.
fn table<T>(page: &mut Page, heading: &str, columns: &[&str], rows: &[T], left_out: u64, row: impl Fn(&mut Page, &T)) {
    if rows.is_empty() && left_out == 0 {
        return;
    }
    page.element("h3", &[], |page| page.text(heading));
    let mut shown = 0_u64;
    page.element("table", &[], |page| {
        page.element("thead", &[], |page| {
            page.element("tr", &[], |page| {
                for column in columns {
                    page.element("th", &[("scope", "col")], |page| page.text(column));
                }
            });
        });
        page.element("tbody", &[], |page| {
            for one in rows.iter().take(MAX_ROWS) {
                if page.len() > MAX_PAGE {
                    break;
                }
                page.element("tr", &[], |page| {
                    row(page, one);
                });
                shown += 1;
            }
        });
    });
    let more = (rows.len() as u64).saturating_sub(shown).saturating_add(left_out);
    if more > 0 {
        page.sentence("note", &format!("And {more} more that are not shown; customs report -o json has more."));
    }
}

fn cell(page: &mut Page, value: impl FnOnce(&mut Page)) {
    page.element("td", &[], value);
}

fn number(page: &mut Page, text: &str) {
    page.element("td", &[("class", "number")], |page| page.text(text));
}

fn findings(page: &mut Page, call: &Call) {
    let sorted = call.by_severity();
    let columns = ["severity", "rule", "from", "to", "how", "seen", "record"];
    table(page, "Findings", &columns, &sorted, call.left_out.findings, |page, found| {
        page.element("td", &[("class", found.severity)], |page| page.text(found.severity));
        cell(page, |page| {
            page.guest(&found.rule);
            page.text(&title(found).map_or_else(String::new, |title| format!(" {title}")));
        });
        cell(page, |page| match call.source(found) {
            Some(source) => flow_name(page, source),
            None => page.text("no source"),
        });
        cell(page, |page| match call.sink(found) {
            Some(sink) => flow_name(page, sink),
            None => page.text(&format!("sink {}", found.sink)),
        });
        cell(page, |page| {
            page.text(&how(call, found));
            page.text(&format!("; by {}, {}, {}", found.method, found.strength, found.action));
            if let Some(note) = &found.note {
                page.text("; ");
                page.guest(note);
            }
        });
        cell(page, |page| page.guest(&found.preview));
        number(page, &found.seq.to_string());
    });
    if call.findings.is_empty() && call.left_out.findings == 0 && !call.methods.is_empty() {
        page.sentence("note", &format!("No source was seen in a sink. Looked for by: {}.", call.methods.join(", ")));
    }
}

fn denials(page: &mut Page, call: &Call) {
    let columns = ["capability", "operation", "requested", "leads to", "why", "times", "record"];
    table(page, "Denied", &columns, &call.denials, call.left_out.denials, |page, row| {
        cell(page, |page| page.code(row.capability));
        cell(page, |page| page.guest(&row.operation));
        cell(page, |page| page.guest(&row.requested));
        cell(page, |page| {
            if let Some(resolved) = &row.resolved {
                page.guest(resolved);
            }
        });
        cell(page, |page| {
            page.guest(&row.code);
            page.text(&format!(": {}", why(&row.code)));
        });
        number(page, &row.count.to_string());
        number(page, &row.seq.to_string());
    });
    let suppressed: Vec<(&String, &u64)> = call.suppressed.iter().collect();
    table(page, "Denied, and only counted", &["what", "times"], &suppressed, 0, |page, (what, times)| {
        cell(page, |page| page.guest(&Name::new(what)));
        number(page, &times.to_string());
    });
}

fn flows(page: &mut Page, heading: &str, flows: &BTreeMap<u64, Flow>, left_out: u64) {
    let rows: Vec<&Flow> = flows.values().collect();
    let columns = ["id", "kind", "name", "class", "bytes", "sha256", "record"];
    table(page, heading, &columns, &rows, left_out, |page, flow| {
        number(page, &flow.id.to_string());
        cell(page, |page| page.text(flow.kind));
        cell(page, |page| page.guest(&flow.name));
        cell(page, |page| page.text(flow.class.unwrap_or("")));
        number(page, &flow.bytes.to_string());
        cell(page, |page| {
            page.code(&crate::words::short(&flow.sha256));
            page.text(if flow.keyed { " keyed" } else { "" });
            page.text(if flow.complete { "" } else { " not whole" });
        });
        number(page, &flow.seq.to_string());
    });
}

fn moments(page: &mut Page, call: &Call) {
    if call.moments.is_empty() {
        return;
    }
    page.element("details", &[], |page| {
        page.element("summary", &[], |page| page.text("Timeline"));
        let columns = ["ms", "what", "kind", "name", "record"];
        table(page, "In the order of the ledger", &columns, &call.moments, call.left_out.moments, |page, moment| {
            number(page, &format!("{}.{:03}", moment.t / 1000, moment.t % 1000));
            let (what, class) = match &moment.what {
                What::Allowed { .. } => ("allowed", ""),
                What::Denied { .. } => ("denied", "high"),
                What::In { .. } => ("came in", ""),
                What::Out { .. } => ("went out", ""),
            };
            page.element("td", &[("class", class)], |page| page.text(what));
            match &moment.what {
                What::Allowed { capability, operation, requested } => {
                    cell(page, |page| access(page, capability, operation));
                    cell(page, |page| page.guest(requested));
                }
                What::Denied { capability, operation, requested, code } => {
                    cell(page, |page| access(page, capability, operation));
                    cell(page, |page| {
                        page.guest(requested);
                        page.text(&format!(" ({})", why(code)));
                    });
                }
                What::In { kind, name, bytes } | What::Out { kind, name, bytes } => {
                    cell(page, |page| page.text(kind));
                    cell(page, |page| {
                        page.guest(name);
                        page.text(&format!(" {}", size(*bytes)));
                    });
                }
            }
            number(page, &moment.seq.to_string());
        });
    });
}

fn access(page: &mut Page, capability: &str, operation: &Name) {
    page.code(capability);
    page.text(" ");
    page.guest(operation);
}

fn flow_name(page: &mut Page, flow: &Flow) {
    page.text(flow.kind);
    page.text(" ");
    page.guest(&flow.name);
}
