//! Files that say what is run without being programs: settings, manifests, workflows, makefiles, notebooks, lists of packages.
//!
//! Each is read as far as needed to find the commands in it; a command goes to `shell.rs`, a text to `prose.rs`.

use super::report::Hit;
use super::rules::*;
use super::text::{self, Made};
use super::{prose, python, shell};

/// Texts that are looked at in one file.
const MAX_TEXTS: usize = 50_000;
/// Characters of a key; those that say something are short.
const MAX_KEY: usize = 60;
/// Objects within objects.
const MAX_DEPTH: usize = 200;

/// A text of a JSON file.
struct Text {
    at: usize,
    value: String,
    /// The keys above it, from the outermost; those of lists are left out.
    keys: Vec<String>,
    /// The number of the list that it is in, and its place there.
    list: Option<(usize, usize)>,
}

/// Whether this module reads the file; then what it found.
pub fn scan(name: &str, text: &str, hits: &mut Vec<Hit>) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match (name, ending) {
        (_, "ipynb") => notebook(text, hits),
        (_, "json" | "jsonc" | "json5") => json(name, text, hits),
        (_, "yml" | "yaml") => yaml(text, hits),
        ("makefile" | "gnumakefile" | "justfile", _) | (_, "mk") => make(text, hits),
        ("dockerfile" | "containerfile", _) | (_, "dockerfile") => docker(text, hits),
        (_, "pth") => lines(text, |line, at| {
            if line.starts_with("import ") || line.starts_with("import\t") {
                hits.push(Hit { rule: &BY_ITSELF, at, means: None });
                nested(line, at, hits, |code, found| python::scan(code, 1, found));
            }
        }),
        (_, "service" | "timer" | "desktop" | "plist") => unit(text, hits),
        (_, "txt") if name.starts_with("requirements") || name.starts_with("constraints") => requirements(text, hits),
        ("pip.conf" | "pip.ini" | ".npmrc" | ".yarnrc" | ".pip.conf", _) => requirements(text, hits),
        // Lists of what is left out of something else.
        (".gitignore" | ".dockerignore" | ".npmignore" | ".eslintignore" | ".prettierignore" | ".gitattributes", _) => {
        }
        // Patterns that others are looked for with.
        (_, "yar" | "yara") => {}
        _ => return false,
    }
    true
}

fn lines(text: &str, mut each: impl FnMut(&str, usize)) {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        each(line, at);
        at += line.len();
    }
}

/// What a part comes to, all of it told of at the part's place.
fn nested(part: &str, at: usize, hits: &mut Vec<Hit>, look: impl FnOnce(&str, &mut Vec<Hit>)) {
    let mut found = Vec::new();
    look(part, &mut found);
    hits.extend(found.into_iter().map(|hit| Hit { at, ..hit }));
}

/// The part stands in the file as it is, so places in it are places in the file.
fn inside(part: &str, from: usize, hits: &mut Vec<Hit>) {
    let mut found = Vec::new();
    shell::scan(&secrets(part), 1, &mut found);
    hits.extend(found.into_iter().map(|hit| Hit { at: hit.at + from, ..hit }));
    if let Some(at) = all_secrets(part) {
        hits.push(Hit {
            rule: &WHOLE_ENVIRONMENT,
            at: from + at,
            means: Some("all secrets of the workflow".to_owned()),
        });
    }
}

fn all_secrets(text: &str) -> Option<usize> {
    text.to_ascii_lowercase()
        .replace(' ', "")
        .contains("tojson(secrets)")
        .then(|| text.to_ascii_lowercase().find("tojson").unwrap_or(0))
}

/// `${{ secrets.NAME }}` as `${NAME}`, of the same length.
fn secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        out.push_str(before);
        let Some(end) = after.find("}}") else {
            out.push_str("${{");
            rest = after;
            continue;
        };
        let name = after[..end].trim();
        let name = name.rsplit('.').next().unwrap_or(name);
        if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            out.push_str("${");
            out.push_str(name);
            out.push('}');
            out.extend(std::iter::repeat_n(' ', (end + 5).saturating_sub(name.len() + 3)));
        } else {
            out.extend(std::iter::repeat_n('_', end + 5));
        }
        rest = &after[end + 2..];
    }
    out.push_str(rest);
    out
}

