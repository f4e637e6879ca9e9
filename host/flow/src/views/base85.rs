//! Base85 in its three alphabets: ASCII85, Z85 (ZeroMQ) and that of RFC 1924. Nearly every text is made of their characters, so only stretches that
//! look like it are read: letters of both cases, digits and punctuation mixed as no word, path or number has them.

use super::map::Builder;

const RFC1924: &[u8; 85] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const Z85: &[u8; 85] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// What each byte is worth; 85 and more are not of the alphabet.
struct Alphabet([u8; 256]);

const NONE: u8 = u8::MAX;

impl Alphabet {
    fn of(chars: &[u8]) -> Alphabet {
        let mut values = [NONE; 256];
        for (value, char) in (0..).zip(chars) {
            if let Some(slot) = values.get_mut(usize::from(*char)) {
                *slot = value;
            }
        }
        Alphabet(values)
    }

    fn value(&self, byte: u8) -> Option<u32> {
        self.0.get(usize::from(byte)).copied().filter(|v| *v != NONE).map(u32::from)
    }
}

/// Characters that hold eight bytes.
const LEAST: usize = 10;

pub(crate) fn decode(text: &[u8], out: &mut Builder) {
    let ascii85: Vec<u8> = (b'!'..=b'u').collect();
    // Runs without blanks, cheap to pass over: words are short.
    let mut at = 0;
    let mut alphabets: Option<[Alphabet; 3]> = None;
    while let Some(skip) = text.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_graphic)) {
        let from = at + skip;
        let rest = text.get(from..).unwrap_or_default();
        let length = length(rest);
        at = from + length;
        if length < LEAST {
            continue;
        }
        let alphabets =
            alphabets.get_or_insert_with(|| [Alphabet::of(RFC1924), Alphabet::of(Z85), Alphabet::of(&ascii85)]);
        for alphabet in alphabets.iter() {
            runs(alphabet, text.get(from..at).unwrap_or_default(), from, out);
        }
        if out.is_full() {
            return;
        }
    }
}

/// How long a run is that may go on in the next line.
fn length(text: &[u8]) -> usize {
    let mut length = 0;
    loop {
        let rest = text.get(length..).unwrap_or_default();
        length += rest.iter().position(|b| !b.is_ascii_graphic()).unwrap_or(rest.len());
        let breaks = text.get(length..).unwrap_or_default().iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
        // Lines of an encoder are long.
        let goes_on = (1..=2).contains(&breaks) && length >= 60;
        if !goes_on || !text.get(length + breaks).is_some_and(u8::is_ascii_graphic) {
            return length;
        }
        length += breaks;
    }
}

fn runs(alphabet: &Alphabet, text: &[u8], start: usize, out: &mut Builder) {
    let mut run: Vec<(u32, usize)> = Vec::new();
    let mut bytes = Vec::new();
    let mut flush = |run: &mut Vec<(u32, usize)>, bytes: &mut Vec<u8>| {
        if looks_like_it(bytes) {
            for first in 0..5 {
                emit(run.get(first..).unwrap_or_default(), first == 0, out);
            }
        }
        run.clear();
        bytes.clear();
    };
    for (at, byte) in text.iter().enumerate() {
        match alphabet.value(*byte) {
            Some(value) => {
                run.push((value, start + at));
                bytes.push(*byte);
            }
            None if matches!(byte, b'\n' | b'\r') => {}
            None => flush(&mut run, &mut bytes),
        }
    }
    flush(&mut run, &mut bytes);
}

/// Mixed as chance mixes 85 characters.
fn looks_like_it(bytes: &[u8]) -> bool {
    if bytes.len() < LEAST {
        return false;
    }
    let count = |is: fn(&u8) -> bool| bytes.iter().filter(|b| is(b)).count();
    let (lower, upper) = (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    let mut marks = [0_usize; 128];
    for byte in bytes.iter().filter(|b| b.is_ascii_punctuation()) {
        if let Some(mark) = marks.get_mut(usize::from(*byte)) {
            *mark += 1;
        }
    }
    // Each mark is one of 85: where one stands at every turn, it is a text with quotes, dots or slashes.
    let most = marks.iter().max().copied().unwrap_or(0);
    // Base64 has no others than these.
    let other = bytes.iter().filter(|b| b.is_ascii_punctuation() && !b"+/-_=".contains(b)).count();
    let few = bytes.len() / 16;
    upper > few && lower > few / 2 && other > few / 2 && most <= 3 + bytes.len() / 12 && lower * 10 <= bytes.len() * 6
}

/// `all` of a run from its first character on; from others only what reads like text, which is little where it is not base85.
fn emit(run: &[(u32, usize)], all: bool, out: &mut Builder) {
    let mut read: Vec<Group> = Vec::new();
    let mut flush = |read: &mut Vec<Group>| {
        // Eight bytes have a whole group among them.
        if all || read.iter().any(|group| group.reads) {
            for group in read.iter() {
                let bytes = group.bytes.get(..group.length).unwrap_or_default();
                if group.length == 4 && group.to - group.from == 5 {
                    out.even(bytes, group.from, group.to, 5, 4);
                } else {
                    out.whole(bytes, group.from, group.to);
                }
            }
        }
        read.clear();
    };
    for unit in run.chunks(5).filter(|unit| unit.len() > 1) {
        let value = (0..5).fold(0_u64, |sum, at| sum * 85 + unit.get(at).map_or(84, |(value, _)| u64::from(*value)));
        let (Ok(value), Some((_, from)), Some((_, last))) = (u32::try_from(value), unit.first(), unit.last()) else {
            flush(&mut read);
            continue;
        };
        let bytes = value.to_be_bytes();
        let reads = bytes.iter().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t'));
        let group = Group { bytes, length: unit.len() - 1, from: *from, to: last + 1, reads };
        // What it begins and ends with may be half of something else.
        read.push(group);
        if !all && !reads {
            flush(&mut read);
            read.push(group);
        }
    }
    flush(&mut read);
}

/// Up to four bytes and where they stand.
#[derive(Clone, Copy)]
struct Group {
    bytes: [u8; 4],
    length: usize,
    from: usize,
    to: usize,
    /// All of it is plain text.
    reads: bool,
}
