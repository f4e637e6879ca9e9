//! Texts as they were before the guest encoded them. Each view undoes one encoding wherever it stands in a text and knows which bytes
//! each of its own came from; views are made of views, up to a depth and a budget.

mod base85;
mod bits;
mod escapes;
mod hex;
mod homoglyphs;
mod inflate;
mod map;
mod numbers;
mod order;
mod radix;

pub(crate) use map::merged;
use map::{Builder, Map};
use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// An encoding that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Gzip,
    Zlib,
    Base64,
    Hex,
    Percent,
    Json,
    Html,
    ZeroWidth,
    Tags,
    Utf16,
    Bytes,
    Integers,
    Base32,
    Deflate,
    EverySecond,
    Singles,
    Separators,
    Homoglyphs,
    Words,
    Bits,
    Base85,
    Rot13,
    Reverse,
    /// The digits of a text that has other characters too.
    Digits,
}

/// What is undone in what went out, in the order in which it is tried: what finds something has first call on the budget.
const OUTWARD: [Kind; 23] = [
    Kind::Gzip,
    Kind::Zlib,
    Kind::Base64,
    Kind::Percent,
    Kind::Hex,
    Kind::Json,
    Kind::Html,
    Kind::ZeroWidth,
    Kind::Tags,
    Kind::Homoglyphs,
    Kind::Utf16,
    Kind::Bytes,
    Kind::Integers,
    Kind::Words,
    Kind::Bits,
    Kind::Base32,
    Kind::Deflate,
    Kind::Base85,
    Kind::EverySecond,
    Kind::Singles,
    Kind::Separators,
    Kind::Rot13,
    Kind::Reverse,
];

/// What a guest may undo in what came in before it passes it on. Digits are what a number can carry of a secret.
const INWARD: [Kind; 10] = [
    Kind::Gzip,
    Kind::Zlib,
    Kind::Base64,
    Kind::Percent,
    Kind::Hex,
    Kind::Json,
    Kind::Html,
    Kind::Utf16,
    Kind::Base32,
    Kind::Digits,
];

/// Which way the texts went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    In,
    Out,
}

/// Views as large as their text are made of views only up to this length: a page reversed and rotated is looked at, a file is not.
const COPY_OF_VIEW: usize = 1 << 16;

impl Kind {
    /// What a finding calls it.
    fn name(self) -> &'static str {
        match self {
            Kind::Gzip => "gzip",
            Kind::Zlib => "zlib",
            Kind::Base64 => "base64",
            Kind::Hex => "hex",
            Kind::Percent => "percent",
            Kind::Json => "json",
            Kind::Html => "html",
            Kind::ZeroWidth => "zero-width",
            Kind::Tags => "unicode-tags",
            Kind::Utf16 => "utf-16",
            Kind::Bytes => "byte-list",
            Kind::Integers => "integer",
            Kind::Words => "word-list",
            Kind::Bits => "bits",
            Kind::Base85 => "base85",
            Kind::Homoglyphs => "homoglyph",
            Kind::Base32 => "base32",
            Kind::Deflate => "deflate",
            Kind::EverySecond | Kind::Singles | Kind::Separators => "separators",
            Kind::Rot13 => "rot13",
            Kind::Reverse => "reverse",
            Kind::Digits => "digits",
        }
    }

    /// What a finding calls it when the guest undid it itself.
    fn undone(self) -> &'static str {
        match self {
            Kind::Gzip => "gzip-decoded",
            Kind::Zlib => "zlib-decoded",
            Kind::Base64 => "base64-decoded",
            Kind::Percent => "percent-decoded",
            Kind::Hex => "hex-decoded",
            Kind::Json => "json-decoded",
            Kind::Html => "html-decoded",
            Kind::Utf16 => "utf-16-decoded",
            Kind::Base32 => "base32-decoded",
            other => other.name(),
        }
    }

    /// Makes a copy of nearly everything, whatever it is.
    fn copies(self) -> bool {
        matches!(self, Kind::Rot13 | Kind::Reverse | Kind::Separators)
    }

    /// Leaves most bytes of most texts as they are.
    fn keeps_most(self) -> bool {
        matches!(
            self,
            Kind::Percent
                | Kind::Json
                | Kind::Html
                | Kind::ZeroWidth
                | Kind::Homoglyphs
                | Kind::Rot13
                | Kind::EverySecond
                | Kind::Singles
                | Kind::Separators
        )
    }

    fn undo(self, of: &Text<'_>, breaks: &[usize], out: &mut Builder) {
        let text = of.bytes.as_ref();
        match self {
            Kind::Gzip => inflate::gzip(text, out),
            Kind::Zlib => inflate::zlib(text, out),
            Kind::Deflate if of.depth == 0 => {
                inflate::deflate(text, [0].into_iter().chain(breaks.iter().copied()), out)
            }
            Kind::Deflate => inflate::deflate(text, of.map.begins(), out),
            Kind::Base64 => radix::BASE64.decode(text, out),
            Kind::Base32 => radix::BASE32.decode(text, out),
            Kind::Hex => hex::decode(text, out),
            Kind::Percent => escapes::percent(text, out),
            Kind::Json => escapes::json(text, out),
            Kind::Html => escapes::html(text, out),
            Kind::ZeroWidth => escapes::zero_width(text, out),
            Kind::Tags => escapes::tags(text, out),
            Kind::Utf16 => order::every_second(text, true, out),
            Kind::EverySecond => order::every_second(text, false, out),
            Kind::Singles => order::singles(text, out),
            Kind::Separators => order::separators(text, out),
            Kind::Bytes => numbers::bytes(text, breaks, out),
            Kind::Integers => numbers::integers(text, breaks, out),
            Kind::Words if of.may_be_written() => numbers::words(text, breaks, out),
            Kind::Bits if of.may_be_written() => bits::decode(text, out),
            Kind::Words | Kind::Bits => {}
            Kind::Homoglyphs => homoglyphs::fold(text, out),
            Kind::Base85 if of.may_be_written() => base85::decode(text, out),
            Kind::Base85 => {}
            Kind::Rot13 => order::rot13(text, out),
            Kind::Reverse => order::reverse(text, out),
            Kind::Digits => numbers::digits(text, out),
        }
    }
}

