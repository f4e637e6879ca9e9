//! From what a tool returned to JSON.

use super::meter::{MAX_RETURN_MEMORY, Meter, Spent};
use super::numbers::{integer_of, write_float32, write_float64, write_integer};
use super::shape::Shape;
use super::signature::Signature;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use std::fmt;
use wasmtime::component::Val;

/// About what the map behind a JSON object takes before its first key.
const OBJECT_MEMORY: usize = 640;

/// What a call returned, as MCP wants it: always an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The function returned the `err` of a `result`.
    pub is_error: bool,
    /// Validates against [`super::output_schema`], or for an error against [`super::error_schema`].
    pub structured: Value,
}

/// A return that was not turned into JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnError {
    /// As JSON text it would have more bytes than the given limit.
    TooManyBytes(u64),
    /// As JSON it would need more memory than this, in bytes.
    TooMuchMemory(u64),
    /// The value is not of the signature's type: it belongs to another function. Our own fault, never the guest's.
    NotOfThisType,
}

impl fmt::Display for ReturnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReturnError::TooManyBytes(limit) => write!(f, "the result has more than {limit} bytes as JSON"),
            ReturnError::TooMuchMemory(limit) => {
                write!(f, "the result needs more than {limit} bytes of memory as JSON")
            }
            ReturnError::NotOfThisType => f.write_str("the result is not of the type that the function declares"),
        }
    }
}

impl std::error::Error for ReturnError {}

/// What a call returned, wrapped where it is not an object: `{"result": ..}`, or `{"error": ..}` for the `err` of a `result`. A function
/// without a result gives `{}`. At most `max_bytes` of JSON text.
pub fn structured(signature: &Signature, returned: Option<&Val>, max_bytes: u64) -> Result<Outcome, ReturnError> {
    let mut writer = Writer::new(max_bytes);
    let (is_error, structured) = match (&signature.result, returned) {
        (None, None) => (false, writer.nothing()?),
        (Some(Shape::Result(None, _)), Some(Val::Result(Ok(None)))) => (false, writer.nothing()?),
        (Some(Shape::Result(Some(shape), _)), Some(Val::Result(Ok(Some(val))))) => (false, writer.root(val, shape)?),
        (Some(Shape::Result(_, shape)), Some(Val::Result(Err(val)))) => {
            (true, writer.single("error", val.as_deref(), shape.as_deref())?)
        }
        (Some(Shape::Result(..)), _) => return Err(ReturnError::NotOfThisType),
        (Some(shape), Some(val)) => (false, writer.root(val, shape)?),
        (None, Some(_)) | (Some(_), None) => return Err(ReturnError::NotOfThisType),
    };
    Ok(Outcome { is_error, structured })
}

/// One value as JSON, at most `max_bytes` of it as text.
pub fn to_json(val: &Val, shape: &Shape, max_bytes: u64) -> Result<Value, ReturnError> {
    Writer::new(max_bytes).value(val, shape)
}

struct Writer {
    meter: Meter,
    max_bytes: u64,
}

impl Writer {
    fn new(max_bytes: u64) -> Self {
        Writer { meter: Meter::new(max_bytes, MAX_RETURN_MEMORY), max_bytes }
    }

    fn value(&mut self, val: &Val, shape: &Shape) -> Result<Value, ReturnError> {
        match (shape, val) {
            (Shape::Bool, Val::Bool(value)) => self.scalar(Value::Bool(*value)),
            (Shape::Integer(kind), val) => match integer_of(val) {
                Some((found, number)) if found == *kind => self.scalar(write_integer(number)),
                _ => Err(ReturnError::NotOfThisType),
            },
            (Shape::Float32, Val::Float32(number)) => self.scalar(write_float32(*number)),
            (Shape::Float64, Val::Float64(number)) => self.scalar(write_float64(*number)),
            (Shape::Char, Val::Char(char)) => self.text(char.encode_utf8(&mut [0; 4])),
            (Shape::Text, Val::String(text)) => self.text(text),
            (Shape::Bytes, Val::List(items)) => self.bytes(items),
            (Shape::List(shape), Val::List(items)) => self.array(items.iter().map(|item| (item, &**shape))),
            (Shape::Array(shape, len), Val::FixedLengthList(items)) if items.len() == *len => {
                self.array(items.iter().map(|item| (item, &**shape)))
            }
            (Shape::Tuple(shapes), Val::Tuple(items)) if items.len() == shapes.len() => {
                self.array(items.iter().zip(shapes))
            }
            (Shape::Record(fields), Val::Record(items)) if items.len() == fields.len() => {
                self.begin(items.len())?;
                let mut object = Map::new();
                for ((name, shape), (found, item)) in fields.iter().zip(items) {
                    if name != found {
                        return Err(ReturnError::NotOfThisType);
                    }
                    self.key(name)?;
                    object.insert(name.to_owned(), self.value(item, shape)?);
                }
                Ok(Value::Object(object))
            }
            (Shape::Variant(cases), Val::Variant(name, item)) => match cases.get(name) {
                Some(case) => self.single(name, item.as_deref(), case.as_ref()),
                None => Err(ReturnError::NotOfThisType),
            },
            (Shape::Enum(names), Val::Enum(name)) if names.place(name).is_some() => self.text(name),
            (Shape::Flags(names), Val::Flags(flags)) if flags.iter().all(|flag| names.place(flag).is_some()) => {
                self.brackets(flags.len())?;
                Ok(Value::Array(flags.iter().map(|flag| self.text(flag)).collect::<Result<_, _>>()?))
            }
            (Shape::Option(_), Val::Option(None)) => self.scalar(Value::Null),
            (Shape::Option(shape), Val::Option(Some(item))) if shape.is_nullable() => {
                self.single("some", Some(item), Some(shape))
            }
            (Shape::Option(shape), Val::Option(Some(item))) => self.value(item, shape),
            (Shape::Result(shape, _), Val::Result(Ok(item))) => self.single("ok", item.as_deref(), shape.as_deref()),
            (Shape::Result(_, shape), Val::Result(Err(item))) => self.single("err", item.as_deref(), shape.as_deref()),
            _ => Err(ReturnError::NotOfThisType),
        }
    }

