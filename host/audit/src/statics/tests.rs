use super::*;
use crate::decoys::Decoys;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = u8::try_from(number & 0x7f).expect("seven bits");
        number >>= 7;
        if number == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [vec![id], leb(content.len()), content.to_vec()].concat()
}

fn named(name: &str, content: &[u8]) -> Vec<u8> {
    section(0, &[leb(name.len()), name.as_bytes().to_vec(), content.to_vec()].concat())
}

/// A module with one page of memory and these bytes in it.
fn module(data: &[u8]) -> Vec<u8> {
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    wasm.extend(section(5, &[1, 0, 1]));
    wasm.extend(section(11, &[vec![1, 0, 0x41, 0, 0x0b], leb(data.len()), data.to_vec()].concat()));
    wasm
}

fn with_custom(name: &str, content: &[u8]) -> Vec<u8> {
    [module(b"nothing"), named(name, content)].concat()
}

fn told(statics: &Statics) -> Vec<String> {
    statics
        .indications
        .iter()
        .filter(|indication| indication.severity > Severity::Info)
        .map(|i| format!("{} {} {} [{}]", i.kind.as_str(), i.severity, i.what, i.decoding.join(" ")))
        .collect()
}

fn only(data: &[u8]) -> String {
    let statics = look(&module(data));
    assert!(statics.complete);
    let told = told(&statics);
    assert_eq!(told.len(), 1, "{told:?}");
    told.into_iter().next().expect("one")
}

fn quiet(data: &[u8]) {
    assert!(told(&look(&module(data))).is_empty(), "{:?}", told(&look(&module(data))));
}

#[test]
fn statics_plain_paths_and_hosts_are_told_and_their_honest_twins_are_not() {
    assert!(only(b"open /etc/passwd now").starts_with("path medium /etc/passwd"));
    assert!(only(b"https://abc.webhook.site/x").starts_with("url high https://abc.webhook.site/x"));
    assert!(only(b"http://203.0.114.9/x").starts_with("url medium"));
    assert!(only(b"http://169.254.169.254/latest").starts_with("url high"));
    assert!(only(b"postgres://app:hunter2hunter2@db.acme.dev/app").starts_with("secret medium password"));
    assert!(only(b"curl https://get.acme.dev").contains("command medium curl http"));
    assert!(only(b"cat install | bash").contains("command medium | bash"));
    for honest in [
        &b"open /etc/hosts now"[..],
        b"see https://docs.python.org/3/howto and http://www.w3.org/2000/xmlns/",
        b"https://api.acme.dev/v1/forecast",
        b"http://127.0.0.1:8080/health",
        b"postgres://postgres:postgres@localhost:5432/app",
        b"curly braces, bashful, a shadow, passwordless",
        b"/usr/share/zoneinfo /dev/null /tmp",
    ] {
        quiet(honest);
    }
    // An address of nobody in particular is listed all the same.
    let statics = look(&module(b"https://api.acme.dev/v1/forecast"));
    assert_eq!(statics.indications.len(), 1);
    assert_eq!(statics.indications[0].severity, Severity::Info);
}

#[test]
fn statics_what_is_hidden_is_read_and_worse_than_in_the_open() {
    let path = b"read /etc/passwd please";
    let url = "https://collect.acme-metrics.net/v1/up";
    let hex: String = url.bytes().map(|byte| format!("{byte:02x}")).collect();
    let escaped: String = url.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    let rot13: String = String::from_utf8(super::encodings::rot13(url.as_bytes())).expect("ASCII");
    let xored: Vec<u8> = url.bytes().map(|byte| byte ^ 0x5a).collect();
    let added: Vec<u8> = url.bytes().map(|byte| byte.wrapping_add(7)).collect();
    let reversed: String = url.chars().rev().collect();
    let wide: Vec<u8> = path.iter().flat_map(|byte| [*byte, 0]).collect();
    for (data, expected) in [
        (format!("x=\"{}\"", STANDARD.encode(url)).into_bytes(), "[base64]"),
        (format!("x=\"{}\"", URL_SAFE_NO_PAD.encode(url)).into_bytes(), "[base64]"),
        (format!("prefix{}", STANDARD.encode(url)).into_bytes(), "[base64]"),
        (format!("x=\"{}\"", STANDARD.encode(STANDARD.encode(url))).into_bytes(), "[base64 base64]"),
        (format!("x=\"{hex}\"").into_bytes(), "[hex]"),
        (format!("x=\"{escaped}\"").into_bytes(), "[hex]"),
        (rot13.into_bytes(), "[rot13]"),
        ([b"\x01\x02\x80".to_vec(), xored, b"\x00\x99".to_vec()].concat(), "[xor 0x5a]"),
        ([b"\x01\x02\x80".to_vec(), added, b"\x00\x99".to_vec()].concat(), "[shifted by 7]"),
        (format!(" {reversed} ").into_bytes(), "[reversed]"),
    ] {
        let told = only(&data);
        assert!(told.starts_with("url medium") && told.contains("collect.acme-metrics.net"), "{told}");
        assert!(told.ends_with(expected), "{told} is not {expected}");
    }
    assert!(only(STANDARD.encode(path).as_bytes()).starts_with("path high /etc/passwd [base64]"));
    // JavaScript keeps its texts in this form, and hides nothing by it.
    assert!(only(&wide).starts_with("path medium /etc/passwd [utf-16]"));
}

