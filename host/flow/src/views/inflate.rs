//! gzip, zlib and bare deflate, wherever one begins; what is cut off is read as far as it goes.

use super::map::Builder;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Beginnings that are tried in one text. Random bytes look like a zlib header once in 16 KiB.
const TRIES: usize = 1024;
/// Bare deflate has no header: only tried where a text begins or an encoding did.
const BARE_TRIES: usize = 16;
const LEAST: usize = 8;

/// 11 KiB, made where there is something to try and used again.
pub(crate) type State = Option<Box<DecompressorOxide>>;

pub(crate) fn gzip(text: &[u8], state: &mut State, out: &mut Builder) {
    for at in memchr::memmem::find_iter(text, b"\x1f\x8b\x08").take(TRIES) {
        if let Some(header) = gzip_header(text.get(at..).unwrap_or_default()) {
            inflate(text, at, header, state, out);
        }
    }
}

pub(crate) fn zlib(text: &[u8], state: &mut State, out: &mut Builder) {
    let starts = memchr::memchr_iter(0x78, text).filter(
        |at| matches!(text.get(at + 1), Some(flags) if (0x7800 + u16::from(*flags)) % 31 == 0 && flags & 0x20 == 0),
    );
    for at in starts.take(TRIES) {
        inflate(text, at, 2, state, out);
    }
}

pub(crate) fn deflate(text: &[u8], begins: impl Iterator<Item = usize>, state: &mut State, out: &mut Builder) {
    for at in begins.take(BARE_TRIES).filter(|at| may_begin(text.get(*at..).unwrap_or_default())) {
        inflate(text, at, 0, state, out);
    }
}

/// RFC 1952: the fixed part, and what its flags say follows.
fn gzip_header(rest: &[u8]) -> Option<usize> {
    let flags = *rest.get(3)?;
    let mut length = 10;
    if flags & 4 != 0 {
        length += 2 + usize::from(u16::from_le_bytes([*rest.get(10)?, *rest.get(11)?]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            length += rest.get(length..)?.iter().position(|b| *b == 0)? + 1;
        }
    }
    Some(if flags & 2 != 0 { length + 2 } else { length })
}

/// Whether bare deflate can begin so: stored blocks say their length twice, one of four types does not exist, and most of what begins by chance
/// says soon what cannot be.
pub(crate) fn may_begin(rest: &[u8]) -> bool {
    match rest {
        [first, a, b, c, d, ..] if first & 6 == 0 => *a == !c && *b == !d,
        [first, ..] if first & 6 == 2 => fixed_may_go_on(rest),
        [first, ..] if first & 6 == 4 => lengths_fit(rest),
        _ => false,
    }
}

/// Bits of a text, low ones first; zeros after its end.
struct Bits<'t> {
    rest: &'t [u8],
    held: u64,
    count: u32,
    /// More was taken than there is.
    past_end: bool,
}

impl Bits<'_> {
    /// At most 16 of them.
    fn take(&mut self, count: u32) -> u64 {
        while self.count < count {
            self.past_end |= self.rest.is_empty();
            let (byte, rest) = self.rest.split_first().map_or((0, self.rest), |(byte, rest)| (*byte, rest));
            self.held |= u64::from(byte) << self.count;
            self.rest = rest;
            self.count += 8;
        }
        let bits = self.held & ((1 << count) - 1);
        self.held >>= count;
        self.count -= count;
        bits
    }

    /// As codes are written: the high bit first.
    fn code(&mut self, count: u32) -> u64 {
        self.take(count).reverse_bits() >> (64 - count)
    }
}

