//! Performs a scripted list of WASI calls, so that a test case is data: `perform` takes a JSON array of operations and
//! gives a JSON array of outcomes. The operations are listed in `README.md`.
//!
//! Flow: [`script`] walks the array; each operation goes to the first module under [`ops`] that knows its name; that
//! module reads its arguments through [`args`], calls the raw import from [`bindings`] (never std, which would add calls
//! of its own) and answers with a value or a [`outcome::Failure`]. Resources live in [`handles`] under the name that the
//! script gave them, for as long as the instance does.

mod args;
mod handles;
mod ops;
mod outcome;
mod script;

/// Every import, raw.
mod bindings {
    wit_bindgen::generate!({
        path: [
            "../../../wit/wasi/io.wit",
            "../../../wit/wasi/clocks.wit",
            "../../../wit/wasi/random.wit",
            "../../../wit/wasi/filesystem.wit",
            "../../../wit/wasi/sockets.wit",
            "../../../wit/wasi/cli.wit",
            "../../../wit/wasi/http.wit",
            "wit",
        ],
        world: "customs:puppet/puppet",
        generate_all,
    });
}

struct Puppet;

impl bindings::Guest for Puppet {
    fn perform(script: String) -> Result<String, String> {
        script::perform(&script)
    }

    fn big_list(n: u32) -> Vec<u32> {
        (0..n).collect()
    }
}

bindings::export!(Puppet with_types_in bindings);