/// A text, or a view of one.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    /// Which of the original texts it belongs to.
    pub(crate) root: usize,
    /// How many encodings were undone.
    pub(crate) depth: u8,
    parent: usize,
    kind: Option<Kind>,
    map: Map,
}

/// The original texts and their views, shallow ones first.
#[derive(Debug, Default)]
pub(crate) struct Views<'a> {
    pub(crate) texts: Vec<Text<'a>>,
    /// Views that had no room, or not enough.
    pub(crate) cut: u64,
    way: Option<Way>,
}

impl Text<'_> {
    /// Whether somebody may have written this text: the original, or what was packed or escaped. What else is undone leaves garbage, which looks
    /// like base85, or lists that were there before.
    fn may_be_written(&self) -> bool {
        let whole = [Kind::Gzip, Kind::Zlib, Kind::Deflate, Kind::Percent, Kind::Json, Kind::Html];
        self.kind.is_none_or(|kind| self.depth == 1 && whole.contains(&kind))
    }

    /// The encoding that was undone last; none for an original text.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.kind
    }
}

impl<'a> Views<'a> {
    /// `breaks` says for each text where its parts begin; `room` is how many bytes the views may have together. Texts longer than
    /// `longest` have no views.
    pub(crate) fn new(
        roots: Vec<Cow<'a, [u8]>>,
        breaks: &[Vec<usize>],
        way: Way,
        depth: u8,
        room: usize,
        longest: usize,
    ) -> Views<'a> {
        let texts = roots.into_iter().enumerate().map(|(root, bytes)| Text {
            bytes,
            root,
            depth: 0,
            parent: root,
            kind: None,
            map: Map::default(),
        });
        let mut views = Views { texts: texts.collect(), cut: 0, way: Some(way) };
        let hasher = RandomState::new();
        let mut known: HashSet<(usize, u64)> = views
            .texts
            .iter()
            .filter(|t| depth > 0 && t.bytes.len() <= longest)
            .map(|t| (t.root, hasher.hash_one(t.bytes.as_ref())))
            .collect();
        let mut room = room;
        let mut at = 0;
        // Views are appended while the list is walked: breadth first.
        while let Some(text) = views.texts.get(at) {
            if text.depth >= depth {
                break;
            }
            if text.bytes.len() > longest {
                views.cut += u64::from(way == Way::Out);
                at += 1;
                continue;
            }
            let mut made = Vec::new();
            let kinds = if way == Way::In { &INWARD[..] } else { &OUTWARD[..] };
            for kind in kinds.iter().copied() {
                if kind.copies() && (text.kind == Some(kind) || (text.depth > 0 && text.bytes.len() > COPY_OF_VIEW)) {
                    continue;
                }
                let breaks = if text.depth == 0 { breaks.get(at).map(Vec::as_slice) } else { None };
                let mut builder = Builder::new(room);
                kind.undo(text, breaks.unwrap_or_default(), &mut builder);
                views.cut += u64::from(builder.is_cut());
                let (bytes, map) = builder.finish();
                if bytes.len() < crate::index::SHORTEST || !known.insert((text.root, hasher.hash_one(&bytes))) {
                    continue;
                }
                room = room.saturating_sub(bytes.len() + map.size() / 4);
                let (root, depth) = (text.root, text.depth + 1);
                made.push(Text { bytes: Cow::Owned(bytes), root, depth, parent: at, kind: Some(kind), map });
            }
            views.texts.extend(made);
            at += 1;
        }
        views
    }

    /// Whether an encoding was undone on the way to this text, and after it only what leaves most bytes as they are.
    pub(crate) fn ends_in(&self, mut at: usize, kind: Kind) -> bool {
        while let Some(text) = self.texts.get(at)
            && let Some(undone) = text.kind
        {
            if undone == kind {
                return true;
            }
            if !undone.keeps_most() {
                return false;
            }
            at = text.parent;
        }
        false
    }

    /// What was undone, in the order in which it had been done.
    pub(crate) fn chain(&self, mut at: usize) -> Vec<&'static str> {
        let mut chain = Vec::new();
        while let Some(text) = self.texts.get(at)
            && let Some(kind) = text.kind
        {
            chain.push(if self.way == Some(Way::In) { kind.undone() } else { kind.name() });
            at = text.parent;
        }
        chain
    }

    /// The ranges of the original text that `from..to` of this one was made from, in rising order.
    pub(crate) fn under(&self, mut at: usize, from: usize, to: usize) -> Vec<(usize, usize)> {
        const MOST: usize = 1 << 14;
        let mut ranges = vec![(from, to)];
        while let Some(text) = self.texts.get(at)
            && text.kind.is_some()
        {
            ranges = merged(ranges.into_iter().flat_map(|(from, to)| text.map.under(from, to)).take(MOST).collect());
            at = text.parent;
        }
        ranges
    }
}

#[cfg(test)]
mod tests;
