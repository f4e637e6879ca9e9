//! Shell, by its words: quotes are taken off, variables and simple substitutions filled in, before a rule looks.

use super::decode;
use super::report::Hit;
use super::rules::*;
use super::text::{self, Made};
use std::collections::BTreeMap;

const MAX_COMMANDS: usize = 20_000;

/// One command of a pipeline.
#[derive(Clone, Debug, Default)]
struct Command {
    at: usize,
    words: Vec<Word>,
    /// Its input is the output of the one before.
    piped: bool,
}

#[derive(Clone, Debug, Default)]
struct Word {
    at: usize,
    text: String,
    /// Quotes in its middle, an escape that says nothing, or a variable: it is not what it looks like.
    pieced: bool,
}

/// Looks through a script or a command line. `layer` counts the encodings that it came out of.
pub fn scan(source: &str, layer: usize, hits: &mut Vec<Hit>) {
    let commands = commands(source, layer);
    if commands.len() >= MAX_COMMANDS {
        hits.push(Hit { rule: &TOO_MUCH, at: commands.last().map_or(0, |command| command.at), means: None });
    }
    let mut before: Option<&Command> = None;
    let mut line: Vec<&Command> = Vec::new();
    for command in &commands {
        if !command.piped {
            line.clear();
        }
        look(command, before.filter(|_| command.piped), &line, layer, hits);
        line.push(command);
        before = Some(command);
    }
}

fn commands(source: &str, layer: usize) -> Vec<Command> {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut commands = Vec::new();
    let mut command = Command::default();
    let mut word: Option<Word> = None;
    let mut chars = source.char_indices().peekable();
    macro_rules! word {
        ($at:expr) => {
            word.get_or_insert_with(|| Word { at: $at, ..Word::default() })
        };
    }
    macro_rules! end_word {
        () => {
            if let Some(word) = word.take() {
                let assigned = word.text.split_once('=').filter(|(name, _)| {
                    command.words.is_empty()
                        && !name.is_empty()
                        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                });
                if let Some((name, value)) = assigned {
                    if variables.len() < 1000 && value.len() < decode::MAX_TEXT {
                        variables.insert(name.to_owned(), value.to_owned());
                    }
                }
                if command.words.is_empty() {
                    command.at = word.at;
                }
                command.words.push(word);
            }
        };
    }
    macro_rules! end_command {
        ($piped:expr) => {
            end_word!();
            if !command.words.is_empty() {
                commands.push(std::mem::take(&mut command));
            }
            command = Command { piped: $piped, ..Command::default() };
            if commands.len() >= MAX_COMMANDS {
                return commands;
            }
        };
    }
    while let Some((at, c)) = chars.next() {
        match c {
            ' ' | '\t' | '\r' => {
                end_word!();
            }
            '\n' | ';' | '&' | '(' | ')' | '{' | '}' if !(matches!(c, '{' | '}') && word.is_some()) => {
                end_command!(false);
            }
            '|' => {
                let or = chars.next_if(|(_, c)| *c == '|').is_some();
                chars.next_if(|(_, c)| *c == '&');
                end_command!(!or);
            }
            '#' if word.is_none() => while chars.next_if(|(_, c)| *c != '\n').is_some() {},
            '\'' => {
                let inside = word.is_some();
                let word = word!(at);
                word.pieced |= inside && !word.text.ends_with('=');
                for (_, c) in chars.by_ref() {
                    if c == '\'' {
                        break;
                    }
                    word.text.push(c);
                }
            }
            '"' => {
                let inside = word.is_some();
                let word = word!(at);
                word.pieced |= inside && !word.text.ends_with('=') && !word.text.ends_with('/');
                while let Some((at, c)) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => word.text.extend(chars.next().map(|(_, c)| c)),
                        '$' => dollar(source, at, &mut chars, word, &variables, layer),
                        '`' => {}
                        c => word.text.push(c),
                    }
                }
            }
            '\\' => match chars.next() {
                Some((_, '\n')) | None => {}
                Some((_, c)) => {
                    let word = word!(at);
                    word.pieced |= c.is_ascii_alphanumeric();
                    word.text.push(c);
                }
            },
            '$' => {
                let word = word!(at);
                dollar(source, at, &mut chars, word, &variables, layer);
            }
            // A substitution is a command of its own.
            '`' => {
                end_command!(false);
            }
            '<' | '>' => {
                end_word!();
                let word = word!(at);
                word.text.push(c);
                if c == '<' && chars.next_if(|(_, c)| *c == '(').is_some() {
                    word.text.push('(');
                    end_command!(false);
                }
            }
            c => word!(at).text.push(c),
        }
    }
    end_word!();
    if !command.words.is_empty() {
        commands.push(command);
    }
    commands
}