#[test]
fn statics_every_key_of_one_byte_is_found_in_one_look() {
    for key in 1..=255_u8 {
        let hidden: Vec<u8> = b"/etc/shadow".iter().map(|byte| byte ^ key).collect();
        let data = [vec![key], hidden, vec![0, 1]].concat();
        let told = told(&look(&module(&data)));
        assert!(told.iter().any(|t| t.starts_with("path high") && t.contains("/etc/shadow")), "{key:#x}: {told:?}");
    }
}

#[test]
fn statics_texts_that_a_compiler_stored_as_numbers_are_put_together() {
    // (func (param i32)): the path in two stores that overlap, each byte turned by a key, as in a guest of ours.
    let hidden: Vec<u8> = b"/etc/passwd".iter().map(|byte| byte ^ 0x5a).collect();
    let sleb = |bytes: &[u8]| {
        let mut value = i64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let mut out = Vec::new();
        loop {
            let byte = u8::try_from(value & 0x7f).expect("seven bits");
            value >>= 7;
            let done = (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0);
            out.push(if done { byte } else { byte | 0x80 });
            if done {
                return out;
            }
        }
    };
    let mut body = vec![0];
    for (offset, bytes) in [(3_u8, &hidden[3..11]), (0, &hidden[..8])] {
        body.extend([0x20, 0x00, 0x42]);
        body.extend(sleb(bytes));
        body.extend([0x37, 0x03, offset]);
    }
    body.push(0x0b);
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    wasm.extend(section(1, &[1, 0x60, 1, 0x7f, 0]));
    wasm.extend(section(3, &[1, 0]));
    wasm.extend(section(5, &[1, 0, 1]));
    wasm.extend(section(10, &[vec![1], leb(body.len()), body].concat()));
    let statics = look(&wasm);
    assert_eq!(told(&statics), ["path high /etc/passwd [xor 0x5a]"]);
    assert_eq!(statics.indications[0].place, "code");
}

#[test]
fn statics_hidden_characters_are_told_in_docs_and_names() {
    let tags: String = "leak it all".chars().filter_map(|c| char::from_u32(0xe0000 + u32::from(c))).collect();
    let statics = look(&with_custom("package-docs", format!("{{\"docs\":\"Reads a note.{tags}\"}}").as_bytes()));
    assert_eq!(told(&statics), ["hidden-text high \"leak it all\" []"]);
    assert_eq!(statics.indications[0].place, "docs");
    assert!(told(&look(&with_custom("package-docs", "{\"docs\":\"Reads a caf\u{e9} note.\"}".as_bytes()))).is_empty());
}

#[test]
fn statics_secrets_are_told_masked_and_never_whole() {
    let mut state = 5_u64;
    let decoys = Decoys::make(&mut |bytes: &mut [u8]| {
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = u8::try_from(state >> 56).expect("a byte");
        }
    });
    let token = &decoys.variables.iter().find(|v| v.name == "STRIPE_SECRET_KEY").expect("one").value;
    let plain = only(format!("key={token};").as_bytes());
    assert_eq!(plain, "secret high Stripe key sk_l..(107 characters) []");
    let hidden = told(&look(&module(STANDARD.encode(format!("key={token};")).as_bytes())));
    assert!(hidden[0].starts_with("secret high Stripe key") && hidden[0].ends_with("[base64]"), "{hidden:?}");
    let all = format!("{:?}", look(&module(token.as_bytes())));
    assert!(!all.contains(&token[..24]));
}

