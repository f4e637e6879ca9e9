//! base64 (both alphabets, padded or not) and base32 (either case), embedded in other text, wrapped in lines, from any of their characters on.

use super::map::Builder;

/// An alphabet whose characters are worth `bits` each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Radix {
    bits: u32,
    /// Characters that make whole bytes together, and those bytes.
    chars: usize,
    bytes: u8,
    /// Runs with fewer characters hold no 8 bytes.
    least: usize,
    /// What a character is worth; [`NO_VALUE`] for what is none.
    values: &'static [u8; 256],
}

const NO_VALUE: u8 = u8::MAX;
static VALUES_64: [u8; 256] = values(6);
static VALUES_32: [u8; 256] = values(5);

pub(crate) const BASE64: Radix = Radix { bits: 6, chars: 4, bytes: 3, least: 11, values: &VALUES_64 };
pub(crate) const BASE32: Radix = Radix { bits: 5, chars: 8, bytes: 5, least: 13, values: &VALUES_32 };

/// Runs longer than this are not tried from every character on when they read well from the first: a base64 of a file is decoded once, not four times.
const TRY_ALL: usize = 1 << 16;

#[expect(clippy::indexing_slicing, reason = "made while compiling, where a panic is an error of the build")]
#[expect(clippy::cast_possible_truncation, reason = "below 256")]
const fn values(bits: u32) -> [u8; 256] {
    let mut values = [NO_VALUE; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        values[at] = match (bits, byte) {
            (6, b'A'..=b'Z') => byte - b'A',
            (6, b'a'..=b'z') => byte - b'a' + 26,
            (6, b'0'..=b'9') => byte - b'0' + 52,
            (6, b'+' | b'-') => 62,
            (6, b'/' | b'_') => 63,
            (5, b'A'..=b'Z') => byte - b'A',
            (5, b'a'..=b'z') => byte - b'a',
            (5, b'2'..=b'7') => byte - b'2' + 26,
            _ => NO_VALUE,
        };
        at += 1;
    }
    values
}

impl Radix {
    fn value(self, byte: u8) -> Option<u8> {
        self.values.get(usize::from(byte)).copied().filter(|value| *value != NO_VALUE)
    }

    pub(crate) fn decode(self, text: &[u8], out: &mut Builder) {
        let mut at = 0;
        let mut run: Vec<(u8, u32)> = Vec::new();
        let mut bytes = Vec::new();
        while at < text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let Some(skip) = rest.iter().position(|b| self.value(*b).is_some()) else { return };
            let start = at + skip;
            let rest = text.get(start..).unwrap_or_default();
            let joined = rest.iter().position(|b| self.value(*b).is_none()).unwrap_or(rest.len());
            at = start + joined;
            let mut length = joined;
            let is_wrapped = matches!(text.get(at), Some(b'\r' | b'\n' | b'\\'));
            if is_wrapped {
                run.clear();
                at = self.run(text, start, &mut run);
                length = run.len();
            }
            if length < self.least {
                continue;
            }
            for first in 0..self.chars {
                let before = out.length();
                if is_wrapped {
                    self.emit(run.get(first..).unwrap_or_default(), out);
                } else {
                    self.emit_joined(text, start + first..start + joined, &mut bytes, out);
                }
                if out.is_full() || (first == 0 && length > TRY_ALL && out.reads_well_from(before)) {
                    break;
                }
            }
        }
    }

    /// The same as `emit` where nothing stands between the characters: all whole units at once.
    fn emit_joined(self, text: &[u8], range: std::ops::Range<usize>, bytes: &mut Vec<u8>, out: &mut Builder) {
        const AT_ONCE: usize = 4096;
        let Some(mut chars) = text.get(range.clone()).filter(|chars| chars.len() >= self.least) else { return };
        let mut from = range.start;
        while !chars.is_empty() {
            let whole = chars.len().min(AT_ONCE) / self.chars * self.chars;
            let (units, left) = chars.split_at_checked(whole).unwrap_or((&[], chars));
            bytes.clear();
            for unit in units.chunks_exact(self.chars) {
                let value = unit.iter().fold(0_u64, |value, char| {
                    let of_char = self.values.get(usize::from(*char)).copied().unwrap_or(0);
                    (value << self.bits) | u64::from(of_char)
                });
                let made = value.to_be_bytes();
                bytes.extend_from_slice(made.get(made.len() - usize::from(self.bytes)..).unwrap_or_default());
            }
            let fits = bytes.len() + 64 <= out.room();
            if whole == 0 || !fits {
                // The end of the run, or of the room.
                let places = (from..).zip(chars);
                let run: Vec<(u8, u32)> =
                    places.filter_map(|(at, char)| Some((self.value(*char)?, u32::try_from(at).ok()?))).collect();
                self.emit_units(&run, out);
                return;
            }
            let chars_of_unit = u8::try_from(self.chars).unwrap_or(1);
            out.even(bytes, from, from + whole, chars_of_unit, self.bytes);
            from += whole;
            chars = left;
        }
    }

    /// The characters of a run that begins at `at`, with their places; returns where it ends. Line breaks do not end it.
    fn run(self, text: &[u8], mut at: usize, run: &mut Vec<(u8, u32)>) -> usize {
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let mut taken = 0;
            for byte in rest {
                let (Some(value), Ok(place)) = (self.value(*byte), u32::try_from(at + taken)) else { break };
                run.push((value, place));
                taken += 1;
            }
            at += taken;
            let gap = line_break(text.get(at..).unwrap_or_default());
            let goes_on = gap > 0 && text.get(at + gap).is_some_and(|b| self.value(*b).is_some());
            if taken == 0 || !goes_on {
                return at;
            }
            at += gap;
        }
    }

    fn emit(self, run: &[(u8, u32)], out: &mut Builder) {
        if run.len() >= self.least {
            self.emit_units(run, out);
        }
    }

    fn emit_units(self, run: &[(u8, u32)], out: &mut Builder) {
        for unit in run.chunks(self.chars) {
            let mut bytes = [0_u8; 5];
            let (mut value, mut held, mut made) = (0_u32, 0, 0);
            for (char, _) in unit {
                value = (value << self.bits) | u32::from(*char);
                held += self.bits;
                if held >= 8 {
                    held -= 8;
                    if let Some(byte) = bytes.get_mut(made) {
                        *byte = u8::try_from((value >> held) & 0xff).unwrap_or(0);
                        made += 1;
                    }
                    value &= (1 << held) - 1;
                }
            }
            let bytes = bytes.get(..made).unwrap_or_default();
            let (Some((_, from)), Some((_, last))) = (unit.first(), unit.last()) else { continue };
            let (from, to) = (*from as usize, *last as usize + 1);
            if to - from == unit.len() && unit.len() == self.chars {
                out.even(bytes, from, to, u8::try_from(self.chars).unwrap_or(1), self.bytes);
            } else {
                out.whole(bytes, from, to);
            }
        }
    }
}

/// The length of a line break with the indentation after it, also as JSON and C write it.
fn line_break(rest: &[u8]) -> usize {
    let mut length = 0;
    let mut broken = false;
    while let Some(left) = rest.get(length..) {
        length += match left {
            [b'\r' | b'\n', ..] => {
                broken = true;
                1
            }
            [b'\\', b'r' | b'n', ..] => {
                broken = true;
                2
            }
            [b' ' | b'\t', ..] if broken => 1,
            _ => break,
        };
        if length > 64 {
            return 0;
        }
    }
    if broken { length } else { 0 }
}
