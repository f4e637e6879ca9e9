//! What came in, as texts to look for: sources, what they hold in an encoding, and public bytes, which explain what would be a finding else.

use crate::budget::Budget;
use crate::rarity;
use crate::views::{Views, Wanted, Way};
use customs_ledger::material::{Class, Source};
use std::borrow::Cow;

/// What a text came from: a source by its place in the input, or bytes that everybody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Source(usize),
    Known,
}

#[derive(Debug)]
pub(crate) struct Arrivals<'a> {
    pub(crate) views: Views<'a>,
    origins: Vec<Origin>,
    traits: Vec<Traits>,
}

/// What the rarity rule must know of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traits {
    pub(crate) public: bool,
    /// Without the blanks around it: what "seen whole" means.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// What a range must cost beyond what the sinks ask for.
    pub(crate) need: u32,
    pub(crate) need_whole: u32,
    /// All of it is a value that everybody has.
    pub(crate) common: bool,
}

impl<'a> Arrivals<'a> {
    pub(crate) fn new(sources: &'a [Source], known: &[&'a [u8]], budget: &Budget) -> Arrivals<'a> {
        let mut origins: Vec<Origin> = (0..sources.len()).map(Origin::Source).collect();
        let mut roots: Vec<Cow<'a, [u8]>> = sources.iter().map(|s| Cow::Borrowed(s.content.kept.as_slice())).collect();
        for bytes in known {
            origins.push(Origin::Known);
            roots.push(Cow::Borrowed(bytes));
        }
        let views = Views::new(roots, &[], Way::In, 1, budget.source_views, budget.source_longest);
        let public = |root: usize| match origins.get(root) {
            Some(Origin::Source(number)) => sources.get(*number).is_none_or(|s| s.class == Class::Public),
            _ => true,
        };
        let traits = views.texts.iter().map(|text| Traits::new(&text.bytes, public(text.root), u32::from(text.depth)));
        let traits = traits.collect();
        Arrivals { views, origins, traits }
    }

    /// What is looked for, to tell which views of the sinks can hold it; none where that is too much. What everybody knows is looked for only
    /// where something else was found.
    pub(crate) fn wanted(&self) -> Option<Wanted> {
        let secret = self.views.texts.iter().zip(&self.traits).filter(|(_, traits)| !traits.public);
        Wanted::new(secret.map(|(text, _)| (text.kind(), text.bytes.as_ref())))
    }

    pub(crate) fn traits(&self, text: usize) -> Option<&Traits> {
        self.traits.get(text)
    }

    /// What a text came from.
    pub(crate) fn origin(&self, text: usize) -> Option<Origin> {
        self.origins.get(self.views.texts.get(text)?.root).copied()
    }

    pub(crate) fn bytes(&self, text: usize) -> &[u8] {
        self.views.texts.get(text).map_or(&[], |t| t.bytes.as_ref())
    }
}

impl Traits {
    fn new(bytes: &[u8], public: bool, depth: u32) -> Traits {
        let from = bytes.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
        let to = bytes.iter().rposition(|b| !b.is_ascii_whitespace()).map_or(0, |at| at + 1);
        let windows = bytes.len().saturating_sub(crate::index::SHORTEST - 1).max(1);
        let steps = depth * rarity::STEP;
        Traits {
            public,
            from,
            to,
            need: rarity::MARGIN + rarity::log2(windows as u64) + steps,
            need_whole: rarity::WHOLE_MARGIN + steps,
            common: rarity::is_common_value(bytes.trim_ascii()),
        }
    }

    /// What a range of this text must cost in sinks that ask for `sinks` more.
    pub(crate) fn need(&self, from: usize, length: usize, sinks: u32) -> u32 {
        if self.public {
            // An echo of anything is an echo.
            return 0;
        }
        if self.common {
            return u32::MAX;
        }
        let whole = from <= self.from && from + length >= self.to;
        sinks + if whole { self.need_whole } else { self.need }
    }

    /// The least that any range of this text must cost that is too short for the table of long ranges.
    pub(crate) fn least(&self, sinks: u32) -> u32 {
        if self.public {
            return 0;
        }
        sinks + if self.to - self.from.min(self.to) < crate::index::LONG { self.need_whole } else { self.need }
    }
}
