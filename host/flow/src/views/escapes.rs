//! Texts in which some characters are written as escapes: percent, HTML entities, JSON and C strings, Unicode that nobody sees.

use super::map::Builder;

/// Bytes around an escape that a view has: a range that begins or ends farther away is long enough to be seen without the escape.
const AROUND: usize = 48;

/// The text around its escapes with these undone; nothing where there are none. `escape` reads one at the start of what it is given and says
/// what it stands for and how long it is; only places with a byte of `marks` are asked about.
fn undo(text: &[u8], out: &mut Builder, marks: [u8; 2], escape: impl Fn(&[u8]) -> Option<(Bytes, usize)>) {
    let mut from = 0;
    for at in memchr::memchr2_iter(marks[0], marks[1], text) {
        if at < from {
            continue;
        }
        if let Some((bytes, length)) = text.get(at..).and_then(&escape) {
            between(text, from, at, out);
            out.whole(bytes.as_slice(), at, at + length);
            from = at + length;
        }
        if out.is_full() {
            return;
        }
    }
    if from > 0 {
        out.same(text.get(from..text.len().min(from + AROUND)).unwrap_or_default(), from);
    }
}

/// What stands between two escapes, or the ends of it; before the first only its end.
pub(super) fn between(text: &[u8], from: usize, to: usize, out: &mut Builder) {
    let first = if from == 0 { to.saturating_sub(AROUND) } else { from };
    if to - first <= 2 * AROUND {
        out.same(text.get(first..to).unwrap_or_default(), first);
    } else {
        out.same(text.get(first..first + AROUND).unwrap_or_default(), first);
        out.same(text.get(to - AROUND..to).unwrap_or_default(), to - AROUND);
    }
}

/// Up to four bytes.
struct Bytes([u8; 4], usize);

impl Bytes {
    fn byte(byte: u8) -> Bytes {
        Bytes([byte, 0, 0, 0], 1)
    }

    fn char(char: char) -> Bytes {
        let mut bytes = [0; 4];
        let length = char.encode_utf8(&mut bytes).len();
        Bytes(bytes, length)
    }

    fn as_slice(&self) -> &[u8] {
        self.0.get(..self.1).unwrap_or_default()
    }
}

/// A number of exactly `digits` hexadecimal digits.
fn hex(rest: &[u8], from: usize, digits: usize) -> Option<u32> {
    let digits = rest.get(from..from + digits)?;
    digits.iter().try_fold(0, |sum, b| Some(sum * 16 + char::from(*b).to_digit(16)?))
}

pub(crate) fn percent(text: &[u8], out: &mut Builder) {
    undo(text, out, [b'%'; 2], |rest| {
        if let Some(b'u' | b'U') = rest.get(1) {
            return Some((Bytes::char(char::from_u32(hex(rest, 2, 4)?)?), 6));
        }
        Some((Bytes::byte(u8::try_from(hex(rest, 1, 2)?).ok()?), 3))
    });
}

pub(crate) fn html(text: &[u8], out: &mut Builder) {
    undo(text, out, [b'&'; 2], |rest| {
        let length = rest.iter().take(12).position(|b| *b == b';')?;
        let name = std::str::from_utf8(rest.get(1..length)?).ok()?;
        let char = match name.strip_prefix('#') {
            Some(number) => {
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
            None => match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" | "QUOT" => '"',
                "apos" => '\'',
                "nbsp" => ' ',
                "sol" => '/',
                "bsol" => '\\',
                "colon" => ':',
                "period" => '.',
                "comma" => ',',
                "lowbar" => '_',
                "equals" => '=',
                "plus" => '+',
                "hyphen" | "dash" => '-',
                "num" => '#',
                "excl" => '!',
                "commat" => '@',
                "dollar" => '$',
                "percnt" => '%',
                "NewLine" => '\n',
                "Tab" => '\t',
                _ => return None,
            },
        };
        Some((Bytes::char(char), length + 1))
    });
}