    fn root(&mut self, val: &Val, shape: &Shape) -> Result<Value, ReturnError> {
        if shape.is_object() { self.value(val, shape) } else { self.single("result", Some(val), Some(shape)) }
    }

    fn nothing(&mut self) -> Result<Value, ReturnError> {
        self.begin(0)?;
        Ok(Value::Object(Map::new()))
    }

    fn single(&mut self, key: &str, val: Option<&Val>, shape: Option<&Shape>) -> Result<Value, ReturnError> {
        self.begin(1)?;
        self.key(key)?;
        let value = match (val, shape) {
            (Some(val), Some(shape)) => self.value(val, shape)?,
            (None, None) => self.scalar(Value::Null)?,
            _ => return Err(ReturnError::NotOfThisType),
        };
        Ok(Value::Object(Map::from_iter([(key.to_owned(), value)])))
    }

    fn array<'a>(&mut self, items: impl ExactSizeIterator<Item = (&'a Val, &'a Shape)>) -> Result<Value, ReturnError> {
        self.brackets(items.len())?;
        Ok(Value::Array(items.map(|(val, shape)| self.value(val, shape)).collect::<Result<_, _>>()?))
    }

    fn bytes(&mut self, items: &[Val]) -> Result<Value, ReturnError> {
        let encoded = items.len().div_ceil(3).saturating_mul(4);
        self.spend(encoded.saturating_add(2), encoded.saturating_add(items.len()))?;
        let bytes: Option<Vec<u8>> =
            items.iter().map(|item| if let Val::U8(byte) = item { Some(*byte) } else { None }).collect();
        Ok(Value::String(STANDARD.encode(bytes.ok_or(ReturnError::NotOfThisType)?)))
    }

    fn text(&mut self, text: &str) -> Result<Value, ReturnError> {
        self.spend(quoted_len(text), size_of::<Value>() + text.len())?;
        Ok(Value::String(text.to_owned()))
    }

    /// A value whose own size is small, so that it may be built before it is counted.
    fn scalar(&mut self, value: Value) -> Result<Value, ReturnError> {
        let text = match &value {
            Value::Null | Value::Bool(true) => 4,
            Value::Bool(false) => 5,
            Value::Number(number) => number.to_string().len(),
            Value::String(text) => quoted_len(text),
            Value::Array(_) | Value::Object(_) => 0,
        };
        self.spend(text, size_of::<Value>())?;
        Ok(value)
    }

    /// An array's brackets and commas.
    fn brackets(&mut self, items: usize) -> Result<(), ReturnError> {
        self.spend(items.saturating_sub(1).saturating_add(2), size_of::<Value>())
    }

    fn begin(&mut self, fields: usize) -> Result<(), ReturnError> {
        self.spend(fields.saturating_sub(1).saturating_add(2), OBJECT_MEMORY)
    }

    fn key(&mut self, name: &str) -> Result<(), ReturnError> {
        self.spend(quoted_len(name).saturating_add(1), size_of::<String>() + name.len())
    }

    fn spend(&mut self, text: usize, memory: usize) -> Result<(), ReturnError> {
        self.meter.text(text).and_then(|()| self.meter.memory(memory)).map_err(|spent| match spent {
            Spent::Text => ReturnError::TooManyBytes(self.max_bytes),
            Spent::Memory => ReturnError::TooMuchMemory(MAX_RETURN_MEMORY),
        })
    }
}

/// The bytes of a string in JSON text, with its quotes and escapes.
fn quoted_len(text: &str) -> usize {
    let escapes: usize = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
            0..=31 => 5,
            _ => 0,
        })
        .sum();
    text.len().saturating_add(escapes).saturating_add(2)
}
