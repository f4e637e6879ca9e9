//! Which locals carry no label at a place. Compilers use one local for many values: that it had a label once says little.
//!
//! Read along with the code. Where ways meet, a local is clean if it is on all of them; the shadow of one that is not
//! clean everywhere is zero where it is clean, so that it holds either way. A loop is assumed to be entered again with
//! what it was entered with first; where that turns out wrong, the function is done again without that assumption.

use std::collections::HashMap;

use super::function::Kind;

/// Locals that are followed in one function: more are in none that compilers write. The rest counts as labelled.
const MOST_LOCALS: usize = 4096;

/// Words of bits that are kept at once, for frames that are open: 8 MiB. A function that nests deeper is not followed.
const MOST_KEPT: usize = 1 << 20;

/// How often a function is done again for its loops. Past it none of its locals counts as clean in them.
const MOST_ROUNDS: u32 = 12;

/// A set of locals.
#[derive(Debug, Clone, Default)]
struct Locals(Vec<u64>);

impl Locals {
    fn has(&self, local: u32) -> bool {
        self.0.get(local as usize / 64).is_some_and(|word| word >> (local % 64) & 1 == 1)
    }

    fn set(&mut self, local: u32, value: bool) {
        if let Some(word) = self.0.get_mut(local as usize / 64) {
            let bit = 1u64 << (local % 64);
            *word = if value { *word | bit } else { *word & !bit };
        }
    }

    /// Those that are in both.
    fn meet(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    /// Takes those out that are in the other.
    fn without(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
    }
}

/// What is learned of a function's loops while it is done again.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// Locals that are not clean when a loop starts again, by its number.
    loops: HashMap<usize, Locals>,
    rounds: u32,
    /// Nothing is assumed any more.
    given_up: bool,
}

impl Learned {
    /// Nothing is known of any local, because everything may get a label.
    pub(super) fn nothing() -> Self {
        Self { given_up: true, ..Self::default() }
    }
}

/// A frame that is open.
#[derive(Debug)]
struct Open {
    kind: Kind,
    /// What was clean when it opened: an `if` goes on with it at `else`, a loop is checked against it.
    entry: Option<Locals>,
    /// What is clean on all ways to its end so far; none came yet.
    exit: Option<Locals>,
    number: usize,
}

/// The place where the rewriter is.
#[derive(Debug)]
pub(super) struct Clean {
    now: Locals,
    open: Vec<Open>,
    blocks: usize,
    kept: usize,
    /// An assumption about a loop was wrong.
    wrong: bool,
    learned: Learned,
}

impl Clean {
    /// At the start of a function, with so many locals. The first `labelled` are parameters with labels.
    pub(super) fn start(locals: usize, labelled: u32, learned: Learned) -> Self {
        let words = if learned.given_up { 0 } else { locals.min(MOST_LOCALS).div_ceil(64) };
        let mut now = Locals(vec![u64::MAX; words]);
        for local in 0..labelled {
            now.set(local, false);
        }
        let function = Open { kind: Kind::Function, entry: None, exit: None, number: 0 };
        Self { now, open: vec![function], blocks: 0, kept: 0, wrong: false, learned }
    }

    pub(super) fn is(&self, local: u32) -> bool {
        self.now.has(local)
    }

    pub(super) fn set(&mut self, local: u32, clean: bool) {
        self.now.set(local, clean);
    }

    fn keep(&mut self) -> Locals {
        self.kept = self.kept.saturating_add(self.now.0.len());
        if self.kept > MOST_KEPT {
            self.wrong = true;
            self.learned.given_up = true;
            self.now = Locals::default();
        }
        self.now.clone()
    }

    pub(super) fn open(&mut self, kind: Kind) {
        self.blocks += 1;
        if let (Kind::Loop, Some(not)) = (kind, self.learned.loops.get(&self.blocks)) {
            self.now.without(not);
        }
        let entry = matches!(kind, Kind::If | Kind::Loop).then(|| self.keep());
        self.open.push(Open { kind, entry, exit: None, number: self.blocks });
    }

    /// A branch to frame `to`.
    pub(super) fn branch(&mut self, to: usize) {
        let Some(frame) = self.open.get_mut(to) else { return };
        match (frame.kind, &frame.entry) {
            (Kind::Function, _) => {}
            (Kind::Loop, Some(entry)) => {
                let mut not = entry.clone();
                not.without(&self.now);
                if not.0.iter().any(|word| *word != 0) {
                    self.wrong = true;
                    let learned = self.learned.loops.entry(frame.number).or_default();
                    learned.0.resize(not.0.len(), 0);
                    for (word, more) in learned.0.iter_mut().zip(&not.0) {
                        *word |= more;
                    }
                }
            }
            _ => self.arrive(to),
        }
    }

    /// One more way to the end of frame `to`.
    fn arrive(&mut self, to: usize) {
        if let Some(exit) = self.open.get_mut(to).and_then(|frame| frame.exit.as_mut()) {
            exit.meet(&self.now);
            return;
        }
        let now = self.keep();
        if let Some(frame) = self.open.get_mut(to) {
            frame.exit = Some(now);
        }
    }

    /// `else` of the innermost frame; its first half's end is reached where it is `alive`.
    pub(super) fn alternative(&mut self, alive: bool) {
        let at = self.open.len().saturating_sub(1);
        if alive {
            self.arrive(at);
        }
        if let Some(frame) = self.open.get_mut(at) {
            frame.kind = Kind::Else;
            if let Some(entry) = frame.entry.take() {
                self.kept = self.kept.saturating_sub(entry.0.len());
                self.now = entry;
            }
        }
    }

    /// The end of the innermost frame.
    pub(super) fn close(&mut self, alive: bool) {
        let Some(mut frame) = self.open.pop() else { return };
        let kept = [&frame.entry, &frame.exit].into_iter().flatten().map(|locals| locals.0.len()).sum();
        self.kept = self.kept.saturating_sub(kept);
        // The way around an `if` that has no other half.
        let around = if frame.kind == Kind::If { frame.entry.take() } else { None };
        let mut ways = [frame.exit, around].into_iter().flatten();
        if !alive && let Some(way) = ways.next() {
            self.now = way;
        }
        for way in ways {
            self.now.meet(&way);
        }
    }

    /// What was learned, where the function has to be done again.
    pub(super) fn learned(mut self, wrong: bool) -> Option<Learned> {
        if !self.wrong && !wrong {
            return None;
        }
        self.learned.rounds += 1;
        self.learned.given_up |= self.learned.rounds > MOST_ROUNDS;
        Some(self.learned)
    }
}
