//! The hidden verb: this program as the compiling child of another. It has limits of its own and touches nothing but its pipes.

use customs_engine::load::child_main;
use std::process::ExitCode;

/// Not a word that anybody would type.
pub(crate) const WORD: &str = "__compile-component";

/// Runs as the child where the first argument says so.
pub(crate) fn intercept() -> Option<ExitCode> {
    let first = crate::machine::first_argument();
    crate::cli::is_compile(first.as_ref()).then(|| {
        let (mut input, mut code, mut complaint) =
            (std::io::stdin().lock(), std::io::stdout().lock(), std::io::stderr().lock());
        child_main(&mut input, &mut code, &mut complaint)
    })
}
