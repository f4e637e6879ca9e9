//! One pass over a text that says which encodings cannot be in it, so that most of them need not be tried. It may say "perhaps" where there is
//! nothing, never "no" where there is something.

/// Which classes a byte is in.
const ALNUM: u32 = 1;
const PERCENT: u32 = 1 << 1;
const BACKSLASH: u32 = 1 << 2;
const AMPERSAND: u32 = 1 << 3;
/// First bytes of characters that nobody sees.
const UNSEEN: u32 = 1 << 4;
const TAG: u32 = 1 << 5;
const ZLIB: u32 = 1 << 6;
const GZIP_1: u32 = 1 << 7;
const GZIP_2: u32 = 1 << 8;
const BREAK: u32 = 1 << 9;
const ZERO: u32 = 1 << 10;
const DIGIT: u32 = 1 << 11;
const LETTER: u32 = 1 << 12;
const HIGH: u32 = 1 << 13;
/// Second bytes of characters that nobody sees.
const UNSEEN_2: u32 = 1 << 14;
/// What `0x` has, and what rotation makes of it.
const X: u32 = 1 << 15;
const ANGLE: u32 = 1 << 16;

/// Runs that are counted, each in 16 bits of a word.
const LOOSE: u32 = 0;
const BASE64: u32 = 16;
const HEX: u32 = 32;
const DIGITS: u32 = 48;
const LIST: u32 = 0;
const BASE32: u32 = 16;
const WORDS: u32 = 32;
const ONE: u64 = 0x0001_0001_0001_0001;
const REACHED: u64 = 0x8000_8000_8000_8000;
/// A count stays far below 2^15 for so many bytes.
const BLOCK: usize = 0x2000;

struct Classes {
    of: [u32; 256],
    first: [u64; 256],
    second: [u64; 256],
}

static CLASSES: Classes = classes();

#[expect(clippy::indexing_slicing, reason = "made while compiling, where a panic is an error of the build")]
#[expect(clippy::cast_possible_truncation, reason = "below 256")]
const fn classes() -> Classes {
    let mut classes = Classes { of: [0; 256], first: [0; 256], second: [0; 256] };
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        let letter = byte.is_ascii_alphabetic();
        let digit = byte.is_ascii_digit();
        let gap = matches!(
            byte,
            b':' | b' ' | b'-' | b'_' | b'.' | b',' | b';' | b'|' | b'"' | b'\'' | b'\n' | b'\r' | b'\t' | b'%' | b'='
        );
        let list = matches!(byte, b' ' | b',' | b';' | b'\n' | b'\r' | b'\t' | b'[' | b']' | b'|' | b'-' | b'.');
        let base64 = letter || digit || matches!(byte, b'+' | b'-' | b'/' | b'_');
        let base32 = letter || matches!(byte, b'2'..=b'7');
        // With what rotation makes digits and marks of.
        let lower = byte.to_ascii_lowercase();
        let hex = digit || (letter && matches!(lower, b'a'..=b'f' | b'n'..=b's' | b'x' | b'k'));
        let mut of = 0;
        if letter || digit {
            of |= ALNUM;
        }
        if letter {
            of |= LETTER;
        }
        if digit {
            of |= DIGIT;
        }
        if byte >= 0x80 {
            of |= HIGH;
        }
        if matches!(lower, b'x' | b'k') {
            of |= X;
        }
        if matches!(byte, 0xad | 0x8f | 0x80 | 0x81 | 0xbb | 0xb8 | 0xa0) {
            of |= UNSEEN_2;
        }
        of |= match byte {
            b'%' => PERCENT,
            b'<' => ANGLE,
            b'\\' => BACKSLASH,
            b'&' => AMPERSAND,
            0xc2 | 0xcd | 0xe1 | 0xe2 | 0xef => UNSEEN,
            0xf3 => UNSEEN | TAG,
            0x78 => ZLIB,
            0x1f => GZIP_1,
            0x8b => GZIP_2,
            b'\n' | b'\r' => BREAK,
            0 => ZERO,
            _ => 0,
        };
        classes.of[at] = of;
        let loose = base64 || gap || list || byte == b'\\';
        classes.first[at] =
            lane(LOOSE, loose) | lane(BASE64, base64) | lane(HEX, hex || gap || byte == b'\\') | lane(DIGITS, digit);
        let number = digit || matches!(lower, b'a'..=b'f' | b'x');
        classes.second[at] = lane(LIST, digit || list) | lane(BASE32, base32) | lane(WORDS, number || list);
        at += 1;
    }
    classes
}

