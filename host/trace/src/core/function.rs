//! One function: an abstract stack that says where the label of each value is, in step with wasmparser's validator.
//!
//! The values themselves stay where they were. Shadow code only uses locals that were added, so that it can stand
//! between any two operators. The label of a stack entry is clean, or that of a local which has not changed since, or
//! in a local of its own (a *slot*, one for each depth and width).

use std::collections::{BTreeSet, HashMap};

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{BlockType, Encode, Function, Instruction as I, ValType as Encoded};
use wasmparser::{FuncValidator, FunctionBody, Operator, OperatorsReader, ValType, ValidatorResources};

use super::address::Kept;
use super::body::{Body, Scratch};
use super::branches::Branches;
use super::calls::Calls;
use super::clean::{Clean, Learned};
use super::facts::{Facts, Global, count};
use super::layout::Globals;
use super::remap::Remap;
use super::width::{Smear, Width};
use crate::follow::Follow;
use crate::refusal::Refusal;

/// Locals that wasm allows in one function.
const MAX_LOCALS: usize = 50_000;

/// Where the label of a stack entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    Clean,
    /// In this local, the shadow of an original one.
    Shadow(u32),
    Slot,
}

/// A value on the stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) ty: ValType,
    pub(super) home: Home,
    /// Its value, where it is a constant.
    pub(super) known: Option<u64>,
    /// A smear that the label in the slot still needs: [`Smear::Exact`], [`Smear::Upward`], [`Smear::Whole`] or
    /// [`Smear::Low`]. Sums of
    /// sums are smeared once, and never where only the union of the bytes is asked for.
    pub(super) pending: Smear,
    pub(super) stack: Stack,
}

/// Memory on the guest's stack of a size that is not constant, as LLVM takes it: `sp - (size + 15 & -16)`. As with other
/// allocators, the label of the size does not come to where the stack ends; every frame of later calls would be weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stack {
    Other,
    /// A number that was rounded to an alignment.
    Aligned,
    /// What has no label, or was allocated so, less such a number.
    Allocated,
}

/// Alignments of a stack are multiples of this.
pub(super) const STACK_ALIGNMENT: u64 = 16;

impl Entry {
    pub(super) fn is_clean(&self) -> bool {
        self.home == Home::Clean
    }

    pub(super) fn width(&self) -> Width {
        Width::of(self.ty)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Function,
    Block,
    Loop,
    If,
    Else,
}

/// A control frame.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// Entries on the stack below its parameters.
    pub(super) height: usize,
    pub(super) parameters: Vec<ValType>,
    pub(super) results: Vec<ValType>,
    /// The rest up to its end cannot be reached.
    pub(super) dead: bool,
    /// The parameters' entries, for `else`.
    pub(super) saved: Vec<Entry>,
    /// Which of its results may have a label, by some way to its end.
    pub(super) labelled: Vec<bool>,
    /// Which block of the function it is, as they open.
    pub(super) number: usize,
    /// Frames at whose ends decisions that were made in this one are over, where that is further out.
    pub(super) reached: BTreeSet<usize>,
    /// Decisions are over at its own end.
    pub(super) decides: bool,
}

/// What is assumed to be clean, until a function shows otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CleanGlobals {
    globals: Vec<bool>,
    /// Nothing is, of locals neither: under a decision everything that is set gets a label.
    pub(super) nothing: bool,
}

impl CleanGlobals {
    /// All that can be written, and of those that other modules can write too, if `shared` says so.
    pub(crate) fn new(facts: &Facts, follow: Follow, shared: bool) -> Self {
        let nothing = follow == Follow::Branches;
        let assume = |global: &Global| !nothing && global.ty.mutable && (shared || !global.is_shared());
        Self { globals: facts.globals.iter().map(assume).collect(), nothing }
    }

    /// The rewriter without what makes it fast, to compare with.
    #[cfg(test)]
    pub(crate) fn nothing(facts: &Facts) -> Self {
        Self { globals: vec![false; facts.globals.len()], nothing: true }
    }