#[test]
fn statics_facts_are_those_of_the_module() {
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    wasm.extend(section(1, &[1, 0x60, 0, 0]));
    let import = |module: &str, name: &str| {
        [leb(module.len()), module.as_bytes().to_vec(), leb(name.len()), name.as_bytes().to_vec(), vec![0, 0]].concat()
    };
    let imports = [
        vec![3],
        import("wasi_snapshot_preview1", "path_open"),
        import("wasi_snapshot_preview1", "fd_read"),
        import("env", "system"),
    ];
    wasm.extend(section(2, &imports.concat()));
    wasm.extend(section(3, &[1, 0]));
    wasm.extend(section(5, &[1, 3, 1, 2]));
    let body = [0_u8, 0x41, 0, 0xc0, 0x1a, 0x0b];
    wasm.extend(section(10, &[vec![1], leb(body.len()), body.to_vec()].concat()));
    wasm.extend(named(
        "producers",
        &[1, 12]
            .into_iter()
            .chain(*b"processed-by")
            .chain([1, 5])
            .chain(*b"rustc")
            .chain([6])
            .chain(*b"1.40.0")
            .collect::<Vec<_>>(),
    ));
    let statics = look(&wasm);
    assert!(statics.complete);
    assert_eq!(statics.features, ["sign-extension", "threads"]);
    assert_eq!(statics.memories, [Memory { minimum: 1, maximum: Some(2), shared: true, wide: false }]);
    assert_eq!(
        statics.producers,
        [Producer { role: "processed-by".to_owned(), name: "rustc".to_owned(), version: "1.40.0".to_owned() }]
    );
    let interfaces: Vec<&str> = statics.imports.iter().map(|import| import.interface.as_str()).collect();
    assert_eq!(interfaces, ["env", "wasi_snapshot_preview1"]);
    assert_eq!(statics.imports[1].functions, ["fd_read", "path_open"]);
    assert!(told(&statics).iter().any(|t| t.starts_with("import medium env")), "{:?}", told(&statics));
    assert!(told(&statics).iter().any(|t| t.starts_with("advisory medium CVE-2022-21658")), "{:?}", told(&statics));
}

#[test]
fn statics_of_a_hostile_list_are_bounded_and_say_so() {
    let many: String = (0..5_000).map(|n| format!("https://h{n}.webhook.site/ ")).collect();
    let statics = look(&module(many.as_bytes()));
    assert_eq!(statics.indications.len(), 256);
    assert!(statics.suppressed >= 4_000 && !statics.complete, "{}", statics.suppressed);
    // Megabytes of beginnings of secrets, and of anchors under a key: looked at for a while, and it is said that not all was.
    for piece in ["eyJ", "-----BEGIN PRIVATE KEY-----", "/etc/passwd", "\u{e0041}"] {
        let before = std::time::Instant::now();
        let statics = look(&module(piece.repeat((8 << 20) / piece.len()).as_bytes()));
        assert!(before.elapsed().as_secs() < 20, "{piece}");
        assert!(!statics.complete || piece == "\u{e0041}", "{piece}");
    }
    let keyed: Vec<u8> = b"https://".iter().map(|byte| byte ^ 0x33).collect();
    assert!(!look(&module(&keyed.repeat(1 << 20))).complete);
    for junk in [&b""[..], b"\0asm", b"not wasm at all", b"\0asm\x01\0\0\0\x0b\xff\xff\xff\xff\x0f"] {
        let statics = look(junk);
        assert!(statics.indications.is_empty());
    }
}

proptest::proptest! {
    #[test]
    fn statics_of_any_bytes_must_not_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        for statics in [look(&bytes), look(&module(&bytes)), look(&with_custom("package-docs", &bytes))] {
            proptest::prop_assert!(statics.suppressed == 0 || !statics.complete);
        }
    }

    #[test]
    fn statics_of_random_data_say_nothing(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 4_000..9_000)) {
        let told = told(&look(&module(&bytes)));
        proptest::prop_assert!(told.is_empty(), "{told:?}");
    }
}
