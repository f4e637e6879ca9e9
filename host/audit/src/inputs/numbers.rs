//! Numbers of JSON, compared exactly: integers of 64 bits do not fit a double.

use serde_json::{Number, Value};
use std::cmp::Ordering;

/// A number of a schema or a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Num {
    Whole(i128),
    Real(f64),
}

impl Num {
    pub(super) fn of(value: &Value) -> Option<Num> {
        let number = value.as_number()?;
        if let Some(whole) = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)) {
            return Some(Num::Whole(whole));
        }
        let real = number.as_f64().filter(|real| real.is_finite())?;
        // 1.0 is an integer for a schema.
        Some(if real.fract() == 0.0 && real.abs() < 9e15 { Num::Whole(whole(real)) } else { Num::Real(real) })
    }

    pub(super) fn is_whole(self) -> bool {
        match self {
            Num::Whole(_) => true,
            Num::Real(real) => real.fract() == 0.0,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "comparing with a real number is approximate by nature")]
    pub(super) fn real(self) -> f64 {
        match self {
            Num::Whole(whole) => whole as f64,
            Num::Real(real) => real,
        }
    }

    pub(super) fn order(self, other: Num) -> Ordering {
        match (self, other) {
            (Num::Whole(a), Num::Whole(b)) => a.cmp(&b),
            (a, b) => a.real().total_cmp(&b.real()),
        }
    }

    pub(super) fn is_multiple_of(self, step: Num) -> bool {
        match (self, step) {
            (_, Num::Whole(0)) => false,
            (Num::Whole(a), Num::Whole(b)) => a % b == 0,
            (a, b) => {
                let parts = a.real() / b.real();
                // Beyond that a double has no fraction, and readers do not agree.
                parts.abs() < 9e15 && (parts - parts.round()).abs() < 1e-9
            }
        }
    }

    /// As JSON; none beyond what JSON readers keep.
    pub(super) fn json(self) -> Option<Value> {
        match self {
            Num::Whole(whole) => {
                Number::from_i128(whole).filter(|number| number.is_i64() || number.is_u64()).map(Value::Number)
            }
            Num::Real(real) => Number::from_f64(real).map(Value::Number),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is below 2^53")]
fn whole(real: f64) -> i128 {
    real as i128
}
