//! The JSON mapping against real component types: every signature here is read from a compiled component.

mod arguments;
mod checker;
mod forge;
mod returned;
mod round_trip;
mod schema;
mod signature;
mod validate;
mod wit;
