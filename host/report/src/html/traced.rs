//! What a trace said, drawn: the bytes of each sink in the colour of their source, and a bar where the bytes are not known.
//!
//! Nobody has to tell colours apart: each source has a number that stands before its bytes, and a line of its own kind below them. What is
//! strong has a full ground, what is weak a striped one.

use super::markup::Page;
use crate::story::{Call, Flow};
use crate::traced::pieces::{Bounds, Inside, Piece, bar, pieces, ranges};
use crate::traced::{Contents, Drawn, Picture};
use crate::words::{brief, clean, count};

/// Sinks that are drawn; the rest is counted.
const MAX_SINKS: usize = 60;
/// Sources of the legend; the rest is counted.
const MAX_SOURCES: usize = 40;
/// Sources that are named for some bytes.
const MAX_NAMED: usize = 8;
/// Of one sink: what a person scrolls through, and what is labelled in it somewhere else.
const BOUNDS: Bounds = Bounds { whole: 8 << 10, around: 120, most: 16 << 10 };
/// Bytes of the page after which no sink begins. Each may take some hundred KiB: a title for every other byte.
const MAX_PAGE: usize = 2 << 20;
/// Bytes of a line of what is no text.
const ROW: usize = 16;
/// Parts of a bar, which is as many units wide.
const PARTS: u64 = 500;
const TALL: usize = 14;
/// Ranges that are named below it.
const MAX_PLACES: usize = 24;
/// Colours that there are. The next source has the first again, and its own number.
const COLOURS: usize = 8;
const MAX_WIDTH: usize = 60;

/// The picture of a call. Nothing at all where nothing was labelled. Its heading is one of the page where it is the first thing of it.
pub(super) fn draw(page: &mut Page, call: &Call, contents: &Contents, first: bool) {
    let Some(picture) = Picture::of(call, contents, true) else { return };
    let known = picture.sinks.iter().any(|sink| sink.is_answer() && sink.shown.is_some());
    let heading = if known { "Where the bytes of the answer come from" } else { "Which bytes come from where" };
    page.element("figure", &[("class", "traced")], |page| {
        page.element(if first { "h2" } else { "h3" }, &[], |page| page.text(heading));
        legend(page, call, &picture);
        let mut drawn = 0;
        for sink in picture.sinks.iter().take(MAX_SINKS) {
            if page.len() > MAX_PAGE {
                break;
            }
            self::sink(page, call, &picture, sink);
            drawn += 1;
        }
        let more = picture.left_out.saturating_add(picture.sinks.len().saturating_sub(drawn) as u64);
        if more > 0 {
            page.sentence("note", &format!("And {} that are not drawn; -o json has more.", count(more, "sink")));
        }
        page.element("figcaption", &[], |page| {
            page.text("A number stands before the bytes of its source. A full ground, and in a bar full height: its value is in them, as it was or \
                computed with. A striped ground, half height, and a ~: it only chose them, by an address or between alternatives. No ground: no source \
                was seen in them.");
        });
    });
}

fn legend(page: &mut Page, call: &Call, picture: &Picture<'_>) {
    page.element("p", &[("class", "legend")], |page| {
        for (number, id) in (1..).zip(&picture.sources).take(MAX_SOURCES) {
            page.element("span", &[("class", "of")], |page| {
                let (class, tag) = (format!("b s{}", colour(number)), number.to_string());
                page.element("span", &[("class", &class), ("data-n", &tag)], |page| page.text("bytes"));
                page.text(" ");
                match call.sources.get(id) {
                    Some(source) => {
                        page.row_link(call.number, *id, |page| {
                            page.text(&format!("{} ", source.kind));
                            page.element("bdo", &[("dir", "ltr")], |page| page.text(&brief(&source.name, MAX_WIDTH)));
                        });
                        if let Some(class) = source.class {
                            page.text(" ");
                            page.element("span", &[("class", &format!("pill {class}"))], |page| page.text(class));
                        }
                    }
                    None => page.text(&format!("source {id}")),
                }
            });
            page.text(" ");
        }
        if let Some(more @ 1..) = picture.sources.len().checked_sub(MAX_SOURCES) {
            page.text(&format!("and {}", count(more as u64, "more source")));
        }
    });
}

