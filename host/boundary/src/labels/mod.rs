//! Labels of a traced call: which source the bytes are from that an import gave, and what the guest said of bytes on their way out.
//!
//! Only a traced component imports this interface ([`customs_trace::INTERFACE`]), and only for it is it linked. Labels change nothing of what may
//! cross: they are kept beside the record and read when the call is over.
//!
//! ```text
//!  guest: leaving(hook, runs) --> leaving --.
//!  view of the import: what it gives the guest, and what goes out     bytes go out: runs --> the sink, by place in it
//!       given: sources, or rows with labels byte by byte              a request's parts are promised, and seen when they are sent ([`web`])
//!  guest: arrived(hook) <---- given         what is written to files is kept for when it comes back ([`written`])
//! ```
//!
//! A source is what the recorder sees while an import runs. An answer's frames arrive on their own: there the stream says whose it is when
//! the guest reads it.

pub(crate) mod bits;
mod coming;
mod files;
pub(crate) mod given;
mod going;
mod inside;
pub(crate) mod runs;
pub(crate) mod web;
mod written;

pub use bits::Assignment;

use crate::record::Recorder;
use crate::state::State;
use bits::Bits;
use customs_trace::{ASK, Crossing, INSIDE, INTERFACE, Label, Map, PIECES, Part, Path, SOURCES, Step};
use given::{Given, Row, piece};
use inside::Inside;
use runs::{Runs, all, push};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use web::{Request, Stream};
use written::Written;

/// Runs of labels that one call may report. A result of half a megabyte where every second byte is labelled has as many, and they take ten
/// megabytes; past it they are dropped, and the trace says that it is not complete.
const MAX_RUNS: usize = 1 << 18;

/// A run as it crosses: path, three places, offset, length, label.
type Run = (u32, u32, u32, u32, u32, u32, u32);

/// Labelled bytes of what an export returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Which part of the value: a hook of the map, and a path of it.
    pub part: (u32, u32),
    /// Places in the lists on the way to it.
    pub places: [u32; 3],
    pub from: u64,
    pub to: u64,
    pub label: Label,
}

/// What labels said in one call.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// The sources of each bit, by their numbers. The last one may be shared.
    pub bits: [Vec<u64>; SOURCES as usize],
    /// Labelled ranges of sinks, by their numbers.
    pub sinks: BTreeMap<u64, Vec<(u64, u64, Label)>>,
    pub returned: Vec<Returned>,
    /// Of streams that the guest handed over for blocks of its answer: which block, and which labels.
    pub handed: BTreeMap<u64, Vec<(u64, u64, Label)>>,
    /// Something was dropped.
    pub cut: bool,
    map: Arc<Map>,
}

impl Traces {
    /// What a part of a returned value is.
    #[must_use]
    pub fn path(&self, returned: &Returned) -> Option<&Path> {
        let (hook, path) = returned.part;
        self.map.hooks.get(hook as usize)?.paths.get(path as usize)
    }
}

/// Which part of an exchange a flow is, by the end of its name. Those of one exchange have one access record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Head,
    Line,
    Headers,
    Body,
    Trailers,
    /// What has no parts: a name that is looked up.
    Whole,
}

impl Side {
    fn of(name: &str) -> Side {
        match name.rsplit_once('#').map(|(_, part)| part) {
            Some("head") => Side::Head,
            Some("line") => Side::Line,
            Some("headers") => Side::Headers,
            Some("body") => Side::Body,
            Some("trailers") => Side::Trailers,
            _ => Side::Whole,
        }
    }
}

/// The labels of what will be sent for an access record.
#[derive(Debug)]
enum Promise {
    Request(Arc<Request>),
    Name(Runs, u64),
}

