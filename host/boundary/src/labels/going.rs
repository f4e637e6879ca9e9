//! Sinks: what an import takes out, where it goes, and what of it leaves later.

use super::given::carried;
use super::runs::{Runs, all, fitted, moved, push};
use super::web::{Fields, Request, Stream};
use super::{Labels, MAX_RUNS, Promise, Returned, Run, Side, byte, is_argument, is_bytes};
use customs_ledger::material::SinkKind;
use customs_trace::{Crossing, Label, Path, SOURCES, Step};
use std::sync::Arc;

impl Labels {
    /// The guest says what it is about to give out.
    pub(super) fn leaving(&mut self, hook: u32, runs: Vec<Run>) {
        let map = Arc::clone(&self.map);
        let Some(place) = map.hooks.get(hook as usize) else { return };
        // Which component calls which is kept in step also when there is no room for labels any more.
        let begins = runs.is_empty() && matches!(place.crossing, Crossing::Import { .. });
        if begins {
            self.inside.begins(hook);
            self.leaving = Some((hook, runs));
            return;
        }
        if !self.spend(runs.len()) {
            return;
        }
        match place.crossing {
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
    pub(super) fn spend(&mut self, runs: usize) -> bool {
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

    /// Of each element of an argument that is a list of so many: its texts or bytes, those under this step apart from the others.
    pub(crate) fn rows_of(&self, argument: &str, many: usize, step: &Step) -> Vec<(Runs, Runs)> {
        let mut rows = vec![(Runs::new(), Runs::new()); many];
        let Some((hook, runs)) = &self.leaving else { return rows };
        let Some(hook) = self.map.hooks.get(*hook as usize) else { return rows };
        for (path, first, _, _, offset, length, label) in runs {
            let path = hook.paths.get(*path as usize).filter(|path| is_bytes(path) && is_argument(path, argument));
            if let (Some(path), Some((under, other))) = (path, rows.get_mut(*first as usize)) {
                let from = u64::from(*offset);
                let run = (from, from.saturating_add(u64::from(*length)), byte(*label));
                push(if path.steps.contains(step) { under } else { other }, run);
            }
        }
        rows
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
    pub(crate) fn stream(&mut self) -> Option<usize> {
        // Each takes a place, labelled or not.
        self.spend(1).then(|| {
            self.streams.push(Stream::default());
            self.streams.len().saturating_sub(1)
        })
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use customs_trace::{Hook, INSIDE, Map};

    #[test]
    fn which_component_calls_which_is_known_also_when_there_is_no_room_for_labels() {
        let (interface, function) = (String::new(), "ask".to_owned());
        let import = Crossing::Import { interface: interface.clone(), function: function.clone() };
        let hook = |crossing| Hook { crossing, paths: Vec::new() };
        let map = Map { hooks: vec![hook(import), hook(Crossing::Export { interface, function })] };
        let mut labels = Labels::new(Arc::new(map), 0, None);
        labels.leaving(0, vec![(0, 0, 0, 0, 0, 1, 1); MAX_RUNS + 1]);
        assert!(!labels.is_whole());
        labels.arrived(0);
        labels.leaving(0, Vec::new());
        assert_ne!(labels.arrived(1) & INSIDE, 0);
        // And what the host itself calls is not taken for that.
        labels.arrived(0);
        assert_eq!(labels.arrived(1) & INSIDE, 0);
    }
}
