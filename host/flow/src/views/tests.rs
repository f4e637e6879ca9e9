//! Every encoding, made here by other code than undoes it, found again inside other text with its exact place.

use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

const SECRET: &str = "k7Qz2mXp/W9tR4vLs+e1";

fn views(text: &[u8]) -> Views<'_> {
    Views::new(vec![Cow::Borrowed(text)], &[vec![]], Way::Out, 3, 1 << 20, usize::MAX)
}

type Place = (Vec<&'static str>, Vec<(usize, usize)>);

/// The shallowest view that has the secret: how it was made, and what it was made from.
fn seen(text: &[u8], secret: &[u8]) -> Option<Place> {
    let views = views(text);
    views.texts.iter().enumerate().find_map(|(number, view)| {
        let at = memchr::memmem::find(&view.bytes, secret)?;
        Some((views.chain(number), views.under(number, at, at + secret.len())))
    })
}

fn base64(bytes: &[u8], alphabet: &[u8; 64], pad: bool) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |w, b| (w << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            out.push(char::from(alphabet[(word >> (18 - 6 * at)) as usize & 63]));
        }
        if pad {
            out.push_str(&"=".repeat(3 - chunk.len()));
        }
    }
    out
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base32(bytes: &[u8]) -> String {
    let bits: String = bytes.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:08b}");
        s
    });
    let chunks: Vec<char> = bits.chars().collect();
    let value = |c: &[char]| c.iter().fold(0, |v, b| v * 2 + usize::from(*b == '1')) << (5 - c.len());
    chunks.chunks(5).map(|c| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value(c)])).collect()
}

const RFC1924: &[u8; 85] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const Z85: &[u8; 85] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

fn base85(bytes: &[u8], alphabet: &[u8]) -> String {
    let chunk = |chunk: &[u8]| {
        let word = (0..4).fold(0_u32, |w, at| (w << 8) | u32::from(chunk.get(at).copied().unwrap_or(0)));
        let digits: Vec<char> =
            (0..5).rev().map(|at| char::from(alphabet[(word / 85_u32.pow(at) % 85) as usize])).collect();
        digits[..=chunk.len()].iter().collect::<String>()
    };
    bytes.chunks(4).map(chunk).collect()
}

fn each(bytes: &str, write: impl Fn(u8) -> String, between: &str) -> String {
    bytes.bytes().map(write).collect::<Vec<_>>().join(between)
}

