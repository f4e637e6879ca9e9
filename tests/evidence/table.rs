//! A table of the page: rows that are played, and words beside them.

use super::row::{Expect, Outcome, Row};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

pub struct Table {
    /// How the summary calls it, and the marks in the page.
    pub name: &'static str,
    pub title: &'static str,
    pub intro: &'static str,
    pub blocks: Vec<Block>,
}

/// A part of a table with columns of its own.
pub struct Block {
    /// Said before it; may be empty.
    pub intro: String,
    pub columns: Vec<String>,
    pub lines: Vec<Vec<Cell>>,
    /// Cells say the cause in full, not only the severity.
    pub in_full: bool,
}

pub enum Cell {
    Text(String),
    Row(Box<Row>),
    /// What makes no sense in this place.
    Empty,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    pub fn row(row: Row) -> Cell {
        Cell::Row(Box::new(row))
    }
}

/// What came of a table's rows, in their order.
pub struct Played<'t> {
    pub table: &'t Table,
    pub outcomes: Vec<Outcome>,
}

#[derive(Default)]
pub struct Counts {
    pub leaks: usize,
    pub found: usize,
    pub benign: usize,
    pub alarms: usize,
}

impl Table {
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        let cells = self.blocks.iter().flat_map(|block| block.lines.iter().flatten());
        cells.filter_map(|cell| if let Cell::Row(row) = cell { Some(row.as_ref()) } else { None })
    }

    pub fn play(&self) -> Played<'_> {
        let rows: Vec<&Row> = self.rows().collect();
        let outcomes = Mutex::new(vec![None; rows.len()]);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(row) = rows.get(at) else { break };
                        let outcome = row.play();
                        outcomes.lock().unwrap()[at] = Some(outcome);
                    }
                });
            }
        });
        let outcomes = outcomes.into_inner().unwrap().into_iter().map(Option::unwrap).collect();
        Played { table: self, outcomes }
    }
}

impl Played<'_> {
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (row, outcome) in self.table.rows().zip(&self.outcomes) {
            match &row.expect {
                Expect::Leak(_) => counts.leaks += 1,
                Expect::Nothing => counts.benign += 1,
                Expect::Denied(_) => {}
            }
            counts.found += usize::from(matches!(outcome, Outcome::Found(..)));
            counts.alarms += usize::from(matches!(outcome, Outcome::Alarm(_)));
        }
        counts
    }

    /// As the page has it. `reason` gives why a row is missed.
    pub fn markdown(&self, reason: &dyn Fn(&str) -> Option<String>) -> String {
        let mut text = format!("## {}\n\n{}\n", self.table.title, wrapped(self.table.intro));
        let mut outcomes = self.table.rows().zip(&self.outcomes);
        for block in &self.table.blocks {
            text.push_str(&format!("\n{}", wrapped(&block.intro)));
            if !block.intro.is_empty() {
                text.push_str("\n\n");
            }
            text.push_str(&format!("| {} |\n|{}\n", block.columns.join(" | "), "---|".repeat(block.columns.len())));
            for line in &block.lines {
                let cells = line.iter().map(|cell| match cell {
                    Cell::Text(text) => text.clone(),
                    Cell::Empty => String::new(),
                    Cell::Row(_) => shown(outcomes.next().unwrap(), block.in_full),
                });
                text.push_str(&format!("| {} |\n", cells.collect::<Vec<_>>().join(" | ")));
            }
        }
        let failed: Vec<(&Row, &Outcome)> =
            self.table.rows().zip(&self.outcomes).filter(|(_, o)| !o.is_right()).collect();
        if !failed.is_empty() {
            let alarms = failed.iter().all(|(row, _)| matches!(row.expect, Expect::Nothing));
            text.push_str(if alarms { "\nFalse alarms, and why:\n\n" } else { "\nMissed, and why:\n\n" });
            let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
            for (row, _) in failed {
                let why = reason(&row.id).unwrap_or_else(|| "no reason is known".to_owned());
                match reasons.iter_mut().find(|(own, _)| *own == why) {
                    Some((_, ids)) => ids.push(&row.id),
                    None => reasons.push((why, vec![&row.id])),
                }
            }
            for (why, ids) in reasons {
                let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
                text.push_str(&wrapped(&format!("- {why}: {}", ids.join(", "))));
                text.push('\n');
            }
        }
        text
    }
}

/// In lines as long as those of the other pages; all but the first begin with two blanks where the text is an item of a list.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 118;
    let indent = if text.starts_with("- ") { "  " } else { "" };
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("{indent}{word}"));
        }
    }
    lines.join("\n")
}

impl Outcome {
    pub fn is_right(&self) -> bool {
        matches!(self, Outcome::Found(..) | Outcome::Quiet(_) | Outcome::Refused)
    }
}

fn shown((row, outcome): (&Row, &Outcome), in_full: bool) -> String {
    match (outcome, &row.expect) {
        (Outcome::Found(severity, transform), Expect::Leak(leak)) if in_full => {
            let through = if transform.is_empty() { String::new() } else { format!(", through {transform}") };
            format!("{severity}: {} -> {}{through}", leak.source, leak.sinks.join(" and "))
        }
        (Outcome::Found(severity, _), _) => severity.clone(),
        (Outcome::Refused, Expect::Denied(rows)) => format!("denied: {}", rows.join(", ")),
        (Outcome::Refused, _) => "denied".to_owned(),
        (Outcome::Missed(_), _) => "**missed**".to_owned(),
        (Outcome::Quiet(0), _) => "nothing".to_owned(),
        (Outcome::Quiet(info), _) => format!("nothing ({info} info)"),
        (Outcome::Alarm(_), _) => "**false alarm**".to_owned(),
        (Outcome::Broken(_), _) => "**no result**".to_owned(),
    }
}
