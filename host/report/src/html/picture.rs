//! What flowed, drawn: sources on the left, the tool, sinks on the right; what was denied stops before the tool or after it; findings go
//! through. Widths grow with the logarithm of the bytes. Whole numbers only, so that every machine draws the same.

use super::markup::Page;
use crate::records::Name;
use crate::story::{Call, Denial, Flow};
use crate::words::{brief, clean, leads_in, size, title, why};
use std::collections::{BTreeMap, BTreeSet};

/// Flows on one side: those with findings first, then the largest. The rest is one row.
const MAX_FLOWS: usize = 14;
/// Denials on one side; the rest is one row.
const MAX_DENIALS: usize = 6;
/// Findings that are drawn, the gravest; all are in the table.
const MAX_FINDINGS: usize = 60;
/// Characters of a name beside its line; with its kind and size they fit between the edge and the line.
const MAX_WIDTH: usize = 24;

/// Across: where rows end on the left, the tool, where rows begin on the right.
const WIDTH: usize = 980;
const LEFT: usize = 340;
const TOOL: (usize, usize) = (440, 540);
const RIGHT: usize = 640;
const ROW: usize = 28;
const TOP: usize = 34;

/// One row of a side.
struct Row<'s> {
    kind: &'s str,
    name: String,
    note: String,
    /// What a pointer that rests on it is told.
    whole: String,
    /// Tenths of a pixel; none for what was denied.
    width: Option<usize>,
    class: &'static str,
}

pub(super) fn draw(page: &mut Page, call: &Call) {
    let (found_in, found_out): (BTreeSet<u64>, BTreeSet<u64>) =
        (call.findings.iter().filter_map(|f| f.source).collect(), call.findings.iter().map(|f| f.sink).collect());
    let (mut left, sources) = rows(&call.sources, &found_in, call.left_out.sources);
    let (mut right, sinks) = rows(&call.sinks, &found_out, call.left_out.sinks);
    denied(&mut left, call, true);
    denied(&mut right, call, false);
    let rows = left.len().max(right.len());
    if rows == 0 {
        return;
    }
    let height = TOP + rows * ROW + 14;
    let view = format!("0 0 {WIDTH} {height}");
    page.element("figure", &[], |page| {
        let label = "Sources on the left, the tool in the middle, sinks on the right";
        page.element("svg", &[("viewBox", &view), ("role", "img"), ("aria-label", label)], |page| {
            side(page, &left, true, height);
            side(page, &right, false, height);
            tool(page, call, height);
            findings(page, call, &sources, &sinks);
        });
        page.element("figcaption", &[], |page| {
            page.text("Lines are as wide as the logarithm of their bytes. Dashed and crossed: denied. Coloured, through the tool: a source seen in a sink.");
        });
    });
}

/// The rows of a side, and in which of them each flow is.
fn rows<'s>(
    flows: &'s BTreeMap<u64, Flow>,
    found: &BTreeSet<u64>,
    left_out: u64,
) -> (Vec<Row<'s>>, BTreeMap<u64, usize>) {
    let mut sorted: Vec<&Flow> = flows.values().collect();
    sorted.sort_by_key(|flow| (!found.contains(&flow.id), std::cmp::Reverse(flow.bytes), flow.id));
    let mut rows = Vec::new();
    let mut places = BTreeMap::new();
    for flow in sorted.iter().take(MAX_FLOWS) {
        places.insert(flow.id, rows.len());
        let whole = format!("{} {}, {} bytes", flow.kind, clean(&flow.name, 400), flow.bytes);
        let note = size(flow.bytes);
        rows.push(Row {
            kind: flow.kind,
            name: brief(&flow.name, MAX_WIDTH),
            note,
            whole,
            width: Some(width(flow.bytes)),
            class: flow.class.unwrap_or("sink"),
        });
    }
    let more = left_out.saturating_add(sorted.len().saturating_sub(MAX_FLOWS) as u64);
    if more > 0 {
        let bytes = sorted.iter().skip(MAX_FLOWS).fold(0_u64, |sum, flow| sum.saturating_add(flow.bytes));
        for flow in sorted.iter().skip(MAX_FLOWS) {
            places.insert(flow.id, rows.len());
        }
        let name = format!("and {more} more");
        let whole = format!("{more} more, {bytes} bytes");
        rows.push(Row { kind: "", name, note: size(bytes), whole, width: Some(width(bytes)), class: "more" });
    }
    (rows, places)
}

/// Adds what was denied on that side.
fn denied<'s>(rows: &mut Vec<Row<'s>>, call: &'s Call, is_left: bool) {
    let of_side: Vec<&Denial> = call.denials.iter().filter(|row| leads_in(row.capability) == is_left).collect();
    for row in of_side.iter().take(MAX_DENIALS) {
        let times = if row.count > 1 { format!(" x{}", row.count) } else { String::new() };
        rows.push(Row {
            kind: row.capability,
            name: brief(&row.requested, MAX_WIDTH),
            note: format!("denied{times}"),
            whole: format!("{} {}: {}", row.capability, clean(&row.requested, 400), why(&row.code)),
            width: None,
            class: "denied",
        });
    }
    let more = of_side.iter().skip(MAX_DENIALS).fold(0_u64, |sum, row| sum.saturating_add(row.count));
    if more > 0 {
        let name = format!("and {more} more");
        rows.push(Row {
            kind: "",
            name,
            note: "denied".to_owned(),
            whole: String::new(),
            width: None,
            class: "denied",
        });
    }
}

