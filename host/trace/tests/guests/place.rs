//! Where a transformation puts what it made of the secret: in which part of the answer, or outside.

use customs_trace::{Part, Step};
use wasmtime::component::Val;

use super::rig::{Outcome, Seen};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Text,
    Note,
    Error,
    /// The bytes of the second piece.
    Piece,
    /// The numbers of the first piece, four bytes each.
    Numbers,
    Printed,
    Written,
}

fn field<'v>(value: &'v Val, name: &str) -> Option<&'v Val> {
    let Val::Record(fields) = value else { return None };
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

fn bytes(value: &Val) -> Option<Vec<u8>> {
    match value {
        Val::String(text) => Some(text.clone().into_bytes()),
        Val::List(items) => items.iter().map(number).collect::<Option<Vec<_>>>().map(|numbers| numbers.concat()),
        _ => None,
    }
}

fn number(value: &Val) -> Option<Vec<u8>> {
    match value {
        Val::U8(byte) => Some(vec![*byte]),
        Val::U32(word) => Some(word.to_le_bytes().to_vec()),
        _ => None,
    }
}

impl Place {
    /// What is there, or nothing where the call went another way.
    pub fn bytes(self, outcome: &Outcome) -> Option<Vec<u8>> {
        let ok = match &outcome.answer {
            Val::Result(Ok(Some(answer))) => Some(answer.as_ref()),
            _ => None,
        };
        let piece = |at: usize, name: &str| {
            let Val::List(pieces) = field(ok?, "pieces")? else { return None };
            bytes(field(pieces.get(at)?, name)?)
        };
        match self {
            Place::Text => bytes(field(ok?, "text")?),
            Place::Note => match field(ok?, "note")? {
                Val::Option(Some(note)) => bytes(note),
                _ => None,
            },
            Place::Error => match &outcome.answer {
                Val::Result(Err(Some(problem))) => match problem.as_ref() {
                    Val::Variant(_, Some(text)) => bytes(text),
                    _ => None,
                },
                _ => None,
            },
            Place::Piece => piece(1, "bytes"),
            Place::Numbers => piece(0, "numbers"),
            Place::Printed => Some(outcome.printed.clone()),
            Place::Written => outcome.written.clone(),
        }
    }

    /// Whether these labelled bytes are there.
    pub fn has(self, seen: &Seen) -> bool {
        let path = |steps: &[&str]| {
            let own = seen.path.steps.iter().map(|step| match step {
                Step::Field(name) | Step::Case(name) => name.as_str(),
                Step::Result => "result",
                Step::Each => "*",
                Step::Some => "some",
                Step::Ok => "ok",
                Step::Err => "err",
                Step::Argument(_) | Step::Element(_) => "another",
            });
            seen.function == "apply" && seen.path.part != Part::Case && own.eq(steps.iter().copied())
        };
        match self {
            Place::Text => path(&["result", "ok", "text"]),
            Place::Note => path(&["result", "ok", "note", "some"]),
            Place::Error => path(&["result", "err", "unknown"]),
            Place::Piece => path(&["result", "ok", "pieces", "*", "bytes"]) && seen.places == [1, 0, 0],
            Place::Numbers => path(&["result", "ok", "pieces", "*", "numbers"]) && seen.places == [0, 0, 0],
            Place::Printed | Place::Written => {
                let contents = matches!(seen.path.steps.first(), Some(Step::Argument(name)) if name == "contents" || name == "buffer");
                contents && seen.function.contains("write")
            }
        }
    }

    /// As the table has it.
    pub fn shown(self, bytes: &[u8]) -> String {
        match self {
            Place::Piece | Place::Numbers => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}