fn sink(page: &mut Page, call: &Call, picture: &Picture<'_>, drawn: &Drawn<'_>) {
    let class = if drawn.ranges.is_empty() && drawn.more == 0 { "place clean" } else { "place" };
    page.element("div", &[("class", class)], |page| {
        page.element("p", &[], |page| {
            page.text(&format!("{} ", drawn.flow.kind));
            if drawn.flow.name.text != drawn.flow.kind {
                page.guest(&drawn.flow.name);
                page.text(" ");
            }
            let at_least = if drawn.more > 0 { "at least " } else { "" };
            let (some, all) = (drawn.labelled(), count(drawn.flow.bytes, "byte"));
            let note = if some == 0 && drawn.more == 0 { all } else { format!("{at_least}{some} of {all}") };
            page.element("span", &[("class", "note")], |page| page.text(&note));
        });
        let pieces = pieces(picture, drawn, BOUNDS);
        let hides = pieces.iter().any(|piece| matches!(piece, Piece::Hidden { .. }));
        if pieces.is_empty() || hides {
            bars(page, call, picture, drawn);
            places(page, call, picture, drawn);
        }
        if !pieces.is_empty() {
            page.element("bdo", &[("dir", "ltr"), ("class", "bytes")], |page| {
                for piece in &pieces {
                    self::piece(page, call, picture, drawn.flow, piece);
                }
            });
        }
    });
}

fn piece(page: &mut Page, call: &Call, picture: &Picture<'_>, sink: &Flow, piece: &Piece) {
    match piece {
        Piece::Text { from, to, text, inside } => {
            labelled(page, call, picture, sink, (*from, *to), inside, "", |page| page.lines(text));
        }
        Piece::Bytes { from, bytes, inside } => {
            let to = from.saturating_add(bytes.len() as u64);
            labelled(page, call, picture, sink, (*from, to), inside, "", |page| hexadecimal(page, *from, bytes));
            // Between this piece and the next.
            page.lines_as_they_are(if to % ROW as u64 == 0 { "\n" } else { " " });
        }
        Piece::Taken { from, to, mark, inside } => {
            labelled(page, call, picture, sink, (*from, *to), inside, "taken", |page| page.text(mark));
        }
        Piece::Hidden { bytes, labelled } => {
            let of_sources = if *labelled > 0 { format!(", {labelled} of them labelled") } else { String::new() };
            page.element("span", &[("class", "gap")], |page| {
                page.text(&format!("{} not shown{of_sources}", count(*bytes, "byte")));
            });
        }
    }
}

/// What is in these bytes around how they are written. Bytes that nothing is in stand as they are.
#[expect(clippy::too_many_arguments, reason = "a place is a sink, two ends and what is inside")]
fn labelled(
    page: &mut Page,
    call: &Call,
    picture: &Picture<'_>,
    sink: &Flow,
    (from, to): (u64, u64),
    inside: &Inside,
    class: &str,
    inner: impl FnOnce(&mut Page),
) {
    let numbers: Vec<usize> = inside.strong.iter().chain(&inside.weak).copied().collect();
    let Some(first) = numbers.first() else {
        if class.is_empty() {
            inner(page)
        } else {
            page.element("span", &[("class", "taken")], inner)
        }
        return;
    };
    let weak = if inside.strong.is_empty() { " weak" } else { "" };
    let class = format!("b s{}{weak} {class}", colour(*first));
    let tag = tag(inside);
    let title = format!("{}: bytes {from} to {to} of {}", title(call, picture, inside), sink.bytes);
    page.element("span", &[("class", class.trim_end()), ("data-n", &tag), ("title", &title)], inner);
}

/// `1`, `1+2`; `2~` for one that is weak, `1?` where others share its label.
fn tag(inside: &Inside) -> String {
    let strong = inside.strong.iter().map(|number| number.to_string());
    let weak = inside.weak.iter().map(|number| format!("{number}~"));
    let mut tags: Vec<String> = strong.chain(weak).take(3).collect();
    if inside.strong.len() + inside.weak.len() > tags.len() {
        tags.push("..".to_owned());
    }
    format!("{}{}", tags.join("+"), if inside.shared { "?" } else { "" })
}

