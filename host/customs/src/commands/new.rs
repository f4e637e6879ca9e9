//! `customs new`: a small project with a tool in it that builds, is granted little, and has a test.

mod files;

use crate::cli::{Language, New, World};
use crate::exit::{Exit, Fault};
use crate::show::client::quoted;
use crate::{machine, output};
use cap_std::fs::{Dir, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// The longest name: it is part of paths, addresses and tool names.
const MAX_NAME: usize = 40;

/// Names that a language or a tool of its build has taken: keywords of WIT and of Rust, and crates that every Rust program sees.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "bool",
    "borrow",
    "box",
    "break",
    "build",
    "char",
    "const",
    "constructor",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "error-context",
    "example",
    "examples",
    "export",
    "extern",
    "f32",
    "f64",
    "false",
    "final",
    "flags",
    "fn",
    "for",
    "from",
    "func",
    "future",
    "gen",
    "if",
    "impl",
    "import",
    "in",
    "include",
    "incremental",
    "interface",
    "let",
    "list",
    "loop",
    "macro",
    "map",
    "match",
    "mod",
    "move",
    "mut",
    "option",
    "override",
    "own",
    "package",
    "priv",
    "proc-macro",
    "pub",
    "record",
    "ref",
    "resource",
    "result",
    "return",
    "s16",
    "s32",
    "s64",
    "s8",
    "self",
    "static",
    "std",
    "stream",
    "string",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "tuple",
    "type",
    "typeof",
    "u16",
    "u32",
    "u64",
    "u8",
    "union",
    "unsafe",
    "unsized",
    "use",
    "variant",
    "virtual",
    "where",
    "while",
    "with",
    "world",
    "yield",
];

pub(crate) fn run(args: &New) -> Result<Exit, Fault> {
    check(&args.name)?;
    let project = Project { name: &args.name, language: args.lang, world: args.world };
    let place = directory(&args.name)?;
    for (path, text) in files::of(&project) {
        write(&place, &path, &text).map_err(|e| about(&args.name, &path, &e))?;
    }
    output::result(&format!("# {}\n{}\n", project.summary(), project.steps(&said()?)))?;
    Ok(Exit::Returned)
}

/// What is written.
struct Project<'a> {
    name: &'a str,
    language: Language,
    world: World,
}

impl Project<'_> {
    fn summary(&self) -> String {
        let kind = match self.world {
            World::Typed => "a typed tool",
            World::Customs => "tools that describe themselves",
        };
        let (name, source) = (self.name, files::source(self.language));
        format!(
            "{name}: {kind} in {}. {name}/wit has the world, {name}/{source} the code.",
            files::language(self.language)
        )
    }

    /// What to type next, for a POSIX shell; `customs` is the program, as a word of it.
    fn steps(&self, customs: &Customs) -> String {
        let name = self.name;
        let build = match self.language {
            Language::Rust => "sh build.sh\nsh test.sh",
            Language::Js => "npm install\nnpm run build\nnpm test",
            Language::Python => {
                "python3 -m venv venv\nvenv/bin/pip install -r requirements.txt\nsh build.sh\nsh test.sh"
            }
        };
        let call = match self.world {
            World::Typed => "greet --arg name=Ada",
            World::Customs => "greet-all --args '{\"names\":[\"Ada\",\"Bob\"]}'",
        };
        let Customs { export, word } = customs;
        format!(
            "cd {name}\n{export}{build}\n{word} run {name}.wasm {call} --policy customs.toml\n{word} serve --policy customs.toml --print-config claude-code"
        )
    }
}

/// How the steps name the program.
struct Customs {
    export: String,
    word: String,
}

