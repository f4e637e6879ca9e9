//! Which labels a guest's handles of `wasi:http` stand for: a request that is being made, header fields, the parts of an answer. Only kept where
//! labels are. Keyed by table index, which is reused: entries go when the handle does.

use crate::labels::runs::Runs;
use crate::labels::web::{Fields, Labelled, Request};
use crate::labels::{Labels, Side, given::Row};
use crate::state::View;
use customs_trace::{Label, Step};
use std::collections::BTreeMap;
use wasmtime::component::Resource;
use wasmtime_wasi_http::FieldMap;
use wasmtime_wasi_http::p2::bindings::http::types::{Method, Scheme};

#[derive(Default)]
pub(crate) struct Web {
    fields: BTreeMap<u32, Fields>,
    requests: BTreeMap<u32, Request>,
    /// Bodies that are written, by their stream.
    outgoing: BTreeMap<u32, usize>,
    /// Answers on their way, answers, their bodies and trailers, by the access record of their request.
    futures: BTreeMap<u32, u64>,
    answers: BTreeMap<u32, u64>,
    bodies: BTreeMap<u32, u64>,
    trailers: BTreeMap<u32, u64>,
}

impl Web {
    /// The request is sent.
    pub(crate) fn handled(&mut self, request: u32) -> Option<Request> {
        self.requests.remove(&request)
    }

    pub(crate) fn asked(&mut self, future: u32, of: u64) {
        self.futures.insert(future, of);
    }

    pub(crate) fn answered(&mut self, future: u32, answer: u32) {
        if let Some(of) = self.futures.get(&future) {
            self.answers.insert(answer, *of);
        }
    }

    pub(crate) fn consumed(&mut self, answer: u32, body: u32) {
        if let Some(of) = self.answers.get(&answer) {
            self.bodies.insert(body, *of);
        }
    }

    /// The exchange that a body belongs to.
    pub(crate) fn body(&self, body: u32) -> Option<u64> {
        self.bodies.get(&body).copied()
    }

    pub(crate) fn read(&mut self, body: u32, trailers: u32) {
        if let Some(of) = self.bodies.remove(&body) {
            self.trailers.insert(trailers, of);
        }
    }

    /// The stream of a body that is written.
    pub(crate) fn stream(&self, body: u32) -> Option<usize> {
        self.outgoing.get(&body).copied()
    }

    pub(crate) fn finished(&mut self, body: u32, trailers: Option<u32>) -> Option<(usize, Fields)> {
        let stream = self.outgoing.remove(&body);
        let fields = trailers.and_then(|trailers| self.fields.remove(&trailers));
        stream.zip(fields)
    }

    /// A handle is gone, whichever of them it was.
    pub(crate) fn dropped(&mut self, rep: u32) {
        self.fields.remove(&rep);
        self.requests.remove(&rep);
        self.outgoing.remove(&rep);
        self.futures.remove(&rep);
        self.answers.remove(&rep);
        self.bodies.remove(&rep);
        self.trailers.remove(&rep);
    }
}

/// Bytes of a name or value that are compared with what a table has: how many values of one name there are.
fn count(fields: &FieldMap, name: &str) -> usize {
    fields.iter().filter(|(known, _)| known.as_str().eq_ignore_ascii_case(name)).count()
}

