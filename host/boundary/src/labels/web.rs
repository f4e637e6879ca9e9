//! Labels of a request while it is being made: of its line, of its header fields, and of its body by place in it.

use super::runs::{Runs, all, fitted, moved, push};
use customs_trace::Label;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Header fields. What is not here is clean.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    /// Of fields that came with an answer: all of them have its label, by their names as long as nothing else was put there.
    base: Label,
    based: Arc<BTreeSet<String>>,
    own: Arc<Vec<Field>>,
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    /// Which one of this name.
    nth: usize,
    of_name: Runs,
    of_value: Runs,
    /// Bytes of the value as it was written.
    bytes: u64,
}

impl Fields {
    pub(crate) fn of_answer(base: Label, names: BTreeSet<String>) -> Fields {
        Fields { base, based: Arc::new(names), ..Fields::default() }
    }

    /// All of this name are gone.
    pub(crate) fn remove(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        if self.own.iter().any(|field| field.name == name) {
            Arc::make_mut(&mut self.own).retain(|field| field.name != name);
        }
        if self.based.contains(&name) {
            Arc::make_mut(&mut self.based).remove(&name);
        }
    }

    /// A value was put behind `nth` others of its name.
    pub(crate) fn append(&mut self, name: &str, nth: usize, (of_name, of_value): (Runs, Runs), bytes: usize) {
        let (name, bytes) = (name.to_ascii_lowercase(), bytes as u64);
        if !of_name.is_empty() || !of_value.is_empty() || self.based.contains(&name) {
            Arc::make_mut(&mut self.own).push(Field { name, nth, of_name, of_value, bytes });
        }
    }

    /// Labels of a field as it is now: of its name, and of its value, which has so many bytes.
    pub(crate) fn of(&self, name: &str, nth: usize, bytes: u64) -> (Runs, Runs) {
        if let Some(field) = self.own.iter().find(|field| field.nth == nth && field.name == name) {
            return (field.of_name.clone(), fitted(&field.of_value, field.bytes, 0, bytes));
        }
        let (mut of_name, mut of_value) = (Runs::new(), Runs::new());
        if self.based.contains(name) {
            push(&mut of_name, (0, name.len() as u64, self.base));
            push(&mut of_value, (0, bytes, self.base));
        }
        (of_name, of_value)
    }

    /// Labels of header lines, `name: value` each, as a sink has them.
    pub(super) fn of_lines(&self, lines: &[u8]) -> Runs {
        let mut runs = Runs::new();
        if self.own.is_empty() && self.based.is_empty() {
            return runs;
        }
        let mut seen: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        let mut at = 0_u64;
        // A value holds no line break.
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\r\n").unwrap_or(line);
            let colon = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
            let name = text.get(..colon).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
            let begins = (colon as u64).saturating_add(2);
            let bytes = (text.len() as u64).saturating_sub(begins);
            let nth = seen.entry(name).or_insert(0);
            let (of_name, of_value) = self.of(name, *nth, bytes);
            *nth = nth.saturating_add(1);
            runs.extend(moved(&of_name, 0, colon as u64, at));
            runs.extend(moved(&of_value, 0, bytes, at.saturating_add(begins)));
            at = at.saturating_add(line.len() as u64);
        }
        runs
    }
}

/// A text of a request, how many bytes it has, and their labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Labelled {
    pub(crate) runs: Runs,
    pub(crate) bytes: u64,
}

impl Labelled {
    pub(crate) fn of(text: &str, runs: Runs) -> Labelled {
        Labelled { runs, bytes: text.len() as u64 }
    }

    /// One of several words: which one it is was chosen with this label.
    pub(crate) fn chosen(label: Label) -> Labelled {
        let mut runs = Runs::new();
        push(&mut runs, (0, 1, label));
        Labelled { runs, bytes: 0 }
    }

    /// As it stands at a place.
    fn at(&self, at: u64, length: u64) -> Runs {
        fitted(&self.runs, self.bytes, at, length)
    }
}

/// A request that the guest makes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: Labelled,
    pub(crate) scheme: Labelled,
    pub(crate) authority: Labelled,
    pub(crate) path: Labelled,
    pub(crate) headers: Fields,
    /// The stream of its body, where it has one.
    pub(crate) body: Option<usize>,
}