const fn lane(shift: u32, is: bool) -> u64 {
    if is { 0xffff << shift } else { 0 }
}

const fn least(shift: u32, count: u64) -> u64 {
    (0x8000 - count) << shift
}

/// What may be in a text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    any: u32,
    first: u64,
    second: u64,
    /// Letters and digits that have none beside them, the most without two in a row between.
    alone: u32,
    /// A character that nobody sees may be there.
    unseen: bool,
    /// A digit beside an `x`, either way around.
    hexed: bool,
    /// Every second byte is the same for a while.
    strides: bool,
    length: usize,
}

impl Marks {
    /// `parts`: the text has parts, and a number ends where a part does.
    pub(crate) fn of(text: &[u8], parts: bool) -> Marks {
        let first_least = least(LOOSE, 10) | least(BASE64, 11) | least(HEX, 16) | least(DIGITS, 10);
        // Four numbers of which one has three digits, and what stands between them where they have no parts.
        let words = if parts { 6 } else { 9 };
        let second_least = least(LIST, if parts { 8 } else { 15 }) | least(BASE32, 13) | least(WORDS, words);
        let mut marks = Marks { strides: strides(text), length: text.len(), ..Marks::default() };
        let (mut first, mut second, mut history) = (0_u64, 0_u64, 0_u32);
        let (mut alone, mut before, mut unseen) = (0_u32, 0_u32, 0_u32);
        let mut hexed = 0_u32;
        for block in text.chunks(BLOCK) {
            for byte in block {
                let at = usize::from(*byte);
                let of = CLASSES.of.get(at).copied().unwrap_or(0);
                marks.any |= of;
                first = (first + ONE) & CLASSES.first.get(at).copied().unwrap_or(0);
                second = (second + ONE) & CLASSES.second.get(at).copied().unwrap_or(0);
                marks.first |= first + first_least;
                marks.second |= second + second_least;
                history = (history << 1) | (of & ALNUM);
                alone = if history & 3 == 3 { 0 } else { alone + u32::from(history & 7 == 2) };
                marks.alone = marks.alone.max(alone);
                unseen |= (before & UNSEEN) << 10 & of;
                hexed |= ((before & DIGIT) << 4 & of) | ((before & X) >> 4 & of);
                before = of;
            }
            first = clamped(first);
            second = clamped(second);
        }
        marks.alone = marks.alone.max(alone + u32::from(history & 3 == 1));
        marks.unseen = unseen != 0;
        marks.hexed = hexed != 0;
        marks.first &= REACHED;
        marks.second &= REACHED;
        marks
    }

    fn has(self, class: u32) -> bool {
        self.any & class == class
    }

    fn has_one(self, classes: u32) -> bool {
        self.any & classes != 0
    }

    fn run(word: u64, shift: u32) -> bool {
        word & (0x8000 << shift) != 0
    }

    /// Runs that line ends do not end, as they are written in texts and in strings.
    fn wrapped(self) -> bool {
        self.has_one(BREAK | BACKSLASH) && Marks::run(self.first, LOOSE)
    }

    pub(crate) fn gzip(self) -> bool {
        self.has(GZIP_1 | GZIP_2)
    }

    pub(crate) fn zlib(self) -> bool {
        self.has(ZLIB)
    }

    pub(crate) fn base64(self) -> bool {
        Marks::run(self.first, BASE64) || self.wrapped()
    }

    pub(crate) fn base32(self) -> bool {
        Marks::run(self.second, BASE32) || self.wrapped()
    }

    pub(crate) fn hex(self) -> bool {
        Marks::run(self.first, HEX) || (self.has(BACKSLASH) && Marks::run(self.first, LOOSE))
    }

    /// Characters that are no ASCII, as look-alikes are.
    pub(crate) fn high(self) -> bool {
        self.has(HIGH)
    }

    pub(crate) fn words(self) -> bool {
        self.has(DIGIT) && Marks::run(self.second, WORDS)
    }

    /// Eight bytes of them.
    pub(crate) fn bits(self) -> bool {
        self.length >= 64
    }

    /// Letters and digits, and some other characters, that no word or number has.
    pub(crate) fn base85(self) -> bool {
        self.length >= 10 && self.has(LETTER)
    }