/// The texts of a JSON file, with what they are values of. Comments and a comma too many are taken as they come.
fn texts(source: &str) -> Vec<Text> {
    let mut found: Vec<Text> = Vec::new();
    // Open objects and lists: the key that is open, the number of a list, the place in it.
    let mut open: Vec<(Option<String>, usize, usize)> = Vec::new();
    let mut lists = 0;
    let mut key: Option<String> = None;
    let mut chars = source.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if found.len() >= MAX_TEXTS || open.len() >= MAX_DEPTH {
            break;
        }
        match c {
            '{' => open.push((key.take(), 0, 0)),
            '[' => {
                lists += 1;
                open.push((key.take(), lists, 0));
            }
            '}' | ']' => {
                open.pop();
                key = None;
            }
            ',' => {
                key = None;
                if let Some(last) = open.last_mut() {
                    last.2 += 1;
                }
            }
            '/' if chars.peek().is_some_and(|(_, c)| *c == '/') => {
                while chars.next_if(|(_, c)| *c != '\n').is_some() {}
            }
            '"' => {
                let value = quoted(&mut chars);
                let mut after = chars.clone();
                while after.next_if(|(_, c)| c.is_whitespace()).is_some() {}
                let in_list = open.last().is_some_and(|(_, list, _)| *list > 0);
                if !in_list && key.is_none() && after.peek().is_some_and(|(_, c)| *c == ':') {
                    // It is kept for each text below it.
                    key = Some(value.chars().take(MAX_KEY).collect());
                    continue;
                }
                let mut keys: Vec<String> = open.iter().filter_map(|(key, ..)| key.clone()).collect();
                keys.extend(key.clone());
                let list = open.last().filter(|(_, list, _)| *list > 0).map(|(_, list, place)| (*list, *place));
                found.push(Text { at, value, keys, list });
            }
            _ => {}
        }
    }
    found
}

fn quoted(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> String {
    let mut text = String::new();
    while let Some((_, c)) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next().map(|(_, c)| c) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                    text.push(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'));
                }
                Some(c) => text.push(c),
                None => break,
            },
            c => text.push(c),
        }
    }
    text
}

/// Keys whose value is a command line.
fn is_command(key: &str) -> bool {
    matches!(
        key,
        "command" | "cmd" | "run" | "script" | "shell" | "exec" | "entrypoint" | "statusline" | "apikeyhelper"
    ) || key.ends_with("command")
        || key.ends_with("script")
}

/// What runs without being called by name: hooks of packages, editors and clients.
fn runs_by_itself(name: &str, keys: &[String]) -> bool {
    let has = |key: &str| keys.iter().any(|one| one == key);
    let last = keys.last().map_or("", String::as_str);
    name == "package.json"
        && has("scripts")
        && matches!(last, "preinstall" | "install" | "postinstall" | "prepare" | "preprepare")
        || has("hooks")
        || name == "devcontainer.json" && last.to_ascii_lowercase().ends_with("command")
}

fn json(name: &str, source: &str, hits: &mut Vec<Hit>) {
    // Settings of clients that let anything through.
    for switch in ["enableAllProjectMcpServers", "autoApprove", "dangerouslySkipPermissions", "autoApproveAll"] {
        let on = |at: &usize| {
            source[*at..]
                .trim_start_matches(switch)
                .trim_start_matches('"')
                .trim_start()
                .trim_start_matches(':')
                .trim_start()
                .starts_with("true")
        };
        if let Some(at) = source.match_indices(switch).map(|(at, _)| at).find(on) {
            hits.push(Hit { rule: &ASKS_NOBODY, at, means: Some(switch.to_owned()) });
        }
    }
    let all = texts(source);
    let opens = name == "tasks.json" && source.contains("folderOpen");
    for (place, one) in all.iter().enumerate() {
        let keys: Vec<String> = one.keys.iter().map(|key| key.to_ascii_lowercase()).collect();
        let last = keys.last().map_or("", String::as_str);
        if keys.iter().any(|key| {
            matches!(key.as_str(), "deny" | "exclude" | "ignore" | "excludes" | "denylist" | "blocklist" | "keywords")
        }) {
            continue;
        }
        let by_itself = runs_by_itself(name, &keys)
            && (one.list.is_none() || is_command(last))
            && !matches!(last, "matcher" | "type" | "description")
            || opens && is_command(last);
        let scripts = keys.iter().any(|key| key == "scripts");
        let command = is_command(last) || by_itself || scripts;
        if by_itself {
            hits.push(Hit { rule: &BY_ITSELF, at: one.at, means: Some(one.value.clone()) });
        }
        match one.list {
            // `"command": "bash", "args": ["-c", ".."]`, or all words in one list.
            Some((list, 0)) if last == "args" || command => {
                let before = all[..place]
                    .iter()
                    .rev()
                    .take(200)
                    .find(|other| other.keys.last().is_some_and(|key| is_command(&key.to_ascii_lowercase())));
                let mut words: Vec<String> =
                    before.filter(|_| last == "args").map(|one| one.value.clone()).into_iter().collect();
                words.extend(
                    all[place..]
                        .iter()
                        .take_while(|other| other.list.is_some_and(|(other, _)| other == list))
                        .map(|one| quote(&one.value)),
                );
                nested(&words.join(" "), one.at, hits, |line, found| shell::scan(line, 1, found));
            }
            Some(_) if last == "args" || command => {}
            _ if command => nested(&one.value, one.at, hits, |line, found| shell::scan(line, 1, found)),
            _ => {
                said(&one.value, one.at, hits);
                // The key goes along with each request.
                let elsewhere = |own: &str| {
                    text::urls(&one.value)
                        .any(|host| !host.ends_with(own) && host != "localhost" && !host.starts_with("127."))
                };
                if last == "anthropic_base_url" && elsewhere("anthropic.com")
                    || last == "openai_base_url" && elsewhere("openai.com")
                {
                    hits.push(Hit { rule: &KEY_ELSEWHERE, at: one.at, means: Some(one.value.clone()) });
                }
                if last == "defaultmode" && one.value == "bypassPermissions"
                    || keys.ends_with(&["permissions".to_owned(), "allow".to_owned()])
                        && matches!(one.value.as_str(), "Bash" | "Bash(*)" | "Bash(*:*)" | "*")
                {
                    hits.push(Hit { rule: &ASKS_NOBODY, at: one.at, means: Some(one.value.clone()) });
                }
            }
        }
    }
}

