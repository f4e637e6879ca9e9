//! Letters of other scripts that look like ASCII ones, read as these: `kеу` with Cyrillic letters in it, full width, mathematical alphabets.
//! The table is our own and small: what a person would not notice, or would read as the letter.

use super::escapes::between;
use super::map::Builder;

/// Look-alikes by the letter they look like.
const LOOKS: [(u8, &str); 62] = [
    (b'a', "аɑαａ⍺"),
    (b'b', "ƅЬь"),
    (b'c', "сϲⅽᴄ"),
    (b'd', "ԁⅾ"),
    (b'e', "еҽℯ℮"),
    (b'f', "ſϝ"),
    (b'g', "ɡցℊ"),
    (b'h', "һհℎ"),
    (b'i', "іıιɩⅰ"),
    (b'j', "јϳ"),
    (b'k', "кκᴋ"),
    (b'l', "ӏⅼ"),
    (b'm', "мⅿ"),
    (b'n', "пηո"),
    (b'o', "оοօσℴ"),
    (b'p', "рρ"),
    (b'q', "ԛգ"),
    (b'r', "гᴦ"),
    (b's', "ѕꜱ"),
    (b't', "тτ"),
    (b'u', "υսʋ"),
    (b'v', "ѵνⅴ"),
    (b'w', "ԝωա"),
    (b'x', "хχⅹ"),
    (b'y', "уγү"),
    (b'z', "ᴢʐ"),
    (b'A', "АΑ"),
    (b'B', "ВΒℬ"),
    (b'C', "СϹⅭℂℭ"),
    (b'D', "Ⅾ"),
    (b'E', "ЕΕℰ"),
    (b'F', "Ϝℱ"),
    (b'G', "Ԍ"),
    (b'H', "НΗℋℍℌ"),
    (b'I', "ІΙӀⅠℐℑ"),
    (b'J', "Ј"),
    (b'K', "КΚ\u{212a}"),
    (b'L', "Ⅼℒ"),
    (b'M', "МΜⅯℳ"),
    (b'N', "Νℕ"),
    (b'O', "ОΟՕ"),
    (b'P', "РΡℙ"),
    (b'Q', "Ԛℚ"),
    (b'R', "ℛℜℝ"),
    (b'S', "ЅՏ"),
    (b'T', "ТΤ"),
    (b'U', "Ս"),
    (b'V', "ѴⅤ"),
    (b'W', "Ԝ"),
    (b'X', "ХΧⅩ"),
    (b'Y', "ҮΥ"),
    (b'Z', "Ζℤℨ"),
    (b'0', "০०⓪"),
    (b'2', "Ƨ"),
    (b'3', "ЗƷ"),
    (b'4', "Ꮞ"),
    (b'5', "Ƽ"),
    (b'6', "б"),
    (b'8', "Ȣ"),
    (b'-', "‐‑‒–—−"),
    (b'_', "‗"),
    (b'/', "⁄∕"),
];

pub(crate) fn fold(text: &[u8], out: &mut Builder) {
    if text.is_ascii() {
        return;
    }
    let table = table();
    let mut from = 0;
    let mut at = 0;
    while let Some(skip) = text.get(at..).and_then(|rest| rest.iter().position(|b| *b >= 0xc2)) {
        at += skip;
        let length = match text.get(at) {
            Some(0xc2..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            _ => 4,
        };
        let char = text.get(at..at + length).and_then(|c| std::str::from_utf8(c).ok()).and_then(|c| c.chars().next());
        let Some(char) = char else {
            at += 1;
            continue;
        };
        if let Some(byte) = looks_like(char, table) {
            between(text, from, at, out);
            out.whole(&[byte], at, at + length);
            from = at + length;
        }
        at += length;
        if out.is_full() {
            return;
        }
    }
    if from > 0 {
        between(text, from, text.len(), out);
    }
}

fn looks_like(char: char, table: &[(char, u8)]) -> Option<u8> {
    let code = u32::from(char);
    let letter = |n: u32| u8::try_from(n % 52).ok().map(|n| if n < 26 { b'A' + n } else { b'a' + n - 26 });
    match code {
        // Full width is ASCII elsewhere.
        0xff01..=0xff5e => u8::try_from(code - 0xff01 + 0x21).ok(),
        // Thirteen alphabets of mathematics, and five times ten digits.
        0x1d400..=0x1d6a3 => letter(code - 0x1d400),
        0x1d7ce..=0x1d7ff => u8::try_from((code - 0x1d7ce) % 10).ok().map(|n| b'0' + n),
        // In circles, in squares, as flags.
        0x24b6..=0x24e9 => letter(code - 0x24b6),
        0x1f130..=0x1f149 => letter(code - 0x1f130),
        0x1f150..=0x1f169 => letter(code - 0x1f150),
        0x1f170..=0x1f189 => letter(code - 0x1f170),
        0x1f1e6..=0x1f1ff => letter(code - 0x1f1e6),
        0x2460..=0x2468 => u8::try_from(code - 0x2460).ok().map(|n| b'1' + n),
        0x2080..=0x2089 => u8::try_from(code - 0x2080).ok().map(|n| b'0' + n),
        0x2074..=0x2079 => u8::try_from(code - 0x2074).ok().map(|n| b'4' + n),
        _ => table.binary_search_by_key(&char, |(c, _)| *c).ok().and_then(|at| table.get(at)).map(|(_, byte)| *byte),
    }
}

fn table() -> &'static [(char, u8)] {
    static TABLE: std::sync::OnceLock<Vec<(char, u8)>> = std::sync::OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: Vec<(char, u8)> =
            LOOKS.iter().flat_map(|(byte, looks)| looks.chars().map(|look| (look, *byte))).collect();
        table.sort_unstable();
        table
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let mut out = Builder::new(10_000);
        fold(text.as_bytes(), &mut out);
        String::from_utf8(out.take().0).unwrap()
    }

    #[test]
    fn no_letter_looks_like_two() {
        assert!(table().windows(2).all(|pair| pair[0].0 != pair[1].0), "{:?}", table());
        assert!(table().iter().all(|(c, _)| !c.is_ascii()));
    }

    #[test]
    fn letters_of_other_scripts_are_read_as_they_look() {
        assert_eq!(folded("рассwоrd"), "paccword");
        assert_eq!(folded("ｋ７Ｑｚ－２"), "k7Qz-2");
        assert_eq!(folded("𝐤𝟕𝒬𝔷"), "k7Qz");
        assert_eq!(folded("ⓚ⑦Ⓠⓩ"), "k7Qz");
        assert_eq!(folded("Ζζ日本é"), "Zζ日本é");
        assert_eq!(folded("plain and naïve"), "");
    }
}
