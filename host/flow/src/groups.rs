//! Sinks that are looked at together: all of one kind, one after the other without anything between, so that what was split over
//! fields, elements, lines or calls is whole again. Keys that the guest chose are a group of their own: they stand between values.

use customs_ledger::material::{Sink, SinkKind};
use std::borrow::Cow;

#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) kind: SinkKind,
    pub(crate) text: Cow<'a, [u8]>,
    /// Where each sink begins, and which it is; without empty ones.
    parts: Vec<(usize, usize)>,
}

const KEY: &str = "#key";

impl<'a> Group<'a> {
    /// The groups of all sinks that have bytes, in the order of their first sinks.
    pub(crate) fn all(sinks: &'a [Sink]) -> Vec<Group<'a>> {
        let mut groups: Vec<(SinkKind, bool, Vec<usize>)> = Vec::new();
        for (number, sink) in sinks.iter().enumerate().filter(|(_, s)| !s.content.kept.is_empty()) {
            let key = sink.name.ends_with(KEY);
            match groups.iter_mut().find(|(kind, keys, _)| *kind == sink.kind && *keys == key) {
                Some((_, _, numbers)) => numbers.push(number),
                None => groups.push((sink.kind, key, vec![number])),
            }
        }
        let bytes = |number: &usize| sinks.get(*number).map_or(&[][..], |s| s.content.kept.as_slice());
        let group = |(kind, _, numbers): (SinkKind, bool, Vec<usize>)| {
            let mut parts = Vec::with_capacity(numbers.len());
            let text = match numbers.as_slice() {
                [only] => {
                    parts.push((0, *only));
                    Cow::Borrowed(bytes(only))
                }
                _ => {
                    let mut text = Vec::with_capacity(numbers.iter().map(|n| bytes(n).len()).sum());
                    for number in &numbers {
                        parts.push((text.len(), *number));
                        text.extend_from_slice(bytes(number));
                    }
                    Cow::Owned(text)
                }
            };
            Group { kind, text, parts }
        };
        groups.into_iter().map(group).collect()
    }

    /// Where sinks begin.
    pub(crate) fn breaks(&self) -> Vec<usize> {
        self.parts.iter().map(|(start, _)| *start).collect()
    }

    /// A range of the group as ranges of its sinks: which sink, from, to.
    pub(crate) fn split(&self, from: usize, to: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let first = self.parts.partition_point(|(start, _)| *start <= from).saturating_sub(1);
        self.parts.get(first..).unwrap_or_default().iter().enumerate().map_while(move |(at, (start, sink))| {
            let end = self.parts.get(first + at + 1).map_or(self.text.len(), |(next, _)| *next);
            (*start < to).then(|| (*sink, from.max(*start) - start, to.min(end) - start))
        })
    }

    /// Each sink with its range.
    pub(crate) fn sinks(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let ends = self.parts.iter().skip(1).map(|(start, _)| *start).chain([self.text.len()]);
        self.parts.iter().zip(ends).map(|((start, sink), end)| (*sink, self.text.get(*start..end).unwrap_or_default()))
    }
}