    /// Whether the same is assumed of globals that other modules know.
    pub(super) fn has_same_shared(&self, other: &Self, facts: &Facts) -> bool {
        let mut both = self.globals.iter().zip(&other.globals).zip(&facts.globals);
        both.all(|((one, other), global)| one == other || !global.is_shared())
    }

    pub(crate) fn is_clean(&self, global: u32) -> bool {
        self.globals.get(global as usize).copied().unwrap_or(false)
    }

    pub(crate) fn refute(&mut self, global: u32) {
        if let Some(clean) = self.globals.get_mut(global as usize) {
            *clean = false;
        }
    }
}

/// What a function is rewritten in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'m> {
    pub(crate) facts: &'m Facts,
    pub(crate) globals: &'m Globals,
    pub(crate) remap: Remap,
    pub(crate) assumed: &'m CleanGlobals,
    pub(crate) calls: &'m Calls,
    /// The block that the function's own code stands in.
    pub(crate) body: Option<BlockType>,
    pub(crate) follow: Follow,
}

/// Rewrites one function body.
pub(super) struct Tracer<'m> {
    pub(super) around: Surroundings<'m>,
    /// Globals that turn out to carry labels.
    pub(super) refuted: &'m mut CleanGlobals,
    pub(super) body: Body,
    locals: Vec<ValType>,
    /// How many of them are parameters. Behind those are the parameters of labels.
    parameters: u32,
    shadows: Vec<Option<u32>>,
    /// Locals that are assumed never to carry a label.
    clean: Vec<bool>,
    wrong: bool,
    pub(super) stack: Vec<Entry>,
    pub(super) frames: Vec<Frame>,
    slots: HashMap<(usize, Width), u32>,
    branches: HashMap<(usize, usize, Width), u32>,
    /// Blocks inside dead code that are open.
    pub(super) skipped: u32,
    /// What is clean where the code is now.
    pub(super) now: Clean,
    pub(super) weak: Kept,
    /// Locals with memory of the stack that was taken since the last block began or ended.
    pub(super) allocated: BTreeSet<u32>,
    /// Where branches are followed.
    pub(super) follows: Option<Branches>,
}

/// Rewrites the body of function `index`. It is done again while an assumption about its locals turns out wrong.
pub(crate) fn function(
    around: Surroundings<'_>,
    refuted: &mut CleanGlobals,
    index: u32,
    body: &FunctionBody<'_>,
    mut validator: impl FnMut() -> FuncValidator<ValidatorResources>,
) -> Result<Function, Refusal> {
    let ty = around.facts.function_type(index)?;
    let parameters = ty.params().len();
    let body_type = around.calls.body(around.facts.function_type_index(index)?, ty.results(), around.remap)?;
    let around = Surroundings { body: body_type, ..around };
    let mut clean: Option<Vec<bool>> = None;
    let follows = around.follow == Follow::Branches;
    let nothing = around.assumed.nothing;
    let mut learned = if nothing { Learned::nothing() } else { Learned::default() };
    loop {
        let mut validator = validator();
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        let mut locals = Vec::new();
        for local in 0..validator.len_locals() {
            locals.push(validator.get_local_type(local).ok_or_else(|| Refusal::internal("a local is missing"))?);
        }
        let takes_labels = if around.facts.allocators.contains(&index) { 0 } else { parameters };
        let assumed =
            clean.take().unwrap_or_else(|| (0..locals.len()).map(|at| !nothing && at >= takes_labels).collect());
        let (many, labels) = (count(parameters)?, count(takes_labels)?);
        let mut added = Body::new(validator.len_locals().saturating_add(many));
        let branches = follows.then(|| Branches::new(body, &mut added)).transpose()?;
        let now = Clean::start(assumed.len(), labels, learned);
        let mut tracer = Tracer {
            around,
            refuted: &mut *refuted,
            body: added,
            shadows: (0..validator.len_locals()).map(|at| (at < labels).then(|| many + at)).collect(),
            locals,
            parameters: many,
            clean: assumed,
            wrong: false,
            stack: Vec::new(),
            frames: vec![Frame {
                kind: Kind::Function,
                height: 0,
                parameters: Vec::new(),
                results: ty.results().to_vec(),
                dead: false,
                saved: Vec::new(),
                labelled: vec![false; ty.results().len()],
                number: 0,
                reached: BTreeSet::new(),
                decides: false,
            }],
            slots: HashMap::new(),
            branches: HashMap::new(),
            skipped: 0,
            now,
            allocated: BTreeSet::new(),
            weak: Kept::default(),
            follows: branches,
        };
        if let (Some(branches), false) = (&tracer.follows, around.facts.allocators.contains(&index)) {
            let decided = branches.decided;
            tracer.put(&I::GlobalGet(around.globals.decided));
            tracer.put(&I::LocalSet(decided));
        }
        if let Some(block) = body_type {
            tracer.put(&I::Block(block));
        }
        let mut operators = OperatorsReader::new(reader);
        while !operators.eof() {
            let at = operators.original_position();
            let operator = operators.read()?;
            validator.op(at, &operator)?;
            tracer.operator(&operator)?;
            let alive = tracer.frames.last().is_some_and(|frame| !frame.dead);
            if alive && validator.operand_stack_height() as usize != tracer.stack.len() {
                return Err(Refusal::internal(&format!("the stack is out of step after {}", name(&operator))));
            }
        }
        let now = std::mem::replace(&mut tracer.now, Clean::start(0, 0, Learned::nothing()));
        match now.learned(tracer.wrong) {
            None => return tracer.finish(),
            Some(more) => learned = more,
        }
        clean = Some(tracer.clean);
    }
}