impl View<'_> {
    fn labels<T>(&self, with: impl FnOnce(&mut Labels) -> T) -> Option<T> {
        self.guard.recorder.labelled(with)
    }

    pub(crate) fn is_labelled(&self) -> bool {
        self.guard.recorder.is_labelled()
    }

    /// Fields were made of a list of pairs.
    pub(crate) fn fields_made(&mut self, fields: &Resource<FieldMap>, entries: &[(String, usize)]) {
        let mut made = Fields::default();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let pairs = self.labels(|labels| labels.rows_of("entries", entries.len(), &Step::Element(0)));
        for ((name, bytes), pair) in entries.iter().zip(pairs.unwrap_or_default()) {
            let nth = seen.entry(name.to_ascii_lowercase()).or_insert(0);
            made.append(name, *nth, pair, *bytes);
            *nth = nth.saturating_add(1);
        }
        self.guard.web.fields.insert(fields.rep(), made);
    }

    /// All values of a name are others now.
    pub(crate) fn fields_set(&mut self, fields: u32, name: &str, values: &[usize]) {
        let of_name = self.labels(|labels| labels.bytes_of("name")).unwrap_or_default();
        let of_values =
            self.labels(|labels| labels.rows_of("value", values.len(), &Step::Element(0))).unwrap_or_default();
        let known = self.guard.web.fields.entry(fields).or_default();
        known.remove(name);
        for (nth, ((_, of_value), bytes)) in of_values.into_iter().zip(values).enumerate() {
            known.append(name, nth, (of_name.clone(), of_value), *bytes);
        }
    }

    /// A value is there beside the `nth` that there were.
    pub(crate) fn fields_appended(&mut self, fields: u32, name: &str, nth: usize, bytes: usize) {
        let pair = self.labels(|labels| (labels.bytes_of("name"), labels.bytes_of("value"))).unwrap_or_default();
        self.guard.web.fields.entry(fields).or_default().append(name, nth, pair, bytes);
    }

    pub(crate) fn fields_removed(&mut self, fields: u32, name: &str) {
        if let Some(known) = self.guard.web.fields.get_mut(&fields) {
            known.remove(name);
        }
    }

    /// How many values of a name there are.
    pub(crate) fn fields_count(&self, fields: u32, name: &str) -> usize {
        let map = self.table.get(&Resource::<FieldMap>::new_borrow(fields));
        map.map(|map| count(map, name)).unwrap_or(0)
    }

    pub(crate) fn fields_copied(&mut self, from: u32, to: u32) {
        if let Some(known) = self.guard.web.fields.get(&from).cloned() {
            self.guard.web.fields.insert(to, known);
        }
    }

    /// The guest gets pairs, or values of one name.
    pub(crate) fn fields_given<'e>(&mut self, fields: u32, entries: impl Iterator<Item = (&'e str, usize)>) {
        let Some(known) = self.guard.web.fields.get(&fields) else { return };
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let row = |(name, bytes): (&str, usize)| {
            let name = name.to_ascii_lowercase();
            let nth = seen.entry(name.clone()).or_insert(0);
            let (of_name, of_value) = known.of(&name, *nth, bytes as u64);
            *nth = nth.saturating_add(1);
            Row { name: of_name, value: of_value }
        };
        let rows = entries.map(row).collect();
        self.labels(|labels| labels.give(rows));
    }

    /// The head of an answer, or its trailers, as fields.
    pub(crate) fn fields_came(&mut self, from: u32, fields: &Resource<FieldMap>) {
        let web = &self.guard.web;
        let part = web.answers.get(&from).map(|of| (*of, Side::Head));
        let part = part.or_else(|| web.trailers.get(&from).map(|of| (*of, Side::Trailers)));
        let Some((of, side)) = part else { return };
        let names = self.table.get(fields).map(|map| map.iter().map(|(name, _)| name.as_str().to_owned()).collect());
        let names = names.unwrap_or_default();
        if let Some(came) = self.labels(|labels| labels.fields_of(of, side, names)) {
            self.guard.web.fields.insert(fields.rep(), came);
        }
    }

    /// The status of an answer is part of its head.
    pub(crate) fn status_given(&self, answer: u32) {
        if let Some(of) = self.guard.web.answers.get(&answer) {
            self.labels(|labels| labels.gave(*of, Side::Head));
        }
    }

    pub(crate) fn request_made(&mut self, headers: u32, request: u32) {
        let headers = self.guard.web.fields.remove(&headers).unwrap_or_default();
        self.guard.web.requests.insert(request, Request { headers, ..Request::default() });
    }

    pub(crate) fn request_body(&mut self, request: u32, body: u32) {
        let Some(stream) = self.labels(Labels::stream).flatten() else { return };
        if let Some(request) = self.guard.web.requests.get_mut(&request) {
            request.body = Some(stream);
            self.guard.web.outgoing.insert(body, stream);
        }
    }

    fn request_part(&mut self, request: u32, part: impl FnOnce(&mut Request)) {
        if let Some(request) = self.guard.web.requests.get_mut(&request) {
            part(request);
        }
    }

    /// A part was set, from the argument of this name.
    fn labelled_text(&self, argument: &str, text: Option<&str>) -> Labelled {
        let (runs, chosen) = self
            .labels(|labels| (labels.bytes_of(argument), labels.all_of(argument)))
            .unwrap_or((Runs::new(), Label::CLEAN));
        match text {
            Some(text) => Labelled::of(text, runs),
            None => Labelled::chosen(chosen),
        }
    }

    pub(crate) fn method_set(&mut self, request: u32, method: &Method) {
        let other = if let Method::Other(other) = method { Some(other.as_str()) } else { None };
        let set = self.labelled_text("method", other);
        self.request_part(request, |request| request.method = set);
    }

    pub(crate) fn scheme_set(&mut self, request: u32, scheme: Option<&Scheme>) {
        let other = if let Some(Scheme::Other(other)) = scheme { Some(other.as_str()) } else { None };
        let set = self.labelled_text("scheme", other);
        self.request_part(request, |request| request.scheme = set);
    }

    pub(crate) fn authority_set(&mut self, request: u32, authority: Option<&str>) {
        let set = self.labelled_text("authority", authority);
        self.request_part(request, |request| request.authority = set);
    }

    pub(crate) fn path_set(&mut self, request: u32, path: Option<&str>) {
        let set = self.labelled_text("path-with-query", path);
        self.request_part(request, |request| request.path = set);
    }

    /// A part of a request is given back to the guest.
    pub(crate) fn part_given(&self, request: u32, part: impl FnOnce(&Request) -> &Labelled) {
        if let Some(request) = self.guard.web.requests.get(&request) {
            let part = part(request);
            let row = if part.bytes == 0 {
                Row::whole(crate::labels::runs::all(&part.runs))
            } else {
                Row::of(part.runs.clone())
            };
            self.labels(|labels| labels.give(vec![row]));
        }
    }

    pub(crate) fn request_headers(&mut self, request: u32, fields: u32) {
        if let Some(headers) = self.guard.web.requests.get(&request).map(|request| request.headers.clone()) {
            self.guard.web.fields.insert(fields, headers);
        }
    }

    /// A body is written to its end.
    pub(crate) fn body_finished(&mut self, body: u32, trailers: Option<u32>) {
        if let Some((stream, fields)) = self.guard.web.finished(body, trailers) {
            self.labels(|labels| labels.trailers(stream, fields));
        }
    }
}