    /// Tags, or lines that may have numbers.
    pub(crate) fn marked(self) -> bool {
        self.has_one(ANGLE) || self.has(BREAK | DIGIT)
    }

    pub(crate) fn percent(self) -> bool {
        self.has(PERCENT)
    }

    pub(crate) fn json(self) -> bool {
        self.has(BACKSLASH)
    }

    pub(crate) fn html(self) -> bool {
        self.has(AMPERSAND)
    }

    pub(crate) fn zero_width(self) -> bool {
        self.unseen
    }

    pub(crate) fn tags(self) -> bool {
        self.has(TAG)
    }

    pub(crate) fn utf16(self) -> bool {
        self.strides && self.has(ZERO)
    }

    pub(crate) fn every_second(self) -> bool {
        self.strides
    }

    pub(crate) fn bytes(self) -> bool {
        Marks::run(self.second, LIST) || (self.hexed && Marks::run(self.first, HEX))
    }

    pub(crate) fn integers(self) -> bool {
        Marks::run(self.first, DIGITS) || self.hexed
    }

    pub(crate) fn singles(self) -> bool {
        self.alone >= 8
    }

    pub(crate) fn letters(self) -> bool {
        self.has(LETTER)
    }

    pub(crate) fn digits(self) -> bool {
        self.has(DIGIT)
    }

    /// Whether an encoding may be found in the text turned around or rotated that is looked for there only: what is the same both ways, such as
    /// separators, is found in the text itself and turned around then.
    pub(crate) fn turned(self, text: &[u8]) -> bool {
        self.strides
            || self.base64()
            || self.base32()
            || self.hex()
            || self.bytes()
            || self.integers()
            || self.gzip()
            || (self.has_one(PERCENT | BACKSLASH | AMPERSAND | UNSEEN) && escapes(text))
            || headers(text)
    }
}

fn clamped(word: u64) -> u64 {
    [0, 16, 32, 48].iter().fold(0, |sum, shift| sum | ((word >> shift) & 0xffff).min(64) << shift)
}

/// Whether seven bytes, every second one, are the same somewhere: six agree with the one two places on, four of these from a multiple of four on.
fn strides(text: &[u8]) -> bool {
    const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
    let word = |at: usize| text.get(at..).and_then(<[u8]>::first_chunk::<8>).map_or(0, |w| u64::from_le_bytes(*w));
    (0..text.len().saturating_sub(9)).step_by(4).any(|at| {
        let differ = word(at) ^ word(at + 2);
        differ & EVEN == 0 || differ & !EVEN == 0
    })
}

/// Whether an escape may stand here either way around. Only those whose beginnings are rare in noise are looked at more closely.
fn escapes(text: &[u8]) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || matches!(b.to_ascii_lowercase(), b'a'..=b'f' | b'n'..=b's');
    let near = |at: usize, is: &dyn Fn(u8) -> bool| {
        text.get(at + 1).is_some_and(|b| is(*b))
            || at.checked_sub(1).and_then(|at| text.get(at)).is_some_and(|b| is(*b))
    };
    text.iter().enumerate().any(|(at, byte)| match byte {
        b'%' => near(at, &|b| hex(b) || matches!(b, b'u' | b'U' | b'h' | b'H')),
        b'\\' => near(at, &|b| b.is_ascii_alphanumeric() || matches!(b, b'"' | b'\\' | b'/' | b'\'')),
        b'&' => {
            let around = text.get(at.saturating_sub(12)..text.len().min(at + 12)).unwrap_or_default();
            around.contains(&b';')
        }
        0xc2 | 0xcd | 0xe1 | 0xe2 | 0xef | 0xf3 => {
            near(at, &|b| matches!(b, 0xad | 0x8f | 0x80 | 0x81 | 0xbb | 0xb8 | 0xa0))
        }
        _ => false,
    })
}

/// Whether a zlib header may stand here either way around, rotated or not.
fn headers(text: &[u8]) -> bool {
    let flags = |b: Option<&u8>| {
        let fits = |b: u8| (0x7800 + u32::from(b)).is_multiple_of(31) && b & 0x20 == 0;
        b.is_some_and(|b| fits(*b) || fits(super::order::turned(*b)))
    };
    memchr::memchr2_iter(b'x', b'k', text)
        .any(|at| flags(text.get(at + 1)) || flags(at.checked_sub(1).and_then(|at| text.get(at))))
}
