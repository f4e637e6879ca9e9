//! The label map: what the numbers in a traced component's calls to the host mean.
//!
//! A traced component imports [`INTERFACE`]. `leaving(hook, runs)` comes before bytes leave: labels of the arguments of
//! an import, right before the host's function is called; of what an export returns, right before it does. Each run is
//! `(path, first, second, third, offset, length, label)`: the part of the value, the places in up to three lists on the
//! way to it, and a range of its bytes; bytes that no run names are clean. When all are clean there is no call.
//! `arrived(hook)` comes after bytes arrived, and after every
//! import whose arguments or results have data: the host answers with their label, or with [`ASK`] to be asked for each
//! part with `source(hook, path, first, second, third)`. With [`PIECES`] beside a label it is asked for bytes piece by
//! piece, with `piece(hook, path, first, second, third, offset)`, and answers how many bytes from that offset on have
//! which label: `length << 8 | label`, and no length is the rest. Numbers have the label beside it then.

/// The name of the interface that a traced component imports.
pub const INTERFACE: &str = "customs:trace/labels@0.1.0";

/// The answer of `arrived` that asks for `source` calls.
pub const ASK: u32 = 0x100;

/// The answer of `arrived` that asks for `piece` calls; a label may stand beside it.
pub const PIECES: u32 = 0x200;

/// Beside [`ASK`]: what arrives comes from another component inside of this one, so that which case a variant is can have a label too. The
/// host's own has none. In such a composition `leaving` without runs comes before every call of an import, `arrived` after it, and `arrived`
/// at the start of every export: the host sees from their order which component calls which.
pub const INSIDE: u32 = 0x400;

/// Every place where bytes cross, by its number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Map {
    /// The places; their index is the `hook` of the calls.
    pub hooks: Vec<Hook>,
}

/// A function whose arguments and results are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Which way, and what.
    pub crossing: Crossing,
    /// Parts of its arguments and results; their index is the `path` of the calls.
    pub paths: Vec<Path>,
}

/// Which function. An interface is empty for functions of the world itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crossing {
    /// The guest calls the host.
    Import {
        /// With its version.
        interface: String,
        /// As in WIT's canonical names, such as `[method]descriptor.read`.
        function: String,
    },
    /// The host calls the guest.
    Export {
        /// With its version.
        interface: String,
        /// Its name.
        function: String,
    },
}

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// From the argument or result inwards.
    pub steps: Vec<Step>,
    /// What the bytes are.
    pub part: Part,
}

/// One step inwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An argument.
    Argument(String),
    /// What is returned.
    Result,
    /// A field of a record.
    Field(String),
    /// An element of a tuple.
    Element(u32),
    /// Each element of a list; the runs say which.
    Each,
    /// The payload of a variant's case.
    Case(String),
    /// The payload of an option.
    Some,
    /// The payload of a result.
    Ok,
    /// The error of a result.
    Err,
}

/// What the bytes of a part are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A string's.
    Text,
    /// Numbers in a row, each of so many bytes.
    Numbers(u32),
    /// One number, character, enum or set of flags.
    Value,
    /// Which case it is.
    Case,
}

/// First line of a map as bytes.
const FORMAT: &str = "customs-map/1";

