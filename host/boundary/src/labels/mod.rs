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
pub(crate) mod given;
mod inside;
pub(crate) mod runs;
pub(crate) mod web;
mod written;

pub use bits::Assignment;

use crate::record::Recorder;
use crate::roots::Identity;
use crate::state::State;
use bits::Bits;
use customs_ledger::material::{SinkKind, SourceKind};
use customs_trace::{ASK, Crossing, INSIDE, INTERFACE, Label, Map, PIECES, Part, Path, SOURCES, Step};
use given::{Given, Row, carried, piece};
use inside::Inside;
use runs::{Runs, all, fitted, moved, push};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use web::{Fields, Request, Stream};
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
    pub handed: Vec<(u64, Vec<(u64, u64, Label)>)>,
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

    // Sources.

    /// The label of a source.
    pub(crate) fn label(&mut self, number: u64) -> Label {
        let is_public = self.public.contains(&number);
        let Some(bit) = self.bits.of(number, is_public) else { return Label::CLEAN };
        if let Some(sources) = self.traces.bits.get_mut(usize::from(bit))
            && let Err(at) = sources.binary_search(&number)
        {
            sources.insert(at, number);
        }
        Label::source(bit).unwrap_or(Label::CLEAN)
    }

    /// A source has its first byte.
    pub(crate) fn source(&mut self, number: u64, of: u64, kind: SourceKind, name: &str) {
        match kind {
            SourceKind::Argument => drop(self.arguments.insert(name.to_owned(), number)),
            SourceKind::HttpResponse => drop(self.answers.insert((of, Side::of(name)), number)),
            SourceKind::Metadata => drop(self.metadata.insert(name.to_owned(), number)),
            SourceKind::Env => self.variables.push(number),
            _ => {}
        }
        if matches!(kind, SourceKind::Argument | SourceKind::Stdin) {
            self.public.insert(number);
        }
    }

    /// Bytes of a source came in.
    pub(crate) fn came(&mut self, number: u64, kind: SourceKind) {
        // These are given by who knows which of them the guest asked for.
        if !matches!(kind, SourceKind::Argument | SourceKind::Env | SourceKind::HttpResponse) {
            self.given.source(number);
        }
    }

    /// Metadata that was told before is told again.
    pub(crate) fn told_again(&mut self, path: &str) {
        if let Some(number) = self.metadata.get(path) {
            self.given.source(*number);
        }
    }

    /// The source that a part of an answer is, where any of it came.
    fn answer(&mut self, of: u64, side: Side) -> Label {
        match self.answers.get(&(of, side)).copied() {
            Some(number) => self.label(number),
            None => Label::CLEAN,
        }
    }

    /// The guest reads of an answer.
    pub(crate) fn gave(&mut self, of: u64, side: Side) {
        if let Some(number) = self.answers.get(&(of, side)) {
            self.given.source(*number);
        }
    }

    /// Header fields as they come with an answer.
    pub(crate) fn fields_of(&mut self, of: u64, side: Side) -> Fields {
        Fields::of_answer(self.answer(of, side))
    }

    /// The import gives a list, and this is what is in it.
    pub(crate) fn give(&mut self, rows: Vec<Row>) {
        self.given.rows = rows;
    }

    /// What the sources gave since the last row is the next element of a list.
    pub(crate) fn row(&mut self) {
        let label = self.fresh();
        self.given.fresh.clear();
        self.given.rows.push(Row::whole(label));
    }

    /// What was seen is not given: only how much of it there is.
    pub(crate) fn kept_back(&mut self) {
        self.given = Given::default();
    }

    fn fresh(&mut self) -> Label {
        let fresh = std::mem::take(&mut self.given.fresh);
        let label = fresh.iter().fold(Label::CLEAN, |label, number| label.or(self.label(*number)));
        self.given.fresh = fresh;
        label
    }

    /// All arguments of a command, behind the name that we made up.
    pub(crate) fn give_arguments(&mut self, many: usize) {
        let row = |at: usize| self.arguments.get(&format!("/args/{at}")).copied();
        let numbers: Vec<Option<u64>> = (0..many).map(row).collect();
        let rows = numbers.into_iter().map(|number| number.map_or(Label::CLEAN, |number| self.label(number)));
        self.given.rows = std::iter::once(Row::default()).chain(rows.map(Row::whole)).collect();
    }

    fn give_variables(&mut self) {
        let variables = self.variables.clone();
        self.given.rows = variables.into_iter().map(|number| Row::whole(self.label(number))).collect();
    }

    pub(crate) fn arguments_at(&mut self, ranges: Vec<(u64, u64, String)>) {
        self.argument_text = ranges;
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
            if !self.argument_text.is_empty() && path.part == Part::Text && path.steps.iter().any(named) {
                let text = std::mem::take(&mut self.argument_text);
                let number = |name: &String| self.arguments.get(name).copied();
                let numbers: Vec<_> = text.iter().map(|(from, to, name)| (*from, *to, number(name))).collect();
                let mut runs = Runs::new();
                for (from, to, number) in numbers {
                    let label = number.map_or(Label::CLEAN, |number| self.label(number));
                    push(&mut runs, (from, to, label));
                }
                self.argument_text = text;
                return piece(&runs, u64::from(offset));
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

    // Sinks.

    /// The guest says what it is about to give out.
    fn leaving(&mut self, hook: u32, runs: Vec<Run>) {
        if !self.spend(runs.len()) {
            return;
        }
        let Some(place) = self.map.hooks.get(hook as usize) else { return };
        match place.crossing {
            Crossing::Import { .. } if runs.is_empty() => {
                self.inside.begins(hook);
                self.leaving = Some((hook, runs));
            }
            Crossing::Import { .. } => match &mut self.leaving {
                Some((of, before)) if *of == hook => before.extend(runs),
                other => *other = Some((hook, runs)),
            },
            Crossing::Export { .. } => {
                let Some(runs) = self.inside.returns(hook, runs) else { return };
                for (path, first, second, third, offset, length, label) in runs {
                    self.traces.returned.push(Returned {
                        part: (hook, path),
                        places: [first, second, third],
                        from: u64::from(offset),
                        to: u64::from(offset).saturating_add(u64::from(length)),
                        label: byte(label),
                    });
                }
            }
        }
    }

    /// Whether there is room for so many runs more.
    fn spend(&mut self, runs: usize) -> bool {
        self.runs = self.runs.saturating_add(runs);
        let fits = self.runs <= MAX_RUNS;
        self.traces.cut |= !fits;
        fits
    }

    /// Runs of the parts that are wanted, of what the import takes out.
    fn picked(&self, wanted: impl Fn(&Path, u32) -> bool) -> Runs {
        let mut picked = Runs::new();
        let Some((hook, runs)) = &self.leaving else { return picked };
        let Some(hook) = self.map.hooks.get(*hook as usize) else { return picked };
        for (path, first, _, _, offset, length, label) in runs {
            if hook.paths.get(*path as usize).is_some_and(|path| wanted(path, *first)) {
                let from = u64::from(*offset);
                push(&mut picked, (from, from.saturating_add(u64::from(*length)), byte(*label)));
            }
        }
        picked
    }

    /// Bytes or text of an argument.
    pub(crate) fn bytes_of(&self, argument: &str) -> Runs {
        self.picked(|path, _| is_bytes(path) && is_argument(path, argument))
    }

    /// Everything of an argument.
    pub(crate) fn all_of(&self, argument: &str) -> Label {
        all(&self.picked(|path, _| is_argument(path, argument)))
    }

    /// Of an element of an argument that is a list: its text or bytes of this field or element.
    pub(crate) fn row_of(&self, argument: &str, row: usize, step: &Step) -> Runs {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        self.picked(|path, first| {
            first == row && is_bytes(path) && is_argument(path, argument) && path.steps.contains(step)
        })
    }

    /// The same, where the elements themselves are texts or bytes.
    pub(crate) fn element_of(&self, argument: &str, row: usize) -> Runs {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        self.picked(|path, first| first == row && is_bytes(path) && is_argument(path, argument))
    }

    /// Everything else of that element.
    pub(crate) fn rest_of(&self, argument: &str, row: usize, step: &Step) -> Label {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        all(&self.picked(|path, first| first == row && is_argument(path, argument) && !path.steps.contains(step)))
    }

    /// What goes out next has these labels.
    pub(crate) fn place(&mut self, runs: Runs) {
        self.placed = Some(runs);
    }

    /// All that goes out in this import has this label too.
    pub(crate) fn under(&mut self, label: Label) {
        self.under = label;
    }

    /// The path that the import is about, as the guest wrote it.
    pub(crate) fn about(&mut self, path: &str) {
        path.clone_into(&mut self.path);
    }

    /// The name of something that is created goes out next: it is the end of the path, or what the path led to.
    pub(crate) fn place_name(&mut self, name: &str) {
        let runs =
            self.picked(|path, _| is_bytes(path) && (is_argument(path, "path") || is_argument(path, "new-path")));
        let written = self.path.trim_end_matches('/');
        let placed = match written.strip_suffix(name) {
            Some(before) if before.is_empty() || before.ends_with('/') => {
                moved(&runs, before.len() as u64, name.len() as u64, 0)
            }
            _ => fitted(&runs, u64::MAX, 0, name.len() as u64),
        };
        self.placed = Some(placed);
    }

    /// The labels of so many bytes that go out now.
    fn outgoing(&mut self, bytes: u64) -> Runs {
        let mut runs = match self.placed.take() {
            Some(runs) => moved(&runs, 0, bytes, 0),
            None if self.splicing => {
                let label = self.fresh();
                carried(&self.given, label, bytes)
            }
            None => {
                let content = |path: &Path, _| {
                    is_bytes(path) && ["contents", "buffer", "message"].iter().any(|name| is_argument(path, name))
                };
                moved(&self.picked(content), 0, bytes, 0)
            }
        };
        push(&mut runs, (0, bytes, self.under));
        self.last.clone_from(&runs);
        runs
    }

    /// The sources in a part of what is about to leave under this access record, which has no number yet.
    pub(crate) fn sources_in(&self, of: u64, name: &str, bytes: &[u8]) -> Vec<u64> {
        let runs = match self.promised.get(&of) {
            Some(Promise::Request(request)) => {
                let stream = request.body.and_then(|stream| self.streams.get(stream));
                match Side::of(name) {
                    Side::Line => request.of_line(bytes),
                    Side::Headers => request.headers.of_lines(bytes),
                    Side::Whole => request.of_host(bytes),
                    Side::Body => stream.map(|stream| stream.runs.clone()).unwrap_or_default(),
                    Side::Trailers => stream.map(|stream| stream.trailers.of_lines(bytes)).unwrap_or_default(),
                    Side::Head => Runs::new(),
                }
            }
            Some(Promise::Name(runs, written)) => fitted(runs, *written, 0, bytes.len() as u64),
            None => Runs::new(),
        };
        let label = all(&runs);
        let inside = (0..SOURCES).zip(&self.traces.bits).filter(|(bit, _)| label.strong(*bit) || label.weak(*bit));
        inside.flat_map(|(_, sources)| sources.iter().copied()).collect()
    }

    /// Whether nothing was dropped so far.
    pub(crate) fn is_whole(&self) -> bool {
        !self.traces.cut
    }

    /// A sink has its first byte.
    pub(crate) fn sink(&mut self, number: u64, of: u64, name: &str, bytes: &[u8]) {
        let length = bytes.len() as u64;
        let runs = match self.promised.get(&of) {
            Some(Promise::Request(request)) => match Side::of(name) {
                Side::Line => request.of_line(bytes),
                Side::Headers => request.headers.of_lines(bytes),
                Side::Whole => request.of_host(bytes),
                Side::Trailers => {
                    let stream = request.body.and_then(|stream| self.streams.get(stream));
                    stream.map(|stream| stream.trailers.of_lines(bytes)).unwrap_or_default()
                }
                Side::Body => {
                    if let Some(stream) = request.body.and_then(|stream| self.streams.get_mut(stream)) {
                        stream.sink = Some(number);
                    }
                    return;
                }
                Side::Head => return,
            },
            Some(Promise::Name(runs, written)) => fitted(runs, *written, 0, length),
            None => return,
        };
        self.traces.sinks.entry(number).or_default().extend(runs);
    }

    /// `bytes` bytes of a sink go out, behind the `before` that went already.
    pub(crate) fn went(&mut self, number: u64, kind: SinkKind, before: u64, bytes: u64) {
        // These go out on their own, and were promised; and what is returned is reported by the export.
        if matches!(kind, SinkKind::HttpRequest | SinkKind::Dns | SinkKind::Return | SinkKind::Error) {
            return;
        }
        let runs = self.outgoing(bytes);
        if self.splicing && !self.spend(runs.len()) {
            return;
        }
        let sink = self.traces.sinks.entry(number).or_default();
        for run in moved(&runs, 0, bytes, before) {
            push(sink, run);
        }
    }

    /// What will be sent under this access record is this request.
    pub(crate) fn promise(&mut self, of: u64, request: Arc<Request>) {
        self.promised.insert(of, Promise::Request(request));
    }

    /// A name that is looked up under access record `of`, for a request that was promised under another.
    pub(crate) fn promise_lookup(&mut self, of: u64, request: u64) {
        if let Some(Promise::Request(request)) = self.promised.get(&request) {
            let request = Arc::clone(request);
            self.promised.insert(of, Promise::Request(request));
        }
    }

    /// A name that is looked up, as the guest spelled it.
    pub(crate) fn promise_name(&mut self, of: u64, argument: &str, name: &str) {
        let runs = self.bytes_of(argument);
        if !runs.is_empty() {
            self.promised.insert(of, Promise::Name(runs, name.len() as u64));
        }
    }

    /// A body that the guest will write.
    pub(crate) fn stream(&mut self) -> usize {
        self.streams.push(Stream::default());
        self.streams.len().saturating_sub(1)
    }

    /// So many bytes of a body were accepted.
    pub(crate) fn sent(&mut self, stream: usize, bytes: u64) {
        let runs = self.outgoing(bytes);
        if self.splicing && !self.spend(runs.len()) {
            return;
        }
        if let Some(stream) = self.streams.get_mut(stream) {
            for run in moved(&runs, 0, bytes, stream.at) {
                push(&mut stream.runs, run);
            }
            stream.at = stream.at.saturating_add(bytes);
        }
    }

    pub(crate) fn trailers(&mut self, stream: usize, fields: Fields) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.trailers = fields;
        }
    }

    /// Bytes go from one stream to another from here on, or no longer.
    pub(crate) fn splice(&mut self, on: bool) {
        self.splicing = on;
        self.kept_back();
    }

    // Files.

    pub(crate) fn opened(&mut self, id: Identity, size: u64, to_write: bool) {
        self.written.opened(id, size, to_write);
    }

    pub(crate) fn end_of(&self, id: Identity) -> Option<u64> {
        self.written.end(id)
    }

    /// Of what went out last, so many bytes are in a file now.
    pub(crate) fn wrote(&mut self, id: Identity, at: Option<u64>, bytes: u64) {
        let runs = moved(&self.last, 0, bytes, 0);
        self.written.wrote(id, at, bytes, &runs);
    }

    pub(crate) fn failed(&mut self, id: Identity) {
        self.written.failed(id);
    }

    pub(crate) fn resized(&mut self, id: Identity, size: u64) {
        self.written.resized(id, size);
    }

    /// Bytes of a file came in. What the guest wrote there in this call is what it was then.
    pub(crate) fn read_back(&mut self, id: Identity, at: u64, bytes: u64) {
        let fresh = std::mem::take(&mut self.given.fresh);
        let written = std::mem::take(&mut self.written);
        let mut own = None;
        let runs = written.read(id, at, bytes, || {
            *own.get_or_insert_with(|| fresh.iter().fold(Label::CLEAN, |label, number| label.or(self.label(*number))))
        });
        self.written = written;
        self.given.rows = vec![Row::of(runs)];
    }

    /// The host itself has read so many bytes of a stream that the guest handed over.
    pub(crate) fn handed(&mut self, runs: &mut Runs, at: u64, bytes: u64) {
        let label = self.fresh();
        let came = carried(&self.given, label, bytes);
        self.kept_back();
        if self.spend(came.len()) {
            for run in moved(&came, 0, bytes, at) {
                push(runs, run);
            }
        }
    }

    /// A stream that the guest handed over was read to its end.
    pub(crate) fn handed_over(&mut self, block: u64, runs: Runs) {
        self.traces.handed.push((block, runs));
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
