//! wasi:random. Numbers of 64 bits come as text, so that no reader rounds them.

use crate::{
    args::Args,
    bindings::wasi::random::{insecure, insecure_seed, random},
    outcome::Outcome,
};

pub fn run(name: &str, args: &Args) -> Option<Outcome> {
    Some(match name {
        "random-bytes" => args.number("len").and_then(|len| shown(args, &random::get_random_bytes(len))),
        "random-u64" => Ok(random::get_random_u64().to_string().into()),
        "insecure-bytes" => args.number("len").and_then(|len| shown(args, &insecure::get_insecure_random_bytes(len))),
        "insecure-u64" => Ok(insecure::get_insecure_random_u64().to_string().into()),
        "insecure-seed" => {
            let (low, high) = insecure_seed::insecure_seed();
            Ok(vec![low.to_string(), high.to_string()].into())
        }
        _ => return None,
    })
}

/// Random bytes are no text; their length and, where asked for with `as-hex`, their digits.
fn shown(args: &Args, bytes: &[u8]) -> Outcome {
    let mut shown = args.show(bytes)?;
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("text");
    }
    Ok(shown)
}
