//! wasi:cli/environment: variables, arguments, working directory.

use serde_json::{Map, Value};

use crate::{
    bindings::wasi::cli::{environment, stderr},
    ops::streams,
    outcome::Outcome,
};

pub fn run(name: &str) -> Option<Outcome> {
    Some(match name {
        "env" => Ok(Value::Object(
            environment::get_environment().into_iter().map(|(k, v)| (k, v.into())).collect::<Map<_, _>>(),
        )),
        // As pairs too: a host that gives one name twice would be hidden by an object.
        "env-pairs" => Ok(environment::get_environment().into_iter().map(|(k, v)| Value::from(vec![k, v])).collect()),
        "args" => Ok(environment::get_arguments().into()),
        "cwd" => Ok(environment::initial_cwd().into()),
        "env-into-stderr" => env_into_stderr(),
        _ => return None,
    })
}

fn env_into_stderr() -> Outcome {
    let lines: String =
        environment::get_environment().into_iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    streams::write_all(&stderr::get_stderr(), lines.as_bytes())
}
