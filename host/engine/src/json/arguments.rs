//! From a client's JSON to typed values. Called before a store exists: what is refused here never reached a guest.

use super::meter::{MAX_ARGUMENT_MEMORY, Meter};
use super::mismatch::ArgumentError;
use super::numbers::{read_float32, read_float64, read_integer};
use super::shape::{Named, Shape};
use super::signature::Signature;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use wasmtime::component::Val;

type Read<T = Val> = Result<T, ArgumentError>;

/// The arguments of a call, in the order of the parameters.
pub fn args(signature: &Signature, json: &Map<String, Value>) -> Result<Vec<Val>, ArgumentError> {
    let mut reader = Reader { meter: Meter::new(0, MAX_ARGUMENT_MEMORY) };
    let fields = reader.fields(&signature.params, json)?;
    Ok(fields.into_iter().map(|(_, val)| val).collect())
}

struct Reader {
    meter: Meter,
}

impl Reader {
    fn value(&mut self, value: &Value, shape: &Shape) -> Read {
        self.spend(size_of::<Val>())?;
        let read = match (shape, value) {
            (Shape::Bool, Value::Bool(value)) => Some(Val::Bool(*value)),
            (Shape::Integer(kind), value) => read_integer(value, *kind),
            (Shape::Float32, value) => read_float32(value).map(Val::Float32),
            (Shape::Float64, value) => read_float64(value).map(Val::Float64),
            (Shape::Char, Value::String(text)) => only(text.chars()).map(Val::Char),
            (Shape::Text, Value::String(text)) => Some(self.text(text)?),
            (Shape::Bytes, Value::String(text)) => self.bytes(text)?,
            (Shape::List(item), Value::Array(values)) => Some(Val::List(self.items(values, item)?)),
            (Shape::Array(item, len), Value::Array(values)) if values.len() == *len => {
                Some(Val::FixedLengthList(self.items(values, item)?))
            }
            (Shape::Tuple(shapes), Value::Array(values)) if values.len() == shapes.len() => {
                let mut items = Vec::with_capacity(values.len());
                for (place, (value, shape)) in values.iter().zip(shapes).enumerate() {
                    items.push(self.value(value, shape).map_err(|error| error.within(&place.to_string()))?);
                }
                Some(Val::Tuple(items))
            }
            (Shape::Record(fields), Value::Object(values)) => Some(Val::Record(self.fields(fields, values)?)),
            (Shape::Variant(cases), Value::Object(values)) => match only(values.iter()) {
                Some((key, value)) => {
                    let Some(case) = cases.get(key) else { return Err(ArgumentError::unknown(key, cases.names())) };
                    self.spend(key.len())?;
                    Some(Val::Variant(key.clone(), self.payload(key, value, case.as_ref())?))
                }
                None => None,
            },
            (Shape::Enum(names), Value::String(name)) if names.place(name).is_some() => {
                self.spend(name.len())?;
                Some(Val::Enum(name.clone()))
            }
            (Shape::Flags(names), Value::Array(values)) => self.flags(values, names)?,
            (Shape::Option(_), Value::Null) => Some(Val::Option(None)),
            (Shape::Option(inner), value) if !inner.is_nullable() => {
                Some(Val::Option(Some(Box::new(self.value(value, inner)?))))
            }
            (Shape::Option(inner), Value::Object(values)) => match only(values.iter()) {
                Some((key, value)) if key == "some" => Some(Val::Option(self.payload(key, value, Some(inner))?)),
                _ => None,
            },
            (Shape::Result(ok, err), Value::Object(values)) => match only(values.iter()) {
                Some((key, value)) if key == "ok" => Some(Val::Result(Ok(self.payload(key, value, ok.as_deref())?))),
                Some((key, value)) if key == "err" => {
                    Some(Val::Result(Err(self.payload(key, value, err.as_deref())?)))
                }
                _ => None,
            },
            _ => None,
        };
        read.ok_or_else(|| ArgumentError::mismatch(shape, value))
    }

    fn text(&mut self, text: &str) -> Read {
        self.spend(text.len())?;
        Ok(Val::String(text.to_owned()))
    }

    fn bytes(&mut self, text: &str) -> Read<Option<Val>> {
        // Three bytes for four letters, each a whole value. Counted before decoding: this is where a small text grows most.
        self.spend((text.len() / 4).saturating_mul(3).saturating_mul(size_of::<Val>()))?;
        Ok(STANDARD.decode(text).ok().map(|bytes| Val::List(bytes.into_iter().map(Val::U8).collect())))
    }

    fn items(&mut self, values: &[Value], shape: &Shape) -> Read<Vec<Val>> {
        let mut items = Vec::with_capacity(values.len());
        for (place, value) in values.iter().enumerate() {
            items.push(self.value(value, shape).map_err(|error| error.within(&place.to_string()))?);
        }
        Ok(items)
    }

    fn fields(&mut self, fields: &Named<Shape>, values: &Map<String, Value>) -> Read<Vec<(String, Val)>> {
        // First, because a misspelt name explains the missing one.
        if let Some(key) = values.keys().find(|key| fields.place(key).is_none()) {
            return Err(ArgumentError::unknown(key, fields.names()));
        }
        let mut items = Vec::new();
        for (name, shape) in fields.iter() {
            self.spend(size_of::<String>() + name.len())?;
            let val = match values.get(name) {
                Some(value) => self.value(value, shape),
                None if shape.is_nullable() => self.spend(size_of::<Val>()).map(|()| Val::Option(None)),
                None => Err(ArgumentError::missing(shape)),
            };
            items.push((name.to_owned(), val.map_err(|error| error.within(name))?));
        }
        Ok(items)
    }

    fn payload(&mut self, key: &str, value: &Value, shape: Option<&Shape>) -> Read<Option<Box<Val>>> {
        match (shape, value) {
            (Some(shape), value) => {
                self.value(value, shape).map(|val| Some(Box::new(val))).map_err(|error| error.within(key))
            }
            (None, Value::Null) => Ok(None),
            (None, _) => {
                Err(ArgumentError::here("expected null, because there is nothing inside".to_owned()).within(key))
            }
        }
    }

    fn flags(&mut self, values: &[Value], names: &Named<()>) -> Read<Option<Val>> {
        // More than there are can't be distinct.
        if values.len() > names.len() {
            return Ok(None);
        }
        let mut places = Vec::with_capacity(values.len());
        for (at, value) in values.iter().enumerate() {
            match value.as_str().and_then(|name| names.place(name)) {
                Some(place) => places.push(place),
                None => return Err(ArgumentError::not_one_of(names.names(), value).within(&at.to_string())),
            }
        }
        places.sort_unstable();
        if places.windows(2).any(|pair| pair.first() == pair.last()) {
            return Ok(None);
        }
        let mut flags = Vec::with_capacity(places.len());
        for name in places.into_iter().filter_map(|place| names.name_at(place)) {
            self.spend(size_of::<String>() + name.len())?;
            flags.push(name.to_owned());
        }
        Ok(Some(Val::Flags(flags)))
    }

    fn spend(&mut self, bytes: usize) -> Read<()> {
        self.meter.memory(bytes).map_err(|_memory_spent| {
            let limit = MAX_ARGUMENT_MEMORY >> 20;
            ArgumentError::here(format!("too large, the arguments take more than {limit} MiB as typed values"))
        })
    }
}

fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next();
    if items.next().is_none() { first } else { None }
}
