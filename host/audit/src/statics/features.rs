//! Which proposal an instruction is of.

use wasmparser::Operator;

macro_rules! by_proposal {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        /// The proposal; empty for the first version of WebAssembly.
        pub(super) fn of(operator: &Operator<'_>) -> &'static str {
            match operator {
                $(Operator::$op $({ $($arg: _),* })? => name(stringify!($proposal)),)*
                _ => "",
            }
        }
    };
}

wasmparser::for_each_operator!(by_proposal);

const fn name(proposal: &'static str) -> &'static str {
    match proposal.as_bytes() {
        b"mvp" => "",
        b"tail_call" => "tail-call",
        b"reference_types" => "reference-types",
        b"function_references" => "function-references",
        b"sign_extension" => "sign-extension",
        b"saturating_float_to_int" => "saturating-float-to-int",
        b"bulk_memory" => "bulk-memory",
        b"relaxed_simd" => "relaxed-simd",
        b"legacy_exceptions" => "legacy-exceptions",
        b"stack_switching" => "stack-switching",
        b"wide_arithmetic" => "wide-arithmetic",
        b"memory_control" => "memory-control",
        b"shared_everything_threads" => "shared-everything-threads",
        b"custom_descriptors" => "custom-descriptors",
        _ => proposal,
    }
}
