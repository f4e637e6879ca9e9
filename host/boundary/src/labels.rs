//! Labels of a traced call: which source the bytes are from that an import gave, and what the guest said of bytes on their way out.
//!
//! Only a traced component imports this interface ([`customs_trace::INTERFACE`]), and only for it is it linked. Labels change nothing of what may
//! cross: they are kept beside the record and read when the call is over. Which source the bytes of a call belong to is seen where all bytes are
//! seen, in the recorder: what a source gave while the import ran. The network is the exception, because its frames arrive on their own: what a
//! guest reads of answers is labelled with all of them that came so far.

use crate::record::Recorder;
use crate::state::State;
use customs_ledger::material::{Class, SinkKind, SourceKind};
use customs_trace::{ASK, Crossing, INTERFACE, Label, Map, Path, SOURCES, Step};
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

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
    /// The sources of each bit, by their numbers. The last one is shared by all that came after the others were taken.
    pub bits: [Vec<u64>; SOURCES as usize],
    /// Labelled ranges of sinks, by their numbers.
    pub sinks: BTreeMap<u64, Vec<(u64, u64, Label)>>,
    pub returned: Vec<Returned>,
    /// Labels of what requests were made of.
    pub requests: Label,
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

/// The labels of a call that is running.
#[derive(Debug)]
pub(crate) struct Labels {
    map: Arc<Map>,
    traces: Traces,
    /// Which bit each source has.
    numbered: BTreeMap<u64, u8>,
    /// Sources that gave bytes since the last import.
    fresh: Vec<u64>,
    variables: Vec<u64>,
    network: Vec<u64>,
    /// What the import that is running takes out, until it is seen at a sink.
    leaving: Option<(u32, Vec<Run>)>,
    runs: usize,
}

impl Labels {
    pub(crate) fn new(map: Arc<Map>) -> Labels {
        let traces = Traces { map: Arc::clone(&map), ..Traces::default() };
        Labels {
            map,
            traces,
            numbered: BTreeMap::new(),
            fresh: Vec::new(),
            variables: Vec::new(),
            network: Vec::new(),
            leaving: None,
            runs: 0,
        }
    }

    pub(crate) fn finish(&mut self) -> Traces {
        std::mem::take(&mut self.traces)
    }

    /// Bytes of a source came in.
    pub(crate) fn came(&mut self, number: u64, kind: SourceKind) {
        // Arguments and input are what the caller knows already.
        if kind.class() == Class::Public {
            return;
        }
        let list = match kind {
            SourceKind::Env => &mut self.variables,
            SourceKind::HttpResponse | SourceKind::Socket => &mut self.network,
            _ => &mut self.fresh,
        };
        if !list.contains(&number) {
            list.push(number);
        }
    }

    /// `bytes` bytes of a sink go out, behind the `before` that went already.
    pub(crate) fn went(&mut self, number: u64, kind: SinkKind, before: u64, bytes: u64) {
        if matches!(kind, SinkKind::HttpRequest | SinkKind::Dns | SinkKind::Return | SinkKind::Error) {
            return;
        }
        let Some((_, runs)) = self.leaving.take() else { return };
        let ranges = self.traces.sinks.entry(number).or_default();
        for (_, _, _, _, offset, length, label) in runs {
            let (from, to) = (u64::from(offset), u64::from(offset) + u64::from(length));
            if to <= bytes {
                ranges.push((before + from, before + to, byte(label)));
            }
        }
    }

    fn label(&mut self, number: u64) -> u32 {
        let used = self.traces.bits.iter().filter(|bit| !bit.is_empty()).count();
        let bit = *self.numbered.entry(number).or_insert_with(|| {
            let last = SOURCES.saturating_sub(1);
            u8::try_from(used).unwrap_or(last).min(last)
        });
        if let Some(sources) = self.traces.bits.get_mut(usize::from(bit))
            && !sources.contains(&number)
        {
            sources.push(number);
        }
        1 << bit
    }

    fn labels(&mut self, numbers: &[u64]) -> u32 {
        numbers.iter().fold(0, |label, number| label | self.label(*number))
    }

    fn function(&self, hook: u32) -> Option<(&str, &str)> {
        match &self.map.hooks.get(hook as usize)?.crossing {
            Crossing::Import { interface, function } => Some((interface, function)),
            Crossing::Export { .. } => None,
        }
    }

    /// The guest says what it is about to give out.
    fn leaving(&mut self, hook: u32, runs: Vec<Run>) {
        self.runs = self.runs.saturating_add(runs.len());
        if self.runs > MAX_RUNS {
            self.traces.cut = true;
            return;
        }
        let Some(place) = self.map.hooks.get(hook as usize) else { return };
        match place.crossing {
            Crossing::Import { .. } => match &mut self.leaving {
                Some((of, before)) if *of == hook => before.extend(runs),
                other => *other = Some((hook, runs)),
            },
            Crossing::Export { .. } => {
                for (path, first, second, third, offset, length, label) in runs {
                    self.traces.returned.push(Returned {
                        part: (hook, path),
                        places: [first, second, third],
                        from: u64::from(offset),
                        to: u64::from(offset) + u64::from(length),
                        label: byte(label),
                    });
                }
            }
        }
    }

    /// An import is over, or an export begins: what came in.
    fn arrived(&mut self, hook: u32) -> u32 {
        let unseen = self.leaving.take();
        let fresh = std::mem::take(&mut self.fresh);
        let Some((interface, function)) = self.function(hook) else { return 0 };
        let http = interface.starts_with("wasi:http/");
        let reads = function.contains("stream.read")
            || function.contains("stream.blocking-read")
            || function.contains("receive");
        let answers = http && (function.contains("incoming-response") || function.contains("fields."));
        let asks = function == "get-environment";
        let writes = function.contains("write");
        if let Some((_, runs)) = unseen
            && (http || writes)
        {
            // Parts of a request, and bodies, leave on their own later.
            let all = runs.iter().fold(Label::CLEAN, |all, run| all.or(byte(run.6)));
            self.traces.requests = self.traces.requests.or(all);
        }
        if asks {
            return ASK;
        }
        if fresh.is_empty() && (reads || answers) {
            let network = self.network.clone();
            return self.labels(&network);
        }
        self.labels(&fresh)
    }

    /// Which of the variables: each is a source, its value alone.
    fn source(&mut self, hook: u32, path: u32, first: u32) -> u32 {
        let map = Arc::clone(&self.map);
        let path = map.hooks.get(hook as usize).and_then(|hook| hook.paths.get(path as usize));
        let value = path.is_some_and(|path| path.steps == [Step::Result, Step::Each, Step::Element(1)]);
        let number = self.variables.get(first as usize).copied();
        match (value, number) {
            (true, Some(number)) => self.label(number),
            _ => 0,
        }
    }
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
        recorder(&store).with_labels(|labels| labels.leaving(hook, runs));
        Ok(())
    })?;
    instance.func_wrap("arrived", move |store: StoreContextMut<'_, State>, (hook,): (u32,)| {
        Ok((recorder(&store).with_labels(|labels| labels.arrived(hook)).unwrap_or(0),))
    })?;
    instance.func_wrap("source", move |store: StoreContextMut<'_, State>, part: (u32, u32, u32, u32, u32)| {
        let (hook, path, first, _, _) = part;
        Ok((recorder(&store).with_labels(|labels| labels.source(hook, path, first)).unwrap_or(0),))
    })?;
    Ok(())
}
