//! What flowed, drawn: sources on the left, the tool, sinks on the right; what was denied stops before the tool or after it; findings go
//! through. Bands grow with the logarithm of the bytes. Whole numbers only, so that every machine draws the same.

use super::markup::Page;
use crate::records::{Name, SEVERITIES};
use crate::story::{Call, Denial, Flow, Found};
use crate::words::{brief, clean, host_of, how, leads_in, size, title, why};
use std::collections::BTreeMap;

/// Flows on one side: those with findings first, then the largest. The rest is one row.
const MAX_FLOWS: usize = 14;
/// Denials on one side; the rest is one row.
const MAX_DENIALS: usize = 6;
/// Findings that are drawn, the gravest; all are in the table.
const MAX_FINDINGS: usize = 60;
/// Columns of a name: what fits between the edge and the bar.
const MAX_WIDTH: usize = 44;

/// Across: where bars of the left end, the tool, where bars of the right begin.
const WIDTH: usize = 1000;
const LEFT: usize = 362;
const TOOL: (usize, usize) = (440, 560);
const RIGHT: usize = 638;
const BAR: usize = 8;
/// Down: each row, and where the first begins.
const ROW: usize = 40;
const TOP: usize = 30;

/// One row of a side.
struct Row<'s> {
    name: String,
    /// The line below the name.
    note: String,
    /// What a pointer that rests on it is told.
    whole: String,
    /// Pixels; none for what was denied.
    thick: Option<usize>,
    class: &'s str,
}

/// Where the band of a flow is: at its bar, at the tool, and how thick.
#[derive(Clone, Copy)]
struct Band {
    bar: usize,
    tool: usize,
    thick: usize,
}

pub(super) fn draw(page: &mut Page, call: &Call) {
    let (mut left, sources) = rows(call, &call.sources, call.left_out.sources, |found| found.source);
    let (mut right, sinks) = rows(call, &call.sinks, call.left_out.sinks, |found| Some(found.sink));
    denied(&mut left, call, true);
    denied(&mut right, call, false);
    let count = left.len().max(right.len());
    if count == 0 {
        return;
    }
    let height = TOP + count * ROW;
    let (into, out) = (bands(&left), bands(&right));
    let view = format!("0 0 {WIDTH} {}", height + 6);
    page.element("figure", &[("class", "picture")], |page| {
        let label = "Sources on the left, the tool in the middle, sinks on the right";
        page.element("svg", &[("viewBox", &view), ("role", "img"), ("aria-label", label)], |page| {
            heading(page, LEFT, "end", |page| page.text("came in"));
            heading(page, RIGHT, "start", |page| page.text("went out"));
            side(page, &left, &into, true);
            side(page, &right, &out, false);
            tool(page, call, height);
            findings(page, call, |id| into.get(*sources.get(&id)?).copied(), |id| out.get(*sinks.get(&id)?).copied());
        });
        page.element("figcaption", &[], |page| {
            for class in ["secret", "private", "untrusted", "public"] {
                if left.iter().any(|row| row.class == class) {
                    page.element("span", &[("class", &format!("key {class}"))], |page| page.text(class));
                }
            }
            if left.iter().chain(&right).any(|row| row.thick.is_none()) {
                page.element("span", &[("class", "key denied")], |page| page.text("denied"));
            }
            for severity in SEVERITIES {
                if call.findings.iter().any(|found| found.severity == severity && found.source.is_some()) {
                    let what = format!("{severity} finding");
                    page.element("span", &[("class", &format!("key {severity}"))], |page| page.text(&what));
                }
            }
            page.text("Bands are as thick as the logarithm of their bytes");
            let is_found = call.findings.iter().any(|found| found.source.is_some());
            page.text(if is_found { "; a finding goes from its source to the sink it was seen in." } else { "." });
        });
    });
}

fn heading(page: &mut Page, x: usize, anchor: &str, inner: impl FnOnce(&mut Page)) {
    let x = x.to_string();
    let attributes = [("x", x.as_str()), ("y", "16"), ("text-anchor", anchor), ("direction", "ltr"), ("class", "head")];
    page.element("text", &attributes, inner);
}

