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

pub(crate) fn gzip(text: &[u8], out: &mut Builder) {
    let mut state = None;
    for at in memchr::memmem::find_iter(text, b"\x1f\x8b\x08").take(TRIES) {
        if let Some(header) = gzip_header(text.get(at..).unwrap_or_default()) {
            inflate(text, at, header, &mut state, out);
        }
    }
}

pub(crate) fn zlib(text: &[u8], out: &mut Builder) {
    let mut state = None;
    let starts = memchr::memchr_iter(0x78, text).filter(
        |at| matches!(text.get(at + 1), Some(flags) if (0x7800 + u16::from(*flags)) % 31 == 0 && flags & 0x20 == 0),
    );
    for at in starts.take(TRIES) {
        inflate(text, at, 2, &mut state, out);
    }
}

pub(crate) fn deflate(text: &[u8], begins: impl Iterator<Item = usize>, out: &mut Builder) {
    let mut state = None;
    for at in begins.take(BARE_TRIES).filter(|at| may_begin(text.get(*at..).unwrap_or_default())) {
        inflate(text, at, 0, &mut state, out);
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

/// Whether bare deflate can begin so: stored blocks say their length twice, and one of four types does not exist.
fn may_begin(rest: &[u8]) -> bool {
    match rest {
        [first, a, b, c, d, ..] if first & 6 == 0 => *a == !c && *b == !d,
        [first, ..] => first & 6 != 6,
        [] => false,
    }
}

/// Appends what a stream that begins at `at` holds, if it holds anything.
fn inflate(text: &[u8], at: usize, header: usize, state: &mut Option<Box<DecompressorOxide>>, out: &mut Builder) {
    let Some(input) = text.get(at + header..).filter(|input| !input.is_empty()) else { return };
    let room = out.room().saturating_sub(64);
    // 11 KiB, made where there is something to try.
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
