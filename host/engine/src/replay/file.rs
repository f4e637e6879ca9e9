//! A recording as a file: lines of JSON, as docs/replay.md has it. The first says what was called and under which policy, then come the
//! ledger's lines, then what was noted; the last has the digest of everything before it.
//!
//! A recording is read as if somebody hostile wrote it: bounded, every shape checked, refused with one sentence. What is in it decides what a
//! guest is told on a replay, and nothing else: nothing of it is opened, looked up or run.

use super::{Grounds, Recording};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use customs_boundary::tape::{Answer, MAX_NOTES, Recorded};
use customs_ledger::hex;
use customs_policy::{FlowDefaults, Layer, PathKind, Policy, SeenHost};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub const SCHEMA: &str = "customs.recording/1";

/// The largest recording that is read. One call brings in 64 MiB unless a person raised that, a third more in base64.
pub const MAX_BYTES: u64 = 1 << 30;
/// Records and numbers of one call: the ledger's own bound for a call, and some.
const MAX_RECORDS: usize = 200_000;

/// Counts and hashes what passes.
struct Sum<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Sum<W> {
    fn line(&mut self, value: &Value) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.hash.update(&line);
        self.to.write_all(&line)
    }
}

/// Writes a recording. It must have the grounds of its policy.
pub fn write(recording: &Recording, to: impl Write) -> io::Result<()> {
    let mut out = Sum { to, hash: Sha256::new() };
    out.line(&head(recording)?)?;
    for line in &recording.lines {
        out.line(&json!({"ledger": line}))?;
    }
    for (name, tape) in [("list", recording.listed.as_ref()), ("call", Some(&recording.call))] {
        let Some(tape) = tape else { continue };
        out.line(&json!({"tape": name, "cut": tape.cut}))?;
        for key in &tape.keys {
            out.line(&json!({"key": key}))?;
        }
        for (key, answer) in &tape.notes {
            out.line(&json!({"note": [key, answer_json(answer)]}))?;
        }
        out.line(&json!({"records": tape.records}))?;
        out.line(&json!({"numbers": tape.numbers}))?;
    }
    let digest: [u8; 32] = out.hash.clone().finalize().into();
    out.line(&json!({"end": hex(&digest)}))?;
    out.to.flush()
}

fn path_json(path: &Path) -> Value {
    os_json(path.as_os_str().as_bytes())
}

/// Text as it is; bytes that are none in base64.
fn os_json(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({"b": STANDARD.encode(bytes)}),
    }
}

fn head(recording: &Recording) -> io::Result<Value> {
    let Some(grounds) = &recording.grounds else {
        return Err(io::Error::other("the recording does not know what its policy was built from"));
    };
    let said = |said: &Result<(PathBuf, PathKind), String>| match said {
        Ok((real, kind)) => json!([path_json(real), format!("{kind:?}")]),
        Err(why) => json!(why),
    };
    let host = &grounds.host;
    Ok(json!({
        "schema": SCHEMA,
        "component": {"path": recording.component, "sha256": hex(&recording.sha256)},
        "tool": recording.tool,
        "arguments": recording.arguments,
        "result": recording.result,
        "ending": {"kind": recording.ending, "limit": recording.limit},
        "key": hex(&recording.key),
        "placeholders": recording.placeholders,
        "identities": recording.identities,
        "policy": {
            "sha256": hex(&recording.policy.digest()),
            "layers": grounds.layers.iter().map(Layer::written).collect::<Vec<_>>(),
            "paths": host.canonical.iter().map(|(path, was)| json!([path_json(path), said(was)])).collect::<Vec<_>>(),
            "env": host.env.iter().map(|(n, v)| json!([os_json(n.as_bytes()), os_json(v.as_bytes())])).collect::<Vec<_>>(),
            "home": host.home.as_deref().map(path_json),
        },
    }))
}

fn answer_json(answer: &Answer) -> Value {
    match answer {
        Answer::Unit => Value::Null,
        Answer::Flag(flag) => json!(flag),
        Answer::Number(number) => json!(number),
        Answer::Text(text) => json!(text),
        Answer::Bytes(bytes) => json!({"b": STANDARD.encode(bytes)}),
        Answer::List(parts) => Value::Array(parts.iter().map(answer_json).collect()),
        Answer::Failed(code) => json!({"failed": code}),
        Answer::Never => json!({"never": true}),
    }
}

