//! `customs.toml`: what it says, and how it is refused.

use customs_policy::file::{MAX_BYTES, PolicyFile, parse};
use customs_policy::{Policy, RawGrants, RawLimits};

use crate::world::{BASE, World, layer};

/// Every key once.
pub const FULL: &str = r#"# a comment
[tool.weather]
component = "weather.wasm"
sha256 = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
expose = ["forecast"]
allow-read = ["./data::/data", "note.txt"]
allow-write = ["./other"]
allow-env = ["APP_*"]
env = ["MODE=fast,er"]
allow-net = ["https://api.example.com"]
allow-http = ["GET https://other.example.com/v1"]
allow-tcp = ["db.example.com:5432"]
allow-udp = ["ntp.example.com:123"]
allow-listen = ["localhost:0"]
resolve = ["intern.example.com=10.1.2.3"]
tls-roots = "/etc/ssl/cert"
secret = [{ name = "API_KEY", to = "https://api.example.com" }, "OTHER@https://api.example.com"]
deny-read = [
  "./data/private",
  "/data/x",
]
deny-write = ["./other/fixed"]
deny-env = ["APP_KEY"]
deny-net = ["10.0.0.0/8"]
dir = ["./a,b::/ab::ro"]
flow = [{ from = "secret", to = "return", do = "redact" }]
deny-clock = true
trace = true
deny-random = false
dangerously-allow = false
allow-all = false
timeout = "5s"
max-memory = "64MiB"
max-output = 1024
max-input = "1MB"
max-file-write = "0"
max-requests = 3
fuel = 1_000_000

[tool.empty]
"#;

fn refused(text: &str) -> String {
    parse(text.as_bytes(), "customs.toml").unwrap_err().to_string()
}

/// Reads and builds, as the program does.
fn build(text: &str) -> Result<Policy, String> {
    let file = parse(text.as_bytes(), "customs.toml").map_err(|error| error.to_string())?;
    Policy::build(&[file.layer("weather", BASE.into()).unwrap()], &World::new()).map_err(|error| error.to_string())
}

#[test]
fn file_every_key_is_read() {
    let file = parse(FULL.as_bytes(), "customs.toml").unwrap();
    let tool = &file.tools["weather"];
    for key in RawGrants::KEYS.iter().chain(RawLimits::KEYS) {
        assert!(FULL.contains(&format!("\n{key} = ")), "the sample lacks {key}");
        assert!(tool.lines.of(key, 0).is_some(), "{key}");
    }
    assert_eq!(tool.component.as_deref(), Some("weather.wasm"));
    assert_eq!(tool.sha256.unwrap()[..3], [0x00, 0x11, 0x22]);
    assert_eq!(tool.expose.as_deref(), Some(&["forecast".to_owned()][..]));
    assert_eq!(tool.raw.secret, ["API_KEY@https://api.example.com", "OTHER@https://api.example.com"]);
    assert_eq!((tool.line, tool.lines.of("deny-read", 1)), (2, Some(20)));
    let policy = build(FULL).unwrap();
    assert_eq!(policy.limits().fuel, Some(1_000_000));
    assert_eq!(policy.limits().max_file_write, 0);
    assert_eq!(policy.limits().max_output, 1024);
    assert_eq!((policy.traces(), build("[tool.weather]\ntrace = false").unwrap().traces()), (true, false));
    assert_eq!(policy.mounts().len(), 4);
    assert_eq!(policy.env().len(), 2);
    assert!(policy.mounts().iter().any(|mount| &*mount.rule == "--allow-write=./other (customs.toml:7)"));
}

#[test]
fn file_empty_is_valid_and_grants_nothing() {
    for text in ["", "\n# only a comment\n", "[tool]\n", "\u{feff}"] {
        assert!(parse(text.as_bytes(), "customs.toml").unwrap().tools.is_empty(), "{text:?}");
    }
    let policy = build("[tool.weather]").unwrap();
    assert!(policy.mounts().is_empty() && policy.env().is_empty() && policy.net().is_empty());
    assert!(parse(b"", "x").unwrap().layer("weather", BASE.into()).is_none());
}