impl Map {
    /// The map as bytes, for a file beside the compiled code.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("{FORMAT}\n");
        let word = |out: &mut String, text: &str| {
            out.push_str(&format!("{}:{text}", text.len()));
        };
        for hook in &self.hooks {
            let (kind, interface, function) = match &hook.crossing {
                Crossing::Import { interface, function } => ('i', interface, function),
                Crossing::Export { interface, function } => ('e', interface, function),
            };
            out.push(kind);
            word(&mut out, interface);
            word(&mut out, function);
            for path in &hook.paths {
                match path.part {
                    Part::Text => out.push('t'),
                    Part::Numbers(bytes) => out.push_str(&format!("n{bytes}:")),
                    Part::Value => out.push('v'),
                    Part::Case => out.push('c'),
                }
                for step in &path.steps {
                    match step {
                        Step::Argument(name) => {
                            out.push('A');
                            word(&mut out, name);
                        }
                        Step::Field(name) => {
                            out.push('F');
                            word(&mut out, name);
                        }
                        Step::Case(name) => {
                            out.push('C');
                            word(&mut out, name);
                        }
                        Step::Element(at) => out.push_str(&format!("E{at}:")),
                        Step::Result => out.push('R'),
                        Step::Each => out.push('*'),
                        Step::Some => out.push('S'),
                        Step::Ok => out.push('O'),
                        Step::Err => out.push('X'),
                    }
                }
            }
        }
        out.into_bytes()
    }

    /// The inverse of [`to_bytes`](Self::to_bytes). None where they are no map.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = std::str::from_utf8(bytes).ok()?.strip_prefix(FORMAT)?.strip_prefix('\n')?;
        let mut map = Self::default();
        while let Some(kind) = rest.chars().next() {
            rest = rest.get(1..)?;
            match kind {
                'i' | 'e' => {
                    let (interface, function) = (word(&mut rest)?, word(&mut rest)?);
                    let crossing = if kind == 'i' {
                        Crossing::Import { interface, function }
                    } else {
                        Crossing::Export { interface, function }
                    };
                    map.hooks.push(Hook { crossing, paths: Vec::new() });
                }
                't' | 'n' | 'v' | 'c' => {
                    let part = match kind {
                        't' => Part::Text,
                        'n' => Part::Numbers(number(&mut rest)?),
                        'v' => Part::Value,
                        _ => Part::Case,
                    };
                    map.hooks.last_mut()?.paths.push(Path { steps: Vec::new(), part });
                }
                other => {
                    let step = match other {
                        'A' => Step::Argument(word(&mut rest)?),
                        'F' => Step::Field(word(&mut rest)?),
                        'C' => Step::Case(word(&mut rest)?),
                        'E' => Step::Element(number(&mut rest)?),
                        'R' => Step::Result,
                        '*' => Step::Each,
                        'S' => Step::Some,
                        'O' => Step::Ok,
                        'X' => Step::Err,
                        _ => return None,
                    };
                    map.hooks.last_mut()?.paths.last_mut()?.steps.push(step);
                }
            }
        }
        Some(map)
    }
}

fn number(rest: &mut &str) -> Option<u32> {
    let (digits, after) = rest.split_once(':')?;
    *rest = after;
    digits.parse().ok()
}

fn word(rest: &mut &str) -> Option<String> {
    let length = usize::try_from(number(rest)?).ok()?;
    let text = rest.get(..length)?.to_owned();
    *rest = rest.get(length..)?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Map {
        let path = |steps: Vec<Step>, part| Path { steps, part };
        Map {
            hooks: vec![
                Hook {
                    crossing: Crossing::Import {
                        interface: "wasi:io/streams@0.2.6".into(),
                        function: "[method]a.b".into(),
                    },
                    paths: vec![
                        path(vec![Step::Argument("contents".into())], Part::Numbers(1)),
                        path(vec![Step::Result, Step::Ok, Step::Each, Step::Element(12)], Part::Text),
                    ],
                },
                Hook {
                    crossing: Crossing::Export { interface: String::new(), function: "3:x".into() },
                    paths: Vec::new(),
                },
                Hook {
                    crossing: Crossing::Export { interface: "ä:b/c".into(), function: "f".into() },
                    paths: vec![
                        path(vec![Step::Result, Step::Err, Step::Case("no".into())], Part::Case),
                        path(vec![Step::Result, Step::Some, Step::Field("a-b".into())], Part::Value),
                    ],
                },
            ],
        }
    }

    #[test]
    fn a_map_is_the_same_when_it_is_read_back() {
        assert_eq!(Map::from_bytes(&map().to_bytes()), Some(map()));
        assert_eq!(Map::from_bytes(&Map::default().to_bytes()), Some(Map::default()));
    }

    #[test]
    fn bytes_that_are_no_map_are_none_and_must_not_panic() {
        let whole = map().to_bytes();
        assert_eq!(Map::from_bytes(b""), None);
        for cut in 1..whole.len() {
            // Cut between hooks it is a shorter map.
            let read = Map::from_bytes(&whole[..cut]);
            assert!(read.is_none() || read != Some(map()), "{cut}");
        }
        for at in 0..whole.len() {
            let mut turned = whole.clone();
            turned[at] ^= 0x15;
            let _ = Map::from_bytes(&turned);
        }
    }
}