type Chars<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// What stands after a `$`: a variable's value where it is known, the output of `echo .. | base64 -d`, an escaped text.
fn dollar(
    source: &str,
    at: usize,
    chars: &mut Chars<'_>,
    word: &mut Word,
    variables: &BTreeMap<String, String>,
    layer: usize,
) {
    match chars.peek().map(|(_, c)| *c) {
        Some('\'') => {
            chars.next();
            word.pieced = true;
            while let Some((_, c)) = chars.next() {
                match c {
                    '\'' => break,
                    '\\' => match chars.next().map(|(_, c)| c) {
                        Some('x') => {
                            let digits: String = std::iter::from_fn(|| chars.next_if(|(_, c)| c.is_ascii_hexdigit()))
                                .map(|(_, c)| c)
                                .take(2)
                                .collect();
                            word.text.extend(u8::from_str_radix(&digits, 16).ok().map(char::from));
                        }
                        Some(digit @ '0'..='7') => {
                            let mut value = digit.to_digit(8).unwrap_or(0);
                            for _ in 0..2 {
                                if let Some((_, c)) = chars.next_if(|(_, c)| c.is_digit(8)) {
                                    value = value * 8 + c.to_digit(8).unwrap_or(0);
                                }
                            }
                            word.text.extend(char::from_u32(value));
                        }
                        Some(c) => word.text.push(c),
                        None => break,
                    },
                    c => word.text.push(c),
                }
            }
        }
        Some('(') => {
            let rest = &source[at + 2..];
            let Some(end) = closing(rest) else {
                word.text.push('$');
                return;
            };
            let inner = &rest[..end];
            while chars.peek().is_some_and(|(next, _)| *next <= at + 2 + end) {
                chars.next();
            }
            match (layer < 4).then(|| output(inner, layer)).flatten() {
                Some(text) => {
                    word.pieced = true;
                    word.text.push_str(&text);
                }
                // Kept as it is written: what it names can still be looked at.
                None => {
                    word.text.push_str("$(");
                    word.text.push_str(inner);
                    word.text.push(')');
                }
            }
        }
        Some('{') => {
            chars.next();
            let name: String = std::iter::from_fn(|| chars.next_if(|(_, c)| *c != '}')).map(|(_, c)| c).collect();
            chars.next();
            variable(&name, word, variables);
        }
        Some(c) if c.is_ascii_alphabetic() || c == '_' => {
            let name: String = std::iter::from_fn(|| chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '_'))
                .map(|(_, c)| c)
                .collect();
            variable(&name, word, variables);
        }
        _ => word.text.push('$'),
    }
}

