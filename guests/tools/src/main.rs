//! What building the guests needs beyond a compiler.
//!
//! - `guest-tools wat IN.wat OUT.wasm`: text to binary. No check of validity: some fixtures are meant to be invalid.
//! - `guest-tools docs IN.wasm OUT.wasm WIT...`: the component with the documentation of its WIT in a `package-docs`
//!   section. Each WIT is a file or folder, packages before those that use them; the last one is described.
//! - `guest-tools embed IN.wasm OUT.wasm WIT...`: a core module with the types of its exports, as binding generators leave them. The
//!   last WIT has the world.
//! - `guest-tools dummy OUT.wasm WIT...`: a component of the shape of the last WIT's world, in which every function traps: for what
//!   is told or refused by its shape alone.
//! - `guest-tools compose OUT.wasm MAIN.wasm OTHER.wasm...`: one component, in which the others give the main one what it imports.

use std::{env, error::Error, fs, path::PathBuf, process::ExitCode};

use wasm_compose::{composer::ComponentComposer, config::Config};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, PackageId, PackageMetadata, Resolve, WorldId};

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
        ["embed", input, output, wit @ ..] if !wit.is_empty() => {
            let mut module = fs::read(input)?;
            let (resolve, world) = world(wit)?;
            embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
            Ok(fs::write(output, module)?)
        }
        ["dummy", output, wit @ ..] if !wit.is_empty() => {
            let (resolve, world) = world(wit)?;
            let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
            embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
            Ok(fs::write(output, ComponentEncoder::default().validate(true).module(&module)?.encode()?)?)
        }
        ["compose", output, main, others @ ..] if !others.is_empty() => {
            let definitions = others.iter().map(PathBuf::from).collect();
            let config = Config { definitions, ..Config::default() };
            Ok(fs::write(output, ComponentComposer::new(main.as_ref(), &config).compose()?)?)
        }
        _ => Err("usage: guest-tools compose OUT MAIN OTHER... | wat IN OUT | docs IN OUT WIT... | embed IN OUT WIT... | dummy OUT WIT...".into()),
    }
}

/// Appends the section that wit-parser itself writes for packages, so that any reader of that format can use it.
fn with_docs(mut component: Vec<u8>, wit: &[&str]) -> Result<Vec<u8>, Box<dyn Error>> {
    let (resolve, package) = packages(wit)?;
    let docs = PackageMetadata::extract(&resolve, package).encode()?;
    let section = wasm_encoder::CustomSection { name: PackageMetadata::SECTION_NAME.into(), data: docs.into() };
    wasm_encoder::ComponentSection::append_to_component(&section, &mut component);
    Ok(component)
}

/// The packages, and the last one.
fn packages(wit: &[&str]) -> Result<(Resolve, PackageId), Box<dyn Error>> {
    let mut resolve = Resolve::default();
    let mut last = None;
    for path in wit {
        last = Some(resolve.push_path(PathBuf::from(path))?.0);
    }
    Ok((resolve, last.ok_or("no WIT was given")?))
}

/// The one world of the last package.
fn world(wit: &[&str]) -> Result<(Resolve, WorldId), Box<dyn Error>> {
    let (resolve, package) = packages(wit)?;
    let world = resolve.select_world(&[package], None)?;
    Ok((resolve, world))
}
