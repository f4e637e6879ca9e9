//! What is done to the bytes. All by hand: a tool that leaks brings its own.

use crate::deflate;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const Z85: &[u8; 85] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

pub fn put_on(name: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let each = |f: &dyn Fn(u8) -> String| bytes.iter().map(|b| f(*b)).collect::<String>();
    let joined =
        |f: &dyn Fn(u8) -> String, between: &str| bytes.iter().map(|b| f(*b)).collect::<Vec<_>>().join(between);
    let chars = || String::from_utf8_lossy(bytes).chars().collect::<Vec<char>>();
    let between = |separator: &str| chars().into_iter().map(String::from).collect::<Vec<_>>().join(separator);
    let text = match name {
        "base64" => base64(bytes, STANDARD, true),
        "base64-bare" => base64(bytes, STANDARD, false),
        "base64-url" => base64(bytes, URL_SAFE, false),
        "base64-wrapped" => {
            base64(bytes, STANDARD, true).as_bytes().chunks(20).map(ascii).collect::<Vec<_>>().join("\r\n")
        }
        "base64-mailed" => base64(bytes, STANDARD, true).as_bytes().chunks(16).map(ascii).collect::<Vec<_>>().join(" "),
        // Something in front moves the alignment by one byte or two.
        "after-1" => return Ok([b"@", bytes].concat()),
        "after-2" => return Ok([b"u:", bytes].concat()),
        "base32" => base32(bytes),
        "base32-lower" => base32(bytes).to_lowercase(),
        "base58" => radix(bytes, BASE58),
        "ascii85" => base85(bytes, &|digit| char::from(b'!' + digit)),
        "z85" => base85(bytes, &|digit| char::from(Z85[usize::from(digit)])),
        "hex" => each(&|b| format!("{b:02x}")),
        "hex-upper" => each(&|b| format!("{b:02X}")),
        "hex-colons" => joined(&|b| format!("{b:02x}"), ":"),
        "hex-spaces" => joined(&|b| format!("{b:02x}"), " "),
        "hex-escapes" => each(&|b| format!("\\x{b:02x}")),
        "hex-numbers" => joined(&|b| format!("0x{b:02x}"), ", "),
        "hex-dump" => dump(bytes),
        "hex-words" => hex_groups(bytes, &[4], ":"),
        "uuids" => hex_groups(bytes, &[8, 4, 4, 4, 12], "-"),
        "percent" => each(&|b| format!("%{b:02X}")),
        "percent-twice" => each(&|b| format!("%25{b:02X}")),
        "percent-u" => each(&|b| format!("%u{b:04x}")),
        "quoted-printable" => each(&|b| format!("={b:02X}")),
        "html" => each(&|b| format!("&#{b};")),
        "html-hex" => each(&|b| format!("&#x{b:x};")),
        "json-escapes" => each(&|b| format!("\\u{b:04x}")),
        "braced-escapes" => each(&|b| format!("\\u{{{b:x}}}")),
        "octal-escapes" => each(&|b| format!("\\{b:03o}")),
        "decimal" => joined(&|b| b.to_string(), ", "),
        "dotted" => joined(&|b| b.to_string(), "."),
        "one-number" => radix(bytes, b"0123456789"),
        "binary" => each(&|b| format!("{b:08b}")),
        "utf-16" => return Ok(bytes.iter().flat_map(|b| [*b, 0]).collect()),
        "utf-16-be" => return Ok(bytes.iter().flat_map(|b| [0, *b]).collect()),
        "upper" => return Ok(bytes.to_ascii_uppercase()),
        "lower" => return Ok(bytes.to_ascii_lowercase()),
        "reverse" => return Ok(bytes.iter().rev().copied().collect()),
        "rot13" => return Ok(bytes.iter().map(|b| shifted(*b, 13)).collect()),
        "shift-7" => return Ok(bytes.iter().map(|b| shifted(*b, 7)).collect()),
        "rot47" => {
            return Ok(bytes.iter().map(|b| if b.is_ascii_graphic() { (b - 33 + 47) % 94 + 33 } else { *b }).collect());
        }
        "atbash" => return Ok(bytes.iter().map(|b| mirrored(*b)).collect()),
        "swapped-case" => each(&|b| char::from(if b.is_ascii_alphabetic() { b ^ 0x20 } else { b }).to_string()),
        "even-odd" => {
            return Ok([bytes.iter().step_by(2), bytes.get(1..).unwrap_or_default().iter().step_by(2)]
                .into_iter()
                .flatten()
                .copied()
                .collect());
        }
        "xor" => return Ok(bytes.iter().map(|b| b ^ 0x5a).collect()),
        "hyphens" => between("-"),
        "dots" => between("."),
        "blanks" => between(" "),
        "line-ends" => between("\n"),
        "tags-between" => between("<b></b>"),
        "soft-hyphens" => between("\u{ad}"),
        "struck" => between("\u{336}"),
        "letters-x" => between("x"),
        "chunks" => chars().chunks(4).map(|c| c.iter().collect::<String>()).collect::<Vec<_>>().join("-"),
        "numbered" => chars()
            .chunks(6)
            .enumerate()
            .map(|(n, c)| format!("{}. {}\n", n + 1, c.iter().collect::<String>()))
            .collect(),
        "zero-width" => between("\u{200b}"),
        "tags" => chars().into_iter().filter_map(|c| char::from_u32(0xe0000 + u32::from(c))).collect(),
        "look-alikes" => chars().into_iter().map(look_alike).collect(),
        "bold" => chars().into_iter().map(bold).collect(),
        "full-width" => chars().into_iter().map(full_width).collect(),
        "in-json" => format!("{{\"user\":\"guest\",\"token\":\"{}\",\"page\":2}}", ascii(bytes)),
        "in-page" => page(ascii(bytes)),
        "deflate" => return Ok(deflate::raw(bytes)),
        "zlib" => return Ok(deflate::zlib(bytes)),
        "gzip" => return Ok(deflate::gzip(bytes)),
        "digits" => return Ok(bytes.iter().copied().filter(u8::is_ascii_digit).collect()),
        "first-and-last-16" => {
            let (head, tail) = (bytes.get(..16), bytes.len().checked_sub(16).and_then(|at| bytes.get(at..)));
            return Ok([head.ok_or("short")?, b"...", tail.ok_or("short")?].concat());
        }
        "digest" => format!(
            "{:016x}",
            bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
        ),
        "length" => bytes.len().to_string(),
        "yes-or-no" => if bytes.first().is_some_and(|b| b & 1 == 1) { "yes" } else { "no" }.to_owned(),
        "nothing" => "all is well".to_owned(),
        _ => return Err(format!("through: {name:?} is none")),
    };
    Ok(text.into_bytes())
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn base64(bytes: &[u8], alphabet: &[u8; 64], padded: bool) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            if index <= chunk.len() {
                text.push(char::from(alphabet[(bits >> (18 - 6 * index)) as usize & 63]));
            } else if padded {
                text.push('=');
            }
        }
    }
    text
}

fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte)) << (8 * (5 - chunk.len()));
        for index in 0..8 {
            let digit = char::from(BASE32[(bits >> (35 - 5 * index)) as usize & 31]);
            text.push(if index * 5 < chunk.len() * 8 { digit } else { '=' });
        }
    }
    text
}

/// The bytes as one large number.
fn radix(bytes: &[u8], alphabet: &[u8]) -> String {
    let base = alphabet.len() as u32;
    let mut digits: Vec<u32> = Vec::new();
    for &byte in bytes {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += *digit << 8;
            (*digit, carry) = (carry % base, carry / base);
        }
        while carry > 0 {
            digits.push(carry % base);
            carry /= base;
        }
    }
    digits.iter().rev().map(|digit| char::from(alphabet[*digit as usize])).collect()
}

/// Five digits for four bytes; a short end has one digit more than bytes.
fn base85(bytes: &[u8], digit: &dyn Fn(u8) -> char) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(4) {
        let word = (0..4).fold(0u32, |word, at| word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        let digits = [85u32.pow(4), 85u32.pow(3), 85 * 85, 85, 1].map(|power| (word / power % 85) as u8);
        text.extend(digits[..=chunk.len()].iter().map(|d| digit(*d)));
    }
    text
}

/// As `xxd` writes it, without the column that shows the bytes as they are.
fn dump(bytes: &[u8]) -> String {
    let row = |(row, line): (usize, &[u8])| {
        let words: Vec<String> = line.chunks(2).map(|w| w.iter().map(|b| format!("{b:02x}")).collect()).collect();
        format!("{:08x}: {}\n", row * 16, words.join(" "))
    };
    bytes.chunks(16).enumerate().map(row).collect()
}

/// Hexadecimal digits in groups of these lengths, again and again.
fn hex_groups(bytes: &[u8], lengths: &[usize], between: &str) -> String {
    let digits: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let mut rest = digits.as_str();
    let mut groups = Vec::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (group, left) = rest.split_at((*length).min(rest.len()));
        groups.push(group);
        rest = left;
    }
    groups.join(between)
}

/// Two pages of words around it, so that it is a small part of what is compressed.
fn page(text: &str) -> String {
    let line =
        |n: usize| format!("{n}. The quarterly figures of branch {} are in the annex, with remarks.\n", n * 37 % 101);
    let lines = |range: std::ops::Range<usize>| range.map(line).collect::<String>();
    format!("{}Approved under {text}.\n{}", lines(1..20), lines(20..40))
}

fn mirrored(byte: u8) -> u8 {
    let base = if byte.is_ascii_lowercase() { b'a' } else { b'A' };
    if byte.is_ascii_alphabetic() { base + 25 - (byte - base) } else { byte }
}

fn shifted(byte: u8, by: u8) -> u8 {
    let base = if byte.is_ascii_lowercase() { b'a' } else { b'A' };
    if byte.is_ascii_alphabetic() { (byte - base + by) % 26 + base } else { byte }
}

/// Cyrillic letters that look like Latin ones.
fn look_alike(c: char) -> char {
    const PAIRS: &str = "aаcсeеiіjјoоpрsѕxхyуAАBВCСEЕHНIІJЈKКMМOОPРSЅTТXХYУ";
    let mut pairs = PAIRS.chars();
    while let (Some(plain), Some(other)) = (pairs.next(), pairs.next()) {
        if plain == c {
            return other;
        }
    }
    c
}

/// Letters and digits of mathematical texts.
fn bold(c: char) -> char {
    let of = |first: char, base: u32| char::from_u32(base + u32::from(c) - u32::from(first)).unwrap_or(c);
    match c {
        'A'..='Z' => of('A', 0x1d400),
        'a'..='z' => of('a', 0x1d41a),
        '0'..='9' => of('0', 0x1d7ce),
        _ => c,
    }
}

fn full_width(c: char) -> char {
    if c.is_ascii_graphic() { char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c) } else { c }
}
