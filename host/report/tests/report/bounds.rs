//! However much a ledger holds, a report is small and says what it leaves out.

use crate::parsed;
use crate::scanning::sarif_is_sound;
use crate::support::page::elements;
use crate::support::schema::{faults, published};
use crate::support::{call, denied, end, finding, ledger, open, sink, small, source, story, zeros};
use customs_ledger::{Report, Verdict, hex};
use customs_report::{Story, html, json, sarif, text};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// 169: as many records as there can be, and names as long as they can be.
#[test]
fn a_report_has_a_bound_and_counts_what_it_leaves_out() {
    let long = "\u{1b}".repeat(500);
    let mut records = vec![open(), call(1, "t")];
    records.extend((0..3000).map(|n| denied(1, "fs.read", &format!("/{n}/{long}"))));
    records.extend((0..12_000).map(|n| source(1, n + 1, &format!("/{n}{long}"), n)));
    records.push(sink(1, 1, &long, 7));
    records.push(end(1));
    records.extend((0..11_000).map(|n| finding(1, n % 12_000 + 1, 1, if n == 9_000 { "high" } else { "info" })));
    records.extend((2..1200).flat_map(|n| [call(n, &long), end(n)]));
    let bytes = ledger(&records);
    let story = story(&bytes);
    assert!(story.is_sound());
    let made = text(&story);
    assert!(made.len() < 256 << 10, "{}", made.len());
    assert!(made.lines().find(|l| l.starts_with("finding")).unwrap().contains("high"), "the gravest is shown first");
    assert!(made.contains("denied   2980 more that are not shown\n"), "counts are exact");
    assert!(made.contains("finding  and 10980 more that are not shown\n"));
    let report = parsed(&json(&story));
    let first = &report["calls"][0];
    assert_eq!((first["sources"].as_array().unwrap().len(), &first["left_out"]["sources"]), (10_000, &json!(2000)));
    assert_eq!((first["denials"].as_array().unwrap().len(), &first["left_out"]["denials"]), (1000, &json!(2000)));
    assert_eq!((&first["left_out"]["findings"], &report["left_out"]["calls"]), (&json!(1000), &json!(199)));
    assert_eq!((&first["complete"], &report["complete"]), (&json!(false), &json!(false)));
    let made = html(&story);
    assert!(made.len() < 6 << 20, "{}", made.len());
    elements(&made).unwrap();
    let log = sarif_is_sound(&sarif(&story), &bytes);
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 5000);
    assert_eq!(log["runs"][0]["results"][0]["level"], "error", "the gravest are kept");
    assert_eq!(log["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len(), 1);
}

#[test]
fn numbers_as_large_as_they_can_be_are_told() {
    let suppressed =
        json!({"event": "suppressed", "call": 1, "cap": "fs.read", "op": "x", "code": "y", "count": u64::MAX});
    let mut records = small();
    records[0]["grants_omitted"] = json!(u64::MAX);
    records[0]["warnings_omitted"] = json!(u64::MAX);
    records[2]["requested_bytes"] = json!(u64::MAX);
    records[3]["bytes"] = json!(u64::MAX);
    records[3]["t"] = json!(u64::MAX);
    records[4]["bytes"] = json!(u64::MAX);
    records[6]["finding"]["more"] = json!(u64::MAX);
    records[6]["finding"]["source_ranges"] = json!([[0, u64::MAX]]);
    records.extend([
        suppressed.clone(),
        suppressed,
        denied(1, "fs.read", "/x"),
        call(u64::MAX, "t"),
        source(1, u64::MAX, "/y", u64::MAX),
    ]);
    let story = story(&ledger(&records));
    assert!(text(&story).contains(&format!("{} of {} bytes", u64::MAX, u64::MAX)), "{}", text(&story));
    let report = parsed(&json(&story));
    assert_eq!(faults(&published("customs.report-1.json"), &report), Vec::<String>::new());
    assert_eq!(report["calls"][0]["suppressed"]["fs.read x y"], json!(u64::MAX));
    elements(&html(&story)).unwrap();
    parsed(&sarif(&story));
}

/// A ledger that is made while it is read: more records than memory should hold.
struct Long {
    calls: u64,
    made: u64,
    prev: String,
    line: Vec<u8>,
    at: usize,
    is_closed: bool,
}

impl Long {
    /// Each call with 99 denials, 100 records in all but for the end.
    fn new(calls: u64) -> Long {
        Long { calls, made: 0, prev: "0".repeat(64), line: Vec::new(), at: 0, is_closed: false }
    }

    fn next(&mut self) -> Vec<u8> {
        let records = 1 + self.calls * 101;
        let zeros = zeros();
        // Text rather than values: there are many.
        let record = match self.made.checked_sub(1) {
            None => open().to_string().trim_start_matches('{').trim_end_matches('}').to_owned(),
            Some(_) if self.made == records => format!(r#""event":"close","events":{records}"#),
            Some(n) => match (n / 101 + 1, n % 101) {
                (call, 0) => {
                    format!(r#""event":"call","call":{call},"tool":"t","args":{{"bytes":2,"sha256":"{zeros}"}}"#)
                }
                (call, 100) => format!(r#""event":"end","call":{call},"ending":"returned","imports":{{}}"#),
                (call, k) => format!(
                    r#""event":"access","call":{call},"t":{n},"cap":"fs.read","op":"open-at","requested":"/{n}/{k}","decision":"deny","code":"no-grant""#
                ),
            },
        };
        let mut line = format!(r#"{{"v":1,"seq":{},{record},"prev":"{}"}}"#, self.made, self.prev).into_bytes();
        self.prev = hex(&Sha256::digest(&line));
        line.push(b'\n');
        self.is_closed = self.made == records;
        self.made += 1;
        line
    }
}

impl std::io::Read for Long {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.line.len() {
            if self.is_closed {
                return Ok(0);
            }
            (self.line, self.at) = (self.next(), 0);
        }
        let rest = &self.line[self.at..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// 169: a million records; a fifth of them where the compiler does not optimise.
#[test]
fn very_many_records_give_a_small_report_that_says_what_it_leaves_out() {
    const CALLS: u64 = if cfg!(debug_assertions) { 2_000 } else { 10_000 };
    // Verifying as many is the ledger's own matter.
    let verdict =
        Report { verdict: Verdict::Ok, events: 1 + 101 * CALLS, head: [7; 32], detail: "closed and unchanged".into() };
    let story = Story::read(Long::new(CALLS), verdict, "long.jsonl").unwrap();
    let (text, html, sarif, json) = (text(&story), html(&story), sarif(&story), json(&story));
    assert!(text.len() < 256 << 10 && html.len() < 6 << 20 && sarif.len() < 16 << 20 && json.len() < 8 << 20);
    assert!(text.contains(&format!("and {} calls that are not shown; -o json has more\n", CALLS - 20)), "{text}");
    assert!(text.contains("denied   79 more that are not shown\n"));
    assert!(html.contains(&format!("And {} calls that are not shown; customs report -o json has more.", CALLS - 20)));
    elements(&html).unwrap();
    let (report, log): (serde_json::Value, serde_json::Value) = (parsed(&json), parsed(&sarif));
    assert_eq!((&report["left_out"]["calls"], &report["complete"]), (&json!(CALLS - 1000), &json!(false)));
    // All that were read are rows or counted.
    let calls = report["calls"].as_array().unwrap();
    let rows: u64 = calls
        .iter()
        .map(|c| c["denials"].as_array().unwrap().len() as u64 + c["left_out"]["denials"].as_u64().unwrap())
        .sum();
    assert_eq!(rows, 99_000);
    let notice = log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
    assert!(notice.contains("94000"), "{notice}");
}
