//! The picture on a terminal: the bytes of each sink in the colours of their sources, or, where there is no colour, with a line of marks below.
//!
//! A digit is a source whose value is in the byte, a small letter one that only chose it: `1` and `a` are the same source.

use super::pieces::{Bounds, Inside, Piece, bar, pieces};
use super::{Contents, Drawn, Picture};
use crate::story::{Call, Story};
use crate::words::{clean, columns, count, is_wide};
use customs_ledger::{Escaped, is_unsafe_char};
use std::fmt::Write as _;

/// Columns of a line of bytes. With the label before it a line fits into 80.
const WIDTH: usize = 70;
/// Bytes of a line of what is no text: two digits and a blank each.
const ROW: usize = 20;
/// Lines of one sink, and sinks of one picture; the rest is counted.
const MAX_LINES: usize = 24;
const MAX_SINKS: usize = 12;
/// Sources of the legend; the rest is counted.
const MAX_SOURCES: usize = 20;
/// A screen or two: more is for the page.
const BOUNDS: Bounds = Bounds { whole: 1_000, around: 50, most: 1_400 };
/// Columns of a name.
const MAX_NAME: usize = 100;

/// Whether there is colour where the picture goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Colour,
    Plain,
}

/// The picture of the call that the contents are of, with a legend. Empty where nothing was labelled.
#[must_use]
pub fn traced_text(story: &Story, contents: &Contents, paint: Paint) -> String {
    let call = story.calls.iter().find(|call| call.number == contents.call);
    call.map(|call| picture(call, contents, paint)).unwrap_or_default()
}

pub(crate) fn picture(call: &Call, contents: &Contents, paint: Paint) -> String {
    let mut text = String::new();
    let Some(picture) = Picture::of(call, contents, false) else { return text };
    let mut used = Used::default();
    for drawn in picture.sinks.iter().take(MAX_SINKS) {
        sink(&mut text, &picture, drawn, paint, &mut used);
    }
    let more = picture.left_out.saturating_add(picture.sinks.len().saturating_sub(MAX_SINKS) as u64);
    if more > 0 {
        line(
            &mut text,
            "traced",
            &format!("and {} with labelled bytes; -o json and -o html have more", count(more, "sink")),
        );
    }
    legend(&mut text, call, &picture, paint, &used);
    text
}

fn line(text: &mut String, label: &str, rest: &str) {
    let _infallible = writeln!(text, "{label:<9}{rest}");
}

/// Which marks stand in the picture, so that the legend has no others.
#[derive(Default)]
struct Used {
    strong: Vec<usize>,
    weak: Vec<usize>,
    several: bool,
    shared: bool,
}

impl Used {
    fn add(&mut self, inside: &Inside) {
        for (own, other) in [(&mut self.strong, &inside.strong), (&mut self.weak, &inside.weak)] {
            let new: Vec<usize> = other.iter().copied().filter(|number| !own.contains(number)).collect();
            own.extend(new);
        }
        self.shared |= inside.shared;
        self.several |= !inside.shared && inside.strong.len() + inside.weak.len() > 1;
    }
}

fn sink(text: &mut String, picture: &Picture<'_>, drawn: &Drawn<'_>, paint: Paint, used: &mut Used) {
    let name = clean(&drawn.flow.name, MAX_NAME);
    let name = if name == drawn.flow.kind { String::new() } else { format!(" {name}") };
    let at_least = if drawn.more > 0 { "at least " } else { "" };
    let (some, all) = (drawn.labelled(), drawn.flow.bytes);
    line(text, "traced", &format!("{}{name}   {at_least}{some} of its {all} bytes", drawn.flow.kind));
    let pieces = pieces(picture, drawn, BOUNDS);
    let mut lines = Lines { text, paint, left: MAX_LINES, shown: Line::default(), unseen: (0, 0) };
    if pieces.is_empty() {
        // Its bytes are not known here, or not to be shown: where they are, and how long.
        for inside in bar(picture, drawn, WIDTH as u64) {
            used.add(&inside);
            lines.token("-", 1, 1, &inside);
        }
        lines.end();
    }
    for piece in &pieces {
        match piece {
            Piece::Text { text, inside, .. } => {
                used.add(inside);
                for c in text.chars() {
                    lines.character(c, inside);
                }
            }
            Piece::Bytes { bytes, inside, .. } => {
                used.add(inside);
                for byte in bytes {
                    lines.byte(*byte, inside);
                }
            }
            Piece::Taken { mark, inside, .. } => {
                used.add(inside);
                lines.token(&Escaped(mark).to_string(), columns(mark), 0, inside);
            }
            Piece::Hidden { bytes, labelled } => {
                lines.end();
                lines.unseen.0 = lines.unseen.0.saturating_add(*bytes);
                lines.unseen.1 = lines.unseen.1.saturating_add(*labelled);
            }
        }
    }
    lines.end();
    lines.gap();
}

