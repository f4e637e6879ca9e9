//! Numbers without loss: JSON has one kind of number and many readers keep it as a double, components have ten.

use super::shape::Integer;
use serde_json::{Number, Value};
use wasmtime::component::Val;

/// The largest magnitude up to which a double counts every integer. Beyond it we emit decimal strings.
const EXACT: i128 = 1 << 53;

/// The names on the way out for what JSON has no number for. They are refused on the way in: a client that sends the string "NaN" for a
/// number made a mistake more often than it meant it. `null` would have been shorter, but it is what an absent `option<f64>` is.
pub(super) const NOT_FINITE: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The integer that a client wrote, if it is one of this kind.
pub(super) fn read_integer(value: &Value, kind: Integer) -> Option<Val> {
    let number = match value {
        Value::Number(number) => exact(number)?,
        Value::String(digits) if kind.is_wide() => decimal(digits)?,
        _ => return None,
    };
    Some(match kind {
        Integer::S8 => Val::S8(number.try_into().ok()?),
        Integer::U8 => Val::U8(number.try_into().ok()?),
        Integer::S16 => Val::S16(number.try_into().ok()?),
        Integer::U16 => Val::U16(number.try_into().ok()?),
        Integer::S32 => Val::S32(number.try_into().ok()?),
        Integer::U32 => Val::U32(number.try_into().ok()?),
        Integer::S64 => Val::S64(number.try_into().ok()?),
        Integer::U64 => Val::U64(number.try_into().ok()?),
    })
}

fn exact(number: &Number) -> Option<i128> {
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    // `1.0` and `1e3` are integers to JSON Schema. Beyond the exact range the reader has already rounded, so we can't know what was meant.
    let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0)?;
    format!("{number:.0}").parse().ok()
}

/// The same spellings as the schema's pattern: no plus sign, no leading zero, no spaces.
fn decimal(digits: &str) -> Option<i128> {
    let magnitude = digits.strip_prefix('-').unwrap_or(digits);
    let plain = !magnitude.is_empty() && magnitude.len() <= 20 && magnitude.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits == "0" || !magnitude.starts_with('0');
    if plain && canonical { digits.parse().ok() } else { None }
}

/// The value as an integer with its kind, if it is one.
pub(super) fn integer_of(val: &Val) -> Option<(Integer, i128)> {
    Some(match *val {
        Val::S8(number) => (Integer::S8, number.into()),
        Val::U8(number) => (Integer::U8, number.into()),
        Val::S16(number) => (Integer::S16, number.into()),
        Val::U16(number) => (Integer::U16, number.into()),
        Val::S32(number) => (Integer::S32, number.into()),
        Val::U32(number) => (Integer::U32, number.into()),
        Val::S64(number) => (Integer::S64, number.into()),
        Val::U64(number) => (Integer::U64, number.into()),
        _ => return None,
    })
}

/// An integer as a number where every reader keeps it, as a decimal string beyond.
pub(super) fn write_integer(number: i128) -> Value {
    let exact = (-EXACT..=EXACT).contains(&number).then(|| Number::from_i128(number)).flatten();
    exact.map_or_else(|| Value::String(number.to_string()), Value::Number)
}

/// The 32-bit float nearest to what a client wrote, if it is in range.
pub(super) fn read_float32(value: &Value) -> Option<f32> {
    Some(narrow(value.as_f64()?)).filter(|number| number.is_finite())
}

pub(super) fn read_float64(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

/// A 32-bit float by its own shortest spelling: 0.1, not 0.10000000149011612.
pub(super) fn write_float32(number: f32) -> Value {
    // Reading goes through a double, and a decimal may round twice; where that ends elsewhere, the long spelling is the exact one.
    let short: Option<f64> = number.to_string().parse().ok();
    write_float64(short.filter(|short| narrow(*short).to_bits() == number.to_bits()).unwrap_or(f64::from(number)))
}

pub(super) fn write_float64(number: f64) -> Value {
    let [nan, infinity, minus_infinity] = NOT_FINITE;
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => Value::from(nan),
        None if number > 0.0 => Value::from(infinity),
        None => Value::from(minus_infinity),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to the nearest is what is wanted; too large becomes infinite"
)]
fn narrow(number: f64) -> f32 {
    number as f32
}