/// A word as a shell would have to be given it.
fn quote(word: &str) -> String {
    if word.contains(|c: char| c.is_whitespace() || "|&;<>()$`\"'".contains(c)) {
        format!("'{}'", word.replace('\'', "'\\''"))
    } else {
        word.to_owned()
    }
}

/// A text that is no command: where it leads, and what it tells an agent.
fn said(value: &str, at: usize, hits: &mut Vec<Hit>) {
    let mut found = Vec::new();
    prose::said(value, &mut |rule, means| found.push(Hit { rule, at, means }));
    if !prose::forbids(&value.to_lowercase()) {
        // A file's name in a setting is no access to the file.
        let names = |hit: &Hit| hit.rule.category != Category::CredentialAccess || hit.rule.id == CLOUD_ROLE.id;
        let mut named = Vec::new();
        text::scan(value, at, Made::Plain, &mut named);
        found.extend(named.into_iter().filter(names));
    }
    hits.append(&mut found);
}

/// Commands of workflows and the like: `run: ..`, `script:` with a list, blocks of lines. Everything else is a text.
fn yaml(source: &str, hits: &mut Vec<Hit>) {
    let mut block: Option<(usize, usize)> = None;
    let mut list: Option<usize> = None;
    let mut at = 0;
    let width = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let end_block = |block: &mut Option<(usize, usize)>, end: usize, hits: &mut Vec<Hit>| {
        if let Some((from, _)) = block.take() {
            inside(&source[from..end], from, hits);
        }
    };
    for line in source.split_inclusive('\n') {
        let from = at;
        at += line.len();
        let trimmed = line.trim();
        let indent = width(line);
        if let Some((_, above)) = block {
            if trimmed.is_empty() || indent > above {
                continue;
            }
            end_block(&mut block, from, hits);
        }
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let item = trimmed.strip_prefix("- ");
        let entry = item.unwrap_or(trimmed);
        if let (Some(above), Some(item)) = (list, item)
            && indent >= above
            && !item.contains(": |")
        {
            let start = from + line.find(item).unwrap_or(0);
            inside(item.trim_matches(['"', '\'']), start, hits);
            continue;
        }
        list = None;
        let (key, value) = entry.split_once(':').unwrap_or(("", entry));
        let value = value.trim();
        if is_command(&key.trim().to_ascii_lowercase()) {
            if value.starts_with(['|', '>']) {
                block = Some((at, indent));
            } else if value.is_empty() {
                list = Some(indent);
            } else {
                let start = from + line.find(value).unwrap_or(0);
                inside(value, start, hits);
            }
            continue;
        }
        if let Some(place) = all_secrets(line) {
            hits.push(Hit {
                rule: &WHOLE_ENVIRONMENT,
                at: from + place,
                means: Some("all secrets of the workflow".to_owned()),
            });
        }
        said(line, from, hits);
    }
    end_block(&mut block, source.len(), hits);
}