/// In words, for a pointer that rests on it and for who reads with the ears.
fn title(call: &Call, picture: &Picture<'_>, inside: &Inside) -> String {
    let name = |number: &usize| {
        let id = number.checked_sub(1).and_then(|at| picture.sources.get(at)).copied().unwrap_or(0);
        call.sources.get(&id).map_or_else(
            || format!("source {id}"),
            |source| format!("{} {}", source.kind, clean(&source.name, MAX_WIDTH)),
        )
    };
    let strong = inside.strong.iter().map(|number| format!("{}, strong", name(number)));
    let weak = inside.weak.iter().map(|number| format!("{}, weak", name(number)));
    let mut names: Vec<String> = strong.chain(weak).take(MAX_NAMED).collect();
    if inside.strong.len() + inside.weak.len() > names.len() {
        names.push("and others".to_owned());
    }
    if inside.shared {
        names.push("or another that shares its label".to_owned());
    }
    names.join("; ")
}

fn colour(number: usize) -> usize {
    number.saturating_sub(1) % COLOURS + 1
}

/// Two digits for each byte, in rows that begin at multiples.
fn hexadecimal(page: &mut Page, from: u64, bytes: &[u8]) {
    let mut text = String::new();
    for (at, byte) in (from..).zip(bytes) {
        let is_first = at == from;
        if !is_first {
            text.push(if at % ROW as u64 == 0 { '\n' } else { ' ' });
        }
        text.push_str(&format!("{byte:02x}"));
    }
    page.lines_as_they_are(&text);
}

/// Where it is, in numbers: a bar has colours alone.
fn places(page: &mut Page, call: &Call, picture: &Picture<'_>, drawn: &Drawn<'_>) {
    page.element("p", &[("class", "places")], |page| {
        for (from, to, inside) in ranges(picture, drawn).take(MAX_PLACES) {
            labelled(page, call, picture, drawn.flow, (from, to), &inside, "", |page| {
                page.text(&format!("{from}\u{2013}{to}"))
            });
            page.text(" ");
        }
        let more = drawn.more.saturating_add(drawn.ranges.len().saturating_sub(MAX_PLACES) as u64);
        if more > 0 {
            page.text(&format!("and {}", count(more, "more range")));
        }
    });
}

/// The sink from its first byte to its last: full height for what is strong, half of it for what is weak.
fn bars(page: &mut Page, call: &Call, picture: &Picture<'_>, drawn: &Drawn<'_>) {
    let parts = bar(picture, drawn, PARTS);
    let wide = parts.len();
    let view = format!("0 0 {wide} {TALL}");
    let label = format!("The {} bytes of it from left to right, labelled ones filled", drawn.flow.bytes);
    let attributes = [
        ("viewBox", view.as_str()),
        ("preserveAspectRatio", "none"),
        ("class", "bar"),
        ("role", "img"),
        ("aria-label", &label),
    ];
    page.element("svg", &attributes, |page| {
        let mut at = 0;
        for same in parts.chunk_by(|one, other| one == other) {
            if let Some(inside) = same.first().filter(|inside| !inside.is_clean()) {
                let first = inside.strong.first().or(inside.weak.first()).copied().unwrap_or(0);
                let is_strong = !inside.strong.is_empty();
                let (y, tall) = if is_strong { (0, TALL) } else { (TALL / 2, TALL / 2) };
                let (class, x, width) = (format!("s{}", colour(first)), at.to_string(), same.len().to_string());
                let (y, tall) = (y.to_string(), tall.to_string());
                page.element("g", &[("class", &class)], |page| {
                    let length = u128::from(drawn.flow.bytes);
                    let byte =
                        |part: usize| u64::try_from(length * part as u128 / wide.max(1) as u128).unwrap_or(u64::MAX);
                    let title = format!(
                        "{}: about bytes {} to {}",
                        title(call, picture, inside),
                        byte(at),
                        byte(at + same.len())
                    );
                    page.element("title", &[], |page| page.text(&title));
                    let attributes = [("x", x.as_str()), ("y", &y), ("width", &width), ("height", &tall)];
                    page.element("rect", &attributes, |_| {});
                });
            }
            at += same.len();
        }
    });
}