#[test]
fn file_mistakes_are_refused_with_line_and_key() {
    for (text, expected) in [
        (
            "[tool.weather]\nalow-read = []",
            "customs.toml:2: tool.weather.alow-read: unknown key (did you mean allow-read?)",
        ),
        (
            "[tool.weather]\nallow_read = []",
            "customs.toml:2: tool.weather.allow_read: unknown key (did you mean allow-read?)",
        ),
        ("[tool.weather]\nwhatever = 1", "customs.toml:2: tool.weather.whatever: unknown key"),
        ("\n[tools.weather]\n", "customs.toml:2: tools: unknown key (did you mean tool?)"),
        ("allow-read = ['./data']", "customs.toml:1: allow-read: this key belongs into a [tool.NAME] table"),
        ("[something]", "customs.toml:1: something: unknown key"),
        ("tool = 1", "customs.toml:1: tool: expected a table per component: [tool.NAME], got a number"),
        ("[tool]\nweather = 1", "customs.toml:2: tool.weather: expected a table, got a number"),
        ("[[tool.weather]]", "customs.toml:1: tool.weather: expected a table, got a list"),
        ("[tool.weather.nested]", "customs.toml:1: tool.weather.nested: unknown key"),
        (
            "[tool.weather]\nallow-read = './data'",
            "customs.toml:2: tool.weather.allow-read: expected a list of texts: [\"...\"], got a text",
        ),
        (
            "[tool.weather]\nallow-read = [\n'./data',\n7]",
            "customs.toml:4: tool.weather.allow-read: expected a list of texts, got a number",
        ),
        ("[tool.weather]\nallow-read = ['']", "customs.toml:2: tool.weather.allow-read: the entry is empty"),
        (
            "[tool.weather]\ndeny-clock = 'yes'",
            "customs.toml:2: tool.weather.deny-clock: expected true or false, got a text",
        ),
        (
            "[tool.weather]\ntimeout = true",
            "customs.toml:2: tool.weather.timeout: expected a number or a text such as \"64MiB\", got true or false",
        ),
        (
            "[tool.weather]\nmax-memory = 1e30",
            "customs.toml:2: tool.weather.max-memory: expected a whole number or a text such as \"64MiB\", got a fraction",
        ),
        ("[tool.weather]\nfuel = 0x10", "customs.toml:2: tool.weather.fuel: write the number in decimal"),
        ("[tool.weather]\nsha256 = 'abc'", "customs.toml:2: tool.weather.sha256: expected 64 hexadecimal digits"),
        (
            "[tool.weather]\ntls-roots = ['ca.pem']",
            "customs.toml:2: tool.weather.tls-roots: expected a path, got a list",
        ),
        (
            "[tool.weather]\nresolve = 'a.test=10.0.0.1'",
            "customs.toml:2: tool.weather.resolve: expected a list of texts: [\"...\"], got a text",
        ),
        (
            "[tool.weather]\nallow-upd = []",
            "customs.toml:2: tool.weather.allow-upd: unknown key (did you mean allow-udp?)",
        ),
        (
            "[tool.weather]\ncomponent = ''",
            "customs.toml:2: tool.weather.component: expected a path, got an empty text",
        ),
        (
            "[tool.weather]\nsecret = [{ name = 'A' }]",
            "customs.toml:2: tool.weather.secret: a secret needs both name and to",
        ),
        (
            "[tool.weather]\nsecret = [{ nam = 'A', to = 'x' }]",
            "customs.toml:2: tool.weather.secret.nam: unknown key (did you mean name?)",
        ),
        (
            "[tool.weather]\nsecret = [{ name = 'A@b', to = 'x' }]",
            "customs.toml:2: tool.weather.secret: name and to are one name and one origin",
        ),
        ("[tool.weather]\ntrace = 1", "customs.toml:2: tool.weather.trace: expected true or false, got a number"),
        ("[tool.\"\"]", "customs.toml:1: tool.: the name of a tool is empty or has control characters"),
    ] {
        assert_eq!(refused(text), expected);
    }
}

