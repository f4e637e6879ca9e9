//! `imageinfo`: what is in a picture besides the picture, in JavaScript. The pictures are made here, byte by byte.

use super::{Shown, survives};
use serde_json::{Value, json};

fn be(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap().to_be_bytes()
}

/// Fields of EXIF, in one of the two byte orders.
struct Exif {
    big: bool,
}

type Entry = (u16, u16, u32, Vec<u8>);

impl Exif {
    fn u16(&self, n: u16) -> [u8; 2] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    fn u32(&self, n: u32) -> [u8; 4] {
        if self.big { n.to_be_bytes() } else { n.to_le_bytes() }
    }

    fn text(tag: u16, text: &str) -> Entry {
        (tag, 2, u32::try_from(text.len() + 1).unwrap(), format!("{text}\0").into_bytes())
    }

    fn ratios(&self, tag: u16, ratios: &[(u32, u32)]) -> Entry {
        let bytes = ratios.iter().flat_map(|(a, b)| [self.u32(*a), self.u32(*b)].concat()).collect();
        (tag, 5, u32::try_from(ratios.len()).unwrap(), bytes)
    }

    fn list(&self, entries: &[Entry], at: usize) -> Vec<u8> {
        let mut list = self.u16(u16::try_from(entries.len()).unwrap()).to_vec();
        let (values, mut data) = (at + 2 + 12 * entries.len() + 4, Vec::<u8>::new());
        for (tag, kind, count, value) in entries {
            list.extend([self.u16(*tag).as_slice(), &self.u16(*kind), &self.u32(*count)].concat());
            if value.len() <= 4 {
                list.extend([value.as_slice(), &[0; 4][value.len()..]].concat());
            } else {
                list.extend(self.u32(u32::try_from(values + data.len()).unwrap()));
                data.extend(value);
            }
        }
        list.extend([0; 4]);
        list.extend(data);
        list
    }

    /// A camera that says where it was, whose it is, and which one it is.
    fn block(&self) -> Vec<u8> {
        let main = |exif: usize, gps: usize| {
            let pointer = |tag, at: usize| (tag, 4, 1, self.u32(u32::try_from(at).unwrap()).to_vec());
            let make = Exif::text(0x10f, "Acme");
            let turned = (0x112, 3, 1, self.u16(6).to_vec());
            vec![make, turned, Exif::text(0x13b, "Ada Lovelace"), pointer(0x8769, exif), pointer(0x8825, gps)]
        };
        let exif = vec![self.ratios(0x829a, &[(1, 250)]), Exif::text(0xa431, "SN-12345")];
        let gps = vec![
            Exif::text(1, "S"),
            self.ratios(2, &[(46, 1), (57, 1), (36, 1)]),
            Exif::text(3, "E"),
            self.ratios(4, &[(7, 1), (30, 1), (0, 1)]),
        ];
        let first = 8 + self.list(&main(0, 0), 8).len();
        let second = first + self.list(&exif, first).len();
        let head = [if self.big { b"MM" } else { b"II" }.as_slice(), &self.u16(42), &self.u32(8)].concat();
        [head, self.list(&main(first, second), 8), self.list(&exif, first), self.list(&gps, second)].concat()
    }
}

fn chunk(kind: &str, body: &[u8]) -> Vec<u8> {
    [&be(body.len()), kind.as_bytes(), body, &[0; 4]].concat()
}

/// zlib's format, with one block that is not compressed.
fn stored(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    [&[0x78, 1, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), text.as_bytes(), &[0; 4]].concat()
}

fn png() -> Vec<u8> {
    let ihdr = [&be(300)[..], &be(200), &[8, 6, 0, 0, 0]].concat();
    // "lighthouse, lighthouse, lighthouse", as zlib writes it with the codes that need no table.
    let prompt =
        b"prompt\0\0\x78\x01\xcb\xc9\x4c\xcf\x28\xc9\xc8\x2f\x2d\x4e\xd5\x51\xc8\xc1\xca\x06\x00\xe8\x5f\x0d\x4d";
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk("IHDR", &ihdr),
        chunk("tEXt", b"Comment\0a red square"),
        chunk("zTXt", prompt),
        chunk("iTXt", &[b"Title\0\x01\0de\0Titel\0".as_slice(), &stored("Der Hafen von Zürich")].concat()),
        chunk("eXIf", &Exif { big: true }.block()),
        chunk("IDAT", &[0; 50]),
        chunk("IEND", b""),
    ]
    .concat()
}