/// What an encoding makes of the secret, under the name that it is found by.
fn encodings() -> Vec<(&'static str, String)> {
    let s = SECRET;
    let rot13 = |c: char| match c {
        'a'..='z' => char::from((c as u8 - b'a' + 13) % 26 + b'a'),
        'A'..='Z' => char::from((c as u8 - b'A' + 13) % 26 + b'A'),
        c => c,
    };
    let wrapped = base64(s.as_bytes(), STANDARD, true);
    let (one, two) = wrapped.split_at(10);
    vec![
        ("base64", base64(s.as_bytes(), STANDARD, true)),
        ("base64", base64(s.as_bytes(), URL, false)),
        ("base64", base64(format!("x{s}").as_bytes(), STANDARD, true)),
        ("base64", base64(format!("xy{s}").as_bytes(), STANDARD, true)),
        ("base64", format!("{one}\n{two}")),
        ("base64", format!("{one}\r\n    {two}")),
        ("base64", format!("{one}\\n{two}")),
        ("base32", base32(s.as_bytes())),
        ("base32", base32(format!("xyz{s}").as_bytes()).to_lowercase()),
        ("hex", each(s, |b| format!("{b:02x}"), "")),
        ("hex", each(s, |b| format!("{b:02X}"), "")),
        ("hex", each(s, |b| format!("{b:02x}"), ":")),
        ("hex", each(s, |b| format!("{b:02X}"), " ")),
        ("hex", each(s, |b| format!("{b:02X}"), "-")),
        ("hex", each(s, |b| format!("{b:02X}"), "\n")),
        ("hex", each(s, |b| format!("0x{b:02x}"), ", ")),
        ("percent", each(s, |b| format!("%{b:02X}"), "")),
        ("percent", s.replace('/', "%2F").replace('+', "%2b")),
        ("hex", each(s, |b| format!("\\x{b:02x}"), "")),
        ("json", each(s, |b| format!("\\u{b:04x}"), "")),
        ("json", s.replace('/', "\\/")),
        ("html", each(s, |b| format!("&#{b};"), "")),
        ("html", each(s, |b| format!("&#x{b:X};"), "")),
        ("html", s.replace('/', "&sol;").replace('+', "&plus;")),
        ("reverse", s.chars().rev().collect()),
        ("rot13", s.chars().map(rot13).collect()),
        (
            "rotation",
            s.chars()
                .map(|c| if c.is_ascii_graphic() { char::from((c as u8 - 33 + 47) % 94 + 33) } else { c })
                .collect(),
        ),
        ("byte-list", each(s, |b| b.to_string(), ".")),
        ("json", each(s, |b| format!("\\{b:03o}"), "")),
        ("percent", each(s, |b| format!("%u{b:04x}"), "")),
        ("separators", each(s, |b| char::from(b).to_string(), "<b></b>")),
        (
            "separators",
            s.as_bytes()
                .chunks(6)
                .enumerate()
                .map(|(n, c)| format!("{}. {}\n", n + 1, String::from_utf8_lossy(c)))
                .collect(),
        ),
        ("utf-16", s.chars().map(|c| format!("{c}\0")).collect()),
        ("utf-16", s.chars().map(|c| format!("\0{c}")).collect()),
        ("zero-width", s.chars().map(|c| format!("{c}\u{200b}")).collect()),
        ("zero-width", s.chars().map(|c| format!("{c}\u{2060}\u{feff}")).collect()),
        ("unicode-tags", s.bytes().filter_map(|b| char::from_u32(0xe0000 + u32::from(b))).collect()),
        ("separators", each(s, |b| char::from(b).to_string(), "-")),
        ("separators", each(s, |b| char::from(b).to_string(), " ")),
        ("separators", each(s, |b| char::from(b).to_string(), "\n")),
        ("separators", each(s, |b| char::from(b).to_string(), "x")),
        (
            "separators",
            s.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join("-"),
        ),
        (
            "separators",
            s.as_bytes().chunks(6).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join(" "),
        ),
        ("byte-list", each(s, |b| b.to_string(), ", ")),
        ("byte-list", each(s, |b| b.to_string(), "\n")),
        ("homoglyph", s.replace('x', "\u{445}").replace('e', "\u{435}").replace('p', "\u{440}")),
        ("homoglyph", s.chars().filter_map(|c| char::from_u32(0xfee0 + u32::from(c))).collect()),
        ("base85", base85(s.as_bytes(), &(b'!'..=b'u').collect::<Vec<_>>())),
        ("base85", base85(s.as_bytes(), RFC1924)),
        ("base85", base85(format!("x{s}yz").as_bytes(), Z85)),
        ("bits", each(s, |b| format!("{b:08b}"), "")),
        ("bits", each(s, |b| format!("{:08b}", b.reverse_bits()), " ")),
        ("bits", each(&each(s, |b| format!("{b:08b}"), ""), |b| (b == b'1').to_string(), ",")),
        ("bits", each(&each(s, |b| format!("{b:08b}"), ""), |b| (b == b'1').to_string(), "")),
        (
            "word-list",
            s.as_bytes().chunks(2).map(|c| u16::from_be_bytes([c[0], c[1]]).to_string()).collect::<Vec<_>>().join(","),
        ),
        (
            "word-list",
            s.as_bytes().chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]]).to_string()).collect::<Vec<_>>().join(" "),
        ),
        (
            "word-list",
            s.as_bytes()
                .chunks(4)
                .map(|c| i32::from_le_bytes([c[0], c[1], c[2], c[3]]).to_string())
                .collect::<Vec<_>>()
                .join(", "),
        ),
        (
            "word-list",
            s.as_bytes()
                .chunks(4)
                .map(|c| format!("{:#010x}", u32::from_le_bytes([c[0], c[1], c[2], c[3]])))
                .collect::<Vec<_>>()
                .join(", "),
        ),
    ]
}

#[test]
fn every_encoding_is_undone_inside_other_text_and_leads_back_to_its_bytes() {
    for (name, encoded) in encodings() {
        for (before, after) in [("", ""), ("The result: ", " and that is all."), ("{\"b64=\":\"", "\"}"), ("zq", ";")] {
            let text = format!("{before}{encoded}{after}");
            let Some((chain, ranges)) = seen(text.as_bytes(), SECRET.as_bytes()) else {
                panic!("{name} not found: {text:?}");
            };
            assert_eq!(chain, [name], "{text:?}");
            let (from, to) = (ranges[0].0, ranges[ranges.len() - 1].1);
            let inside = before.len()..=before.len() + encoded.len();
            // A byte on the border may be made of parts of bytes; what stands between belongs to the byte before it.
            assert!(from + 3 >= *inside.start() && to <= inside.end() + 12, "{name} {ranges:?} {text:?}");
            assert!(to - from + 16 >= encoded.len(), "{name} {ranges:?} {text:?}");
        }
    }
}

