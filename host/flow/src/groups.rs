//! Sinks that are looked at together: all of one kind, one after the other without anything between, so that what was split over
//! fields, elements, lines or calls is whole again. Names that the guest chose (keys, file names) are groups of their own: they stand between
//! values. What differs between names of one kind, requests or lookups is put together once more, without what they have in common: a piece of a
//! secret in each of twenty host names is whole again only so. So are short texts with numbers between them.

use customs_ledger::material::{Sink, SinkKind};
use std::borrow::Cow;

#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) kind: SinkKind,
    pub(crate) text: Cow<'a, [u8]>,
    /// Made of parts of sinks that are whole in another group.
    pub(crate) again: bool,
    parts: Vec<Part>,
}

/// Where a sink, or what is left of it, begins in the text; without empty ones.
#[derive(Clone, Copy, Debug)]
struct Part {
    start: usize,
    sink: usize,
    /// How much of the sink was left out before it.
    offset: usize,
}

/// What a sink is besides its kind: names stand apart from values, and some are looked at for what differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Value,
    Name,
}

/// Sinks of which the differences are put together. More are a storm that the values show as well.
const DIFFERING: usize = 4096;

fn family(sink: &Sink) -> Family {
    if ["#key", "#name", "#target"].iter().any(|end| sink.name.ends_with(end)) { Family::Name } else { Family::Value }
}

/// Whether what this sink has in common with others of its kind says nothing.
fn repeats(sink: &Sink) -> bool {
    family(sink) == Family::Name || sink.kind == SinkKind::Dns || sink.name.ends_with("#line")
}