/// The line that is being filled: what it says, with its colours, and the marks for below.
#[derive(Default)]
struct Line {
    said: String,
    marks: String,
    columns: usize,
    bytes: u64,
    labelled: u64,
    /// What is being painted.
    open: Inside,
}

struct Lines<'t> {
    text: &'t mut String,
    paint: Paint,
    /// Lines that still may be written.
    left: usize,
    shown: Line,
    /// Bytes that were left out since the last line, and how many of them were labelled.
    unseen: (u64, u64),
}

impl Lines<'_> {
    fn character(&mut self, c: char, inside: &Inside) {
        let bytes = c.len_utf8() as u64;
        if c == '\n' {
            self.token("\\n", 2, bytes, inside);
            self.end();
        } else if is_unsafe_char(c) {
            let escaped = Escaped(c.encode_utf8(&mut [0; 4])).to_string();
            self.token(&escaped, escaped.len(), bytes, inside);
        } else {
            self.token(c.encode_utf8(&mut [0; 4]), 1 + usize::from(is_wide(c)), bytes, inside);
        }
    }

    fn byte(&mut self, byte: u8, inside: &Inside) {
        if self.shown.columns >= ROW * 3 {
            self.end();
        }
        self.token(&format!("{byte:02x}"), 2, 1, inside);
        self.token(" ", 1, 0, &Inside::default());
    }

    /// Adds what stands together.
    fn token(&mut self, said: &str, columns: usize, bytes: u64, inside: &Inside) {
        if self.shown.columns + columns > WIDTH && self.shown.columns > 0 {
            self.end();
        }
        let line = &mut self.shown;
        if self.paint == Paint::Colour && line.open != *inside {
            line.said.push_str(close(&line.open));
            line.said.push_str(&open(inside));
            line.open = inside.clone();
        }
        line.said.push_str(said);
        let mark = mark(inside);
        line.marks.extend(std::iter::repeat_n(mark, columns));
        line.columns += columns;
        line.bytes += bytes;
        line.labelled += if inside.is_clean() { 0 } else { bytes };
    }

    /// Writes the line, if there is one and room for it.
    fn end(&mut self) {
        let line = std::mem::take(&mut self.shown);
        if line.columns == 0 {
            return;
        }
        // The last line that there is room for says what is left out.
        if self.left <= 1 {
            self.unseen.0 = self.unseen.0.saturating_add(line.bytes);
            self.unseen.1 = self.unseen.1.saturating_add(line.labelled);
            return;
        }
        self.gap();
        self.left = self.left.saturating_sub(1);
        let said = format!("{}{}", line.said, close(&line.open));
        self::line(self.text, "", said.trim_end());
        if self.paint == Paint::Plain && line.marks.contains(|c| c != '.') {
            self::line(self.text, "", line.marks.trim_end_matches('.'));
        }
    }

    /// Says what was left out since the last line.
    fn gap(&mut self) {
        let (bytes, labelled) = std::mem::take(&mut self.unseen);
        if bytes > 0 {
            self.left = self.left.saturating_sub(1);
            let of_sources = if labelled > 0 { format!(", {labelled} of them labelled") } else { String::new() };
            self::line(self.text, "", &format!("({bytes} bytes that are not shown{of_sources})"));
        }
    }
}