/// Whether the first symbols of a block with fixed codes refer only to what is there, and the block can end.
fn fixed_may_go_on(rest: &[u8]) -> bool {
    const LENGTH_BITS: [u32; 29] =
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
    const LENGTHS: [u64; 29] = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ];
    let mut bits = Bits { rest, held: 0, count: 0, past_end: false };
    let is_last = bits.take(3) & 1 == 1;
    let mut made = 0_u64;
    for _ in 0..24 {
        let high = bits.code(7);
        // What has no end is not taken.
        if bits.past_end {
            return false;
        }
        if high == 0 {
            // The end of the block; another may follow.
            return !is_last || made >= LEAST as u64;
        }
        if high < 0b11000 || (high << 1) >= 0b1100_0000 && (high << 1) < 0b1100_1000 {
            let symbol = if high < 0b11000 { high } else { 24 + ((high << 1) | bits.code(1)) - 0b1100_0000 };
            let at = usize::try_from(symbol).unwrap_or(0).wrapping_sub(1);
            let (Some(length), Some(more)) = (LENGTHS.get(at), LENGTH_BITS.get(at)) else { return false };
            let length = length + bits.take(*more);
            let distance = bits.code(5);
            let more = u32::try_from(distance / 2).unwrap_or(0).saturating_sub(1);
            let distance = match distance {
                0..=3 => distance + 1,
                4..=29 => ((2 + (distance & 1)) << more) + 1 + bits.take(more),
                _ => return false,
            };
            if distance > made {
                return false;
            }
            made += length;
        } else {
            // A literal of eight or nine bits.
            bits.code(if (high << 1) < 0b1100_0000 { 1 } else { 2 });
            made += 1;
        }
    }
    true
}

/// Whether the lengths of the codes that the lengths of a block's codes are written in make a code.
fn lengths_fit(rest: &[u8]) -> bool {
    let mut bits = Bits { rest, held: 0, count: 0, past_end: false };
    bits.take(3);
    let (literals, distances, count) = (bits.take(5), bits.take(5), bits.take(4) + 4);
    let filled = (0..count).map(|_| bits.take(3)).filter(|length| *length > 0).map(|length| 128 >> length).sum::<u64>();
    literals <= 29 && distances <= 29 && filled == 128
}

/// Whether bare deflate may begin where the text does once it is turned around, rotated, or both.
pub(crate) fn begins_turned(text: &[u8]) -> bool {
    // As much as is looked at before it is tried.
    const LOOKED_AT: usize = 96;
    let mut bytes = [0; LOOKED_AT];
    let mut begins = |from: &mut dyn Iterator<Item = u8>| {
        let length = bytes.iter_mut().zip(from).map(|(to, byte)| *to = byte).count();
        may_begin(bytes.get(..length).unwrap_or_default())
    };
    begins(&mut text.iter().copied().map(super::order::turned))
        || begins(&mut text.iter().rev().copied())
        || begins(&mut text.iter().rev().copied().map(super::order::turned))
}

/// Appends what a stream that begins at `at` holds, if it holds anything.
fn inflate(text: &[u8], at: usize, header: usize, state: &mut State, out: &mut Builder) {
    let Some(input) = text.get(at + header..).filter(|input| !input.is_empty()) else { return };
    let room = out.room().saturating_sub(64);
    let state = state.get_or_insert_default();
    state.init();
    let mut output = vec![0; room.min(512)];
    let (mut read, mut written) = (0, 0);
    let done = loop {
        let left = input.get(read..).unwrap_or_default();
        let (status, taken, made) =
            decompress(state, left, &mut output, written, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF);
        read += taken;
        written += made;
        match status {
            TINFLStatus::HasMoreOutput if output.len() < room => output.resize(room.min(output.len() * 2), 0),
            TINFLStatus::Done => break true,
            TINFLStatus::HasMoreOutput => {
                // A bomb, or simply too much: what there is room for is looked at, and the view is full.
                out.overflow();
                break true;
            }
            _ => break false,
        }
    };
    output.truncate(written);
    // Garbage fails soon; a stream that was cut off has made something by then.
    let cut_off = !done && written >= 64 && header > 0;
    if (done || cut_off) && written >= LEAST {
        out.whole(&output, at, at + header + read);
    }
}

/// How much bare deflate makes of a text, however it begins.
#[cfg(test)]
pub(super) fn all_of(text: &[u8]) -> usize {
    let mut out = Builder::new(1 << 20);
    inflate(text, 0, 0, &mut None, &mut out);
    out.length()
}