/// `customs` where the shell finds this program by that name, else its path, which the scripts of the project are told too.
fn said() -> Result<Customs, Fault> {
    let program = machine::own_program()?;
    let here = machine::canonical(&program);
    let path = machine::variable("PATH")?.unwrap_or_default();
    let first = path
        .split(':')
        .filter(|dir| !dir.is_empty())
        .find_map(|dir| machine::canonical(&Path::new(dir).join("customs")));
    if first.is_some() && first == here {
        return Ok(Customs { export: String::new(), word: "customs".to_owned() });
    }
    Ok(Customs {
        export: format!("export CUSTOMS={}\n", quoted(&program.display().to_string())),
        word: "\"$CUSTOMS\"".to_owned(),
    })
}

/// A name that WIT, the file system, cargo and npm all take.
fn check(name: &str) -> Result<(), Fault> {
    let refuse = |why: &str| Err(Fault::Refused(format!("{name:?} is no name for a project: {why}")));
    if name.len() > MAX_NAME {
        return refuse("it is longer than 40 characters");
    }
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if !name.split('-').all(word) {
        return refuse("it is made of words of a-z and 0-9 that begin with a letter, with a dash between them");
    }
    if TAKEN.contains(&name) {
        return refuse("that word means something else to a compiler");
    }
    Ok(())
}

/// The project's directory: a new one, or an empty one that is there already.
fn directory(name: &str) -> Result<Dir, Fault> {
    let (here, ..) = machine::parent(Path::new(name))?;
    let refuse = |e: &std::io::Error| Fault::Refused(format!("./{name}: {}", machine::plain(e)));
    match here.create_dir(name) {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => return Err(refuse(&e)),
    }
    let place = here.open_dir(name).map_err(|e| refuse(&e))?;
    if place.entries().map_err(|e| refuse(&e))?.next().is_some() {
        return Err(Fault::Refused(format!("./{name}: is not empty; nothing was written")));
    }
    Ok(place)
}

/// Writes a new file and the directories above it. What is there is never replaced.
fn write(place: &Dir, path: &str, text: &str) -> std::io::Result<()> {
    if let Some((above, _)) = path.rsplit_once('/') {
        place.create_dir_all(above)?;
    }
    place.open_with(path, OpenOptions::new().write(true).create_new(true))?.write_all(text.as_bytes())
}

fn about(name: &str, path: &str, error: &std::io::Error) -> Fault {
    Fault::Refused(format!("./{name}/{path}: {}", machine::plain(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    #[test]
    fn a_name_is_one_that_every_tool_of_the_build_takes() {
        for name in ["a", "greeter", "my-tool", "b2", "a-b2-c", "typed", &"x".repeat(MAX_NAME)] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "../a",
            "-a",
            "a-",
            "a--b",
            "2b",
            "a-2b",
            "A",
            "a_b",
            "a b",
            "ä",
            "$(x)",
            "\u{1b}[31m",
            "world",
            "fn",
            "core",
            &"x".repeat(MAX_NAME + 1),
        ] {
            let Err(Fault::Refused(why)) = check(name) else { panic!("{name:?} was taken") };
            assert!(!why.contains('\u{1b}'), "{why:?}");
        }
    }

    #[test]
    fn every_project_is_filled_in_and_its_wit_can_be_read() {
        for (language, world) in
            Language::value_variants().iter().flat_map(|l| World::value_variants().iter().map(move |w| (*l, *w)))
        {
            let files = files::of(&Project { name: "a-tool", language, world });
            for (path, text) in &files {
                let left = text
                    .split('@')
                    .skip(1)
                    .step_by(2)
                    .find(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase()));
                assert_eq!(left, None, "{language:?} {world:?} {path}");
            }
            let wit: Vec<_> = files.iter().filter(|(path, _)| path.ends_with(".wit")).collect();
            let mut resolve = wit_parser::Resolve::default();
            let groups = wit.iter().map(|(path, text)| wit_parser::UnresolvedPackageGroup::parse(path, text).unwrap());
            let (own, deps): (Vec<_>, Vec<_>) = groups.partition(|group| group.main.name.namespace == "example");
            assert_eq!(own.len(), 1);
            for group in own {
                let package = resolve.push_groups(group, deps.clone()).unwrap();
                assert!(resolve.select_world(&[package], Some("tool")).is_ok());
            }
        }
    }
}
