//! One row: a run of the program, and what has to be found in it.

use super::far::{Far, Needs};
use crate::support::{Run, World, guest};
use serde_json::Value;
use std::collections::BTreeSet;

pub struct Row {
    /// Unique in its table.
    pub id: String,
    pub act: Act,
    pub expect: Expect,
}

/// In `args` and `flags`, `{address}` stands for the other end of the wire.
#[derive(Clone, Default)]
pub struct Act {
    pub guest: &'static str,
    pub tool: &'static str,
    pub args: Value,
    pub flags: Vec<String>,
    /// Below the world, which the flags call `{world}`.
    pub files: Vec<(String, Vec<u8>)>,
    /// A symbolic link, and where it points.
    pub link: Option<(String, String)>,
    pub far: Needs,
    pub exit: i32,
}

pub enum Expect {
    Leak(Leak),
    /// No finding of severity low or more.
    Nothing,
    /// These denials, as [`Run::denials`] says them, and no others.
    Denied(Vec<String>),
}

pub struct Leak {
    /// `kind name`, with `{address}`.
    pub source: String,
    /// `kind name`; `*` stands for anything. All of them, and no others.
    pub sinks: Vec<String>,
    /// Any of these chains.
    pub transforms: Vec<Vec<String>>,
    /// The bytes of the source that were taken.
    pub taken: std::ops::Range<u64>,
    /// Bytes that a finding may name: more than were taken where the source repeats itself.
    pub within: std::ops::Range<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All as expected: the severity and the transforms.
    Found(String, String),
    /// Why it does not count as found.
    Missed(String),
    /// Nothing, as it should be; so many are `info`.
    Quiet(usize),
    Alarm(String),
    /// Exactly what should be refused was.
    Refused,
    /// The run itself went wrong, so that it says nothing.
    Broken(String),
}

struct Found {
    severity: String,
    source: String,
    sink: String,
    transform: Vec<String>,
    ranges: Vec<(u64, u64)>,
    rule: String,
}

impl Row {
    pub fn play(&self) -> Outcome {
        let (run, address) = self.run(&[]);
        self.outcome(&run, &address)
    }

    /// The run, and the address of the other end of the wire.
    pub fn run(&self, more: &[&str]) -> (Run, String) {
        let world = World::new();
        for (path, content) in &self.act.files {
            world.write(path, content);
        }
        if let Some((path, target)) = &self.act.link {
            world.link(path, target);
        }
        let far = Far::new(&self.act.far);
        let fill = |text: &str| text.replace("{address}", &far.address());
        let path = guest(self.act.guest);
        let mut start = vec!["run", path.to_str().unwrap()];
        start.extend(Some(self.act.tool).filter(|tool| !tool.is_empty()));
        start.extend(["-o", "json"]);
        let mut customs = world.customs(&start);
        for flag in &self.act.flags {
            customs = customs.arg(world.fill(&fill(flag)));
        }
        // Names below .invalid are looked up in vain; that should not take long.
        customs =
            customs.env("RES_OPTIONS", "timeout:1 attempts:1").arg("--args").arg(fill(&self.act.args.to_string()));
        for flag in more {
            customs = customs.arg(flag);
        }
        (customs.run(), far.address())
    }

    /// What came of a run of it.
    pub fn outcome(&self, run: &Run, address: &str) -> Outcome {
        let fill = |text: &str| text.replace("{address}", address);
        if run.code != self.act.exit {
            return Outcome::Broken(format!("exit {} instead of {}: {run}", run.code, self.act.exit));
        }
        match &self.expect {
            Expect::Leak(leak) => leak.judge(run, &fill),
            Expect::Nothing => quiet(run),
            Expect::Denied(rows) if run.denials() == *rows => Outcome::Refused,
            Expect::Denied(_) => Outcome::Missed(format!("denied: {:?}", run.denials())),
        }
    }
}

fn found(run: &Run) -> Vec<Found> {
    let name = |rows: &str, id: &Value| {
        let row = run.json[rows].as_array().unwrap().iter().find(|r| r["id"] == *id);
        row.map_or_else(String::new, |r| format!("{} {}", r["kind"].as_str().unwrap(), r["name"].as_str().unwrap()))
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ranges = |value: &Value| -> Vec<(u64, u64)> {
        value.as_array().unwrap().iter().map(|r| (r[0].as_u64().unwrap(), r[1].as_u64().unwrap())).collect()
    };
    let one = |f: &Value| Found {
        severity: text(&f["severity"]),
        source: name("sources", &f["source"]),
        sink: name("sinks", &f["sink"]),
        transform: f["transform"].as_array().unwrap().iter().map(text).collect(),
        ranges: ranges(&f["source_ranges"]),
        rule: text(&f["rule"]),
    };
    run.json["findings"].as_array().unwrap().iter().map(one).collect()
}

fn quiet(run: &Run) -> Outcome {
    let found = found(run);
    let (info, alarms): (Vec<&Found>, Vec<&Found>) = found.iter().partition(|f| f.severity == "info");
    if alarms.is_empty() {
        return Outcome::Quiet(info.len());
    }
    let said = alarms
        .iter()
        .map(|f| format!("{} {} {} -> {} {:?} {:?}", f.rule, f.severity, f.source, f.sink, f.ranges, f.transform));
    Outcome::Alarm(said.collect::<Vec<_>>().join("; "))
}

impl Leak {
    fn judge(&self, run: &Run, fill: &dyn Fn(&str) -> String) -> Outcome {
        let there = run.sinks();
        for sink in &self.sinks {
            let sink = fill(sink);
            if !there.iter().any(|own| is_like(own, &sink)) {
                return Outcome::Missed(format!("there is no sink {sink}, only {}", there.join(", ")));
            }
        }
        // What a tool says of itself has no source: hints are another matter.
        let found: Vec<Found> = found(run).into_iter().filter(|f| !f.source.is_empty()).collect();
        if found.is_empty() {
            return Outcome::Missed("nothing".to_owned());
        }
        let source = fill(&self.source);
        let sinks: Vec<String> = self.sinks.iter().map(|s| fill(s)).collect();
        for f in &found {
            let chain = f.transform.join(", ");
            if f.source != source || !sinks.iter().any(|s| is_like(&f.sink, s)) {
                return Outcome::Missed(format!("found instead: {} -> {} {chain}", f.source, f.sink));
            }
            if !self.transforms.contains(&f.transform) {
                return Outcome::Missed(format!("found in {} through another way: {chain}", f.sink));
            }
            // One byte beside it may agree by chance.
            if f.ranges.iter().any(|(from, to)| *from + 1 < self.within.start || *to > self.within.end + 1) {
                return Outcome::Missed(format!("bytes {:?} were not taken", f.ranges));
            }
        }
        if let Some(sink) = sinks.iter().find(|s| !found.iter().any(|f| is_like(&f.sink, s))) {
            return Outcome::Missed(format!("not in {sink}"));
        }
        let cited: BTreeSet<u64> = found.iter().flat_map(|f| &f.ranges).flat_map(|(from, to)| *from..*to).collect();
        let (cited, taken) = (cited.len() as u64, self.taken.end - self.taken.start);
        if cited * 4 < taken * 3 {
            return Outcome::Missed(format!("{cited} of {taken} bytes"));
        }
        Outcome::Found(found[0].severity.clone(), found[0].transform.join(", "))
    }
}

/// `*` in the pattern stands for any text.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => {
            text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
        }
    }
}
