//! When it happened, drawn: one line for each kind of moment, and each moment where its time is between the first and the last.

use super::markup::Page;
use crate::story::{Call, Moment, What};
use crate::words::clean;

const WIDTH: usize = 1000;
/// Across: where time begins and ends.
const START: usize = 100;
const END: usize = 985;
/// Down: each line, and the first.
const LANE: usize = 24;
const TOP: usize = 16;
const LANES: [(&str, &str); 4] =
    [("allowed", "lane asked"), ("denied", "lane denied"), ("came in", "lane in"), ("went out", "lane out")];

/// Milliseconds with three places.
pub(super) fn milliseconds(t: u64) -> String {
    format!("{}.{:03}", t / 1000, t % 1000)
}

pub(super) fn draw(page: &mut Page, call: &Call) {
    let times = || call.moments.iter().map(|moment| moment.t);
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return;
    };
    let height = TOP + LANES.len() * LANE + 20;
    let view = format!("0 0 {WIDTH} {height}");
    page.element("figure", &[("class", "timeline")], |page| {
        let label = "What happened when: allowed, denied, came in, went out";
        page.element("svg", &[("viewBox", &view), ("role", "img"), ("aria-label", label)], |page| {
            for (at, (name, class)) in LANES.iter().enumerate() {
                let y = TOP + at * LANE;
                page.element("g", &[("class", class)], |page| {
                    text(page, START - 12, y + 4, "end", name);
                    let line = format!("M{START} {y}H{END}");
                    page.element("path", &[("d", &line)], |_| {});
                    for moment in call.moments.iter().filter(|moment| lane(&moment.what) == at) {
                        dot(page, moment, place(moment.t, first, last), y);
                    }
                });
            }
            let y = TOP + LANES.len() * LANE + 6;
            text(page, START, y, "start", &format!("{} ms", milliseconds(first)));
            if last > first {
                text(page, END, y, "end", &format!("{} ms", milliseconds(last)));
            }
        });
    });
}

fn text(page: &mut Page, x: usize, y: usize, anchor: &str, what: &str) {
    let (x, y) = (x.to_string(), y.to_string());
    let attributes =
        [("x", x.as_str()), ("y", y.as_str()), ("text-anchor", anchor), ("direction", "ltr"), ("class", "kind")];
    page.element("text", &attributes, |page| page.text(what));
}

fn dot(page: &mut Page, moment: &Moment, x: usize, y: usize) {
    let (x, y) = (x.to_string(), y.to_string());
    page.element("circle", &[("cx", &x), ("cy", &y), ("r", "5")], |page| {
        let name = match &moment.what {
            What::Allowed { requested, .. } | What::Denied { requested, .. } => requested,
            What::In { name, .. } | What::Out { name, .. } => name,
        };
        let what = format!("{} ms {}", milliseconds(moment.t), clean(name, 100));
        page.element("title", &[], |page| page.text(&what));
    });
}

fn lane(what: &What) -> usize {
    match what {
        What::Allowed { .. } => 0,
        What::Denied { .. } => 1,
        What::In { .. } => 2,
        What::Out { .. } => 3,
    }
}

/// In the middle where all is at one time.
fn place(t: u64, first: u64, last: u64) -> usize {
    let (passed, all) = (u128::from(t.saturating_sub(first)), u128::from(last.saturating_sub(first)));
    let wide = (END - START - 12) as u128;
    let at = (passed * wide).checked_div(all).unwrap_or(wide / 2);
    START + 6 + usize::try_from(at).unwrap_or(0)
}
