//! A script as commands: quotes are taken off, variables and simple substitutions filled in.

use super::super::{decode, text};
use super::{CREDENTIALS_USED, Category, MAX_COMMANDS};
use std::collections::BTreeMap;

/// One command of a pipeline.
#[derive(Clone, Debug, Default)]
pub struct Command {
    pub at: usize,
    pub words: Vec<Word>,
    /// Its input is the output of the one before.
    pub piped: bool,
    /// Secrets that its variables hold: a variable's name as text, a path, or what it is.
    pub holds: Vec<String>,
    /// Its output is another's input that keeps it or runs it.
    pub feeds: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Word {
    pub at: usize,
    pub text: String,
    /// Quotes in its middle, an escape that says nothing, or a variable: it is not what it looks like.
    pub pieced: bool,
    /// A variable outside of quotes: the shell takes its value for words.
    pub open: bool,
}

/// What is known of variables.
#[derive(Debug, Default)]
struct Variables {
    values: BTreeMap<String, String>,
    /// Those that hold secrets, and which.
    holds: BTreeMap<String, String>,
    /// Bytes that were filled in so far.
    spent: std::cell::Cell<usize>,
}

/// Bytes that variables are filled in with, in one text.
const MAX_SPENT: usize = 8 << 20;
/// Words that an open variable comes to.
const MAX_SPLIT: usize = 64;

pub fn commands(source: &str, layer: usize) -> Vec<Command> {
    let mut variables = Variables::default();
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
                add(&mut command, word, &mut variables);
            }
        };
    }
    macro_rules! end_command {
        ($piped:expr) => {
            end_word!();
            if !command.words.is_empty() {
                learn(&command, &mut variables);
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
                        '$' => dollar(source, at, &mut chars, word, &variables, &mut command.holds, layer),
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
                word.open = true;
                dollar(source, at, &mut chars, word, &variables, &mut command.holds, layer);
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
    for at in 1..commands.len() {
        let keeps = commands[at]
            .words
            .first()
            .is_some_and(|word| matches!(super::program(&word.text), "crontab" | "tee" | "at" | "batch" | "sudo"));
        commands[at - 1].feeds = commands[at].piped && keeps;
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
    variables: &Variables,
    holds: &mut Vec<String>,
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
                    holds.extend(mentioned(inner, variables));
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
            variable(&name, word, variables, holds);
        }
        Some(c) if c.is_ascii_alphabetic() || c == '_' => {
            let name: String = std::iter::from_fn(|| chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '_'))
                .map(|(_, c)| c)
                .collect();
            variable(&name, word, variables, holds);
        }
        _ => word.text.push('$'),
    }
}

fn variable(name: &str, word: &mut Word, variables: &Variables, holds: &mut Vec<String>) {
    let plain: &str = name.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or(name);
    if let Some(what) = variables.holds.get(plain)
        && holds.len() < 16
    {
        holds.push(what.clone());
    }
    let value = variables.values.get(name);
    let spent = variables.spent.get().saturating_add(value.map_or(0, String::len));
    variables.spent.set(spent);
    match value.filter(|_| spent <= MAX_SPENT) {
        // A separator that the script chose itself.
        Some(value)
            if word.open
                && variables
                    .values
                    .get("IFS")
                    .is_some_and(|by| by.chars().count() == 1 && value.contains(by.as_str())) =>
        {
            let by = variables.values.get("IFS").map_or(" ", String::as_str);
            word.text.push_str(&value.replace(by, " "));
            word.pieced = true;
        }
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
pub fn output(line: &str, layer: usize) -> Option<String> {
    let commands = commands(line, layer + 1);
    let mut text: Option<String> = None;
    for command in &commands {
        text = Some(step(command, text)?);
    }
    text
}

pub fn step(command: &Command, input: Option<String>) -> Option<String> {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    let (name, arguments) = words.split_first()?;
    let has = |flags: &[&str]| arguments.iter().any(|word| flags.contains(word));
    // `rev <<< text`
    let here = words.windows(3).find(|three| three[0] == "<" && three[1] == "<" && three[2].starts_with('<'));
    let input = input.or_else(|| here.map(|three| three[2].trim_start_matches('<').to_owned()));
    match (super::program(name), input) {
        ("echo" | "printf", None) => {
            let text: Vec<&str> = arguments
                .iter()
                .filter(|word| !matches!(**word, "-n" | "-e" | "-ne" | "%s" | "%s\\n"))
                .copied()
                .collect();
            let text = text.join(" ");
            Some(if text.contains("\\x") { escaped(&text) } else { text })
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

/// `\x63` and its like as what they stand for.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        out.push_str(before);
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &after[2..];
            }
            None => {
                out.push_str("\\x");
                rest = after;
            }
        }
    }
    out + rest
}

/// A word ends: it is a value for a variable, one word, or as many as an open variable comes to.
fn add(command: &mut Command, word: Word, variables: &mut Variables) {
    let assigns = matches!(
        command.words.first().map(|word| word.text.as_str()),
        None | Some("export" | "local" | "declare" | "readonly")
    );
    let assigned = word
        .text
        .split_once('=')
        .filter(|(name, _)| assigns && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if command.words.is_empty() {
        command.at = word.at;
    }
    if let Some((name, value)) = assigned {
        // What a command prints is not known, only what it is of.
        if value.starts_with("$(") || value.starts_with('`') {
            variables.values.remove(name);
            let what = text::printed_secret(value)
                .map(str::to_owned)
                .or_else(|| secret_file(value))
                .or_else(|| command.holds.last().cloned());
            if let Some(what) = what {
                variables.holds.insert(name.to_owned(), what);
            }
        } else if variables.values.len() < 1000 && value.len() < decode::MAX_TEXT {
            variables.values.insert(name.to_owned(), value.to_owned());
        }
    } else if word.open && word.text.contains(' ') && !word.text.contains("$(") {
        let parts = word.text.split_whitespace().take(MAX_SPLIT);
        command.words.extend(parts.map(|part| Word {
            at: word.at,
            text: part.to_owned(),
            pieced: word.pieced,
            open: true,
        }));
        return;
    }
    command.words.push(word);
}

fn secret_file(value: &str) -> Option<String> {
    let mut all = text::matches(value).into_iter();
    let file =
        all.find(|(rule, _)| matches!(rule.category, Category::CredentialAccess) && rule.id != CREDENTIALS_USED.id);
    file.map(|(_, part)| format!("/{part}"))
}

/// `read -s` and `for` give values to variables too.
fn learn(command: &Command, variables: &mut Variables) {
    let words: Vec<&str> = command.words.iter().map(|word| word.text.as_str()).collect();
    match words.as_slice() {
        ["for", name, "in", ..] => {
            if let Some(what) = command.holds.first() {
                variables.holds.insert((*name).to_owned(), what.clone());
            }
        }
        ["read", flags @ .., name]
            if flags.iter().any(|flag| {
                flag.starts_with('-') && !flag.starts_with("--") && flag.contains('s') && flag.len() <= 4
            }) =>
        {
            variables.holds.insert((*name).to_owned(), "a password that was typed".to_owned());
        }
        _ => {}
    }
}

/// Secrets of the variables that a command in a substitution names.
fn mentioned(inner: &str, variables: &Variables) -> Vec<String> {
    if variables.holds.is_empty() {
        return Vec::new();
    }
    let names = inner.split('$').skip(1).map(|rest| {
        let rest = rest.trim_start_matches('{');
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default()
    });
    names.filter_map(|name| variables.holds.get(name).cloned()).take(8).collect()
}
