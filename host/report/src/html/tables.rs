//! The lists below the picture: what was found, denied, came in and went out, and the moments one by one.

use super::markup::Page;
use super::timeline;
use crate::records::Name;
use crate::story::{Call, Flow, What};
use crate::words::{host_of, how, origins, short, size, title, why};
use std::collections::BTreeMap;

/// Rows of one table; the rest is counted.
const MAX_ROWS: usize = 500;
/// Bytes after which no table begins another row. With what may follow the page stays below twice of it.
const MAX_PAGE: usize = 3 << 20;

/// A column: its heading, and whether it has numbers.
pub(super) type Column = (&'static str, bool);

pub(super) const fn words(heading: &'static str) -> Column {
    (heading, false)
}

pub(super) const fn numbers(heading: &'static str) -> Column {
    (heading, true)
}

/// The cells of one row, in the order of the columns.
pub(super) struct Cells<'p> {
    page: &'p mut Page,
    columns: std::slice::Iter<'p, Column>,
}

impl Cells<'_> {
    /// The next cell. On a narrow screen its heading stands beside it.
    pub(super) fn next(&mut self, inner: impl FnOnce(&mut Page)) {
        self.with("", inner);
    }

    pub(super) fn with(&mut self, class: &str, inner: impl FnOnce(&mut Page)) {
        let (heading, is_number) = self.columns.next().copied().unwrap_or_default();
        let class = if is_number { "number" } else { class };
        self.page.element("td", &[("class", class), ("data-label", heading)], inner);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.next(|page| page.text(text));
    }
}