fn jpeg() -> Vec<u8> {
    let segment = |kind: u8, body: &[u8]| {
        [&[0xff, kind], &u16::try_from(body.len() + 2).unwrap().to_be_bytes()[..], body].concat()
    };
    let exif = [b"Exif\0\0".to_vec(), Exif { big: false }.block()].concat();
    [
        b"\xff\xd8".to_vec(),
        segment(0xe1, &exif),
        segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"),
        segment(0xfe, b"hello"),
        segment(0xc0, b"\x08\x01\xe0\x02\x80\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"),
        segment(0xda, b""),
        b"\xff\xd9".to_vec(),
    ]
    .concat()
}

fn gif() -> Vec<u8> {
    let picture = b"\x21\xf9\x04\x01\0\0\0\0\x2c\0\0\0\0\x0a\0\x05\0\0\x02\x02\x44\x01\0".as_slice();
    [b"GIF89a\x0a\0\x05\0\xf0\0\0\0\0\0\0\0\0\x21\xfe\x05hello\0".as_slice(), picture, picture, picture, b"\x3b"]
        .concat()
}

fn webp() -> Vec<u8> {
    let chunk = |kind: &[u8], body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        [kind, &length[..], body, &[0; 1][..body.len() % 2]].concat()
    };
    let extended = chunk(b"VP8X", &[0x10, 0, 0, 0, 99, 0, 0, 49, 0, 0]);
    let body = [b"WEBP".to_vec(), extended, chunk(b"EXIF", &Exif { big: false }.block())].concat();
    [b"RIFF".as_slice(), &u32::try_from(body.len()).unwrap().to_le_bytes(), &body].concat()
}

fn shown() -> Option<Shown> {
    let shown = Shown::of("imageinfo")?;
    for (name, bytes) in [("a.png", png()), ("a.jpg", jpeg()), ("a.gif", gif()), ("a.webp", webp())] {
        shown.world.write(&format!("pictures/{name}"), bytes);
    }
    Some(shown)
}

#[test]
fn imageinfo_tells_what_is_in_a_picture_and_keeps_what_is_personal() {
    let Some(shown) = shown() else { return };
    let told = |name: &str, personal: bool| {
        shown.answer("describe", &json!({"path": format!("/pictures/{name}"), "personal": personal}))
    };
    for (name, format, width, height, frames, transparent) in [
        ("a.png", "png", 300, 200, 1, true),
        ("a.jpg", "jpeg", 640, 480, 1, false),
        ("a.gif", "gif", 10, 5, 3, true),
        ("a.webp", "webp", 100, 50, 1, true),
    ] {
        let image = told(name, false);
        let all = json!([
            image["format"],
            image["width"],
            image["height"],
            image["frames"],
            image["transparent"],
            image["damaged"]
        ]);
        assert_eq!(all, json!([format, width, height, frames, transparent, []]), "{name}");
        assert_eq!(image["bytes"], json!(shown.world.read(&format!("pictures/{name}")).len()), "{name}");
        if format == "gif" {
            assert_eq!(image["texts"], json!([{"name": "Comment", "value": "hello"}]));
            continue;
        }
        // Where it was taken and by whom is there, and not told.
        assert_eq!((&image["personal"], &image["orientation"]), (&Value::Null, &json!(6)), "{name}");
        let withheld = image["withheld"].as_array().unwrap();
        for wanted in ["location", "Artist", "BodySerialNumber"] {
            assert!(withheld.contains(&json!(wanted)), "{name}: {image}");
        }
        for secret in ["Lovelace", "SN-12345", "46.9"] {
            assert!(!image.to_string().contains(secret), "{name}: {image}");
        }
        assert_eq!(image["exif"][0], json!({"name": "Make", "value": "Acme"}), "{name}");
        assert!(
            image["exif"].as_array().unwrap().contains(&json!({"name": "ExposureTime", "value": "0.004"})),
            "{name}"
        );
        // The twin: the same call, asked for it.
        let image = told(name, true);
        assert_eq!(
            (&image["personal"]["location"], &image["withheld"]),
            (&json!({"latitude": -46.96, "longitude": 7.5, "altitude": null}), &json!([])),
            "{name}"
        );
        assert!(
            image.to_string().contains("Ada Lovelace") && image.to_string().contains("SN-12345"),
            "{name}: {image}"
        );
    }
    let texts = told("a.png", false)["texts"].clone();
    let text = |name, value| json!({"name": name, "value": value});
    assert_eq!(
        texts,
        json!([
            text("Comment", "a red square"),
            text("prompt", "lighthouse, lighthouse, lighthouse"),
            text("Title", "Der Hafen von Zürich")
        ])
    );

    shown.refuses("describe", &json!({"path": "/etc/passwd"}), &["fs.read no-grant /etc/passwd"]);
    let call = json!({"path": "/pictures/a.gif"});
    let answer = shown.answer("describe", &call);
    shown
        .is_served(&["describe"], ("describe", &call, &answer), ("describe", &json!({"path": "/etc/passwd"})))
        .finish();
}