/// An operator's name, for messages.
pub(super) fn name(operator: &Operator<'_>) -> String {
    let text = format!("{operator:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

impl Tracer<'_> {
    /// Puts locals and code together.
    fn finish(mut self) -> Result<Function, Refusal> {
        let mut runs: Vec<(u32, Encoded)> = Vec::new();
        let mut add = |ty: Encoded| match runs.last_mut() {
            Some((many, last)) if *last == ty => *many = many.saturating_add(1),
            _ => runs.push((1, ty)),
        };
        for ty in self.locals.iter().skip(self.parameters as usize) {
            add(self.around.remap.val_type(*ty)?);
        }
        for ty in self.body.added() {
            add(*ty);
        }
        if self.locals.len() + self.parameters as usize + self.body.added().len() > MAX_LOCALS {
            return Err(Refusal::size(format!("a function would have more than {MAX_LOCALS} locals")));
        }
        let mut function = Function::new(runs);
        function.raw(self.body.code);
        Ok(function)
    }

    pub(super) fn put(&mut self, instruction: &I<'_>) {
        self.body.put(instruction);
    }

    /// The operator itself.
    pub(super) fn original(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        let instruction = self.around.remap.instruction(operator.clone())?;
        instruction.encode(&mut self.body.code);
        Ok(())
    }

    // ---- the abstract stack

    pub(super) fn pop(&mut self) -> Result<(usize, Entry), Refusal> {
        let entry = self.stack.pop().ok_or_else(|| Refusal::internal("the stack is empty"))?;
        Ok((self.stack.len(), entry))
    }

    pub(super) fn peek(&self, below: usize) -> Result<(usize, Entry), Refusal> {
        let at = self.stack.len().checked_sub(below + 1);
        let entry = at.and_then(|at| self.stack.get(at).map(|entry| (at, *entry)));
        entry.ok_or_else(|| Refusal::internal("the stack is too short"))
    }

    pub(super) fn push_clean(&mut self, ty: ValType) {
        self.stack.push(Entry { ty, home: Home::Clean, known: None, pending: Smear::Exact, stack: Stack::Other });
    }

    pub(super) fn push_known(&mut self, ty: ValType, value: u64) {
        self.stack.push(Entry {
            ty,
            home: Home::Clean,
            known: Some(value),
            pending: Smear::Exact,
            stack: Stack::Other,
        });
    }

    /// The label on the wasm stack becomes that of a new entry, which needs `pending` still.
    pub(super) fn push(&mut self, ty: ValType, pending: Smear) {
        let slot = self.slot(self.stack.len(), Width::of(ty));
        self.put(&I::LocalSet(slot));
        self.stack.push(Entry { ty, home: Home::Slot, known: None, pending, stack: Stack::Other });
    }

    pub(super) fn slot(&mut self, depth: usize, width: Width) -> u32 {
        let body = &mut self.body;
        *self.slots.entry((depth, width)).or_insert_with(|| body.local(width.ty()))
    }

    /// The local with the label of value `at` of a branch to frame `frame`.
    pub(super) fn branch(&mut self, frame: usize, at: usize, width: Width) -> u32 {
        let body = &mut self.body;
        *self.branches.entry((frame, at, width)).or_insert_with(|| body.local(width.ty()))
    }

    /// Puts the label of an entry that is, or was, at `depth`.
    pub(super) fn label(&mut self, depth: usize, entry: &Entry) {
        self.raw_label(depth, entry);
        if entry.home == Home::Slot {
            self.body.smear(entry.width(), entry.pending);
        }
    }

    /// The same without the smear that is pending: the union of its bytes is the same.
    pub(super) fn raw_label(&mut self, depth: usize, entry: &Entry) {
        match entry.home {
            Home::Clean => self.body.clean(entry.width()),
            Home::Shadow(local) => self.put(&I::LocalGet(local)),
            Home::Slot => {
                let slot = self.slot(depth, entry.width());
                self.put(&I::LocalGet(slot));
            }
        }
    }

    /// Puts the union of an entry's labels in one byte.
    pub(super) fn union(&mut self, depth: usize, entry: &Entry) {
        self.raw_label(depth, entry);
        if !matches!(entry.ty, ValType::Ref(_)) {
            self.body.fold(entry.width());
        }
    }

    /// Entries whose label is in a local get it into their slot, if `which` says so of the local.
    fn settle(&mut self, which: impl Fn(u32) -> bool) {
        for depth in 0..self.stack.len() {
            let Some(entry) = self.stack.get(depth).copied() else { continue };
            if let Home::Shadow(local) = entry.home
                && which(local)
            {
                let slot = self.slot(depth, entry.width());
                self.put(&I::LocalGet(local));
                self.put(&I::LocalSet(slot));
                if let Some(entry) = self.stack.get_mut(depth) {
                    entry.home = Home::Slot;
                }
            }
        }
    }

    /// Before a block: what is set inside may not be seen to change what is below.
    pub(super) fn settle_all(&mut self) {
        self.settle(|_| true);
    }

    // ---- locals and globals

    /// Where a local is now.
    pub(super) fn place(&self, local: u32) -> u32 {
        if local < self.parameters { local } else { local.saturating_add(self.parameters) }
    }

    pub(super) fn local_type(&self, local: u32) -> Result<ValType, Refusal> {
        self.locals.get(local as usize).copied().ok_or_else(|| Refusal::internal("a local is missing"))
    }

    pub(super) fn shadow(&mut self, local: u32) -> Result<Option<u32>, Refusal> {
        let at = local as usize;
        if self.clean.get(at).copied().unwrap_or(false) {
            return Ok(None);
        }
        let ty = self.locals.get(at).copied().ok_or_else(|| Refusal::internal("a local is missing"))?;
        let body = &mut self.body;
        let shadow = self.shadows.get_mut(at).ok_or_else(|| Refusal::internal("a local is missing"))?;
        Ok(Some(*shadow.get_or_insert_with(|| body.local(Width::of(ty).ty()))))
    }

    pub(super) fn local_get(&mut self, local: u32) -> Result<(), Refusal> {
        let ty = self.locals.get(local as usize).copied().ok_or_else(|| Refusal::internal("a local is missing"))?;
        let home = if self.now.is(local) { Home::Clean } else { self.shadow(local)?.map_or(Home::Clean, Home::Shadow) };
        let stack = if self.allocated.contains(&local) { Stack::Allocated } else { Stack::Other };
        self.stack.push(Entry { ty, home, known: None, pending: Smear::Exact, stack });
        Ok(())
    }

    pub(super) fn local_set(&mut self, local: u32, tee: bool) -> Result<(), Refusal> {
        let (depth, entry) = self.pop()?;
        if !entry.is_clean()
            && let Some(clean) = self.clean.get_mut(local as usize)
            && *clean
        {
            *clean = false;
            self.wrong = true;
        }
        self.now.set(local, entry.is_clean());
        if entry.stack == Stack::Allocated {
            self.allocated.insert(local);
        } else {
            self.allocated.remove(&local);
        }
        let mut home = Home::Clean;
        if let Some(shadow) = self.shadow(local)? {
            self.settle(|other| other == shadow);
            self.label(depth, &entry);
            self.under(entry.ty);
            self.put(&I::LocalSet(shadow));
            self.weak.changed(shadow);
            if !self.now.is(local) {
                home = Home::Shadow(shadow);
            }
        }
        if tee {
            self.stack.push(Entry { home, pending: Smear::Exact, ..entry });
        }
        Ok(())
    }

    pub(super) fn global_get(&mut self, global: u32) -> Result<(), Refusal> {
        let ty = self.around.facts.global(global)?.ty.content_type;
        match self.around.globals.shadow(global) {
            Some(shadow) if !self.around.assumed.is_clean(global) => {
                self.put(&I::GlobalGet(shadow));
                self.push(ty, Smear::Exact);
            }
            _ => self.push_clean(ty),
        }
        Ok(())
    }

    pub(super) fn global_set(&mut self, global: u32) -> Result<(), Refusal> {
        let (depth, entry) = self.pop()?;
        if self.around.assumed.is_clean(global) {
            let allocates = entry.stack == Stack::Allocated && self.around.facts.global(global)?.stack_pointer;
            if !entry.is_clean() && !allocates {
                self.refuted.refute(global);
            }
            return Ok(());
        }
        let shadow = self.around.globals.shadow(global).ok_or_else(|| Refusal::internal("a global has no label"))?;
        self.label(depth, &entry);
        self.under_global(global, entry.ty)?;
        self.put(&I::GlobalSet(shadow));
        Ok(())
    }

    /// A global that keeps the union of labels that went somewhere: `entries`' labels join it.
    pub(super) fn pool(&mut self, pool: u32, entries: &[(usize, Entry)], weak: bool) {
        if let Some(branches) = &self.follows {
            let decided = branches.decided;
            for instruction in [I::GlobalGet(pool), I::LocalGet(decided), I::I32Or, I::GlobalSet(pool)] {
                self.put(&instruction);
            }
        }
        for (depth, entry) in entries {
            if entry.is_clean() {
                continue;
            }
            self.put(&I::GlobalGet(pool));
            self.union(*depth, entry);
            if weak {
                self.body.weaken();
            }
            self.put(&I::I32Or);
            self.put(&I::GlobalSet(pool));
        }
    }

    pub(super) fn scratch(&mut self, ty: Encoded, purpose: Scratch) -> u32 {
        self.body.scratch(ty, purpose)
    }

    pub(super) fn frame_at(&self, depth: u32) -> Result<usize, Refusal> {
        let at = self.frames.len().checked_sub(depth as usize + 1);
        at.ok_or_else(|| Refusal::internal("a branch leads nowhere"))
    }

    pub(super) fn innermost(&mut self) -> Result<&mut Frame, Refusal> {
        self.frames.last_mut().ok_or_else(|| Refusal::internal("there is no frame"))
    }

    pub(super) fn depth_of_function(&self) -> Result<u32, Refusal> {
        Ok(count(self.frames.len())?.saturating_sub(1))
    }
}