/// Not a recording, or not this one any more: one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

fn bad(what: &str) -> Unreadable {
    Unreadable(format!("is not a recording that can be read: {what}"))
}

fn os(value: &Value) -> Option<OsString> {
    match value {
        Value::String(text) => Some(OsString::from(text)),
        other => Some(OsString::from_vec(STANDARD.decode(other.get("b")?.as_str()?).ok()?)),
    }
}

fn bytes32(value: &Value) -> Option<[u8; 32]> {
    let text = value.as_str()?;
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let pair = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Vec<u8> = pairs.iter().map(pair).collect::<Option<_>>()?;
    if rest.is_empty() { bytes.try_into().ok() } else { None }
}

fn answer(value: &Value) -> Option<Answer> {
    Some(match value {
        Value::Null => Answer::Unit,
        Value::Bool(flag) => Answer::Flag(*flag),
        Value::Number(number) => Answer::Number(number.as_u64()?),
        Value::String(text) => Answer::Text(text.clone()),
        Value::Array(parts) => Answer::List(parts.iter().map(answer).collect::<Option<_>>()?),
        Value::Object(members) => match members.iter().next() {
            Some((key, Value::String(text))) if key == "b" => Answer::Bytes(Bytes::from(STANDARD.decode(text).ok()?)),
            Some((key, Value::String(code))) if key == "failed" => Answer::Failed(code.clone()),
            Some((key, Value::Bool(true))) if key == "never" => Answer::Never,
            _ => return None,
        },
    })
}

/// Reads a recording.
pub fn read(bytes: &[u8]) -> Result<Recording, Unreadable> {
    let body = bytes.strip_suffix(b"\n").ok_or_else(|| bad("its last line is cut"))?;
    let at = body.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (before, last) = body.split_at_checked(at).ok_or_else(|| bad("it has one line"))?;
    let end: Value = serde_json::from_slice(last).map_err(|_| bad("its last line is no end"))?;
    let digest = end.get("end").and_then(bytes32).ok_or_else(|| bad("its last line is no end"))?;
    if <[u8; 32]>::from(Sha256::digest(before)) != digest {
        return Err(Unreadable("was changed since it was written: its digest is another".to_owned()));
    }
    let mut lines = before.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let first: Value = lines
        .next()
        .and_then(|line| serde_json::from_slice(line).ok())
        .ok_or_else(|| bad("its first line is no JSON"))?;
    match first.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) if other.starts_with("customs.recording/") => {
            return Err(Unreadable(format!(
                "is a recording of another kind ({}), and this reads {SCHEMA}",
                other.chars().take(40).collect::<String>()
            )));
        }
        _ => return Err(bad("it does not say that it is one")),
    }
    let mut recording = from_head(&first).ok_or_else(|| bad("its first line lacks something"))??;
    let mut tape: Option<(bool, Recorded)> = None;
    let mut calls = None;
    for line in lines {
        let value: Value = serde_json::from_slice(line).map_err(|_| bad("a line is no JSON"))?;
        let Some((key, value)) = value.as_object().and_then(|members| members.iter().next()) else {
            return Err(bad("a line is no object"));
        };
        match (key.as_str(), &mut tape) {
            ("ledger", None) => {
                recording.lines.push(value.as_str().ok_or_else(|| bad("a record is no text"))?.to_owned())
            }
            ("tape", _) => {
                keep(&mut recording, &mut calls, tape.take());
                let whole: Value = serde_json::from_slice(line).map_err(|_| bad("a line is no JSON"))?;
                let cut = whole
                    .get("cut")
                    .and_then(Value::as_bool)
                    .ok_or_else(|| bad("a tape does not say whether it is whole"))?;
                let is_call = match value.as_str() {
                    Some("call") => true,
                    Some("list") => false,
                    _ => return Err(bad("a tape has no name")),
                };
                tape = Some((is_call, Recorded { cut, ..Recorded::default() }));
            }
            (key, Some((_, tape))) => noted(tape, key, value).ok_or_else(|| bad("a note has another shape"))?,
            _ => return Err(bad("a line is of no known kind")),
        }
    }
    keep(&mut recording, &mut calls, tape);
    recording.call = calls.ok_or_else(|| bad("it has no call"))?;
    if recording.lines.is_empty() {
        return Err(bad("it has no ledger"));
    }
    Ok(recording)
}

