//! docs/evidence.md: what the runs gave, between marks, so that each table is compared and written by itself.

use super::row::Outcome;
use super::table::{Played, Table};
use crate::support::checkout;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Mutex;

/// Tests of one process write the page one after the other.
static PAGE: Mutex<()> = Mutex::new(());

/// The heading of what labels say.
const TRACED: &str = "## The same rows, traced\n";

/// Why a row is missed.
#[derive(Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Miss {
    pub why: String,
    /// No matcher can see it, and docs/findings.md says so.
    #[serde(default)]
    pub beyond: bool,
    rows: Vec<String>,
}

/// `table: row` to the reason why it is missed.
pub fn misses() -> BTreeMap<String, Miss> {
    #[derive(serde::Deserialize)]
    struct File {
        miss: Vec<Miss>,
    }
    let path = checkout().join("fixtures/evidence/misses.toml");
    let file: File = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut misses = BTreeMap::new();
    for miss in file.miss {
        for row in &miss.rows {
            assert!(misses.insert(row.clone(), miss.clone()).is_none(), "{row} is named twice");
        }
    }
    misses
}

/// Plays a table: every row is right or a known miss, and the page says the same.
pub fn check(table: &Table) {
    let played = table.play();
    let misses = misses();
    let reason = |id: &str| misses.get(&format!("{}: {id}", table.name)).cloned();
    let mut wrong = Vec::new();
    for (row, outcome) in table.rows().zip(&played.outcomes) {
        match (outcome, reason(&row.id)) {
            (Outcome::Broken(why), _) => wrong.push(format!("{}: {}: no result: {why}", table.name, row.id)),
            (outcome, Some(_)) if outcome.is_right() => {
                wrong.push(format!("{}: {}: right now; take it out of misses.toml", table.name, row.id));
            }
            (outcome, None) if !outcome.is_right() => wrong.push(format!("{}: {}: {outcome:?}", table.name, row.id)),
            _ => {}
        }
    }
    let text = played.markdown(&|id| reason(id).map(|miss| miss.why));
    let section = marked(table.name, &text);
    let beyond = |id: &str| reason(id).is_some_and(|miss| miss.beyond);
    let summary = short(&played, &beyond);
    let flag = |name: &str| std::env::var_os(name).is_some_and(|value| value == "1");
    if flag("CUSTOMS_SHOW_EVIDENCE") {
        std::io::stdout().write_all(format!("{text}\n{summary}\n").as_bytes()).unwrap();
    }
    if flag("CUSTOMS_WRITE_EVIDENCE") {
        let _one = PAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let page = replaced(&read(), &section);
        let title = format!("| {} |", table.title);
        let line =
            page.lines().find(|line| line.starts_with(&title)).unwrap_or_else(|| panic!("the page has no {title}"));
        std::fs::write(path(), page.replacen(&format!("{line}\n"), &summary, 1)).unwrap();
    } else if std::env::var_os("CUSTOMS_EVIDENCE_SEED").is_none() {
        let page = read();
        if !page.contains(&section) || !page.contains(&summary) {
            wrong.push(format!(
                "{}: docs/evidence.md is not what this run gives: CUSTOMS_WRITE_EVIDENCE=1 make evidence",
                table.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{} rows are not as they should be:\n{}", wrong.len(), wrong.join("\n"));
}

/// A line of the table at the top.
fn short(played: &Played<'_>, beyond: &dyn Fn(&str) -> bool) -> String {
    let counts = played.counts();
    let of = |part: usize, all: usize| if all == 0 { "-".to_owned() } else { format!("{part} of {all}") };
    let percent = |part: usize, all: usize| {
        if all == 0 { "-".to_owned() } else { format!("{:.1} %", 100.0 * part as f64 / all as f64) }
    };
    let seeable = counts.leaks - played.table.rows().filter(|row| beyond(&row.id)).count();
    format!(
        "| {} | {} | {} | {} | {} |\n",
        played.table.title,
        of(counts.found, counts.leaks),
        percent(counts.found, counts.leaks),
        percent(counts.found, seeable),
        of(counts.alarms, counts.benign)
    )
}

/// The page has this line of a table; or it is written there, where the first column is the same.
pub fn has_line(line: &str) {
    let title = line.split(" | ").next().unwrap_or_default();
    let _one = PAGE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let page = read();
    if std::env::var_os("CUSTOMS_WRITE_EVIDENCE").is_some_and(|value| value == "1") {
        let (head, table) = page.split_once(TRACED).unwrap_or_else(|| panic!("the page has no {TRACED}"));
        let old = table.lines().find(|own| own.starts_with(&format!("{title} |"))).unwrap();
        std::fs::write(path(), format!("{head}{TRACED}{}", table.replacen(&format!("{old}\n"), line, 1))).unwrap();
    } else if std::env::var_os("CUSTOMS_EVIDENCE_SEED").is_none() {
        assert!(page.contains(line), "docs/evidence.md has no line {line}: CUSTOMS_WRITE_EVIDENCE=1 make evidence");
    }
}

fn path() -> std::path::PathBuf {
    checkout().join("docs/evidence.md")
}

fn read() -> String {
    std::fs::read_to_string(path()).unwrap()
}

fn marked(name: &str, text: &str) -> String {
    format!("<!-- {name} -->\n{text}<!-- end of {name} -->\n")
}

fn replaced(page: &str, section: &str) -> String {
    let (head, tail) = (section.lines().next().unwrap(), section.lines().last().unwrap());
    let from = page.find(&format!("{head}\n")).unwrap_or_else(|| panic!("the page has no {head}"));
    let to = page.find(&format!("{tail}\n")).unwrap_or_else(|| panic!("the page has no {tail}")) + tail.len() + 1;
    format!("{}{section}{}", &page[..from], &page[to..])
}
