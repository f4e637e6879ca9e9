//! JSON on one side, typed component values on the other.
//!
//! The flow: [`signature`] reads a function's type once, when the component is loaded, into a bounded tree of [`Shape`]s, or says why the
//! function can't be called with JSON. [`input_schema`], [`output_schema`] and [`wit_text`] describe it to clients and people. For a call,
//! [`args`] turns the client's JSON into values, or refuses before any guest code runs, and [`structured`] turns what came back into JSON
//! that validates against the schema that was listed. A component that describes its tools itself writes their schemas too: a [`Contract`] holds
//! what crosses to them.
//!
//! The mapping has one form for each type, so that a value has one spelling and a schema stays small:
//!
//! | WIT | JSON |
//! |---|---|
//! | `bool`, `string` | boolean, string |
//! | `char` | string of one Unicode scalar |
//! | `u8` to `s32` | integer in range; `1.0` is `1` |
//! | `u64`, `s64` | integer; beyond 2^53 also a decimal string, and always a decimal string on the way out |
//! | `f32`, `f64` | number; on the way out also `"NaN"`, `"Infinity"`, `"-Infinity"`, which are refused on the way in |
//! | `list<u8>` | base64 string, standard alphabet, padded |
//! | `list<T>`, `list<T, N>`, `tuple<..>` | array |
//! | `record` | object; a field of an `option` type may be missing, any other field is an error |
//! | `variant` | object with one key, the case; the value is the payload, `null` where there is none |
//! | `enum` | string |
//! | `flags` | array of distinct strings |
//! | `option<T>` | `null` or `T`; where `T` is an option itself, `null` or `{"some": T}`, so that `some(none)` is not `none` |
//! | `result<T, E>` | `{"ok": T}` or `{"err": E}`, except as a function's return: there `err` makes the call a tool error |
//!
//! Both sides are hostile: the component chose the types and the returned values, the client chose the JSON. Nothing here panics, recursion
//! is bounded by [`signature`]'s depth limit, and work and memory by the size of the input and the meters.

mod arguments;
mod meter;
mod mismatch;
mod numbers;
mod returned;
mod schema;
mod shape;
mod signature;
mod validate;
mod validate_cost;
mod wit;

#[cfg(test)]
mod tests;

pub use arguments::args;
pub use mismatch::ArgumentError;
pub use returned::{Outcome, ReturnError, structured, to_json};
pub use schema::{answer_schema, error_schema, input_schema, output_schema};
pub use shape::{Integer, Named, Shape};
pub use signature::{Allowance, Signature, Unsupported, signature, signature_within};
pub use validate::{Contract, refuse_duplicate_keys};
pub use wit::wit_text;
