//! Walks a script: one operation after the other, nested ones in `repeat`, and the answer that tells of each.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::{
    args::Args,
    handles::Handles,
    ops,
    outcome::{Failure, Outcome, Tally, report},
};

thread_local! {
    /// Kept between calls, so that a host that reuses an instance can be caught at it.
    static HANDLES: RefCell<Handles> = RefCell::default();
}

pub fn perform(script: &str) -> Result<String, String> {
    let script: Value = serde_json::from_str(script).map_err(|error| format!("the script is not JSON: {error}"))?;
    let script = script.as_array().ok_or("the script is not an array of operations")?;
    HANDLES.with_borrow_mut(|handles| {
        let mut outcomes = Vec::with_capacity(script.len());
        for op in script {
            let (name, outcome) = run(op, handles);
            let outcome = match outcome {
                Ok(value) => Ok(value),
                Err(Failure::Refused { code, message }) => Err((code, message)),
                Err(Failure::Script(message)) => return Err(message),
            };
            outcomes.push(report(name, outcome));
        }
        Ok(Value::Array(outcomes).to_string())
    })
}

fn run<'a>(op: &'a Value, handles: &mut Handles) -> (&'a str, Outcome) {
    let Some(fields) = op.as_object() else {
        return ("", Err(Failure::script(format!("an operation is an object, not {op}"))));
    };
    let args = Args(fields);
    let name = match args.text("op") {
        Ok(name) => name,
        Err(failure) => return ("", Err(failure)),
    };
    let outcome = match name {
        "repeat" => repeat(&args, handles),
        "drop" => args.text("handle").and_then(|name| handles.take(name)).map(|_| Value::Null),
        _ => ops::run(name, &args, handles)
            .unwrap_or_else(|| Err(Failure::script(format!("there is no operation {name:?}")))),
    };
    (name, outcome)
}

fn repeat(args: &Args, handles: &mut Handles) -> Outcome {
    let times = args.number("times")?;
    let ops = args.list("ops")?;
    let mut outcomes = Tally::default();
    for _ in 0..times {
        for op in ops {
            outcomes.count(run(op, handles).1)?;
        }
    }
    Ok(json!({"times": times, "outcomes": Value::from(outcomes)}))
}
