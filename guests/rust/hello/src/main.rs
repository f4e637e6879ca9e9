//! The smallest WASI 0.2 command: says what it was given and ends with the code it was asked for.
//!
//! Prints its arguments, the environment, and what stands on standard input. `--exit N` ends with that code,
//! `--stderr TEXT` writes TEXT to standard error.

use std::{
    env,
    io::{self, Read},
    process::ExitCode,
};

fn main() -> ExitCode {
    let mut code = 0;
    let mut args = env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--exit" => code = args.next().and_then(|n| n.parse().ok()).unwrap_or(1),
            "--stderr" => eprintln!("{}", args.next().unwrap_or_default()),
            _ => println!("arg {arg}"),
        }
    }
    for (name, value) in env::vars() {
        println!("env {name}={value}");
    }
    let mut input = Vec::new();
    match io::stdin().read_to_end(&mut input) {
        Ok(bytes) => println!("stdin {bytes} bytes: {}", String::from_utf8_lossy(&input)),
        Err(error) => println!("stdin {error}"),
    }
    ExitCode::from(code)
}