/// The rows of a side, and in which of them each flow is. `end` is the flow that a finding has on that side.
fn rows<'s>(
    call: &Call,
    flows: &'s BTreeMap<u64, Flow>,
    left_out: u64,
    end: impl Fn(&Found) -> Option<u64>,
) -> (Vec<Row<'s>>, BTreeMap<u64, usize>) {
    // The gravest first, so that their bands lie beside each other at the top.
    let mut found = BTreeMap::new();
    for (rank, one) in call.by_severity().into_iter().enumerate() {
        if let Some(id) = end(one) {
            found.entry(id).or_insert(rank);
        }
    }
    let mut sorted: Vec<&Flow> = flows.values().collect();
    sorted.sort_by_key(|flow| {
        (found.get(&flow.id).copied().unwrap_or(usize::MAX), std::cmp::Reverse(flow.bytes), flow.id)
    });
    let mut rows = Vec::new();
    let mut places = BTreeMap::new();
    for flow in sorted.iter().take(MAX_FLOWS) {
        places.insert(flow.id, rows.len());
        let class = flow.class.map_or_else(String::new, |class| format!(", {class}"));
        let name = if flow.name.text.is_empty() { "\"\"".to_owned() } else { brief(&flow.name, MAX_WIDTH) };
        rows.push(Row {
            name,
            note: format!("{}{}, {}{class}", flow.kind, host(flow.kind, &flow.name), size(flow.bytes)),
            whole: format!(
                "{} {}{}, {} bytes{class}",
                flow.kind,
                clean(&flow.name, 400),
                host(flow.kind, &flow.name),
                flow.bytes
            ),
            thick: Some(thickness(flow.bytes)),
            class: flow.class.unwrap_or("sink"),
        });
    }
    let more = left_out.saturating_add(sorted.len().saturating_sub(MAX_FLOWS) as u64);
    if more > 0 {
        let bytes = sorted.iter().skip(MAX_FLOWS).fold(0_u64, |sum, flow| sum.saturating_add(flow.bytes));
        for flow in sorted.iter().skip(MAX_FLOWS) {
            places.insert(flow.id, rows.len());
        }
        let at_least = if left_out > 0 { "at least " } else { "" };
        rows.push(Row {
            name: format!("and {more} more"),
            note: format!("{at_least}{}", size(bytes)),
            whole: format!("{more} more, {at_least}{bytes} bytes"),
            thick: Some(thickness(bytes)),
            class: "more",
        });
    }
    (rows, places)
}

/// Adds what was denied on that side.
fn denied(rows: &mut Vec<Row<'_>>, call: &Call, is_left: bool) {
    let of_side: Vec<&Denial> = call.denials.iter().filter(|row| leads_in(row.capability) == is_left).collect();
    for row in of_side.iter().take(MAX_DENIALS) {
        let times = if row.count > 1 { format!(", {} times", row.count) } else { String::new() };
        rows.push(Row {
            name: brief(&row.requested, MAX_WIDTH),
            note: format!("{} denied{times}{}", row.capability, host(row.capability, &row.requested)),
            whole: format!("{} {}: {}", row.capability, clean(&row.requested, 400), why(&row.code)),
            thick: None,
            class: "denied",
        });
    }
    let more = of_side.iter().skip(MAX_DENIALS).fold(0_u64, |sum, row| sum.saturating_add(row.count));
    if more > 0 {
        let (name, note) = (format!("and {more} more"), "denied".to_owned());
        rows.push(Row { name, note, whole: String::new(), thick: None, class: "denied" });
    }
}

/// ` (xn--pi-6kc.example.com)` for a host that may look like another one.
fn host(kind: &str, name: &Name) -> String {
    host_of(kind, name).map_or_else(String::new, |host| format!(" ({})", brief(&Name::new(&host), 28)))
}

/// Pixels: 3 for a byte, 8 for a KiB, 13 for a MiB, 18 for a GiB.
fn thickness(bytes: u64) -> usize {
    let bits = (u64::BITS - bytes.leading_zeros()) as usize;
    (3 + bits / 2).min(26)
}

