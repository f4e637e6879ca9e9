//! `customs policy diff`: what one policy file allows that another does not, table by table.

use crate::cli::{Format, PolicyDiff};
use crate::exit::{Exit, Fault};
use crate::grants::{Read, build, read_policy};
use crate::output;
use customs_ledger::{Escaped, hex};
use customs_policy::file::ToolEntry;
use customs_policy::{Change, Difference, Policy, RawGrants, diff};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A table of one file or of both.
struct Table {
    name: String,
    /// Which file has it, where only one does.
    only: Option<&'static str>,
    differences: Vec<Difference>,
}

pub(crate) fn run(args: &PolicyDiff) -> Result<Exit, Fault> {
    let (first, second) = (read_policy(&args.first)?, read_policy(&args.second)?);
    let names: BTreeSet<&String> = first.file.tools.keys().chain(second.file.tools.keys()).collect();
    if let Some(tool) = args.tool.as_ref().filter(|tool| !names.contains(tool)) {
        return Err(Fault::Refused(format!("neither file has a [tool.{tool}]")));
    }
    let mut tables = Vec::new();
    for name in names.into_iter().filter(|name| args.tool.as_ref().is_none_or(|tool| tool == *name)) {
        tables.push(compare(name, &first, &second)?);
    }
    let equal = tables.iter().all(|table| table.only.is_none() && table.differences.is_empty());
    output::result(&match args.output {
        Format::Text => text(&tables),
        Format::Json => json_text(&tables, equal),
    })?;
    Ok(if equal { Exit::Returned } else { Exit::Error })
}

fn compare(name: &str, first: &Read, second: &Read) -> Result<Table, Fault> {
    let policy = |read: &Read| -> Result<Policy, Fault> { build(read.layer(name), RawGrants::default()) };
    let mut differences = diff(&policy(first)?, &policy(second)?).map_err(Fault::refused)?;
    let (one, other) = (first.file.tools.get(name), second.file.tools.get(name));
    let only = match (one, other) {
        (Some(_), None) => Some("first"),
        (None, Some(_)) => Some("second"),
        _ => None,
    };
    if let (Some(one), Some(other)) = (one, other) {
        differences.extend(who(one, other));
    }
    Ok(Table { name: name.to_owned(), only, differences })
}

/// Which component a table is for, and which of its tools are offered.
fn who(one: &ToolEntry, other: &ToolEntry) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut add = |area, what, change| found.push(Difference { area, what, except: Vec::new(), change });
    let none = || "none".to_owned();
    if one.component != other.component {
        let shown = |entry: &ToolEntry| entry.component.clone().unwrap_or_else(none);
        add("component", format!("{} -> {}", shown(one), shown(other)), Change::Other);
    }
    if one.sha256 != other.sha256 {
        let shown = |entry: &ToolEntry| entry.sha256.as_ref().map_or_else(none, |digest| hex(digest));
        let change = match (one.sha256, other.sha256) {
            (Some(_), None) => Change::Wider,
            (None, Some(_)) => Change::Narrower,
            _ => Change::Other,
        };
        add("sha256", format!("{} -> {}", shown(one), shown(other)), change);
    }
    match (&one.expose, &other.expose) {
        (None, Some(_)) => add("expose", "every tool".to_owned(), Change::Narrower),
        (Some(_), None) => add("expose", "every tool".to_owned(), Change::Wider),
        (Some(own), Some(new)) => {
            for tool in new.iter().filter(|tool| !own.contains(tool)) {
                add("expose", tool.clone(), Change::Added);
            }
            for tool in own.iter().filter(|tool| !new.contains(tool)) {
                add("expose", tool.clone(), Change::Removed);
            }
        }
        (None, None) => {}
    }
    found
}

fn text(tables: &[Table]) -> String {
    let mut text = String::new();
    for table in tables.iter().filter(|table| table.only.is_some() || !table.differences.is_empty()) {
        let only = table.only.map_or_else(String::new, |file| format!("  only in the {file} file"));
        text.push_str(&format!("tool     {}{only}\n", Escaped(&table.name)));
        for one in &table.differences {
            let mut except = one.except.join(", ");
            if !except.is_empty() {
                except = format!(", but for {except}");
            }
            let what = format!("{}{except}", one.what);
            text.push_str(&format!("{:<9}{}  {}\n", one.change.as_str(), one.area, Escaped(&what)));
        }
    }
    if text.is_empty() { "equal    both allow the same\n".to_owned() } else { text }
}

fn json_text(tables: &[Table], equal: bool) -> String {
    let table = |table: &Table| {
        let differences: Vec<Value> = table
            .differences
            .iter()
            .map(|one| {
                json!({"area": one.area, "change": one.change.as_str(), "what": one.what, "except": one.except,
                    "more": one.change.allows_more()})
            })
            .collect();
        json!({"name": table.name, "only": table.only, "differences": differences})
    };
    let tables: Vec<Value> = tables.iter().map(table).collect();
    format!("{}\n", json!({"schema": "customs.policy-diff/1", "equal": equal, "tools": tables}))
}
