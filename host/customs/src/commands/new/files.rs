//! The files of a project. They are in `templates/` as they are written, with words such as `@NAME@` to be filled in.

use super::{Customs, Project};
use crate::cli::{Language, World};

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../../templates/", $path))
    };
}

macro_rules! wit {
    ($path:literal) => {
        include_str!(concat!("../../../../../wit/", $path))
    };
}

/// What JavaScript asks WASI for, because its engine has no file system of its own.
const FILES: &str = "\n    import wasi:filesystem/types@0.2.12;\n    import wasi:filesystem/preopens@0.2.12;\n";

/// What a world that uses the file system has to have beside it.
const WASI: [(&str, &str); 4] = [
    ("wit/deps/wasi-io.wit", wit!("wasi/io.wit")),
    ("wit/deps/wasi-clocks.wit", wit!("wasi/clocks.wit")),
    ("wit/deps/wasi-filesystem.wit", wit!("wasi/filesystem.wit")),
    ("wit/deps/LICENSE", wit!("wasi/LICENSE")),
];

/// All files: the path in the project, and the text.
pub(super) fn of(project: &Project<'_>) -> Vec<(String, String)> {
    let (language, world) = (project.language, project.world);
    let (wit, test) = match world {
        World::Typed => (template!("typed/tool.wit"), template!("typed/test.sh")),
        World::Customs => (template!("customs/tool.wit"), template!("customs/test.sh")),
    };
    let mut files = vec![
        ("README.md".to_owned(), template!("README.md")),
        (".gitignore".to_owned(), template!("gitignore")),
        ("customs.toml".to_owned(), template!("customs.toml")),
        ("templates/hello.txt".to_owned(), template!("hello.txt")),
        ("test.sh".to_owned(), test),
        (format!("wit/{}.wit", project.name), wit),
        (source(language).to_owned(), code(language, world)),
    ];
    let mut add = |path: &str, text| files.push((path.to_owned(), text));
    match language {
        Language::Rust => {
            add("Cargo.toml", template!("rust/cargo.toml"));
            add("build.sh", template!("rust/build.sh"));
        }
        Language::Js => {
            add("package.json", template!("js/package.json"));
            add("build.mjs", template!("js/build.mjs"));
            WASI.iter().for_each(|(path, text)| add(path, text));
        }
        Language::Python => {
            add("requirements.txt", template!("python/requirements.txt"));
            add("build.sh", template!("python/build.sh"));
        }
    }
    if world == World::Customs {
        add("wit/deps/customs-tool.wit", wit!("customs-tool.wit"));
    }
    files.into_iter().map(|(path, text)| (path, filled(project, text))).collect()
}

/// Where the code is.
pub(super) fn source(language: Language) -> &'static str {
    match language {
        Language::Rust => "src/lib.rs",
        Language::Js => "tool.js",
        Language::Python => "src/app.py",
    }
}

/// What a person calls it.
pub(super) fn language(language: Language) -> &'static str {
    match language {
        Language::Rust => "Rust",
        Language::Js => "JavaScript",
        Language::Python => "Python",
    }
}

fn code(language: Language, world: World) -> &'static str {
    match (language, world) {
        (Language::Rust, World::Typed) => template!("rust/typed.rs"),
        (Language::Rust, World::Customs) => template!("rust/customs.rs"),
        (Language::Js, World::Typed) => template!("js/typed.js"),
        (Language::Js, World::Customs) => template!("js/customs.js"),
        (Language::Python, World::Typed) => template!("python/typed.py"),
        (Language::Python, World::Customs) => template!("python/customs.py"),
    }
}

fn filled(project: &Project<'_>, text: &str) -> String {
    let name = project.name;
    let typed = project.world == World::Typed;
    let customs = "\"${CUSTOMS:-customs}\"";
    let (needs, ignored, built) = match project.language {
        Language::Rust => (
            "cargo, and rustup or the target wasm32-wasip2",
            "/target/",
            format!("target/wasm32-wasip2/release/{}.wasm", snake(name)),
        ),
        Language::Js => ("Node.js 20 or newer", "/node_modules/", format!("{name}.wasm")),
        Language::Python => ("Python 3.10 or newer with venv", "/venv/\n__pycache__/", format!("{name}.wasm")),
    };
    let own = format!("{name}.wasm");
    let docs = if built == own {
        format!("{customs} docs {own} --wit wit/{name}.wit")
    } else {
        format!("{customs} docs {built} --wit wit/{name}.wit --out {own}")
    };
    let finish = match (typed, project.language) {
        (true, _) => format!(
            "# The words of the WIT, which compilers leave out, go into the component: models read them.\n{docs}"
        ),
        (false, Language::Rust) => format!("cp {built} {own}"),
        (false, Language::Js | Language::Python) => String::new(),
    };
    let steps = project.steps(&Customs { export: String::new(), word: "customs".to_owned() });
    let steps = steps.split_once('\n').map_or("", |(_, rest)| rest);
    // In a JSON text.
    let and_docs = if typed { format!(" && {}", docs.replace('"', "\\\"")) } else { String::new() };
    let filled = text
        .replace("@READ@\n", template!("js/read.js"))
        .replace("@STEPS@", steps)
        .replace("@FINISH@\n", &if finish.is_empty() { String::new() } else { format!("{finish}\n") })
        .replace("@DOCS@", &and_docs)
        .replace("@IMPORTS@", if project.language == Language::Js { FILES } else { "" })
        .replace("@JSON@", if typed { "" } else { "serde_json = \"1\"\n" })
        .replace("@LANGUAGE@", language(project.language))
        .replace("@SOURCE@", source(project.language))
        .replace("@WHAT@", if typed { "what it offers, in types and words" } else { "the world that it is made for" })
        .replace("@NEEDS@", needs)
        .replace("@IGNORED@", ignored)
        .replace("@SNAKE@", &snake(name));
    // Last: what stands before it may be a version, `@NAME@@0.1.0`.
    filled.replace("@NAME@", name)
}

/// As Rust spells it.
fn snake(name: &str) -> String {
    name.replace('-', "_")
}