/// The labels of a call that is running.
#[derive(Debug)]
pub(crate) struct Labels {
    map: Arc<Map>,
    traces: Traces,
    bits: Bits,
    /// Sources of what the caller knows.
    public: BTreeSet<u64>,
    variables: Vec<u64>,
    arguments: BTreeMap<String, u64>,
    /// Where the arguments stand in the JSON text that is given to a component that describes its own tools.
    argument_text: Vec<(u64, u64, String)>,
    argument_runs: Runs,
    in_text: bool,
    /// What was told of a path, because it is told once.
    metadata: BTreeMap<String, u64>,
    /// What the import that is running takes out.
    leaving: Option<(u32, Vec<Run>)>,
    /// Labels of what goes out next, where they do not stand as they were reported.
    placed: Option<Runs>,
    /// A label of all that goes out now.
    under: Label,
    /// What went out last.
    last: Runs,
    given: Given,
    /// What the last import gave, while the guest asks for it piece by piece.
    asked: Vec<Row>,
    /// Bytes go from one stream to another.
    splicing: bool,
    /// The path that the import that is running is about.
    path: String,
    /// Sources by their access record, for parts of answers.
    answers: BTreeMap<(u64, Side), u64>,
    promised: BTreeMap<u64, Promise>,
    streams: Vec<Stream>,
    written: Written,
    inside: Inside,
    runs: usize,
}

impl Labels {
    pub(crate) fn new(map: Arc<Map>, may_come: usize, plan: Option<Assignment>) -> Labels {
        let traces = Traces { map: Arc::clone(&map), ..Traces::default() };
        Labels {
            map,
            traces,
            bits: plan.map_or_else(|| Bits::as_they_come(may_come), Bits::Planned),
            public: BTreeSet::new(),
            variables: Vec::new(),
            arguments: BTreeMap::new(),
            argument_text: Vec::new(),
            argument_runs: Runs::new(),
            in_text: false,
            metadata: BTreeMap::new(),
            leaving: None,
            placed: None,
            under: Label::CLEAN,
            last: Runs::new(),
            given: Given::default(),
            asked: Vec::new(),
            splicing: false,
            path: String::new(),
            answers: BTreeMap::new(),
            promised: BTreeMap::new(),
            streams: Vec::new(),
            written: Written::default(),
            inside: Inside::default(),
            runs: 0,
        }
    }

    pub(crate) fn finish(&mut self) -> Traces {
        for stream in std::mem::take(&mut self.streams) {
            if let Some(sink) = stream.sink {
                self.traces.sinks.entry(sink).or_default().extend(stream.runs);
            }
        }
        std::mem::take(&mut self.traces)
    }

    /// An import is over, or an export begins: what came in.
    fn arrived(&mut self, hook: u32) -> u32 {
        let leaving = self.leaving.take();
        (self.placed, self.under) = (None, Label::CLEAN);
        self.last.clear();
        let map = Arc::clone(&self.map);
        match map.hooks.get(hook as usize).map(|hook| &hook.crossing) {
            Some(Crossing::Import { .. }) if self.inside.over(hook) => {
                self.kept_back();
                return ASK | PIECES | INSIDE;
            }
            Some(Crossing::Import { function, .. }) if function == "get-environment" => self.give_variables(),
            Some(Crossing::Import { .. }) => {}
            Some(Crossing::Export { .. }) => {
                self.kept_back();
                let inside = if self.inside.export(hook, leaving) { INSIDE } else { 0 };
                return ASK | PIECES | inside;
            }
            None => return 0,
        }
        let (fresh, of_rows) = (self.fresh(), self.given.all());
        self.asked = std::mem::take(&mut self.given).rows;
        if self.asked.is_empty() { u32::from(fresh.0) } else { PIECES | u32::from(of_rows.0) }
    }

    /// The argument of an export that a part belongs to.
    fn argument(&mut self, path: &Path) -> Label {
        let Some(Step::Argument(name)) = path.steps.first() else { return Label::CLEAN };
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        match self.arguments.get(&pointer).copied() {
            Some(number) => self.label(number),
            None => Label::CLEAN,
        }
    }

