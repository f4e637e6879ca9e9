//! From files to findings.
//!
//! ```text
//! file -> its language -> python/  script.rs  shell/  prose/  other.rs    each follows what is written to what it comes to
//!              config.rs finds the commands in settings, manifests, workflows, notebooks
//!                            \        |         |        /
//!                             text.rs  unicode.rs  decode.rs         what a string says, what is hidden in it
//!                                       |
//!                             rules.rs  report.rs                    the rules; places, snippets, the score
//! ```

mod config;
mod decode;
mod other;
mod prose;
mod python;
pub mod report;
pub mod rules;
mod script;
mod shell;
mod sieve;
mod text;
mod unicode;

use report::{Finding, Hit};

/// Text that is looked at in one file. The rest of a longer one is not, which is a finding.
const MAX_FILE: usize = 4 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Python,
    Script,
    Shell,
    PowerShell,
    Other,
    Prose,
    Data,
}

fn language(path: &str, text: &str) -> Language {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending {
        "py" | "pyw" | "pyi" => return Language::Python,
        "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "jsx" | "tsx" => return Language::Script,
        "sh" | "bash" | "zsh" | "ksh" | "command" => return Language::Shell,
        "ps1" | "psm1" => return Language::PowerShell,
        "rb" | "go" | "rs" | "php" | "java" | "kt" | "cs" | "swift" | "pl" | "lua" | "c" | "cc" | "cpp" | "h"
        | "scala" | "dart" => {
            return Language::Other;
        }
        "md" | "mdx" | "markdown" | "txt" | "rst" => return Language::Prose,
        _ => {}
    }
    let first = text.lines().next().unwrap_or_default();
    if first.starts_with("#!") {
        if first.contains("python") {
            return Language::Python;
        } else if first.contains("node") || first.contains("deno") || first.contains("bun") {
            return Language::Script;
        } else if first.contains("sh") {
            return Language::Shell;
        }
    }
    if ending.is_empty() { Language::Prose } else { Language::Data }
}

/// The findings of a skill: of each file, knowing what the functions of its Python files take and send.
pub fn skill<'a>(files: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Vec<Finding> {
    let sources =
        files.clone().filter(|(path, text)| text.len() <= MAX_FILE && language(path, text) == Language::Python);
    let modules = python::modules(sources);
    files.flat_map(|(path, text)| file(path, text, &modules)).collect()
}

/// The findings of one file.
fn file(path: &str, text: &str, modules: &python::Modules) -> Vec<Finding> {
    let mut hits: Vec<Hit> = Vec::new();
    let mut cut = text.len().min(MAX_FILE);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let part = &text[..cut];
    if cut < text.len() {
        hits.push(Hit { rule: &rules::TOO_MUCH, at: cut, means: None });
    }
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let language = language(path, part);
    match language {
        _ if config::scan(&name, part, &mut hits) => {}
        Language::Python => python::scan_in(part, modules, &mut hits),
        Language::Script => script::scan(part, 0, &mut hits),
        Language::Shell => shell::scan(part, 0, &mut hits),
        Language::PowerShell => other::powershell(part, &mut hits),
        Language::Other => other::scan(part, &mut hits),
        Language::Prose => prose::scan(part, &mut hits),
        Language::Data => data(part, &mut hits),
    }
    let code = matches!(
        language,
        Language::Python | Language::Script | Language::Shell | Language::PowerShell | Language::Other
    );
    unicode::scan(part, code, &mut hits);
    report::findings(path, part, hits)
}

/// Configuration and the like: only what a string says, line by line.
fn data(text: &str, hits: &mut Vec<Hit>) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        text::scan(line, at, text::Made::Plain, hits);
        prose::sentence(line, &mut |rule, means| hits.push(Hit { rule, at, means }));
        at += line.len();
    }
}