fn variable(name: &str, word: &mut Word, variables: &BTreeMap<String, String>) {
    match variables.get(name) {
        Some(value) if word.text.len() + value.len() < decode::MAX_TEXT => {
            word.text.push_str(value);
            word.pieced = true;
        }
        // `$IFS` is a space that does not look like one.
        _ if name.starts_with("IFS") => word.text.push(' '),
        _ => {
            word.text.push_str("${");
            word.text.push_str(name);
            word.text.push('}');
        }
    }
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, c) in text.char_indices().take(decode::MAX_TEXT) {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// What a simple pipeline prints, without running it: `echo` or `printf`, then decoders.
fn output(line: &str, layer: usize) -> Option<String> {
    let commands = commands(line, layer + 1);
    let mut text: Option<String> = None;
    for command in &commands {
        text = Some(step(command, text)?);
    }
    text
}

fn step(command: &Command, input: Option<String>) -> Option<String> {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    let (name, arguments) = words.split_first()?;
    let has = |flags: &[&str]| arguments.iter().any(|word| flags.contains(word));
    match (program(name), input) {
        ("echo" | "printf", None) => {
            let text: Vec<&str> = arguments
                .iter()
                .filter(|word| !matches!(**word, "-n" | "-e" | "-ne" | "%s" | "%s\\n"))
                .copied()
                .collect();
            Some(text.join(" "))
        }
        ("base64", Some(text)) if has(&["-d", "--decode", "-D", "-di"]) => decode::base64(&text).map(decode::text),
        ("base32", Some(text)) if has(&["-d", "--decode"]) => decode::base32(&text).map(decode::text),
        ("xxd", Some(text)) if has(&["-r"]) || words.iter().any(|word| word.starts_with("-r")) => {
            decode::hex(&text).map(decode::text)
        }
        ("rev", Some(text)) => Some(text.chars().rev().collect()),
        ("tr", Some(text)) if arguments.first().is_some_and(|set| set.to_ascii_lowercase().contains("a-z")) => {
            Some(decode::rot13(&text))
        }
        ("cat", Some(text)) => Some(text),
        _ => None,
    }
}

fn program(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_shell(word: &str) -> bool {
    matches!(
        program(word),
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "python" | "python3" | "perl" | "node" | "ruby" | "php"
    )
}

/// The program of a command and what it is given; what only goes before it is left out.
fn plain(command: &Command) -> &[Word] {
    let mut words = command.words.as_slice();
    while let [first, rest @ ..] = words {
        let assigns = first
            .text
            .split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        let before = matches!(
            program(&first.text),
            "sudo" | "nohup" | "exec" | "command" | "time" | "then" | "do" | "else" | "if" | "while" | "!"
        );
        let wrapper = program(&first.text) == "env" && !rest.is_empty();
        if !(assigns || before || wrapper) || rest.is_empty() && !assigns {
            break;
        }
        words = rest;
    }
    words
}

fn push(hits: &mut Vec<Hit>, rule: &'static Rule, at: usize, means: Option<String>) {
    hits.push(Hit { rule, at, means });
}

fn look(command: &Command, before: Option<&Command>, line: &[&Command], layer: usize, hits: &mut Vec<Hit>) {
    let words = plain(command);
    let Some(first) = words.first() else {
        for word in &command.words {
            text::scan(&word.text, word.at, Made::Plain, hits);
        }
        return;
    };
    let name = program(&first.text);
    let rest: Vec<&str> = words.iter().skip(1).map(|word| word.text.as_str()).collect();
    let all = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    let fetched = |text: &str| text.contains("curl ") || text.contains("wget ");
    let fetches = |command: &&Command| {
        plain(command).first().is_some_and(|word| matches!(program(&word.text), "curl" | "wget" | "fetch"))
    };

    if is_shell(&first.text) {
        let reads_input = rest.iter().all(|word| matches!(*word, "-" | "-s" | "--" | "-e" | "-x" | "-i"));
        if let (Some(before), true) = (before, reads_input) {
            let printed = line.iter().try_fold(None, |text, one| step(one, text).map(Some)).flatten();
            let decodes = line.iter().any(|one| {
                plain(one).first().is_some_and(|word| {
                    matches!(
                        program(&word.text),
                        "base64" | "base32" | "xxd" | "rev" | "openssl" | "gunzip" | "uudecode"
                    )
                })
            });
            if line.iter().any(fetches) || fetches(&before) {
                push(hits, &PIPE_TO_SHELL, command.at, None);
            } else if decodes {
                push(hits, &RUNS_DECODED, command.at, None);
            }
            if let (Some(text), true) = (printed, layer < 4) {
                nested(&text, command.at, layer, hits);
            }
            return;
        }
        if let Some(at) = rest.iter().position(|word| word.starts_with('-') && word.ends_with('c') && word.len() <= 3)
            && let Some(inner) = rest.get(at + 1)
        {
            if inner.starts_with("$(") && fetched(inner) {
                push(hits, &PIPE_TO_SHELL, command.at, None);
            } else if layer < 4 {
                let mut found = Vec::new();
                scan(inner, layer + 1, &mut found);
                if program(&first.text).starts_with("python") {
                    super::python::scan(inner, layer + 1, &mut found);
                }
                hits.extend(found.into_iter().map(|one| Hit {
                    at: command.at,
                    means: one.means.or(Some((*inner).to_owned())),
                    ..one
                }));
            }
        } else if rest.iter().any(|word| word.starts_with("<(") || *word == "<") && fetched(&format!("{all} ")) {
            push(hits, &PIPE_TO_SHELL, command.at, None);
        } else if rest.iter().any(|word| word.starts_with("-i")) && all.contains("/dev/tcp/") {
            push(hits, &REVERSE_SHELL, command.at, None);
        }
    }
    if matches!(name, "eval" | "source" | ".") && rest.iter().any(|word| fetched(word)) {
        push(hits, &PIPE_TO_SHELL, command.at, None);
    } else if name == "eval" {
        // `eval "$(brew shellenv)"` is how programs set up a shell.
        let output = matches!(rest.as_slice(), [one] if one.starts_with("$(") && one.ends_with(')'));
        push(hits, if output { &EVAL_OUTPUT } else { &EVAL }, command.at, None);
        if layer < 4 {
            let mut found = Vec::new();
            scan(&rest.join(" "), layer + 1, &mut found);
            hits.extend(found.into_iter().map(|one| Hit { at: command.at, ..one }));
        }
    }
    if all.contains("/dev/tcp/")
        || matches!(name, "nc" | "ncat" | "netcat") && rest.iter().any(|word| matches!(*word, "-e" | "-c" | "--exec"))
    {
        push(hits, &REVERSE_SHELL, command.at, None);
    }
    let sends =
        matches!(name, "curl" | "wget" | "nc" | "ncat" | "netcat" | "scp" | "rsync" | "sendmail" | "mail" | "ftp");
    if sends {
        sending(command, before, line, &rest, &all, hits);
    }
    if matches!(name, "printenv" | "env" | "set" | "export" | "declare")
        && (rest.is_empty() || rest == ["-p"])
        && name != "set"
    {
        push(hits, &WHOLE_ENVIRONMENT, command.at, None);
    }
    if name == "security" && rest.first().is_some_and(|word| word.starts_with("find-") || word.starts_with("dump-")) {
        push(hits, &KEY_STORE, command.at, None);
    }
    let to_start = [
        "~/.bashrc",
        "~/.zshrc",
        "~/.profile",
        "/.bashrc",
        "/.zshrc",
        "/etc/cron",
        "authorized_keys",
        "launchagents",
        ".claude/settings",
    ];
    let writes = words.iter().any(|word| word.text.starts_with('>')) || matches!(name, "tee");
    if writes && to_start.iter().any(|file| all.to_lowercase().contains(file)) || name == "crontab" && rest != ["-l"] {
        push(hits, &STAYS, command.at, None);
    }
    for word in words {
        if matches!(name, "echo" | "printf") && !writes && before.is_none() {
            // Shown to a person; whether it is decoded is looked at where that happens.
            continue;
        }
        text::scan(&word.text, word.at, if word.pieced { Made::Pieced } else { Made::Plain }, hits);
    }
    if let Some(first) = words.first().filter(|word| word.pieced)
        && matches!(
            program(&first.text),
            "curl" | "wget" | "bash" | "sh" | "nc" | "cat" | "eval" | "base64" | "python3" | "python"
        )
    {
        hits.push(Hit { rule: &PIECES, at: first.at, means: Some(first.text.clone()) });
    }
}

fn sending(
    command: &Command,
    before: Option<&Command>,
    line: &[&Command],
    rest: &[&str],
    all: &str,
    hits: &mut Vec<Hit>,
) {
    let earlier: String = line.iter().flat_map(|one| one.words.iter()).map(|word| format!("{} ", word.text)).collect();
    let given = format!("{all} {}", if before.is_some() { earlier.as_str() } else { "" });
    let hosts: Vec<&str> = text::urls(all).collect();
    let file = text::matches(&given).into_iter().find(|(rule, _)| matches!(rule.category, Category::CredentialAccess));
    let env = before.is_some()
        && line.iter().any(|one| {
            plain(one).first().is_some_and(|word| {
                matches!(program(&word.text), "env" | "printenv" | "export") && plain(one).len() <= 2
            })
        });
    let inner = ["$(env)", "$(printenv)", "$(env|", "$(env |", "$(printenv|", "$(printenv |"]
        .iter()
        .any(|part| all.contains(part));
    let uploads_env = rest.iter().any(|word| matches!(*word, "@.env" | "@./.env" | "file=@.env"));
    let to = || hosts.first().map_or_else(String::new, |host| format!(" to {host}"));
    if let Some((_, part)) = file {
        hits.push(Hit { rule: &SECRET_SENT, at: command.at, means: Some(format!("{part}{}", to())) });
    } else if env || inner || uploads_env {
        hits.push(Hit { rule: &SECRET_SENT, at: command.at, means: Some(format!("the environment{}", to())) });
    } else {
        for (at, _) in all.match_indices("${") {
            let name: String = all[at + 2..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if text::is_secret_name(&name) && !hosts.is_empty() && !hosts.iter().any(|host| text::belongs(&name, host))
            {
                hits.push(Hit { rule: &SECRET_SENT, at: command.at, means: Some(format!("{name}{}", to())) });
                break;
            }
        }
    }
}

fn nested(hidden: &str, at: usize, layer: usize, hits: &mut Vec<Hit>) {
    let mut found = Vec::new();
    scan(hidden, layer + 1, &mut found);
    if let Some(worst) =
        found.iter().filter(|hit| hit.rule.severity <= Severity::High).min_by_key(|hit| hit.rule.severity)
    {
        let means = format!("{} ({})", worst.rule.description, hidden.trim());
        hits.push(Hit { rule: &RUNS_HIDDEN, at, means: Some(means) });
    }
}