/// Where each row's band is. At the tool the rows lie closer together.
fn bands(rows: &[Row<'_>]) -> Vec<Band> {
    let middle = TOP + rows.len() * ROW / 2;
    let closer = |y: usize| (middle * 3 + y * 7) / 10;
    let band = |(at, row): (usize, &Row<'_>)| {
        let bar = TOP + at * ROW + ROW / 2;
        Band { bar, tool: closer(bar), thick: row.thick.unwrap_or(2) }
    };
    rows.iter().enumerate().map(band).collect()
}

fn side(page: &mut Page, rows: &[Row<'_>], bands: &[Band], is_left: bool) {
    let (edge, end, anchor, text) =
        if is_left { (LEFT, TOOL.0, "end", LEFT - BAR - 8) } else { (RIGHT, TOOL.1, "start", RIGHT + BAR + 8) };
    for (row, band) in rows.iter().zip(bands) {
        let class = format!("row {}", row.class);
        page.element("g", &[("class", &class)], |page| {
            if !row.whole.is_empty() {
                page.element("title", &[], |page| page.text(&row.whole));
            }
            match row.thick {
                Some(thick) => {
                    let (from, to, bend) = (band.bar, band.tool, edge.midpoint(end));
                    let path = format!("M{edge} {from}C{bend} {from} {bend} {to} {end} {to}");
                    page.element("path", &[("d", &path), ("stroke-width", &thick.to_string())], |_| {});
                    let x = if is_left { edge - BAR } else { edge };
                    bar(page, x, band);
                }
                // It comes as far as the cross: to the tool on the left, away from it on the right.
                None => barred(page, band, is_left),
            }
            label(page, text, band.bar, anchor, row);
        });
    }
}

fn bar(page: &mut Page, x: usize, band: &Band) {
    // Never lower than what can be seen.
    let tall = band.thick.max(6);
    let (x, y, width, height) = (x.to_string(), (band.bar - tall / 2).to_string(), BAR.to_string(), tall.to_string());
    let attributes =
        [("x", x.as_str()), ("y", y.as_str()), ("width", width.as_str()), ("height", height.as_str()), ("rx", "2")];
    page.element("rect", &attributes, |_| {});
}

fn barred(page: &mut Page, band: &Band, is_left: bool) {
    let (y, t) = (band.bar, band.tool);
    let (path, x) = if is_left {
        let x = LEFT + 30;
        (format!("M{} {y}H{x}", LEFT - BAR), x)
    } else {
        let (from, x) = (TOOL.1, RIGHT - 18);
        let bend = from.midpoint(x);
        (format!("M{from} {t}C{bend} {t} {bend} {y} {x} {y}"), x)
    };
    page.element("path", &[("d", &path), ("stroke-width", "2")], |_| {});
    let (x0, x1, y0, y1) = (x - 6, x + 6, y - 6, y + 6);
    let cross = format!("M{x0} {y0}L{x1} {y1}M{x0} {y1}L{x1} {y0}");
    page.element("path", &[("d", &cross), ("class", "cross"), ("stroke-width", "3")], |_| {});
}

fn label(page: &mut Page, x: usize, y: usize, anchor: &str, row: &Row<'_>) {
    let (x, above, below) = (x.to_string(), (y - 2).to_string(), (y + 12).to_string());
    let attributes = [("x", x.as_str()), ("y", above.as_str()), ("text-anchor", anchor), ("direction", "ltr")];
    page.element("text", &attributes, |page| {
        // Each character where it stands, whatever its script's direction.
        page.element("tspan", &[("unicode-bidi", "bidi-override")], |page| page.text(&row.name));
    });
    let attributes =
        [("x", x.as_str()), ("y", below.as_str()), ("text-anchor", anchor), ("direction", "ltr"), ("class", "kind")];
    page.element("text", &attributes, |page| page.text(&row.note));
}

fn tool(page: &mut Page, call: &Call, height: usize) {
    let (x, width) = (TOOL.0.to_string(), (TOOL.1 - TOOL.0).to_string());
    let (y, tall) = (TOP.to_string(), height.saturating_sub(TOP).to_string());
    page.element("g", &[("class", "tool")], |page| {
        let attributes =
            [("x", x.as_str()), ("y", y.as_str()), ("width", width.as_str()), ("height", tall.as_str()), ("rx", "6")];
        page.element("rect", &attributes, |_| {});
        let unknown = Name::default();
        let name = brief(call.tool.as_ref().unwrap_or(&unknown), 24);
        heading(page, TOOL.0.midpoint(TOOL.1), "middle", |page| {
            page.element("tspan", &[("unicode-bidi", "bidi-override")], |page| page.text(&name));
        });
    });
}

fn findings(page: &mut Page, call: &Call, source: impl Fn(u64) -> Option<Band>, sink: impl Fn(u64) -> Option<Band>) {
    // The gravest last: it lies on top.
    let mut drawn = call.by_severity();
    drawn.truncate(MAX_FINDINGS);
    for found in drawn.into_iter().rev() {
        let (Some(from), Some(to)) = (found.source.and_then(&source), sink(found.sink)) else {
            continue;
        };
        let (a, b, middle) = (LEFT.midpoint(TOOL.0), TOOL.1.midpoint(RIGHT), TOOL.0.midpoint(TOOL.1));
        let (y0, t0, t1, y1) = (from.bar, from.tool, to.tool, to.bar);
        let (x0, x1) = TOOL;
        let path = format!(
            "M{LEFT} {y0}C{a} {y0} {a} {t0} {x0} {t0}C{middle} {t0} {middle} {t1} {x1} {t1}C{b} {t1} {b} {y1} {RIGHT} {y1}"
        );
        let seen =
            found.source_ranges.iter().fold(0_u64, |sum, (from, to)| sum.saturating_add(to.saturating_sub(*from)));
        let thick = thickness(seen).min(from.thick).min(to.thick).max(3).to_string();
        let class = format!("finding {}", found.severity);
        page.element("g", &[("class", &class)], |page| {
            let (rule, how) = (clean(&found.rule, 20), how(call, found));
            let title = title(found).unwrap_or("");
            page.element("title", &[], |page| page.text(&format!("{} {rule} {title}: {how}", found.severity)));
            page.element("path", &[("d", &path), ("stroke-width", &thick)], |_| {});
        });
    }
}
