//! Typed failures, missing values, and values at the edge of what JSON can say.

use crate::{
    Shapes,
    bindings::exports::customs::shapes::outcomes::{Guest, Kind, Trouble},
};

impl Guest for Shapes {
    fn fail(kind: Kind) -> Result<(), Trouble> {
        match kind {
            Kind::None => Ok(()),
            Kind::Missing => Err(Trouble::Missing("the thing".to_owned())),
            Kind::TooLarge => Err(Trouble::TooLarge(u64::MAX)),
            Kind::Refused => Err(Trouble::Refused),
        }
    }

    fn nothing() {}

    fn fail_bare() -> Result<(), ()> {
        Err(())
    }

    fn odd_floats() -> Vec<f64> {
        vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN_POSITIVE, f64::MAX]
    }

    fn extremes() -> (u64, i64) {
        (u64::MAX, i64::MIN)
    }

    fn odd_text() -> String {
        "line\r\nnext\u{0}nul\u{1b}[31mred\u{202e}bidi\u{200b}zero\u{e0041}tag\u{1f980}\"quote\\".to_owned()
    }
}