/// Tenths of a pixel: 14 for a byte, 54 for a KiB, 94 for a MiB.
fn width(bytes: u64) -> usize {
    let bits = (u64::BITS - bytes.leading_zeros()) as usize;
    10 + bits * 4
}

fn middle(row: usize) -> usize {
    TOP + row * ROW + ROW / 2
}

/// Where a line of a row meets the tool.
fn at_tool(row: usize, rows: usize, height: usize) -> usize {
    let inside = height.saturating_sub(2 * TOP);
    TOP + inside * (2 * row + 1) / (2 * rows.max(1))
}

fn side(page: &mut Page, rows: &[Row<'_>], is_left: bool, height: usize) {
    let (edge, end, anchor, text) =
        if is_left { (LEFT, TOOL.0, "end", LEFT - 10) } else { (RIGHT, TOOL.1, "start", RIGHT + 10) };
    for (at, row) in rows.iter().enumerate() {
        let y = middle(at);
        let class = format!("row {}", row.class);
        page.element("g", &[("class", &class)], |page| {
            if !row.whole.is_empty() {
                page.element("title", &[], |page| page.text(&row.whole));
            }
            let path = match row.width {
                Some(_) => {
                    let (bend, to) = (edge.midpoint(end), at_tool(at, rows.len(), height));
                    format!("M{edge} {y}C{bend} {y} {bend} {to} {end} {to}")
                }
                // It does not reach the tool, or does not leave.
                None => format!("M{edge} {y}H{}", edge.midpoint(edge.midpoint(end))),
            };
            let tenths = row.width.unwrap_or(15);
            let width = format!("{}.{}", tenths / 10, tenths % 10);
            page.element("path", &[("d", &path), ("stroke-width", &width)], |_| {});
            if row.width.is_none() {
                let x = edge.midpoint(edge.midpoint(end));
                let (x0, x1, y0, y1) = (x - 5, x + 5, y - 5, y + 5);
                let cross = format!("M{x0} {y0}L{x1} {y1}M{x0} {y1}L{x1} {y0}");
                page.element("path", &[("d", &cross), ("class", "cross"), ("stroke-width", "2")], |_| {});
            }
            let (x, y) = (text.to_string(), (y + 4).to_string());
            let attributes = [("x", x.as_str()), ("y", y.as_str()), ("text-anchor", anchor), ("direction", "ltr")];
            page.element("text", &attributes, |page| {
                page.element("tspan", &[("class", "kind")], |page| page.text(row.kind));
                page.text(" ");
                // Each character where it stands, whatever its script's direction.
                page.element("tspan", &[("unicode-bidi", "bidi-override")], |page| page.text(&row.name));
                page.text(" ");
                page.element("tspan", &[("class", "kind")], |page| page.text(&row.note));
            });
        });
    }
}

fn tool(page: &mut Page, call: &Call, height: usize) {
    let (x, width) = (TOOL.0.to_string(), (TOOL.1 - TOOL.0).to_string());
    let tall = height.saturating_sub(TOP).to_string();
    page.element("g", &[("class", "tool")], |page| {
        let attributes =
            [("x", x.as_str()), ("y", "20"), ("width", width.as_str()), ("height", tall.as_str()), ("rx", "6")];
        page.element("rect", &attributes, |_| {});
        let middle = TOOL.0.midpoint(TOOL.1).to_string();
        let unknown = Name::default();
        let name = brief(call.tool.as_ref().unwrap_or(&unknown), 20);
        let attributes = [("x", middle.as_str()), ("y", "14"), ("text-anchor", "middle"), ("direction", "ltr")];
        page.element("text", &attributes, |page| {
            page.element("tspan", &[("unicode-bidi", "bidi-override")], |page| page.text(&name));
        });
    });
}

fn findings(page: &mut Page, call: &Call, sources: &BTreeMap<u64, usize>, sinks: &BTreeMap<u64, usize>) {
    // The gravest last: it lies on top.
    let mut drawn = call.by_severity();
    drawn.truncate(MAX_FINDINGS);
    for found in drawn.into_iter().rev() {
        let (Some(from), Some(to)) = (found.source.and_then(|id| sources.get(&id)), sinks.get(&found.sink)) else {
            continue;
        };
        let (y0, y1) = (middle(*from), middle(*to));
        let path = format!("M{LEFT} {y0}C{} {y0} {} {y1} {RIGHT} {y1}", TOOL.1, TOOL.0);
        let class = format!("finding {}", found.severity);
        page.element("g", &[("class", &class)], |page| {
            let rule = clean(&found.rule, 20);
            let title = title(found).unwrap_or("");
            page.element("title", &[], |page| page.text(&format!("{} {rule} {title}", found.severity)));
            page.element("path", &[("d", &path), ("stroke-width", "2.5")], |_| {});
        });
    }
}