#[test]
fn an_encoding_with_one_character_changed_does_not_hold_the_secret() {
    for (name, encoded) in encodings() {
        let at = encoded.len() / 2;
        let changed: String = encoded
            .char_indices()
            .map(|(place, c)| if place >= at && place < at + 8 && c.is_ascii_alphanumeric() { 'C' } else { c })
            .collect();
        if changed != encoded && !name.starts_with("unicode") && !name.starts_with("zero") {
            assert_eq!(seen(changed.as_bytes(), SECRET.as_bytes()), None, "{name} {changed:?}");
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let body = miniz_oxide::deflate::compress_to_vec(bytes, 6);
    [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], b"name\0", &body, &[0; 8]].concat()
}

#[test]
fn what_is_compressed_is_seen_also_where_it_is_cut_off() {
    let text = format!("{}{SECRET}{}", "some text before it, ".repeat(9), "and some after it".repeat(9));
    let body = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 6);
    let zlib = miniz_oxide::deflate::compress_to_vec_zlib(text.as_bytes(), 6);
    assert_eq!(seen(&body, SECRET.as_bytes()).unwrap().0, ["deflate"]);
    for (name, made) in [("gzip", gzip(text.as_bytes())), ("zlib", zlib)] {
        let inside = [b"before ", made.as_slice(), b" after"].concat();
        let (chain, ranges) = seen(&inside, SECRET.as_bytes()).unwrap();
        assert_eq!(chain, [name]);
        assert_eq!(ranges[0].0, 7);
        assert_eq!(seen(&made[..made.len() - 12], SECRET.as_bytes()).unwrap().0, [name]);
    }
}

#[test]
fn encodings_of_encodings_are_undone_to_the_third() {
    let secret = SECRET.as_bytes();
    let twice = base64(base64(secret, STANDARD, true).as_bytes(), STANDARD, true);
    assert_eq!(seen(twice.as_bytes(), secret).unwrap().0, ["base64", "base64"]);
    let zipped = format!("data={}", base64(&gzip(format!("{SECRET} {SECRET}").as_bytes()), URL, false));
    assert_eq!(seen(zipped.as_bytes(), secret).unwrap().0, ["gzip", "base64"]);
    let bare = miniz_oxide::deflate::compress_to_vec(SECRET.repeat(3).as_bytes(), 6);
    assert_eq!(seen(base64(&bare, STANDARD, true).as_bytes(), secret).unwrap().0, ["deflate", "base64"]);
    let back: String = base64(secret, STANDARD, true).chars().rev().collect();
    assert_eq!(seen(back.as_bytes(), secret).unwrap().0, ["base64", "reverse"]);
    let three =
        each(&base64(SECRET.chars().rev().collect::<String>().as_bytes(), URL, false), |b| format!("{b:02x}"), ":");
    assert_eq!(seen(three.as_bytes(), secret).unwrap().0, ["reverse", "base64", "hex"]);
    let four = each(&three, |b| format!("%{b:02x}"), "");
    assert_eq!(seen(four.as_bytes(), secret), None);
}

#[test]
fn numbers_of_eight_bytes_are_seen_in_both_orders_and_one_after_the_other() {
    let words: Vec<[u8; 8]> = SECRET.as_bytes()[..16].chunks(8).map(|c| c.try_into().unwrap()).collect();
    for (first, second) in [
        (u64::from_be_bytes(words[0]), u64::from_be_bytes(words[1])),
        (u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])),
    ] {
        let text = format!("{{\"a\":{first},\"b\":{second}}}");
        let (chain, ranges) = seen(text.as_bytes(), &SECRET.as_bytes()[..16]).unwrap();
        assert_eq!((chain, ranges.len()), (vec!["integer"], 2));
        // As leaves of a result, with nothing between.
        let joined = format!("{first}{second}");
        let breaks = vec![0, first.to_string().len()];
        let views = Views::new(vec![Cow::Borrowed(joined.as_bytes())], &[breaks], Way::Out, 1, 1 << 20, usize::MAX);
        assert!(views.texts.iter().any(|t| memchr::memmem::find(&t.bytes, &SECRET.as_bytes()[..16]).is_some()));
    }
}

