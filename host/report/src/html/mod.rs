//! One page that needs nothing else: no script, no link, no other file, and a policy of its own that forbids them.
//!
//! `markup.rs` is the only writer of tags, so that a guest's text cannot be anything but text; `picture.rs` draws what flowed, `traced.rs` where bytes come
//! from, `timeline.rs` when; `tables.rs` lists it; `style.css` is allowed by its hash. Long lists are cut and counted, and the page as a whole has a bound.

mod audit;
mod markup;
mod picture;
mod tables;
mod timeline;
mod traced;

pub use audit::audit_html;

use crate::records::Name;
use crate::story::{Call, Ending, Opened, Story};
use crate::traced::Contents;
use crate::words::{clean, count, host_of_grant, size, sums};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use markup::Page;
use sha2::{Digest as _, Sha256};

/// Calls that have a section; the rest is counted.
const MAX_CALLS: usize = 20;
/// Grants, and warnings, that are shown; the rest is counted.
const MAX_FACTS: usize = 100;

const STYLE: &str = include_str!("style.css");

/// The report as one self-contained HTML page of a few MiB at most.
#[must_use]
pub fn html(story: &Story) -> String {
    html_of_run(story, &Contents::default())
}

/// The same by the program that made the run, which knows what it answered: where its data was followed, that comes first.
#[must_use]
pub fn html_of_run(story: &Story, contents: &Contents) -> String {
    let mut page = Page::new();
    page.element("html", &[("lang", "en")], |page| {
        page.element("head", &[], |page| head(page, story));
        page.element("body", &[], |page| {
            page.element("main", &[], |page| body(page, story, contents));
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

fn body(page: &mut Page, story: &Story, contents: &Contents) {
    banner(page, story);
    // What was asked for comes first, where the run has just been made.
    let asked = story.calls.iter().find(|call| call.number == contents.call);
    if let Some(call) = asked {
        traced::draw(page, call, contents, true);
    }
    if let Some(opened) = &story.opened {
        allowed(page, opened);
    }
    for call in story.calls.iter().take(MAX_CALLS) {
        page.element("section", &[], |page| section(page, call, contents));
    }
    let more = story.calls_left_out.saturating_add(story.calls.len().saturating_sub(MAX_CALLS) as u64);
    if more > 0 {
        page.sentence(
            "note",
            &format!("And {} that are not shown; customs report -o json has more.", count(more, "call")),
        );
    }
    page.element("section", &[], |page| {
        page.element("h2", &[], |page| page.text("About this run"));
        match &story.opened {
            Some(opened) => facts(page, story, opened),
            None => page.sentence("note", "The record that says what ran cannot be read."),
        }
    });
    page.element("footer", &[], |page| {
        page.sentence("", "Made from the ledger alone. Values are not in it; what is shown of them is cut short. \
            Characters that a reader would not see are written as escapes. That nothing was found means that the methods named did not see it.");
    });
}

/// What matters first: whether the ledger can be believed, and the numbers.
fn banner(page: &mut Page, story: &Story) {
    let class = if story.is_sound() { "banner" } else { "banner bad" };
    page.element("header", &[("class", class)], |page| {
        for alarm in story.alarms() {
            page.element("p", &[("role", "alert")], |page| page.text(&alarm));
        }
        page.element("h1", &[], |page| match &story.opened {
            Some(opened) => page.guest(&opened.component),
            None => page.text("A run of an unknown component"),
        });
        page.element("p", &[("class", "note")], |page| {
            if let Some(opened) = &story.opened {
                page.guest(&opened.time);
                page.text(", ");
            }
            page.text("ledger ");
            page.guest(&Name::new(&story.ledger));
            page.text(": ");
            page.element("strong", &[("class", "verdict")], |page| page.text(story.word()));
            if story.is_sound() {
                page.text(&format!(", {}", story.verdict.detail));
            }
        });
        if story.is_sound() && !story.is_complete() {
            page.sentence("note", "The record is not complete: something was capped, suppressed, or stopped.");
        }
        page.element("ul", &[], |page| tiles(page, story));
    });
}

fn tiles(page: &mut Page, story: &Story) {
    let sums = sums(story);
    let words = match (sums.by_severity.is_empty(), sums.searched) {
        (false, _) => sums.severities(),
        (true, true) => "no source was seen in a sink".to_owned(),
        (true, false) => "not all was searched".to_owned(),
    };
    tile(page, sums.by_severity.first().map_or("", |(_, severity)| severity), sums.findings, "finding", &words);
    let (class, words) =
        if sums.denials > 0 { ("denied", "asked for and refused") } else { ("", "nothing was refused") };
    tile(page, class, sums.denials, "denial", words);
    tile(page, "", sums.sources, "source", &format!("{} came in", size(sums.came_in)));
    tile(page, "", sums.sinks, "sink", &format!("{} went out", size(sums.went_out)));
    let words = match story.calls.as_slice() {
        [one] => one.ending.as_ref().map_or("its end is not recorded", |ending| ending.kind).to_owned(),
        _ => format!("{} returned", sums.returned),
    };
    tile(page, "", sums.calls, "call", &words);
}

fn tile(page: &mut Page, class: &str, number: u64, what: &str, words: &str) {
    page.element("li", &[("class", class)], |page| {
        page.element("strong", &[], |page| page.text(&count(number, what)));
        page.text(" ");
        page.element("span", &[], |page| page.text(words));
    });
}

fn allowed(page: &mut Page, opened: &Opened) {
    page.element("p", &[("class", "grants")], |page| {
        if opened.grants.is_empty() && opened.grants_left_out == 0 {
            page.text("Nothing was granted.");
            return;
        }
        page.text("Granted: ");
        for grant in opened.grants.iter().take(MAX_FACTS) {
            page.element("code", &[], |page| {
                page.guest(grant);
                if let Some(host) = host_of_grant(grant) {
                    page.text(&format!(" (the host is {host})"));
                }
            });
            page.text(" ");
        }
        let more = opened.grants_left_out.saturating_add(opened.grants.len().saturating_sub(MAX_FACTS) as u64);
        if more > 0 {
            page.text(&format!("and {more} more"));
        }
    });
    for warning in opened.warnings.iter().take(MAX_FACTS) {
        page.element("p", &[("class", "medium")], |page| {
            page.text("Warning: ");
            page.guest(warning);
        });
    }
    let more = opened.warnings_left_out.saturating_add(opened.warnings.len().saturating_sub(MAX_FACTS) as u64);
    if more > 0 {
        page.sentence("note", &format!("And {} that are not shown.", count(more, "warning")));
    }
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
        fact(page, "policy", |page| page.code(&opened.policy));
        fact(page, "ledger head", |page| page.code(&story.head()));
    });
}

fn fact(page: &mut Page, what: &str, value: impl FnOnce(&mut Page)) {
    page.element("dt", &[], |page| page.text(what));
    page.element("dd", &[], value);
}

fn section(page: &mut Page, call: &Call, contents: &Contents) {
    page.element("h2", &[], |page| {
        page.text(&format!("Call {}: ", call.number));
        match &call.tool {
            Some(tool) => page.guest(tool),
            None => page.text("its record is missing"),
        }
    });
    page.element("p", &[], |page| ended(page, call));
    if contents.call != call.number {
        traced::draw(page, call, &Contents::default(), false);
    }
    picture::draw(page, call);
    tables::findings(page, call);
    tables::denials(page, call);
    tables::flows(page, "Came in", &call.sources, call.left_out.sources, Some(call.number));
    tables::flows(page, "Went out", &call.sinks, call.left_out.sinks, None);
    tables::moments(page, call);
}

fn ended(page: &mut Page, call: &Call) {
    match &call.ending {
        None => page.text("How it ended is not recorded."),
        Some(Ending { kind, limit, detail }) => {
            match limit {
                Some(limit) => {
                    page.element("strong", &[], |page| page.text("Stopped"));
                    page.text(" by the ");
                    page.guest(limit);
                    page.text(" limit");
                }
                None => {
                    page.text("Ended: ");
                    page.element("strong", &[], |page| page.text(kind));
                }
            }
            if let Some(detail) = detail {
                page.text(": ");
                page.guest(detail);
            }
            page.text(".");
        }
    }
    if !call.is_complete() {
        page.text(" The record of this call is not complete.");
    }
}