/// Recipes, and `$(shell ..)`, which runs while the file is read.
fn make(source: &str, hits: &mut Vec<Hit>) {
    let mut recipe = String::new();
    let mut from = 0;
    lines(source, |line, at| {
        if line.starts_with('\t') || line.starts_with("    ") {
            if recipe.is_empty() {
                from = at;
            }
            // `@` and `-` before a command are make's own; `$$` is the shell's `$`. The length stays.
            let body = line.trim_start();
            let skip = line.len() - body.len() + body.len() - body.trim_start_matches(['@', '-', '+']).len();
            recipe.push_str(&" ".repeat(skip));
            recipe.push_str(&line[skip..].replace("$$", " $"));
            return;
        }
        if !recipe.is_empty() {
            inside(&std::mem::take(&mut recipe), from, hits);
        }
        for (start, _) in line.match_indices("$(shell ") {
            let rest = &line[start + 8..];
            let end = closing(rest);
            inside(&rest[..end], at + start + 8, hits);
        }
        said(line, at, hits);
    });
    if !recipe.is_empty() {
        inside(&recipe, from, hits);
    }
}

fn closing(text: &str) -> usize {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn docker(source: &str, hits: &mut Vec<Hit>) {
    let mut more = false;
    let mut command = String::new();
    let mut from = 0;
    lines(source, |line, at| {
        let trimmed = line.trim_start();
        let upper = trimmed.get(..4).unwrap_or_default().to_ascii_uppercase();
        if more {
            command.push_str(line);
        } else if upper == "RUN " {
            from = at;
            let skip = line.len() - trimmed.len() + 4;
            command = " ".repeat(skip) + &line[skip..];
        } else {
            said(line, at, hits);
            return;
        }
        more = line.trim_end().ends_with('\\');
        if !more {
            inside(&std::mem::take(&mut command), from, hits);
        }
    });
    if !command.is_empty() {
        inside(&command, from, hits);
    }
}

/// `ExecStart=` of services, `Exec=` of menus, texts of property lists.
fn unit(source: &str, hits: &mut Vec<Hit>) {
    lines(source, |line, at| match line.split_once('=') {
        Some((key, value)) if key.trim().starts_with("Exec") => {
            inside(value, at + line.len() - value.len(), hits);
        }
        _ => {
            let bare = line.trim().trim_start_matches("<string>").trim_end_matches("</string>");
            nested(bare, at, hits, shell_in_text);
        }
    });
}

fn shell_in_text(text: &str, found: &mut Vec<Hit>) {
    shell::in_text(text, found);
}

/// Lists of packages: where they come from.
fn requirements(source: &str, hits: &mut Vec<Hit>) {
    lines(source, |line, at| {
        let line = line.trim();
        if line.starts_with('#') || !(line.starts_with('-') || line.contains('=') || line.contains('@')) {
            return;
        }
        for flag in [
            "--index-url",
            "--extra-index-url",
            "-i ",
            "--find-links",
            "-f ",
            "index-url",
            "registry",
            "git+",
            "@ http",
        ] {
            if line.contains(flag) {
                if let Some(rule) = shell::index(line) {
                    hits.push(Hit { rule, at, means: None });
                }
                break;
            }
        }
        if line.starts_with("--trusted-host") {
            hits.push(Hit { rule: &FOREIGN_INDEX, at, means: None });
        }
    });
}

/// Cells of a notebook: those of code as Python, with its commands.
fn notebook(source: &str, hits: &mut Vec<Hit>) {
    let all = texts(source);
    let mut at = 0;
    while at < all.len() {
        let one = &all[at];
        let is_source = one.keys.last().is_some_and(|key| key == "source");
        if !is_source {
            at += 1;
            continue;
        }
        let list = one.list.map(|(list, _)| list);
        let cell: Vec<&Text> = all[at..]
            .iter()
            .take_while(|other| other.at == one.at || list.is_some() && other.list.map(|(list, _)| list) == list)
            .collect();
        let kind = all[..at]
            .iter()
            .rev()
            .take(200)
            .find(|other| other.keys.last().is_some_and(|key| key == "cell_type"))
            .map_or("code", |one| one.value.as_str());
        let whole: String = cell.iter().map(|one| one.value.as_str()).collect();
        at += cell.len();
        if kind != "code" {
            nested(&whole, one.at, hits, |text, found| prose::scan(text, found));
            continue;
        }
        let mut code = String::new();
        for line in whole.split_inclusive('\n') {
            let trimmed = line.trim_start();
            if let Some(command) =
                trimmed.strip_prefix('!').or_else(|| trimmed.strip_prefix("%pip ").map(|_| &trimmed[1..]))
            {
                nested(command, one.at, hits, |line, found| shell::scan(line, 1, found));
                code.push('\n');
            } else if trimmed.starts_with('%') {
                code.push('\n');
            } else {
                code.push_str(line);
            }
        }
        if whole.starts_with("%%bash") || whole.starts_with("%%sh") {
            nested(&whole, one.at, hits, |line, found| shell::scan(line, 1, found));
        } else {
            nested(&code, one.at, hits, |code, found| python::scan(code, 1, found));
        }
    }
}
