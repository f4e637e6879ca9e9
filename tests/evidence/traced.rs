//! The same rows with `--trace`: where a match is found, labels say the same. A match names the bytes that spell the source; labels those that come
//! from it, which leaves out what an encoding puts between. Rows where they do not agree are in `fixtures/evidence/untraced.toml`, with the reason.

use super::page;
use super::row::{Expect, Row};
use super::table::Table;
use crate::support::{Run, checkout};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of an encoding's own that may stand one after the other, as `\u{..}` or a joiner do; and where it compresses, its headers, encoded again.
const MOST_BETWEEN: u64 = 12;
const MOST_AROUND_COMPRESSED: u64 = 40;

/// What a run of a row says of both methods.
#[derive(Clone, Default)]
struct Said {
    /// Matches that labels agree with.
    agreed: usize,
    /// Labels name the source in the sink that is expected.
    traced: bool,
    /// Only by choosing: no byte of it has the value.
    weak: bool,
    /// What is not as it should be.
    wrong: Vec<String>,
}

struct Found {
    method: String,
    strength: String,
    transforms: Vec<String>,
    source: u64,
    sink: u64,
    ranges: Vec<(u64, u64)>,
}

fn found(run: &Run) -> Vec<Found> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let range = |range: &Value| (range[0].as_u64().unwrap(), range[1].as_u64().unwrap());
    // What a tool says of itself has no source: hints are another matter.
    let sourced = run.json["findings"].as_array().unwrap().iter().filter(|f| f["source"].is_u64());
    let one = |f: &Value| Found {
        method: text(&f["method"]),
        strength: text(&f["strength"]),
        transforms: f["transform"].as_array().unwrap().iter().map(text).collect(),
        source: f["source"].as_u64().unwrap(),
        sink: f["sink"].as_u64().unwrap(),
        ranges: f["sink_ranges"].as_array().unwrap().iter().map(range).collect(),
    };
    sourced.map(one).collect()
}

fn name(run: &Run, rows: &str, id: u64) -> String {
    let row = run.json[rows].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap();
    format!("{} {}", row["kind"].as_str().unwrap(), row["name"].as_str().unwrap())
}

/// How many bytes of a match at most are without a label, one after the other.
fn longest_gap((from, to): (u64, u64), labelled: &[(u64, u64)]) -> u64 {
    let (mut at, mut gap) = (from, 0);
    for (begin, end) in labelled.iter().filter(|(_, end)| *end > from) {
        gap = gap.max((*begin).min(to).saturating_sub(at));
        at = at.max(*end);
    }
    gap.max(to.saturating_sub(at))
}

impl Said {
    fn of(row: &Row) -> Said {
        let (run, address) = row.run(&["--trace"]);
        let mut said = Said::default();
        if run.code != row.act.exit {
            said.wrong.push(format!("exit {} instead of {}: {run}", run.code, row.act.exit));
            return said;
        }
        let all = found(&run);
        let (traces, matches): (Vec<&Found>, Vec<&Found>) = all.iter().partition(|f| f.method == "trace");
        let pair = |f: &Found| format!("{} -> {}", name(&run, "sources", f.source), name(&run, "sinks", f.sink));
        match &row.expect {
            Expect::Leak(leak) => {
                let expected = leak.source.replace("{address}", &address);
                let own = |f: &&&Found| name(&run, "sources", f.source) == expected;
                said.traced = traces.iter().any(|f| own(&f));
                said.weak = traces.iter().filter(own).all(|f| f.strength == "weak");
                for m in matches {
                    let trace = traces.iter().find(|t| (t.source, t.sink) == (m.source, m.sink));
                    match trace.map_or(Err("there is no trace".to_owned()), |trace| agrees(m, trace)) {
                        Ok(()) => said.agreed += 1,
                        Err(why) => said.wrong.push(format!("{}: {why}", pair(m))),
                    }
                }
            }
            _ => {
                let strong = traces.iter().filter(|f| f.strength == "strong");
                said.wrong.extend(strong.map(|f| format!("a strong trace, {} {:?}", pair(f), f.ranges)));
                said.traced = !traces.is_empty();
            }
        }
        said
    }
}

fn agrees(matched: &Found, trace: &Found) -> Result<(), String> {
    let through = |way: &[&str]| matched.transforms.iter().any(|own| way.contains(&own.as_str()));
    let most = if matched.transforms.is_empty() {
        0
    } else if through(&["gzip", "zlib", "deflate"]) {
        MOST_AROUND_COMPRESSED
    } else {
        MOST_BETWEEN
    };
    let gap = matched.ranges.iter().map(|range| longest_gap(*range, &trace.ranges)).max().unwrap_or(0);
    if gap > most {
        return Err(format!(
            "{gap} bytes in a row have no label ({}): {:?}, traced {:?}",
            matched.transforms.join(", "),
            matched.ranges,
            trace.ranges
        ));
    }
    Ok(())
}

/// `table: row` to the reason why the two do not agree.
fn exceptions() -> BTreeMap<String, String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Reason {
        why: String,
        rows: Vec<String>,
    }
    #[derive(serde::Deserialize)]
    struct File {
        untraced: Vec<Reason>,
    }
    let text = std::fs::read_to_string(checkout().join("fixtures/evidence/untraced.toml")).unwrap();
    let file: File = toml::from_str(&text).unwrap();
    file.untraced.into_iter().flat_map(|r| r.rows.into_iter().map(move |row| (row, r.why.clone()))).collect()
}

fn play(table: &Table) -> Vec<(&Row, Said)> {
    let rows: Vec<&Row> = table.rows().collect();
    let said = Mutex::new(vec![Said::default(); rows.len()]);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(row) = rows.get(at) else { break };
                    let of_row = Said::of(row);
                    said.lock().unwrap()[at] = of_row;
                }
            });
        }
    });
    rows.into_iter().zip(said.into_inner().unwrap()).collect()
}

/// Plays a table and holds its line of the page against what came of it.
pub fn check(table: &Table) {
    let (exceptions, misses) = (exceptions(), page::misses());
    let mut wrong = Vec::new();
    let (mut agreed, mut apart, mut honest, mut alarms) = (0, 0, 0, 0);
    let (mut more, mut weak) = (Vec::new(), 0);
    for (row, said) in play(table) {
        let id = format!("{}: {}", table.name, row.id);
        let is_leak = matches!(row.expect, Expect::Leak(_));
        agreed += said.agreed;
        if misses.contains_key(&id) && said.traced {
            weak += usize::from(said.weak);
            more.push(row.id.as_str());
        }
        if !is_leak {
            honest += 1;
            alarms += usize::from(said.traced);
        }
        match (said.wrong.is_empty(), exceptions.contains_key(&id)) {
            (true, true) => wrong.push(format!("{id}: they agree now; take it out of untraced.toml")),
            (false, false) => wrong.push(format!("{id}: {}", said.wrong.join("\n  "))),
            (false, true) => apart += 1,
            (true, false) => {}
        }
    }
    let line = format!(
        "| {} | {agreed} | {apart} | {} | {alarms} of {honest} |\n",
        table.title,
        if more.is_empty() { "-".to_owned() } else { format!("{} ({weak} weak)", more.len()) },
    );
    if std::env::var_os("CUSTOMS_SHOW_EVIDENCE").is_some_and(|value| value == "1") {
        std::io::stdout().write_all(format!("{line}{}\n", more.join("\n")).as_bytes()).unwrap();
    }
    assert!(wrong.is_empty(), "{} rows are not as they should be:\n{}", wrong.len(), wrong.join("\n"));
    page::has_line(&line);
}
