//! `customs docs`: puts the words of a WIT file into a component, where compilers left them out. Nothing of the component runs.
//!
//! They go into the custom section `package-docs`, in the form that WIT packages have. What a model reads of a tool then travels with it.

use crate::cli::Docs as Args;
use crate::exit::{Exit, Fault};
use crate::{machine, output};
use cap_std::fs::{Dir, OpenOptions};
use customs_engine::load::{Docs, MAX_WASM_BYTES};
use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::path::Path;

const SECTION: &str = "package-docs";
/// The version byte of the section's content.
const VERSION: u8 = 1;
/// What a component's own world is called by those who read one back as WIT.
const WORLD: &str = "root";
/// Magic bytes, version and layer of a component.
const PREAMBLE: [u8; 8] = *b"\0asm\x0d\0\x01\0";

pub(crate) fn run(args: &Args) -> Result<Exit, Fault> {
    let refuse = |path: &Path, why: &str| Fault::Refused(format!("{}: {why}", path.display()));
    let text =
        String::from_utf8(machine::read(&args.wit, super::MAX_WIT)?).map_err(|_| refuse(&args.wit, "is not UTF-8"))?;
    let docs = Docs::from_wit(&text);
    if docs.is_empty() {
        return Err(refuse(&args.wit, "says nothing about functions: it is no WIT, or none has a `///` comment"));
    }
    let wasm = machine::read(&args.component, MAX_WASM_BYTES)?;
    let mut wasm = without(&wasm).map_err(|why| refuse(&args.component, why))?;
    wasm.extend(section(&docs));
    let out = args.out.as_deref().unwrap_or(&args.component);
    let (dir, name, _) = machine::parent(out)?;
    replace(&dir, &name, &wasm).map_err(|e| refuse(out, &machine::plain(&e)))?;
    output::result("")?;
    Ok(Exit::Returned)
}

/// The component without a section of that name of its own.
fn without(wasm: &[u8]) -> Result<Vec<u8>, &'static str> {
    const BROKEN: &str = "is cut short or damaged";
    let Some(mut rest) = wasm.strip_prefix(&PREAMBLE) else {
        return Err("is no component: only the functions of a component have words in WIT");
    };
    let mut kept = PREAMBLE.to_vec();
    while let Some((&id, after)) = rest.split_first() {
        let (size, content) = number(after).ok_or(BROKEN)?;
        let (content, next) = content.split_at_checked(size).ok_or(BROKEN)?;
        let named = || number(content).and_then(|(length, name)| name.get(..length));
        if id != 0 || named() != Some(SECTION.as_bytes()) {
            let whole = rest.len() - next.len();
            kept.extend_from_slice(rest.get(..whole).ok_or(BROKEN)?);
        }
        rest = next;
    }
    Ok(kept)
}

/// A custom section as it stands in a component.
fn section(docs: &Docs) -> Vec<u8> {
    let functions = |functions: &std::collections::BTreeMap<String, String>| -> Map<String, Value> {
        functions.iter().map(|(name, text)| (name.clone(), json!({"docs": text}))).collect()
    };
    let interfaces: Map<String, Value> =
        docs.interfaces.iter().map(|(name, of)| (name.clone(), json!({"funcs": functions(of)}))).collect();
    let mut package = Map::new();
    if !docs.functions.is_empty() {
        package.insert("worlds".to_owned(), json!({WORLD: {"func_exports": functions(&docs.functions)}}));
    }
    if !interfaces.is_empty() {
        package.insert("interfaces".to_owned(), Value::Object(interfaces));
    }
    let mut content = Vec::new();
    put_number(&mut content, SECTION.len());
    content.extend_from_slice(SECTION.as_bytes());
    content.push(VERSION);
    content.extend_from_slice(Value::Object(package).to_string().as_bytes());
    let mut section = vec![0];
    put_number(&mut section, content.len());
    section.extend(content);
    section
}

/// An unsigned LEB128 number of 32 bits, and what follows it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, bytes.get(index + 1..)?));
        }
    }
    None
}

fn put_number(into: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        into.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

/// Writes the file beside its place and moves it there, so that nobody finds half of it.
fn replace(dir: &Dir, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let new = format!(".{name}.{}", std::process::id());
    let written = dir
        .open_with(&new, OpenOptions::new().write(true).create_new(true))
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| dir.rename(&new, dir, name));
    if written.is_err() {
        dir.remove_file(&new).ok();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written_and_none_overflows() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u32::MAX as usize] {
            let mut bytes = Vec::new();
            put_number(&mut bytes, value);
            assert_eq!(number(&bytes), Some((value, &[][..])));
        }
        for junk in [&[][..], &[0x80], &[0xff; 5], &[0xff, 0xff, 0xff, 0xff, 0x1f]] {
            assert_eq!(number(junk), None, "{junk:?}");
        }
    }

    #[test]
    fn an_earlier_section_gives_way_and_all_else_stays_byte_for_byte() {
        let docs = |text: &str| Docs::from_wit(&format!("package a:b; interface i {{ /// {text}\n f: func(); }}"));
        let other = [&[0_u8, 4, 1][..], b"x\x01\x02"].concat();
        let before = [&PREAMBLE[..], &other, &section(&docs("old")), &other].concat();
        assert_eq!(without(&before), Ok([&PREAMBLE[..], &other, &other].concat()));
        for cut in PREAMBLE.len() + 1..before.len() {
            let at_an_end = [PREAMBLE.len() + other.len(), before.len() - other.len()].contains(&cut);
            assert_eq!(without(before.get(..cut).unwrap()).is_ok(), at_an_end, "{cut}");
        }
        assert!(without(b"\0asm\x01\0\0\0").is_err(), "a core module");
    }
}
