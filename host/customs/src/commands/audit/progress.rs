//! A bar with counts, on a terminal; elsewhere nothing: an audit takes seconds.

use crate::output;
use crate::show::text::clean;
use std::time::{Duration, Instant};

/// Drawn so often: calls take a millisecond and less.
const EVERY: Duration = Duration::from_millis(50);
const CELLS: usize = 20;

pub(super) struct Progress {
    all: usize,
    done: usize,
    terminal: bool,
    width: usize,
    drawn: Option<Instant>,
}

impl Progress {
    pub(super) fn new(all: usize) -> Progress {
        Progress { all, done: 0, terminal: output::stderr_is_terminal(), width: 0, drawn: None }
    }

    /// One call more is done, of this tool in this scenario.
    pub(super) fn step(&mut self, tool: &str, scenario: &str) {
        self.done += 1;
        if !self.terminal || self.drawn.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.drawn = Some(Instant::now());
        let full = self.done.saturating_mul(CELLS).checked_div(self.all).unwrap_or(0).min(CELLS);
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(CELLS.saturating_sub(full)));
        let name: String = clean(tool).chars().take(40).collect();
        let line = format!("[{bar}] {}/{} {name} {scenario}", self.done, self.all);
        let long = line.chars().count();
        output::person(&format!("\r{line}{}", " ".repeat(self.width.saturating_sub(long))));
        self.width = long;
    }

    /// Calls that will not be made.
    pub(super) fn skip(&mut self, calls: usize) {
        self.all = self.all.saturating_sub(calls);
    }

    pub(super) fn done(&self) {
        if self.terminal {
            output::person(&format!("\r{:width$}\r", "", width = self.width));
        }
    }
}
