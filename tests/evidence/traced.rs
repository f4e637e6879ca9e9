//! explore
use super::row::{Expect, Outcome, Row};
use super::table::Table;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Found { method: String, strength: String, source: u64, sink: u64, ranges: Vec<(u64, u64)>, note: String, severity: String }

fn found(json: &Value) -> Vec<Found> {
    let text = |v: &Value| v.as_str().unwrap_or("").to_owned();
    json["findings"].as_array().unwrap().iter().filter(|f| f["source"].is_u64()).map(|f| Found {
        method: text(&f["method"]), strength: text(&f["strength"]), source: f["source"].as_u64().unwrap(), sink: f["sink"].as_u64().unwrap(), severity: text(&f["severity"]), note: text(&f["note"]),
        ranges: f["sink_ranges"].as_array().unwrap().iter().map(|r| (r[0].as_u64().unwrap(), r[1].as_u64().unwrap())).collect() }).collect()
}
fn name(json: &Value, rows: &str, id: u64) -> String {
    json[rows].as_array().unwrap().iter().find(|r| r["id"].as_u64() == Some(id)).map_or("?".into(), |r| format!("{} {}", r["kind"].as_str().unwrap(), r["name"].as_str().unwrap()))
}
fn one(row: &Row) -> Vec<String> {
    let (run, address) = row.run(&["--trace"]);
    if run.code != row.act.exit { return vec![format!("BROKEN exit {} {}", run.code, run.stderr.chars().take(300).collect::<String>())]; }
    let json = &run.json;
    let all = found(json);
    let mut out = Vec::new();
    let is_leak = matches!(row.expect, Expect::Leak(_));
    if is_leak {
        for m in all.iter().filter(|f| f.method == "match") {
            let t: Vec<&Found> = all.iter().filter(|t| t.method == "trace" && t.source == m.source && t.sink == m.sink).collect();
            let what = format!("{} -> {} {:?} sev {}", name(json, "sources", m.source), name(json, "sinks", m.sink), m.ranges, m.severity).replace(&address, "ADDR");
            if t.is_empty() { out.push(format!("NOTRACE {what}")); continue }
            if t.iter().all(|t| t.ranges.is_empty()) { out.push(format!("NORANGE {what}")); continue }
            let bytes: BTreeSet<u64> = t.iter().flat_map(|t| &t.ranges).flat_map(|(a, b)| *a..*b).collect();
            if m.ranges.iter().any(|(a, b)| (*a..*b).any(|at| !bytes.contains(&at))) { out.push(format!("RANGES {what} trace {:?}", t.iter().map(|t| (&t.ranges, &t.note)).collect::<Vec<_>>())); } else { out.push("agrees".into()) }
        }
        let judged = row.outcome(&run, &address);
        if all.iter().all(|f| f.method != "match") {
            let t: Vec<String> = all.iter().filter(|t| t.method == "trace").map(|t| format!("{} {} -> {} {:?}", t.strength, name(json, "sources", t.source), name(json, "sinks", t.sink), t.ranges)).collect();
            out.push(format!("ONLYTRACE {}: {t:?}", t.len()));
        }
        let _ = judged;
    } else {
        for t in all.iter().filter(|t| t.method == "trace") {
            out.push(format!("HONEST {} {} -> {} {:?} {}", t.strength, name(json, "sources", t.source), name(json, "sinks", t.sink), t.ranges, t.note).replace(&address, "ADDR"));
        }
    }
    out
}
fn play(table: &Table) {
    let rows: Vec<&Row> = table.rows().collect();
    let next = AtomicUsize::new(0);
    let out = Mutex::new(Vec::new());
    let start = std::time::Instant::now();
    std::thread::scope(|scope| { for _ in 0..2 { scope.spawn(|| loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(row) = rows.get(at) else { break };
        let lines = one(row);
        out.lock().unwrap().push((at, lines));
    }); } });
    let mut out = out.into_inner().unwrap();
    out.sort();
    println!("=== {} {} rows {:?}", table.name, rows.len(), start.elapsed());
    for (at, lines) in out { for line in lines { println!("{} | {} | {line}", table.name, rows[at].id); } }
}
#[test]
#[ignore]
fn explore() {
    play(&super::microbench::table());
    play(&super::evasion::table());
    play(&super::shapes::table());
    play(&super::benign::table());
    play(&super::matrix::table());
    let _: Option<Outcome> = None;
}