fn keep(recording: &mut Recording, call: &mut Option<Recorded>, tape: Option<(bool, Recorded)>) {
    match tape {
        Some((true, tape)) => *call = Some(tape),
        Some((false, tape)) => recording.listed = Some(tape),
        None => {}
    }
}

fn noted(tape: &mut Recorded, key: &str, value: &Value) -> Option<()> {
    match key {
        "key" if tape.keys.len() < MAX_NOTES => tape.keys.push(value.as_str()?.to_owned()),
        "note" if tape.notes.len() < MAX_NOTES => {
            let [at, given] = value.as_array()?.as_slice() else { return None };
            let at = u32::try_from(at.as_u64()?).ok()?;
            tape.keys.get(usize::try_from(at).ok()?)?;
            tape.notes.push((at, answer(given)?));
        }
        "records" => {
            let all = value.as_array().filter(|all| all.len() <= MAX_RECORDS)?;
            let one = |one: &Value| Some((one.get(0)?.as_u64()?, u32::try_from(one.get(1)?.as_u64()?).ok()?));
            tape.records = all.iter().map(one).collect::<Option<_>>()?;
        }
        "numbers" => {
            let all = value.as_array().filter(|all| all.len() <= MAX_RECORDS)?;
            let one = |one: &Value| Some((u32::try_from(one.get(0)?.as_u64()?).ok()?, one.get(1)?.as_bool()?));
            tape.numbers = all.iter().map(one).collect::<Option<_>>()?;
        }
        _ => return None,
    }
    Some(())
}

/// None where something is missing or has another shape; an error where the policy is not what it says.
fn from_head(first: &Value) -> Option<Result<Recording, Unreadable>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let at = |pointer: &str| first.pointer(pointer);
    let layers: Vec<Vec<(String, Vec<String>)>> = serde_json::from_value(at("/policy/layers")?.clone()).ok()?;
    let layers: Vec<Layer> = layers.iter().map(|written| Layer::from_written(written)).collect::<Option<_>>()?;
    let said = |pair: &Value| {
        let path = PathBuf::from(os(pair.get(0)?)?);
        let was = match pair.get(1)? {
            Value::String(why) => Err(why.clone()),
            real => {
                let kind = match real.get(1)?.as_str()? {
                    "File" => PathKind::File,
                    "Dir" => PathKind::Dir,
                    _ => PathKind::Other,
                };
                Ok((PathBuf::from(os(real.get(0)?)?), kind))
            }
        };
        Some((path, was))
    };
    let canonical = at("/policy/paths")?.as_array()?.iter().map(said).collect::<Option<_>>()?;
    let variable = |pair: &Value| Some((os(pair.get(0)?)?, os(pair.get(1)?)?));
    let env = at("/policy/env")?.as_array()?.iter().map(variable).collect::<Option<_>>()?;
    let home = match at("/policy/home")? {
        Value::Null => None,
        home => Some(PathBuf::from(os(home)?)),
    };
    let host = SeenHost { canonical, env, home };
    let arguments: Map<String, Value> = at("/arguments")?.as_object()?.clone();
    let digest = bytes32(at("/policy/sha256")?)?;
    let placeholders = serde_json::from_value(at("/placeholders")?.clone()).ok()?;
    let identities = serde_json::from_value(at("/identities")?.clone()).ok()?;
    let policy = match Policy::build(&layers, &host) {
        Ok(policy) if policy.digest() == digest => policy,
        Ok(_) => {
            return Some(Err(Unreadable(
                "has a policy that does not come out as it was: its digest is another".to_owned(),
            )));
        }
        Err(why) => {
            let why: String = why.to_string().chars().take(300).collect();
            return Some(Err(Unreadable(format!("has a policy that cannot be built: {why}"))));
        }
    };
    Some(Ok(Recording {
        component: text(at("/component/path")?)?,
        sha256: bytes32(at("/component/sha256")?)?,
        policy: Arc::new(policy),
        grounds: Some(Grounds { layers, host }),
        defaults: FlowDefaults::Run,
        identities,
        placeholders,
        key: bytes32(at("/key")?)?,
        tool: text(at("/tool")?)?,
        arguments,
        listed: None,
        call: Recorded::default(),
        lines: Vec::new(),
        result: at("/result").filter(|result| !result.is_null()).cloned(),
        ending: text(at("/ending/kind")?)?,
        limit: at("/ending/limit").and_then(text),
        sources: Vec::new(),
    }))
}