    /// A part of an export's arguments that is no bytes.
    fn part(&mut self, hook: u32, path: u32, places: [u32; 3]) -> u32 {
        let map = Arc::clone(&self.map);
        if self.inside.crosses() {
            return u32::from(self.inside.label(&map, hook, path, places).0);
        }
        let path = map.hooks.get(hook as usize).and_then(|hook| hook.paths.get(path as usize));
        path.map_or(0, |path| u32::from(self.argument(path).0))
    }

    /// Bytes of a part, from an offset on.
    fn piece(&mut self, hook: u32, path: u32, places: [u32; 3], offset: u32) -> u32 {
        let map = Arc::clone(&self.map);
        if self.inside.crosses() {
            return self.inside.piece(&map, hook, path, places, offset);
        }
        let [first, ..] = places;
        let Some(hook) = map.hooks.get(hook as usize) else { return 0 };
        let Some(path) = hook.paths.get(path as usize) else { return 0 };
        if let Crossing::Export { .. } = hook.crossing {
            // All arguments in one text, where a component describes its own tools: `arguments` of the call or of its request.
            let named = |step: &Step| matches!(step, Step::Argument(name) | Step::Field(name) if name == "arguments");
            if self.in_text && path.part == Part::Text && path.steps.iter().any(named) {
                let text = std::mem::take(&mut self.argument_text);
                for (from, to, name) in &text {
                    let number = self.arguments.get(name).copied();
                    let label = number.map_or(Label::CLEAN, |number| self.label(number));
                    push(&mut self.argument_runs, (*from, *to, label));
                }
                return piece(&self.argument_runs, u64::from(offset));
            }
            return u32::from(self.argument(path).0);
        }
        let Some(row) = self.asked.get(first as usize) else { return 0 };
        if !is_bytes(path) {
            return u32::from(all(&row.name).or(all(&row.value)).0);
        }
        let is_name = path.steps.windows(2).any(|steps| steps == [Step::Each, Step::Element(0)]);
        piece(if is_name { &row.name } else { &row.value }, u64::from(offset))
    }
}

fn is_bytes(path: &Path) -> bool {
    matches!(path.part, Part::Text | Part::Numbers(1))
}

fn is_argument(path: &Path, argument: &str) -> bool {
    matches!(path.steps.first(), Some(Step::Argument(name)) if name == argument)
}

/// A label as it crosses.
fn byte(label: u32) -> Label {
    Label(u8::try_from(label & 0xff).unwrap_or_default())
}

/// Links the interface of traced components.
pub fn link_labels(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut instance = linker.instance(INTERFACE)?;
    let recorder = |store: &StoreContextMut<'_, State>| -> Recorder { store.data().recorder().clone() };
    instance.func_wrap("leaving", move |store: StoreContextMut<'_, State>, (hook, runs): (u32, Vec<Run>)| {
        recorder(&store).labelled(|labels| labels.leaving(hook, runs));
        Ok(())
    })?;
    instance.func_wrap("arrived", move |store: StoreContextMut<'_, State>, (hook,): (u32,)| {
        Ok((recorder(&store).labelled(|labels| labels.arrived(hook)).unwrap_or(0),))
    })?;
    instance.func_wrap("source", move |store: StoreContextMut<'_, State>, part: (u32, u32, u32, u32, u32)| {
        let (hook, path, first, second, third) = part;
        let places = [first, second, third];
        Ok((recorder(&store).labelled(|labels| labels.part(hook, path, places)).unwrap_or(0),))
    })?;
    instance.func_wrap("piece", move |store: StoreContextMut<'_, State>, part: (u32, u32, u32, u32, u32, u32)| {
        let (hook, path, first, second, third, offset) = part;
        let places = [first, second, third];
        Ok((recorder(&store).labelled(|labels| labels.piece(hook, path, places, offset)).unwrap_or(0),))
    })?;
    Ok(())
}