#[test]
fn a_bomb_fills_its_room_and_is_said() {
    let bomb = gzip(&vec![b'a'; 50 << 20]);
    let views = views(&bomb);
    assert!(views.cut > 0);
    let total: usize = views.texts.iter().skip(1).map(|t| t.bytes.len()).sum();
    assert!(total <= 1 << 20, "{total}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Whatever the guest writes: no panic, within the room, and every range lies inside the text.
    #[test]
    fn views_of_hostile_text_stay_in_bounds(
        parts in proptest::collection::vec(
            prop_oneof![
                "[A-Za-z0-9+/=]{0,40}", "[0-9a-f:]{0,40}", "(\\\\u[0-9a-f]{0,4}|\\\\x|%|&#?x?[0-9]*;){0,9}", "[0-9, -]{0,40}",
                "\\PC{0,9}", "[a\\-\u{200b}\u{e0041}]{0,20}", Just("\u{1f}".to_owned()), Just("\0a\0b\0c\0d\0e\0f\0g\0h\0i".to_owned()),
            ], 0..9),
        binary in proptest::collection::vec(any::<u8>(), 0..60),
        room in 0_usize..20_000,
    ) {
        let text = [parts.concat().as_bytes(), b"\x1f\x8b\x08", &binary, b"x\x9c", &binary].concat();
        let views = Views::new(vec![Cow::Borrowed(&text)], &[vec![0, text.len() / 2]], Way::Out, 3, room, usize::MAX);
        let total: usize = views.texts.iter().skip(1).map(|t| t.bytes.len()).sum();
        prop_assert!(total <= room);
        for (number, view) in views.texts.iter().enumerate() {
            let length = view.bytes.len();
            for (from, to) in [(0, length), (length / 3, length / 2), (length - 1, length)] {
                for (a, b) in views.under(number, from, to) {
                    prop_assert!(a < b && b <= text.len(), "{:?} {a}..{b}", views.chain(number));
                }
            }
        }
    }
}

fn undone(kind: Kind, text: &[u8], breaks: &[usize]) -> usize {
    let of = Views::new(vec![Cow::Borrowed(text)], &[vec![]], Way::Out, 0, 0, usize::MAX);
    let mut builder = Builder::new(1 << 20);
    kind.undo(&of.texts[0], breaks, &mut None, &mut builder);
    builder.text().len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// What one pass says cannot be there is not there, whichever way the text is turned.
    #[test]
    fn marks_leave_out_only_what_cannot_be(
        parts in proptest::collection::vec(
            prop_oneof![
                "[A-Za-z0-9+/]{6,16}", "[a-f0-9]{1,4}[: .]?[a-f0-9]{4,20}", "([0-9a-f]{2}(, 0x|:|\\\\x|\\\\n)){1,9}",
                "(%[0-9a-f]{2}|&#3[0-9];|\\\\n){0,4}", "([0-9]{1,3}[, -]){1,9}", "[0-9]{8,11}", "([a-z0-9][^a-z0-9]{1,3}){1,9}",
                "[A-Z2-7]{3,8}(\r?\n|\n  |\\\\n)[a-z2-7]{3,8}", "[a-z ]{0,12}", "([n-s][0-9]:){8,9}", "a\u{200b}|\u{e0041}|\u{ad}", "([a-z]-){4,9}", "(\0[a-z]){5,9}",
            ], 0..4),
        noise in proptest::collection::vec(any::<u8>(), 0..30), part in 0_usize..40,
    ) {
        let text = [parts.concat().as_bytes(), &noise].concat();
        let breaks = if part % 2 == 0 { vec![0, part.min(text.len())] } else { vec![0] };
        let marks = Marks::of(&text, breaks.len() > 1);
        for kind in OUTWARD.into_iter().chain(INWARD).filter(|kind| !kind.may_be(marks) && *kind != Kind::Rot13) {
            let made = undone(kind, &text, &breaks);
            prop_assert!(made < crate::index::SHORTEST, "{kind:?} made {made} of {:?}", String::from_utf8_lossy(&text));
        }
        if marks.turned(&text) || inflate::begins_turned(&text) {
            return Ok(());
        }
        let rotated: Vec<u8> = text.iter().copied().map(order::turned).collect();
        let reversed = |text: &[u8]| -> Vec<u8> { text.iter().rev().copied().collect() };
        for turned in [reversed(&text), reversed(&rotated), rotated] {
            // Others are the same before and after, or read only in what somebody wrote.
            let written =
                [Kind::Homoglyphs, Kind::Words, Kind::Bits, Kind::Base85, Kind::Marked, Kind::Rotations];
            let structural = |kind: &Kind| !kind.copies() && *kind != Kind::Singles && !written.contains(kind);
            for kind in OUTWARD.into_iter().filter(structural) {
                let made = undone(kind, &turned, &[]);
                prop_assert!(made < crate::index::SHORTEST, "{kind:?} made {made} of {:?}", String::from_utf8_lossy(&turned));
            }
        }
    }

    /// Beginnings that are not tried hold nothing; what is compressed is always tried.
    #[test]
    fn what_is_not_inflated_could_not_be(bytes in proptest::collection::vec(any::<u8>(), 1..120)) {
        prop_assert!(inflate::may_begin(&bytes) || inflate::all_of(&bytes) < crate::index::SHORTEST);
        for text in [bytes.clone(), bytes.repeat(9), vec![bytes[0]; bytes.len()]] {
            for level in [0, 1, 6] {
                let packed = miniz_oxide::deflate::compress_to_vec(&text, level);
                prop_assert!(inflate::may_begin(&packed) || text.len() < crate::index::SHORTEST);
            }
        }
    }
}
