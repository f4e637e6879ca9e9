//! The arguments of one operation, read by name. A missing or mistyped argument is a wrong script, so that a typing
//! mistake in a test case never looks like a refusal by the host.

use serde_json::{Map, Value, json};

use crate::outcome::Failure;

pub struct Args<'a>(pub &'a Map<String, Value>);

impl<'a> Args<'a> {
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    pub fn text(&self, name: &str) -> Result<&'a str, Failure> {
        self.text_or_none(name)?.ok_or_else(|| self.wrong(name, "a string"))
    }

    pub fn text_or_none(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        self.get(name).map(|value| value.as_str().ok_or_else(|| self.wrong(name, "a string"))).transpose()
    }

    pub fn flag(&self, name: &str, default: bool) -> Result<bool, Failure> {
        self.get(name).map_or(Ok(default), |value| value.as_bool().ok_or_else(|| self.wrong(name, "true or false")))
    }

    /// A number, or its decimal text, or `"max"`.
    pub fn number(&self, name: &str) -> Result<u64, Failure> {
        self.number_or_none(name)?.ok_or_else(|| self.wrong(name, "a number"))
    }

    pub fn number_or(&self, name: &str, default: u64) -> Result<u64, Failure> {
        Ok(self.number_or_none(name)?.unwrap_or(default))
    }

    pub fn number_or_none(&self, name: &str) -> Result<Option<u64>, Failure> {
        let read = |value: &Value| match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) if text == "max" => Some(u64::MAX),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        self.get(name).map(|value| read(value).ok_or_else(|| self.wrong(name, "a number"))).transpose()
    }

    pub fn narrow<T: TryFrom<u64>>(&self, name: &str, default: u64) -> Result<T, Failure> {
        T::try_from(self.number_or(name, default)?).map_err(|_| self.wrong(name, "a smaller number"))
    }

    pub fn list(&self, name: &str) -> Result<&'a [Value], Failure> {
        self.get(name).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| self.wrong(name, "an array"))
    }

    /// Whether there is content to write.
    pub fn has_content(&self) -> bool {
        ["text", "hex", "fill"].iter().any(|name| self.get(name).is_some())
    }

    /// What to write: `text`, `hex`, or `fill`, a number of letters `A`.
    pub fn content(&self) -> Result<Vec<u8>, Failure> {
        if let Some(text) = self.text_or_none("text")? {
            return Ok(text.as_bytes().to_vec());
        }
        if let Some(hex) = self.text_or_none("hex")? {
            return unhex(hex).ok_or_else(|| self.wrong("hex", "pairs of hexadecimal digits"));
        }
        Ok(vec![b'A'; self.narrow("fill", 0)?])
    }

    /// What was read, as the script wants to see it: `quiet` gives the length only, `as-hex` adds the exact bytes.
    pub fn show(&self, bytes: &[u8]) -> Result<Value, Failure> {
        let mut shown = json!({"len": bytes.len()});
        if !self.flag("quiet", false)? {
            shown["text"] = String::from_utf8_lossy(bytes).into();
        }
        if self.flag("as-hex", false)? {
            shown["hex"] = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
        }
        Ok(shown)
    }

    pub fn wrong(&self, name: &str, wanted: &str) -> Failure {
        Failure::script(format!("{name} must be {wanted} in {}", Value::Object(self.0.clone())))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect();
    let digits = digits?;
    if digits.len() % 2 != 0 {
        return None;
    }
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok()).collect()
}
