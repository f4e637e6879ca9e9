//! Texts as they were before the guest encoded them. Each view undoes one encoding wherever it stands in a text and knows which bytes
//! each of its own came from; views are made of views, up to a depth and a budget.

mod base85;
mod bits;
mod escapes;
mod hex;
mod homoglyphs;
mod inflate;
mod map;
mod marks;
mod numbers;
mod order;
mod radix;
mod worth;

pub(crate) use map::merged;
use map::{Builder, Map};
use marks::Marks;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
pub(crate) use worth::Wanted;
use worth::Worth;

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
    /// Without tags and numbers of lines.
    Marked,
    /// All other rotations of a short text.
    Rotations,
    /// The digits of a text that has other characters too.
    Digits,
}

/// What is undone in what went out, in the order in which it is tried: what finds something has first call on the budget.
const OUTWARD: [Kind; 25] = [
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
    Kind::Marked,
    Kind::Rot13,
    Kind::Reverse,
    Kind::Rotations,
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
            Kind::EverySecond | Kind::Singles | Kind::Separators | Kind::Marked => "separators",
            Kind::Rotations => "rotation",
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
                | Kind::Marked
        )
    }

    /// Whether it may be in a text with these marks.
    fn may_be(self, marks: Marks) -> bool {
        match self {
            Kind::Gzip => marks.gzip(),
            Kind::Zlib => marks.zlib(),
            Kind::Base64 => marks.base64(),
            Kind::Base32 => marks.base32(),
            Kind::Hex => marks.hex(),
            Kind::Percent => marks.percent(),
            Kind::Json => marks.json(),
            Kind::Html => marks.html(),
            Kind::ZeroWidth => marks.zero_width(),
            Kind::Tags => marks.tags(),
            Kind::Utf16 => marks.utf16(),
            Kind::EverySecond => marks.every_second(),
            Kind::Singles => marks.singles(),
            Kind::Bytes => marks.bytes(),
            Kind::Integers => marks.integers(),
            Kind::Rot13 => marks.letters(),
            Kind::Digits => marks.digits(),
            Kind::Words => marks.words(),
            Kind::Bits => marks.bits(),
            Kind::Base85 => marks.base85(),
            Kind::Homoglyphs => marks.high(),
            Kind::Marked => marks.marked(),
            Kind::Rotations | Kind::Deflate | Kind::Separators | Kind::Reverse => true,
        }
    }

    fn undo(self, of: &Text<'_>, breaks: &[usize], state: &mut inflate::State, out: &mut Builder) {
        let text = of.bytes.as_ref();
        match self {
            Kind::Gzip => inflate::gzip(text, state, out),
            Kind::Zlib => inflate::zlib(text, state, out),
            Kind::Deflate if of.depth == 0 => {
                inflate::deflate(text, [0].into_iter().chain(breaks.iter().copied()), state, out);
            }
            Kind::Deflate => inflate::deflate(text, of.map.begins(), state, out),
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
            Kind::Marked => order::marked(text, out),
            // What else is undone is not a text that somebody moved on.
            Kind::Rotations if of.depth == 0 => order::rotations(text, out),
            Kind::Rotations => {}
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
    worth: Worth,
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

    /// False where nothing that is looked for can be in it.
    pub(crate) fn is_worth_it(&self) -> bool {
        self.worth.plain
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
        Views::worth_it(roots, breaks, way, depth, room, longest, None)
    }

    /// The same without what is worth nothing: views that hold nothing of what is looked for, and views of them that could not either.
    pub(crate) fn worth_it(
        roots: Vec<Cow<'a, [u8]>>,
        breaks: &[Vec<usize>],
        way: Way,
        depth: u8,
        room: usize,
        longest: usize,
        wanted: Option<&Wanted>,
    ) -> Views<'a> {
        let worth = |text: &[u8], undone: &dyn Fn(Kind) -> bool| wanted.map_or(Worth::ANY, |w| w.worth(text, undone));
        let texts = roots.into_iter().enumerate().map(|(root, bytes)| Text {
            worth: worth(&bytes, &|_| false),
            bytes,
            root,
            depth: 0,
            parent: root,
            kind: None,
            map: Map::default(),
        });
        let mut views = Views { texts: texts.collect(), cut: 0, way: Some(way) };
        let mut known = Known::default();
        for (number, text) in views.texts.iter().enumerate().filter(|(_, t)| depth > 0 && t.bytes.len() <= longest) {
            known.is_new(text.root, &text.bytes, number, &views.texts, &[]);
        }
        let kinds = if way == Way::In { &INWARD[..] } else { &OUTWARD[..] };
        let mut builder = Builder::new(room);
        let mut state = None;
        let mut made: Vec<Text<'a>> = Vec::new();
        let mut room = room;
        let mut at = 0;
        // Views are appended while the list is walked: breadth first.
        while let Some(text) = views.texts.get(at) {
            if text.depth >= depth {
                break;
            }
            if text.kind == Some(Kind::Rotations) {
                // There are too many of them to look into.
                at += 1;
                continue;
            }
            if text.bytes.len() > longest {
                views.cut += u64::from(way == Way::Out);
                at += 1;
                continue;
            }
            let breaks = if text.depth == 0 { breaks.get(at).map(Vec::as_slice) } else { None }.unwrap_or_default();
            let marks = Marks::of(&text.bytes, breaks.len() > 1);
            let last = text.depth + 1 == depth;
            let all = text.worth.rotated && text.worth.reversed;
            let turns = !last && !all && (marks.turned(&text.bytes) || inflate::begins_turned(&text.bytes));
            for kind in kinds.iter().copied().filter(|kind| kind.may_be(marks)) {
                if kind.copies() && (text.kind == Some(kind) || (text.depth > 0 && text.bytes.len() > COPY_OF_VIEW)) {
                    continue;
                }
                match kind {
                    Kind::Rot13 if !turns && !text.worth.rotated => continue,
                    Kind::Reverse if !turns && !text.worth.reversed => continue,
                    // What was turned around or rotated before its separators were taken out is so afterwards too.
                    Kind::Separators if matches!(text.kind, Some(Kind::Rot13 | Kind::Reverse)) => continue,
                    _ => {}
                }
                builder.clear(room);
                kind.undo(text, breaks, &mut state, &mut builder);
                views.cut += u64::from(builder.is_cut());
                let bytes = builder.text();
                if bytes.len() < crate::index::SHORTEST {
                    continue;
                }
                let worth = worth(bytes, &|undone| views.undone_again(at, Some(kind), undone));
                let number = views.texts.len() + made.len();
                if ((last || kind == Kind::Rotations) && !worth.plain)
                    || !known.is_new(text.root, bytes, number, &views.texts, &made)
                {
                    continue;
                }
                let (bytes, map) = builder.take();
                room = room.saturating_sub(bytes.len() + map.size() / 4);
                let (root, depth) = (text.root, text.depth + 1);
                made.push(Text { bytes: Cow::Owned(bytes), root, depth, worth, parent: at, kind: Some(kind), map });
            }
            views.texts.append(&mut made);
            at += 1;
        }
        views
    }

    /// Whether what was undone in a source was undone on the way to this text too, and after it only what leaves most bytes as they are.
    pub(crate) fn undone_too(&self, at: usize, kind: Kind) -> bool {
        self.texts.get(at).is_some_and(|text| self.undone_again(text.parent, text.kind, kind))
    }

    /// The same for a view of a text that is not there yet.
    fn undone_again(&self, mut parent: usize, mut of: Option<Kind>, kind: Kind) -> bool {
        // Digits without what stands between them are what is left when separators are taken out.
        let same = |undone| match kind {
            Kind::Digits => {
                matches!(undone, Kind::Separators | Kind::Singles | Kind::EverySecond | Kind::Marked | Kind::Rotations)
            }
            _ => undone == kind,
        };
        while let Some(undone) = of {
            if same(undone) {
                return true;
            }
            if !undone.keeps_most() {
                return false;
            }
            let Some(text) = self.texts.get(parent) else { return false };
            (of, parent) = (text.kind, text.parent);
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

/// The texts there are, to tell a new one. What has the hash of another is compared with it: hashes can be forged.
#[derive(Debug, Default)]
struct Known {
    numbers: BTreeMap<(usize, u64), usize>,
}

impl Known {
    /// Whether no text of this root has these bytes; it is `number` then. Of two texts with one hash the first is remembered.
    fn is_new(&mut self, root: usize, bytes: &[u8], number: usize, texts: &[Text<'_>], made: &[Text<'_>]) -> bool {
        match self.numbers.entry((root, hash(bytes))) {
            Entry::Vacant(entry) => {
                entry.insert(number);
                true
            }
            Entry::Occupied(entry) => {
                let other = *entry.get();
                let other = texts.get(other).or_else(|| made.get(other.saturating_sub(texts.len())));
                other.is_none_or(|other| other.bytes.as_ref() != bytes)
            }
        }
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mix = |h: u64, word: u64| (h ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let h = words.iter().fold(bytes.len() as u64, |h, word| mix(h, u64::from_le_bytes(*word)));
    rest.iter().fold(h, |h, byte| mix(h, u64::from(*byte)))
}

#[cfg(test)]
mod tests;
