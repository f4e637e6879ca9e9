//! Components inside of a component: a composition. Each one with code of its own gets a store and hooks of its own, and
//! what one gives another crosses as if the host were between them.
//!
//! What an inner component imports may come from the world or from its neighbour, and under any name. [`Given`] says
//! which function of the world each of them is, because the host knows the world's names alone.

use std::collections::BTreeMap;
use std::ops::Range;

use wasmparser::{Parser, Payload};

use crate::refusal::Refusal;

/// Compositions inside one another. Tools make one or two.
pub(super) const MAX_DEPTH: u32 = 16;

/// Interface and name of a function of the world.
pub(super) type Known = (String, String);

/// What the functions of an instance are in the world.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Names {
    /// Not the world's, or not known.
    #[default]
    Own,
    /// Those of one of its interfaces, by the same names.
    Interface(String),
    /// Each as it says.
    Each(BTreeMap<String, Known>),
}

impl Names {
    /// The function of this name, in an instance that is called `own` where it is not the world's.
    pub(super) fn function(&self, name: &str) -> Option<Known> {
        match self {
            Self::Own => Some((String::new(), name.to_owned())),
            Self::Interface(interface) => Some((interface.clone(), name.to_owned())),
            Self::Each(each) => each.get(name).cloned(),
        }
    }
}

/// What an inner component is given for its imports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Given {
    pub(super) instances: BTreeMap<String, Names>,
    pub(super) functions: BTreeMap<String, Option<Known>>,
}

/// A component that is defined in another.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) range: Range<usize>,
    /// It has core modules, itself or deeper in.
    pub(super) has_code: bool,
    pub(super) given: Option<Given>,
}

impl Inner {
    pub(super) fn read(component: &[u8], range: Range<usize>) -> Result<Self, Refusal> {
        let bytes = component.get(range.clone()).ok_or_else(|| Refusal::internal("a component is missing"))?;
        let mut has_code = false;
        for payload in Parser::new(0).parse_all(bytes) {
            has_code |= matches!(payload?, Payload::ModuleSection { .. });
        }
        Ok(Self { range, has_code, given: None })
    }

    /// It is made once more. What its imports are in the world is the same each time, or the hooks would have two names.
    pub(super) fn give(&mut self, given: Given) -> Result<(), Refusal> {
        match &self.given {
            Some(before) if *before != given => {
                Err(Refusal::shape("a component inside of it is used twice, with imports that are not the same"))
            }
            _ => {
                self.given = Some(given);
                Ok(())
            }
        }
    }
}