/// The mark of a byte.
fn mark(inside: &Inside) -> char {
    match (inside.strong.as_slice(), inside.weak.as_slice()) {
        ([], []) => '.',
        _ if inside.shared => '?',
        ([number], []) => strong_mark(*number),
        ([], [number]) => weak_mark(*number),
        _ => '+',
    }
}

fn strong_mark(number: usize) -> char {
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=9).contains(number))
        .and_then(|number| char::from_digit(number, 10))
        .unwrap_or('#')
}

fn weak_mark(number: usize) -> char {
    let letter = number.checked_sub(1).and_then(|at| "abcdefghi".chars().nth(at));
    letter.unwrap_or('~')
}

/// Colours of sources, from the first on; the ninth has that of the first again.
const COLOURS: [u8; 8] = [3, 6, 5, 2, 4, 1, 7, 8];

/// What turns the colour on: a background for what is strong, an underline for what is weak.
fn open(inside: &Inside) -> String {
    let first = inside.strong.first().or(inside.weak.first());
    let Some(number) = first else { return String::new() };
    let at = number.saturating_sub(1) % COLOURS.len();
    let colour = COLOURS.get(at).copied().unwrap_or(7);
    match (inside.strong.is_empty(), colour) {
        // The last one is grey, which has numbers of its own.
        (false, 8) => "\u{1b}[30;100m".to_owned(),
        (false, colour) => format!("\u{1b}[30;4{colour}m"),
        (true, 8) => "\u{1b}[4;90m".to_owned(),
        (true, colour) => format!("\u{1b}[4;3{colour}m"),
    }
}

fn close(inside: &Inside) -> &'static str {
    if inside.is_clean() { "" } else { "\u{1b}[0m" }
}

fn legend(text: &mut String, call: &Call, picture: &Picture<'_>, paint: Paint, used: &Used) {
    let one = |number: usize, is_strong: bool| {
        let inside = match is_strong {
            true => Inside { strong: vec![number], ..Inside::default() },
            false => Inside { weak: vec![number], ..Inside::default() },
        };
        match paint {
            Paint::Plain => mark(&inside).to_string(),
            Paint::Colour => format!("{} {number} {}", open(&inside), close(&inside)),
        }
    };
    for (number, id) in (1..).zip(&picture.sources).take(MAX_SOURCES) {
        let known = call.sources.get(id);
        let name = known
            .map_or_else(|| format!("source {id}"), |flow| format!("{} {}", flow.kind, clean(&flow.name, MAX_NAME)));
        if used.strong.contains(&number) {
            line(text, "", &format!("{}  {name}", one(number, true)));
        }
        if used.weak.contains(&number) {
            line(text, "", &format!("{}  {name}, weak", one(number, false)));
        }
    }
    if let Some(more @ 1..) = picture.sources.len().checked_sub(MAX_SOURCES) {
        line(text, "", &format!("and {} more", count(more as u64, "source")));
    }
    let name = |mark: &str| if paint == Paint::Plain { format!("{mark}  ") } else { String::new() };
    if used.several {
        let what =
            if paint == Paint::Plain { "several of them" } else { "where there are several, the first has its colour" };
        line(text, "", &format!("{}{what}", name("+")));
    }
    if used.shared {
        line(text, "", &format!("{}one of several that share a label", name("?")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_tell_strong_from_weak_and_one_from_several() {
        let inside =
            |strong: &[usize], weak: &[usize], shared| Inside { strong: strong.to_vec(), weak: weak.to_vec(), shared };
        for (inside, wanted) in [
            (inside(&[], &[], false), '.'),
            (inside(&[1], &[], false), '1'),
            (inside(&[9], &[], false), '9'),
            (inside(&[10], &[], false), '#'),
            (inside(&[], &[1], false), 'a'),
            (inside(&[], &[10], false), '~'),
            (inside(&[1], &[2], false), '+'),
            (inside(&[], &[1, 2], false), '+'),
            (inside(&[1, 2], &[], true), '?'),
        ] {
            assert_eq!(mark(&inside), wanted, "{inside:?}");
        }
    }
}
