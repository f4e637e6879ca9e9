//! What building the guests needs beyond a compiler.
//!
//! - `guest-tools wat IN.wat OUT.wasm`: text to binary. No check of validity: some fixtures are meant to be invalid.
//! - `guest-tools docs IN.wasm OUT.wasm WIT...`: the component with the documentation of its WIT in a `package-docs`
//!   section. Each WIT is a file or folder, packages before those that use them; the last one is described.

use std::{env, error::Error, fs, path::PathBuf, process::ExitCode};

use wit_parser::{PackageMetadata, Resolve};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match run(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guest-tools: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<(), Box<dyn Error>> {
    match args {
        ["wat", input, output] => Ok(fs::write(output, wat::parse_file(input)?)?),
        ["docs", input, output, wit @ ..] if !wit.is_empty() => {
            Ok(fs::write(output, with_docs(fs::read(input)?, wit)?)?)
        }
        _ => Err("usage: guest-tools wat IN OUT | docs IN OUT WIT...".into()),
    }
}

/// Appends the section that wit-parser itself writes for packages, so that any reader of that format can use it.
fn with_docs(mut component: Vec<u8>, wit: &[&str]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut resolve = Resolve::default();
    let mut described = None;
    for path in wit {
        described = Some(resolve.push_path(PathBuf::from(path))?.0);
    }
    let package = described.ok_or("no WIT was given")?;
    let docs = PackageMetadata::extract(&resolve, package).encode()?;
    let section = wasm_encoder::CustomSection { name: PackageMetadata::SECTION_NAME.into(), data: docs.into() };
    wasm_encoder::ComponentSection::append_to_component(&section, &mut component);
    Ok(component)
}
