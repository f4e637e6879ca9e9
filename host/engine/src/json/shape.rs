//! The types of a signature, read once.
//!
//! wasmtime's own `Type` is a handle into the component: each look at a field clones reference counts, and finding a variant's case is a
//! walk over all of them. A guest that returns a long list of a wide variant would have the host repeat that walk for every element, after
//! the guest's own time limit. A `Shape` is a plain tree with an index by name, so that converting a value is linear in the value.

use std::collections::HashMap;

/// What a value looks like: a WIT type without its names for types, which components don't carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    Bool,
    Integer(Integer),
    Float32,
    Float64,
    Char,
    Text,
    /// `list<u8>`, which JSON carries as base64.
    Bytes,
    List(Box<Shape>),
    /// `list<T, N>`.
    Array(Box<Shape>, usize),
    Tuple(Vec<Shape>),
    Record(Named<Shape>),
    Variant(Named<Option<Shape>>),
    Enum(Named<()>),
    Flags(Named<()>),
    Option(Box<Shape>),
    Result(Option<Box<Shape>>, Option<Box<Shape>>),
}

impl Shape {
    /// Whether values of this shape are JSON objects already, as MCP wants of structured content.
    pub fn is_object(&self) -> bool {
        matches!(self, Shape::Record(_) | Shape::Variant(_) | Shape::Result(..))
    }

    /// Whether `null` is a value of this shape, so that an option around it needs the `{"some": ..}` form.
    pub fn is_nullable(&self) -> bool {
        matches!(self, Shape::Option(_))
    }
}

/// An integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integer {
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
}

impl Integer {
    pub fn name(self) -> &'static str {
        match self {
            Integer::S8 => "s8",
            Integer::U8 => "u8",
            Integer::S16 => "s16",
            Integer::U16 => "u16",
            Integer::S32 => "s32",
            Integer::U32 => "u32",
            Integer::S64 => "s64",
            Integer::U64 => "u64",
        }
    }

    /// The smallest and the largest value.
    pub fn bounds(self) -> (i128, i128) {
        match self {
            Integer::S8 => (i8::MIN.into(), i8::MAX.into()),
            Integer::U8 => (0, u8::MAX.into()),
            Integer::S16 => (i16::MIN.into(), i16::MAX.into()),
            Integer::U16 => (0, u16::MAX.into()),
            Integer::S32 => (i32::MIN.into(), i32::MAX.into()),
            Integer::U32 => (0, u32::MAX.into()),
            Integer::S64 => (i64::MIN.into(), i64::MAX.into()),
            Integer::U64 => (0, u64::MAX.into()),
        }
    }

    /// Whether some values lie beyond what every JSON reader keeps exactly.
    pub fn is_wide(self) -> bool {
        matches!(self, Integer::S64 | Integer::U64)
    }
}

/// Things in declaration order that are also found by name: fields, cases, flags, parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    items: Vec<(String, T)>,
    places: HashMap<String, usize>,
}

impl<T> Named<T> {
    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// In declaration order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.items.iter().map(|(name, item)| (name.as_str(), item))
    }

    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.items.iter().map(|(name, _)| name.as_str())
    }

    /// The name's place in declaration order.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    pub fn get(&self, name: &str) -> Option<&T> {
        self.items.get(self.place(name)?).map(|(_, item)| item)
    }

    pub fn name_at(&self, place: usize) -> Option<&str> {
        self.items.get(place).map(|(name, _)| name.as_str())
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(items: I) -> Self {
        let items: Vec<(String, T)> = items.into_iter().collect();
        let places = items.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
        Named { items, places }
    }
}