/// A table with a heading: at most [`MAX_ROWS`] rows, and a line that counts the rest. Nothing at all where there is nothing.
pub(super) fn table<T>(
    page: &mut Page,
    heading: &str,
    columns: &[Column],
    rows: &[T],
    left_out: u64,
    row: impl Fn(&mut Cells<'_>, &T),
) {
    if rows.is_empty() && left_out == 0 {
        return;
    }
    page.element("h3", &[], |page| page.text(heading));
    let mut shown = 0_u64;
    page.element("table", &[], |page| {
        page.element("thead", &[], |page| {
            page.element("tr", &[], |page| {
                for (column, is_number) in columns {
                    let class = if *is_number { "number" } else { "" };
                    page.element("th", &[("scope", "col"), ("class", class)], |page| page.text(column));
                }
            });
        });
        page.element("tbody", &[], |page| {
            for one in rows.iter().take(MAX_ROWS) {
                if page.len() > MAX_PAGE {
                    break;
                }
                page.element("tr", &[], |page| row(&mut Cells { page, columns: columns.iter() }, one));
                shown += 1;
            }
        });
    });
    let more = (rows.len() as u64).saturating_sub(shown).saturating_add(left_out);
    if more > 0 {
        page.sentence("note", &format!("And {more} more that are not shown; customs report -o json has more."));
    }
}

pub(super) fn small(page: &mut Page, text: &str) {
    page.element("small", &[], |page| page.text(text));
}

pub(super) fn findings(page: &mut Page, call: &Call) {
    let columns = [
        words("severity"),
        words("finding"),
        words("from"),
        words("to"),
        words("how"),
        words("seen"),
        numbers("record"),
    ];
    let sorted = call.by_severity();
    table(page, "Findings", &columns, &sorted, call.left_out.findings, |cells, found| {
        cells.next(|page| {
            page.element("span", &[("class", &format!("pill {}", found.severity))], |page| page.text(found.severity));
        });
        cells.next(|page| {
            page.text(title(found).unwrap_or("A rule that this version does not know"));
            page.text(" ");
            page.element("small", &[], |page| page.guest(&found.rule));
        });
        cells.next(|page| match call.source(found) {
            Some(source) => {
                flow_name(page, source);
                for origin in origins(call, found) {
                    page.text(" ");
                    small(page, &format!("came from {origin}"));
                }
            }
            None => page.text("no source"),
        });
        cells.next(|page| match call.sink(found) {
            Some(sink) => flow_name(page, sink),
            None => page.text(&format!("sink {}", found.sink)),
        });
        cells.next(|page| {
            page.text(&how(call, found));
            if let Some(note) = &found.note {
                page.text(" ");
                page.guest(note);
            }
            page.text(" ");
            small(page, &format!("{} evidence by {}; {}", found.strength, found.method, found.action));
        });
        cells.next(|page| page.guest(&found.preview));
        // One of a later pass over a recording is in no ledger.
        cells.text(&if found.seq == 0 { "-".to_owned() } else { found.seq.to_string() });
    });
    if call.findings.is_empty() && call.left_out.findings == 0 && !call.methods.is_empty() {
        page.sentence("note", &format!("No source was seen in a sink. Looked for by: {}.", call.methods.join(", ")));
    }
}

/// Where bytes were before this call had them.
fn came_from(page: &mut Page, kind: &str, name: &Name, call: u64) {
    page.text(" ");
    page.element("small", &[], |page| {
        page.text(&format!("came from {kind} "));
        page.guest(name);
        page.text(&format!(" in call {call}"));
    });
}

/// What a host is to the network, where it may look like another one.
fn host(page: &mut Page, kind: &str, name: &Name) {
    if let Some(host) = host_of(kind, name) {
        page.text(" ");
        small(page, &format!("the host is {host}"));
    }
}

pub(super) fn denials(page: &mut Page, call: &Call) {
    let columns = [words("capability"), words("requested"), words("why"), numbers("times"), numbers("record")];
    table(page, "Denied", &columns, &call.denials, call.left_out.denials, |cells, row| {
        cells.next(|page| {
            page.code(row.capability);
            page.text(" ");
            page.element("small", &[], |page| page.guest(&row.operation));
        });
        cells.next(|page| {
            page.guest(&row.requested);
            host(page, row.capability, &row.requested);
            if let Some(resolved) = row.resolved.as_ref().filter(|resolved| **resolved != row.requested) {
                page.text(" ");
                page.element("small", &[], |page| {
                    page.text("leads to ");
                    page.guest(resolved);
                });
            }
        });
        cells.next(|page| {
            page.text(&why(&row.code));
            page.text(" ");
            page.element("small", &[], |page| page.guest(&row.code));
        });
        cells.text(&row.count.to_string());
        cells.text(&row.seq.to_string());
    });
    let suppressed: Vec<(&String, &u64)> = call.suppressed.iter().collect();
    let columns = [words("what"), numbers("times")];
    table(page, "Denied, and only counted", &columns, &suppressed, 0, |cells, (what, times)| {
        cells.next(|page| page.guest(&Name::new(what)));
        cells.text(&times.to_string());
    });
}

/// Rows of sources can be linked to: `call` is theirs.
pub(super) fn flows(page: &mut Page, heading: &str, flows: &BTreeMap<u64, Flow>, left_out: u64, call: Option<u64>) {
    let rows: Vec<&Flow> = flows.values().collect();
    let columns = [numbers("id"), words("kind"), words("name"), numbers("bytes"), words("sha256"), numbers("record")];
    table(page, heading, &columns, &rows, left_out, |cells, flow| {
        cells.next(|page| {
            let place = call.map_or_else(String::new, |call| format!("source-{call}-{}", flow.id));
            page.element("span", &[("id", &place)], |page| page.text(&flow.id.to_string()));
        });
        cells.next(|page| {
            page.text(flow.kind);
            if let Some(class) = flow.class {
                page.text(" ");
                page.element("span", &[("class", &format!("pill {class}"))], |page| page.text(class));
            }
        });
        cells.next(|page| {
            page.guest(&flow.name);
            host(page, flow.kind, &flow.name);
            for origin in &flow.origins {
                came_from(page, origin.kind, &origin.name, origin.call);
            }
        });
        cells.text(&flow.bytes.to_string());
        cells.next(|page| {
            page.code(&short(&flow.sha256));
            page.text(if flow.keyed { " keyed" } else { "" });
            page.text(if flow.complete { "" } else { " not whole" });
        });
        cells.text(&flow.seq.to_string());
    });
}

pub(super) fn moments(page: &mut Page, call: &Call) {
    if call.moments.is_empty() {
        return;
    }
    page.element("h3", &[], |page| page.text("Timeline"));
    timeline::draw(page, call);
    page.element("details", &[], |page| {
        page.element("summary", &[], |page| page.text("Moment by moment"));
        let columns = [numbers("ms"), words("what"), words("kind"), words("name"), numbers("record")];
        table(page, "In the order of the ledger", &columns, &call.moments, call.left_out.moments, |cells, moment| {
            cells.text(&timeline::milliseconds(moment.t));
            match &moment.what {
                What::Allowed { capability, operation, requested } => {
                    cells.text("allowed");
                    cells.next(|page| access(page, capability, operation));
                    cells.next(|page| page.guest(requested));
                }
                What::Denied { capability, operation, requested, code } => {
                    cells.with("denied", |page| page.text("denied"));
                    cells.next(|page| access(page, capability, operation));
                    cells.next(|page| {
                        page.guest(requested);
                        page.text(" ");
                        small(page, &why(code));
                    });
                }
                What::In { kind, name, bytes } => crossed(cells, "came in", kind, name, *bytes),
                What::Out { kind, name, bytes } => crossed(cells, "went out", kind, name, *bytes),
            }
            cells.text(&moment.seq.to_string());
        });
    });
}

fn crossed(cells: &mut Cells<'_>, what: &str, kind: &str, name: &Name, bytes: u64) {
    cells.text(what);
    cells.text(kind);
    cells.next(|page| {
        page.guest(name);
        page.text(" ");
        small(page, &size(bytes));
    });
}

fn access(page: &mut Page, capability: &str, operation: &Name) {
    page.code(capability);
    page.text(" ");
    page.element("small", &[], |page| page.guest(operation));
}

fn flow_name(page: &mut Page, flow: &Flow) {
    page.text(flow.kind);
    if flow.name.text == flow.kind {
        return;
    }
    page.text(" ");
    match flow.name.text.as_str() {
        // A result that is one value has an empty pointer.
        "" => page.text("\"\""),
        _ => page.guest(&flow.name),
    }
}