impl Request {
    /// Labels of `METHOD ORIGIN PATH` as a sink has it: `GET https://host/path?query`.
    pub(super) fn of_line(&self, line: &[u8]) -> Runs {
        let length = line.len() as u64;
        let place = |from: usize, pattern: &[u8]| {
            let rest = line.get(from..).unwrap_or_default();
            rest.windows(pattern.len()).position(|part| part == pattern).map(|at| from.saturating_add(at))
        };
        let (Some(method), Some(scheme)) = (place(0, b" "), place(0, b"://")) else {
            let mut whole = Runs::new();
            push(&mut whole, (0, length, self.all()));
            return whole;
        };
        let host = scheme.saturating_add(3);
        let path = place(host, b"/").unwrap_or(line.len());
        let span = |from: usize, to: usize| (from as u64, to.saturating_sub(from) as u64);
        let mut runs = Runs::new();
        let parts = [
            (&self.method, span(0, method)),
            (&self.scheme, span(method.saturating_add(1), scheme)),
            (&self.authority, span(host, path)),
            (&self.path, span(path, line.len())),
        ];
        for (part, (at, length)) in parts {
            runs.extend(part.at(at, length));
        }
        runs
    }

    /// Labels of the host's name where it is looked up.
    pub(super) fn of_host(&self, name: &[u8]) -> Runs {
        let length = name.len() as u64;
        // The port stands behind it, and what comes before a name none of these has.
        if self.authority.bytes >= length {
            let runs = moved(&self.authority.runs, 0, length, 0);
            if all(&runs) == all(&self.authority.runs) {
                return runs;
            }
        }
        fitted(&self.authority.runs, u64::MAX, 0, length)
    }

    fn all(&self) -> Label {
        let parts = [&self.method, &self.scheme, &self.authority, &self.path];
        parts.iter().fold(Label::CLEAN, |label, part| label.or(all(&part.runs)))
    }
}

/// A body that the guest writes: labels by place in it, as far as it was accepted.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) runs: Runs,
    pub(super) at: u64,
    /// The sink that it became.
    pub(super) sink: Option<u64>,
    pub(super) trailers: Fields,
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Label = Label(1);
    const B: Label = Label(2);

    fn runs(from: u64, to: u64, label: Label) -> Runs {
        vec![(from, to, label)]
    }

    #[test]
    fn the_parts_of_a_request_line_stand_where_they_were_written() {
        let request = Request {
            authority: Labelled::of("h.test:8080", runs(0, 1, A)),
            path: Labelled::of("/a?key=1234", runs(7, 11, B)),
            ..Request::default()
        };
        let line = b"POST http://h.test:8080/a?key=1234";
        assert_eq!(request.of_line(line), [(12, 13, A), (30, 34, B)]);
        // A port that is left out, or a path that is not the one: no longer byte by byte.
        assert_eq!(request.of_line(b"POST http://h.test/a?key=12345"), [(12, 18, A), (18, 30, B)]);
        let chosen = Request { method: Labelled::chosen(A), scheme: Labelled::chosen(B), ..Request::default() };
        assert_eq!(chosen.of_line(b"PUT https://h/"), [(0, 3, A), (4, 9, B)]);
        assert_eq!(request.of_host(b"h.test"), [(0, 1, A)]);
        let port = Request { authority: Labelled::of("h.test:8080", runs(8, 9, A)), ..Request::default() };
        assert_eq!(port.of_host(b"h.test"), [(0, 6, A)]);
    }

    #[test]
    fn header_fields_are_told_apart_by_name_and_turn() {
        let mut fields = Fields::default();
        fields.append("X-One", 0, (runs(2, 3, A), Runs::new()), 3);
        fields.append("x-one", 1, (Runs::new(), runs(1, 2, B)), 4);
        fields.append("x-two", 0, (Runs::new(), Runs::new()), 1);
        let lines = b"x-one: abc\r\nx-two: a\r\nx-one: abcd\r\n";
        assert_eq!(fields.of_lines(lines), [(2, 3, A), (30, 31, B)]);
        // The value of a secret stands in the place of what was written.
        assert_eq!(fields.of_lines(b"x-one: abc\r\nx-one: [secret:N]\r\n"), [(2, 3, A), (19, 29, B)]);
        fields.remove("X-ONE");
        assert_eq!(fields.of_lines(lines), []);
    }

    #[test]
    fn fields_of_an_answer_have_its_label_until_they_are_changed() {
        let mut fields = Fields::of_answer(A, BTreeSet::from(["a".to_owned()]));
        assert_eq!(fields.of_lines(b"a: bc\r\n"), [(0, 1, A), (3, 5, A)]);
        fields.append("a", 1, (Runs::new(), Runs::new()), 1);
        assert_eq!(fields.of_lines(b"a: bc\r\na: d\r\n"), [(0, 1, A), (3, 5, A)]);
        let copy = fields.clone();
        fields.remove("a");
        fields.append("a", 0, (Runs::new(), runs(0, 2, B)), 2);
        assert_eq!(fields.of_lines(b"a: bc\r\n"), [(3, 5, B)]);
        assert_eq!(copy.of("a", 0, 2).1, [(0, 2, A)]);
    }
}
