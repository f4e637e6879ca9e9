//! A signature in one short line, for people.

use super::shape::{Named, Shape};
use super::signature::Signature;
use std::fmt::{self, Write};

/// A line of a terminal, with room for a first column.
const MAX_LINE: usize = 100;

/// `read-note(path: string) -> result<record{path,title,..}, enum{not-found,..}>`: like WIT, but components don't carry the names of types,
/// so their parts stand for them. Written with as much detail as fits the line.
pub fn wit_text(signature: &Signature, name: &str) -> String {
    let mut line = Line::default();
    for shown in [4, 2, 0] {
        line = Line::default();
        if function(&mut line, signature, name, shown).is_ok() {
            return line.text;
        }
    }
    let end = line.text.char_indices().nth(MAX_LINE - 2).map_or(line.text.len(), |(end, _)| end);
    line.text.truncate(end);
    line.text.push_str("..");
    line.text
}

/// Text that stops growing at the end of the line, so that a large signature costs no more than a small one.
#[derive(Default)]
struct Line {
    text: String,
    chars: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            if self.chars == MAX_LINE {
                return Err(fmt::Error);
            }
            self.text.push(char);
            self.chars += 1;
        }
        Ok(())
    }
}

fn function(line: &mut Line, signature: &Signature, name: &str, shown: usize) -> fmt::Result {
    write!(line, "{name}(")?;
    for (place, (name, shape)) in signature.params.iter().enumerate() {
        let joint = if place == 0 { "" } else { ", " };
        match shape {
            Shape::Option(inner) => {
                write!(line, "{joint}{name}?: ")?;
                ty(line, inner, shown)?;
            }
            other => {
                write!(line, "{joint}{name}: ")?;
                ty(line, other, shown)?;
            }
        }
    }
    line.write_str(")")?;
    match &signature.result {
        Some(shape) => {
            line.write_str(" -> ")?;
            ty(line, shape, shown)
        }
        None => Ok(()),
    }
}

fn ty(line: &mut Line, shape: &Shape, shown: usize) -> fmt::Result {
    match shape {
        Shape::Bool => line.write_str("bool"),
        Shape::Integer(kind) => line.write_str(kind.name()),
        Shape::Float32 => line.write_str("f32"),
        Shape::Float64 => line.write_str("f64"),
        Shape::Char => line.write_str("char"),
        Shape::Text => line.write_str("string"),
        Shape::Bytes => line.write_str("list<u8>"),
        Shape::List(item) => generic(line, "list", [Some(&**item)], shown),
        Shape::Array(item, len) => {
            line.write_str("list<")?;
            ty(line, item, shown)?;
            write!(line, ", {len}>")
        }
        Shape::Tuple(items) => generic(line, "tuple", items.iter().map(Some), shown),
        Shape::Record(fields) => parts(line, "record", fields, shown),
        Shape::Variant(cases) => parts(line, "variant", cases, shown),
        Shape::Enum(names) => parts(line, "enum", names, shown),
        Shape::Flags(names) => parts(line, "flags", names, shown),
        Shape::Option(inner) => generic(line, "option", [Some(&**inner)], shown),
        Shape::Result(None, None) => line.write_str("result"),
        Shape::Result(ok, None) => generic(line, "result", [ok.as_deref()], shown),
        Shape::Result(ok, err) => generic(line, "result", [ok.as_deref(), err.as_deref()], shown),
    }
}

fn generic<'a>(
    line: &mut Line,
    word: &str,
    items: impl IntoIterator<Item = Option<&'a Shape>>,
    shown: usize,
) -> fmt::Result {
    write!(line, "{word}<")?;
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            line.write_str(", ")?;
        }
        match item {
            Some(shape) => ty(line, shape, shown)?,
            None => line.write_str("_")?,
        }
    }
    line.write_str(">")
}

fn parts<T>(line: &mut Line, word: &str, names: &Named<T>, shown: usize) -> fmt::Result {
    line.write_str(word)?;
    if shown == 0 {
        return Ok(());
    }
    for (place, name) in names.names().take(shown).enumerate() {
        let joint = if place == 0 { "{" } else { "," };
        write!(line, "{joint}{name}")?;
    }
    line.write_str(if names.len() > shown { ",..}" } else { "}" })
}