pub(crate) fn json(text: &[u8], out: &mut Builder) {
    undo(text, out, [b'\\'; 2], |rest| {
        let byte = |byte: u8| Some((Bytes::byte(byte), 2));
        match rest.get(1)? {
            b'n' => byte(b'\n'),
            b't' => byte(b'\t'),
            b'r' => byte(b'\r'),
            b'b' => byte(8),
            b'f' => byte(12),
            mark @ (b'"' | b'\\' | b'/' | b'\'') => byte(*mark),
            b'x' => Some((Bytes::byte(u8::try_from(hex(rest, 2, 2)?).ok()?), 4)),
            b'u' => unicode(rest),
            b'0'..=b'3' => octal(rest),
            _ => None,
        }
    });
}

/// `\NNN` with three octal digits.
fn octal(rest: &[u8]) -> Option<(Bytes, usize)> {
    let digits = rest.get(1..4)?;
    let value = digits.iter().try_fold(0_u32, |sum, b| Some(sum * 8 + char::from(*b).to_digit(8)?))?;
    Some((Bytes::byte(u8::try_from(value).ok()?), 4))
}

/// `\uXXXX`, two of them for what needs two, or `\u{XXXX}`.
fn unicode(rest: &[u8]) -> Option<(Bytes, usize)> {
    if rest.get(2) == Some(&b'{') {
        let length = rest.iter().take(11).position(|b| *b == b'}')?;
        let code = hex(rest, 3, length.checked_sub(3)?)?;
        return Some((Bytes::char(char::from_u32(code)?), length + 1));
    }
    let first = hex(rest, 2, 4)?;
    if let Some(char) = char::from_u32(first) {
        return Some((Bytes::char(char), 6));
    }
    let (Some(b"\\u"), Some(second @ 0xdc00..=0xdfff)) = (rest.get(6..8), hex(rest, 8, 4)) else { return None };
    let char = char::from_u32(0x10000 + ((first.checked_sub(0xd800)?) << 10) + (second - 0xdc00))?;
    Some((Bytes::char(char), 12))
}

/// Characters that take no room: taken out.
pub(crate) fn zero_width(text: &[u8], out: &mut Builder) {
    let mut from = 0;
    let mut any = false;
    for (at, _) in text.iter().enumerate().filter(|(_, b)| matches!(b, 0xc2 | 0xcd | 0xe1 | 0xe2 | 0xef | 0xf3)) {
        let length = unseen(text.get(at..).unwrap_or_default());
        if length == 0 || at < from {
            continue;
        }
        // They belong to the byte before them.
        if let Some(last) = text.get(from..at).and_then(<[u8]>::last) {
            between(text, from, at - 1, out);
            out.whole(&[*last], at - 1, at + length);
        }
        from = at + length;
        any = true;
    }
    if any {
        out.same(text.get(from..text.len().min(from + AROUND)).unwrap_or_default(), from);
    }
}

/// The length of the character at the start, if nobody sees it.
fn unseen(rest: &[u8]) -> usize {
    match rest {
        [0xc2, 0xad, ..] | [0xcd, 0x8f, ..] => 2,
        [0xe2, 0x80, 0x8b..=0x8f | 0xaa..=0xae, ..]
        | [0xe2, 0x81, 0xa0..=0xaf, ..]
        | [0xef, 0xbb, 0xbf, ..]
        | [0xef, 0xb8, 0x80..=0x8f, ..]
        | [0xe1, 0xa0, 0x8e, ..] => 3,
        [0xf3, 0xa0, 0x80..=0x87, _, ..] => 4,
        _ => 0,
    }
}

/// Unicode tags: ASCII that nobody sees.
pub(crate) fn tags(text: &[u8], out: &mut Builder) {
    for at in memchr::memchr_iter(0xf3, text) {
        let byte = match text.get(at..at + 4) {
            Some([0xf3, 0xa0, 0x80, low @ 0xa0..=0xbf]) => low - 0x80,
            Some([0xf3, 0xa0, 0x81, low @ 0x80..=0xbe]) => low - 0x40,
            _ => continue,
        };
        out.even(&[byte], at, at + 4, 4, 1);
    }
}