#[test]
fn file_entries_that_cannot_be_used_are_refused_with_line_and_key() {
    for (text, expected) in [
        (
            "[tool.weather]\nallow-read = [\n'./data',\n'./missing']",
            "customs.toml:4: tool.weather.allow-read: ./missing: ./missing: no such file or directory",
        ),
        (
            "[tool.weather]\nallow-read = ['/']",
            "customs.toml:2: tool.weather.allow-read: /: this grants the whole file system; if that is meant, add --dangerously-allow",
        ),
        (
            "[tool.weather]\nallow-net = ['*.com']",
            "customs.toml:2: tool.weather.allow-net: *.com: *. needs a name of at least two labels after it",
        ),
        (
            "[tool.weather]\n\nmax-memory = '-1'",
            "customs.toml:3: tool.weather.max-memory=-1: a size is a whole number with a unit, such as 256MiB",
        ),
        (
            "[tool.weather]\nmax-memory = -1",
            "customs.toml:2: tool.weather.max-memory=-1: a size is a whole number with a unit, such as 256MiB",
        ),
        (
            "[tool.weather]\nresolve = [\n'a.test=10.0.0.1',\n'a.test']",
            "customs.toml:4: tool.weather.resolve: a.test: write NAME=ADDRESS",
        ),
        (
            "[tool.weather]\n\ntls-roots = 'missing.pem'",
            "customs.toml:3: tool.weather.tls-roots: missing.pem: missing.pem: no such file or directory",
        ),
        (
            "[tool.weather]\nallow-listen = ['api.test:80']",
            "customs.toml:2: tool.weather.allow-listen: api.test:80: write ADDRESS:PORT, with a local address or localhost",
        ),
        ("[tool.weather]\ntimeout = 5", "customs.toml:2: tool.weather.timeout=5: the unit of a time is ms, s, m or h"),
        ("[tool.weather]\nenv = ['TOKEN']", "customs.toml:2: tool.weather.env: …: write NAME=VALUE"),
        (
            "[tool.weather]\nenv = ['=hunter2']",
            "customs.toml:2: tool.weather.env: =…: the name of the variable is missing",
        ),
    ] {
        assert_eq!(build(text).unwrap_err(), expected);
    }
}

#[test]
fn file_broken_text_is_refused_with_its_line() {
    for (text, line) in [
        ("[tool.weather", 1),
        ("[tool.a]\nx = ", 2),
        ("[tool.a]\ntimeout = '1s'\ntimeout = '2s'", 3),
        ("[tool.a]\n[tool.a]", 2),
        ("\0", 1),
        ("\n\nx = \"abc", 3),
    ] {
        let refused = refused(text);
        assert!(
            refused.starts_with(&format!("customs.toml:{line}: ")) && !refused.contains('\n'),
            "{text:?}: {refused}"
        );
    }
    let error = parse(b"[tool.a]\nx = \"\xff\"", "customs.toml").unwrap_err();
    assert_eq!(error.to_string(), "customs.toml:2: the policy file is not UTF-8");
}

#[test]
fn file_too_large_or_too_deep_is_refused_before_parsing() {
    let mut large = b"[tool.weather]\n".to_vec();
    large.resize(MAX_BYTES, b'\n');
    assert!(parse(&large, "customs.toml").is_ok());
    large.push(b'\n');
    assert_eq!(
        parse(&large, "customs.toml").unwrap_err().to_string(),
        "customs.toml: the policy file is larger than 1 MiB"
    );
    for text in [
        format!("[tool.a]\nx = {}", "{a=".repeat(10_000)),
        format!("[tool.a]\nx = {}1{}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("{}a = 1", "a.".repeat(10_000)),
        format!("[{}a]", "a.".repeat(10_000)),
        format!("[[{}a]]", "a .".repeat(10_000)),
    ] {
        assert!(refused(&text).contains("nested too deeply"), "{}", refused(&text));
    }
}

#[test]
fn file_with_many_tools_is_read() {
    let text: String = (0..5_000).map(|number| format!("[tool.t{number}]\nallow-read = ['./data']\n")).collect();
    assert_eq!(parse(text.as_bytes(), "customs.toml").unwrap().tools.len(), 5_000);
}

#[test]
fn file_and_flags_come_together() {
    let file: PolicyFile = parse(b"[tool.weather]\nallow-read = ['./data']\ntimeout = '5s'", "customs.toml").unwrap();
    let layers = [file.layer("weather", BASE.into()).unwrap(), layer(&["--allow-env=APP_KEY", "--timeout=1s"])];
    let policy = Policy::build(&layers, &World::new()).unwrap();
    assert_eq!((policy.mounts().len(), policy.env().len()), (1, 1));
    assert_eq!(policy.limits().timeout, std::time::Duration::from_secs(1));
}