#[test]
fn imageinfo_gives_hostile_files_a_typed_error() {
    let Some(shown) = shown() else { return };
    let mut server = shown.serve();
    let mut number = 0;
    let mut file = |what: String, bytes: &[u8]| {
        number += 1;
        shown.world.write(&format!("pictures/{number}"), bytes);
        (what, json!({"path": format!("/pictures/{number}"), "personal": true}))
    };
    let cases = ["no-image", "damaged", "too-large"];
    // No picture at all.
    let none = [
        ("nothing", Vec::new()),
        ("a text", b"import os".to_vec()),
        ("garbage", (0..=255).cycle().take(5000).collect()),
    ];
    let calls: Vec<_> = none.into_iter().map(|(what, bytes)| file(what.to_owned(), &bytes)).collect();
    assert_eq!(survives(&mut server, "describe", calls.into_iter(), &["no-image"]), 3);
    for (name, whole, step) in [("png", png(), 13), ("jpeg", jpeg(), 11), ("gif", gif(), 3), ("webp", webp(), 11)] {
        // Cut short anywhere, it is told as that.
        let ends: Vec<usize> = (0..whole.len() - 2).step_by(step).collect();
        let calls: Vec<_> = ends.iter().map(|end| file(format!("{name} cut after {end}"), &whole[..*end])).collect();
        let failed = survives(&mut server, "describe", calls.into_iter(), &cases);
        assert_eq!(failed, ends.len(), "{name}");
        // With a byte turned around anywhere, it is an answer or an error.
        let calls: Vec<_> = (0..whole.len())
            .step_by(step)
            .map(|at| {
                let mut bytes = whole.clone();
                bytes[at] ^= 0xff;
                file(format!("{name} turned at {at}"), &bytes)
            })
            .collect();
        survives(&mut server, "describe", calls.into_iter(), &cases);
    }
    // Lists inside of themselves, counts and sizes beyond the file, many parts.
    let mut inside_itself = Exif { big: true }.block();
    let at = inside_itself.windows(2).position(|tag| tag == [0x87, 0x69]).unwrap();
    inside_itself[at + 8..at + 12].copy_from_slice(&be(8));
    let ihdr = chunk("IHDR", &[&be(1)[..], &be(1), &[8, 2, 0, 0, 0]].concat());
    let with = |parts: &[u8]| [b"\x89PNG\r\n\x1a\n", ihdr.as_slice(), parts, &chunk("IEND", b"")].concat();
    let image =
        server.result("describe", file(String::new(), &with(&chunk("eXIf", &inside_itself))).1)["structuredContent"]
            .clone();
    assert_eq!(image["damaged"], json!(["EXIF: a list that is inside of itself"]));
    let many = with(&chunk("tEXt", b"a\0b").repeat(1000));
    let image = server.result("describe", file(String::new(), &many).1)["structuredContent"].clone();
    assert_eq!((image["texts"].as_array().unwrap().len(), &image["damaged"]), (200, &json!(["more texts"])));
    server.finish();
    let mut server = shown.serve();
    let calls = vec![
        file("a chunk of 4 GiB".to_owned(), &with(b"\xff\xff\xff\xfftEXt")),
        file("more parts than are looked at".to_owned(), &with(&chunk("none", b"").repeat(100_001))),
    ];
    assert_eq!(survives(&mut server, "describe", calls.into_iter(), &cases), 2);
    server.finish();
}