impl<'a> Group<'a> {
    /// The groups of all sinks that have bytes, in the order of their first sinks.
    pub(crate) fn all(sinks: &'a [Sink]) -> Vec<Group<'a>> {
        let mut groups: Vec<(SinkKind, Family, Vec<usize>)> = Vec::new();
        let mut differing: Vec<(SinkKind, Family, Vec<usize>)> = Vec::new();
        let add = |groups: &mut Vec<(SinkKind, Family, Vec<usize>)>, number: usize, sink: &Sink| {
            let of = family(sink);
            match groups.iter_mut().find(|(kind, family, _)| *kind == sink.kind && *family == of) {
                Some((_, _, numbers)) => numbers.push(number),
                None => groups.push((sink.kind, of, vec![number])),
            }
        };
        for (number, sink) in sinks.iter().enumerate().filter(|(_, s)| !s.content.kept.is_empty()) {
            add(&mut groups, number, sink);
            if repeats(sink) {
                add(&mut differing, number, sink);
            }
        }
        let whole = groups.into_iter().map(|(kind, _, numbers)| Group::whole(kind, &numbers, sinks));
        let differing = differing.into_iter().filter(|(_, _, numbers)| (2..=DIFFERING).contains(&numbers.len()));
        let differing = differing.filter_map(|(kind, _, numbers)| Group::differences(kind, &numbers, sinks));
        let pieces = Group::pieces(sinks);
        whole.chain(differing).chain(pieces).collect()
    }

    /// Short texts without the numbers between them, as records have them: `{"n": 1, "p": "k7Qz"}, {"n": 2, ...}`. Where nothing stands between them
    /// they are together already.
    fn pieces(sinks: &'a [Sink]) -> Vec<Group<'a>> {
        /// The longest piece that is not found by itself, and how many of them can hold something.
        const PIECE: usize = crate::index::SHORTEST - 1;
        const LEAST: usize = 3;
        let mut groups: Vec<(SinkKind, usize, Vec<usize>)> = Vec::new();
        for (number, sink) in sinks.iter().enumerate().filter(|(_, s)| family(s) == Family::Value) {
            let bytes = sink.content.kept.as_slice();
            let is_number = bytes.iter().all(u8::is_ascii_digit);
            let at = groups.iter().position(|(kind, _, _)| *kind == sink.kind).unwrap_or(groups.len());
            if at == groups.len() {
                groups.push((sink.kind, 0, Vec::new()));
            }
            if let Some((_, numbers, pieces)) = groups.get_mut(at) {
                if is_number {
                    *numbers += usize::from(!bytes.is_empty());
                } else if bytes.len() <= PIECE {
                    pieces.push(number);
                }
            }
        }
        let some = groups.into_iter().filter(|(_, numbers, pieces)| *numbers > 0 && pieces.len() >= LEAST);
        some.map(|(kind, _, pieces)| Group { again: true, ..Group::whole(kind, &pieces, sinks) }).collect()
    }

    fn whole(kind: SinkKind, numbers: &[usize], sinks: &'a [Sink]) -> Group<'a> {
        let bytes = |number: usize| sinks.get(number).map_or(&[][..], |s| s.content.kept.as_slice());
        let mut parts = Vec::with_capacity(numbers.len());
        let text = match numbers {
            [only] => {
                parts.push(Part { start: 0, sink: *only, offset: 0 });
                Cow::Borrowed(bytes(*only))
            }
            _ => {
                let mut text = Vec::with_capacity(numbers.iter().map(|n| bytes(*n).len()).sum());
                for sink in numbers.iter().copied() {
                    parts.push(Part { start: text.len(), sink, offset: 0 });
                    text.extend_from_slice(bytes(sink));
                }
                Cow::Owned(text)
            }
        };
        Group { kind, text, again: false, parts }
    }

    /// The sinks without the beginning and the end that all of them have, up to a letter or digit; none where they have none.
    fn differences(kind: SinkKind, numbers: &[usize], sinks: &'a [Sink]) -> Option<Group<'a>> {
        let texts: Vec<(usize, &[u8])> =
            numbers.iter().filter_map(|n| sinks.get(*n).map(|s| (*n, s.content.kept.as_slice()))).collect();
        let (_, first) = texts.first()?;
        let agree = |pairs: &mut dyn Iterator<Item = (&u8, &u8)>| pairs.take_while(|(a, b)| a == b).count();
        let begin = texts.iter().map(|(_, text)| agree(&mut first.iter().zip(text.iter()))).min()?;
        let end = texts.iter().map(|(_, text)| agree(&mut first.iter().rev().zip(text.iter().rev()))).min()?;
        let joint = |b: &u8| !b.is_ascii_alphanumeric();
        let begin = first.get(..begin)?.iter().rposition(joint).map_or(0, |at| at + 1);
        let end = end - first.get(first.len() - end..)?.iter().position(joint).unwrap_or(end);
        if begin + end == 0 {
            return None;
        }
        let mut text = Vec::new();
        let mut parts = Vec::with_capacity(texts.len());
        for (sink, bytes) in texts {
            let left = bytes.get(begin..bytes.len().saturating_sub(end)).filter(|left| !left.is_empty());
            let Some(left) = left else { continue };
            parts.push(Part { start: text.len(), sink, offset: begin });
            text.extend_from_slice(left);
        }
        (text.len() >= crate::index::SHORTEST).then_some(Group { kind, text: Cow::Owned(text), again: true, parts })
    }

    /// Where sinks begin.
    pub(crate) fn breaks(&self) -> Vec<usize> {
        self.parts.iter().map(|part| part.start).collect()
    }

    /// A range of the group as ranges of its sinks: which sink, from, to.
    pub(crate) fn split(&self, from: usize, to: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let first = self.parts.partition_point(|part| part.start <= from).saturating_sub(1);
        self.parts.get(first..).unwrap_or_default().iter().enumerate().map_while(move |(at, part)| {
            let end = self.parts.get(first + at + 1).map_or(self.text.len(), |next| next.start);
            let place = |at: usize| at - part.start + part.offset;
            (part.start < to).then(|| (part.sink, place(from.max(part.start)), place(to.min(end))))
        })
    }

    /// Each sink with its range.
    pub(crate) fn sinks(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let ends = self.parts.iter().skip(1).map(|part| part.start).chain([self.text.len()]);
        self.parts.iter().zip(ends).map(|(part, end)| (part.sink, self.text.get(part.start..end).unwrap_or_default()))
    }

    /// Where a sink begins.
    pub(crate) fn start(&self, sink: usize) -> Option<usize> {
        self.parts.iter().find(|part| part.sink == sink).map(|part| part.start)
    }
}
