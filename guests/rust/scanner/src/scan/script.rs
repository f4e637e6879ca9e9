//! JavaScript and TypeScript, by their tokens: comments are left out, texts that are added or decoded are put together, and names that
//! were given to something are followed, before a rule looks.

use super::decode;
use super::report::Hit;
use super::rules::*;
use super::text::{self, Made};
use std::collections::BTreeMap;

const MAX_TOKENS: usize = 400_000;

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Name(String),
    /// Its value, and whether it was put together.
    Text(String, bool),
    Number(i64),
    Sign(char),
}

#[derive(Clone, Debug)]
struct Token {
    at: usize,
    kind: Kind,
}

impl Token {
    fn name(&self) -> Option<&str> {
        if let Kind::Name(name) = &self.kind { Some(name) } else { None }
    }

    fn text(&self) -> Option<&str> {
        if let Kind::Text(text, _) = &self.kind { Some(text) } else { None }
    }

    fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }
}

/// Looks through a script. `layer` counts the encodings that it came out of.
pub fn scan(source: &str, layer: usize, hits: &mut Vec<Hit>) {
    let mut tokens = tokens(source);
    if tokens.len() >= MAX_TOKENS {
        hits.push(Hit { rule: &TOO_MUCH, at: 0, means: None });
    }
    // What comes of one step may be part of the next: `atob("a" + "b")`.
    for _ in 0..4 {
        let before = tokens.len();
        tokens = fold(tokens);
        if tokens.len() == before {
            break;
        }
    }
    let tokens = follow(tokens);
    look(&tokens, source, layer, hits);
    obfuscated(&tokens, source, hits);
    remote(&tokens, hits);
    connected(&tokens, hits);
}

/// A shell whose streams are a socket's.
fn connected(tokens: &[Token], hits: &mut Vec<Hit>) {
    let named = |name: &str| tokens.iter().any(|token| token.name() == Some(name));
    let socket = tokens.iter().any(|token| matches!(token.text(), Some("net" | "node:net" | "tls" | "node:tls")));
    let shell = tokens.windows(3).find(|three| {
        matches!(three[0].name(), Some("spawn" | "exec" | "execFile"))
            && three[1].is('(')
            && three[2].text().is_some_and(|text| {
                matches!(text.rsplit('/').next(), Some("sh" | "bash" | "zsh" | "cmd.exe" | "cmd" | "powershell.exe"))
            })
    });
    if let Some(three) = shell.filter(|_| socket && named("pipe") && named("stdin")) {
        hits.push(Hit { rule: &REVERSE_SHELL, at: three[0].at, means: None });
    }
}

/// Names that only a program gives (`_0x3fa2`), texts whose letters are all written as escapes.
fn obfuscated(tokens: &[Token], source: &str, hits: &mut Vec<Hit>) {
    let strange = |token: &&Token| match &token.kind {
        Kind::Name(name) => {
            name.strip_prefix("_0x").is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_hexdigit()))
        }
        Kind::Text(value, _) => is_escaped(source, token.at, value),
        _ => false,
    };
    let mut all = tokens.iter().filter(strange);
    if let (Some(first), Some(_), Some(_)) = (all.next(), all.next(), all.next()) {
        hits.push(Hit { rule: &OBFUSCATED, at: first.at, means: None });
    }
}

/// Plain letters written as `\x63` or `\u0063`.
fn is_escaped(source: &str, at: usize, value: &str) -> bool {
    let letters = value.chars().filter(char::is_ascii_alphanumeric).count();
    let mut end = (at + value.len() * 6 + 2).min(source.len());
    while !source.is_char_boundary(end) {
        end -= 1;
    }
    let written = source.get(at..end).unwrap_or_default();
    let written = written.get(1..).map_or("", |rest| rest.split(['"', '\'', '`']).next().unwrap_or_default());
    letters >= 4 && (written.matches("\\x").count() + written.matches("\\u").count()) * 2 > letters
}

/// `socket.on("message", (data) => .. exec(data))`: what arrives is run.
fn remote(tokens: &[Token], hits: &mut Vec<Hit>) {
    let is_event =
        |token: &Token| matches!(token.text(), Some("message" | "data" | "command" | "cmd" | "exec" | "task"));
    for at in 2..tokens.len() {
        let by_on = is_event(&tokens[at])
            && tokens[at - 1].is('(')
            && matches!(tokens[at - 2].name(), Some("on" | "addEventListener" | "once"));
        let by_property = tokens[at].name() == Some("onmessage") && tokens.get(at + 1).is_some_and(|next| next.is('='));
        let output = at >= 4 && matches!(tokens[at - 4].name(), Some("stdout" | "stderr" | "stdin"));
        if !by_on && !by_property || output {
            continue;
        }
        let behind = &tokens[at + 1..tokens.len().min(at + 160)];
        let Some(name) = behind
            .iter()
            .take(6)
            .find_map(|token| token.name().filter(|name| !matches!(*name, "async" | "function" | "const")))
        else {
            continue;
        };
        let taken = behind.iter().position(|token| token.name() == Some(name)).unwrap_or(0);
        let runs = behind.iter().enumerate().skip(taken + 1).find(|(place, token)| {
            matches!(
                token.name(),
                Some(
                    "exec"
                        | "execSync"
                        | "spawn"
                        | "spawnSync"
                        | "eval"
                        | "execFile"
                        | "runInThisContext"
                        | "runInNewContext"
                )
            ) && behind.get(place + 1).is_some_and(|next| next.is('('))
                && behind
                    .iter()
                    .skip(place + 2)
                    .take(40)
                    .take_while(|token| !token.is(';'))
                    .any(|token| token.name() == Some(name))
        });
        if let Some((_, token)) = runs {
            hits.push(Hit { rule: &REMOTE_COMMANDS, at: token.at, means: None });
        }
    }
}

/// Lists of texts: places to be compared with.
fn lists(tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at].is('[') {
            at += 1;
            continue;
        }
        let end = tokens[at + 1..]
            .iter()
            .position(|token| !(token.text().is_some() || token.is(',')))
            .map_or(tokens.len(), |end| at + 1 + end);
        if end - at > 5 && tokens.get(end).is_some_and(|token| token.is(']')) {
            found.push((tokens[at].at, tokens[end].at));
        }
        at = end.max(at + 1);
    }
    found
}

fn tokens(source: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut chars = source.char_indices().peekable();
    let mut templates: Vec<usize> = Vec::new();
    while let Some((at, c)) = chars.next() {
        if found.len() >= MAX_TOKENS {
            break;
        }
        let kind = match c {
            c if c.is_whitespace() => continue,
            '/' if chars.peek().is_some_and(|(_, c)| *c == '/') => {
                while chars.next_if(|(_, c)| *c != '\n').is_some() {}
                continue;
            }
            '/' if chars.peek().is_some_and(|(_, c)| *c == '*') => {
                chars.next();
                let mut star = false;
                for (_, c) in chars.by_ref() {
                    if star && c == '/' {
                        break;
                    }
                    star = c == '*';
                }
                continue;
            }
            // A regular expression, where a value cannot have ended: its quotes are none.
            '/' if found
                .last()
                .is_none_or(|last| matches!(&last.kind, Kind::Sign(sign) if !matches!(sign, ')' | ']' | '}'))) =>
            {
                let mut class = false;
                while let Some((_, c)) = chars.next_if(|(_, c)| *c != '\n') {
                    match c {
                        '\\' => {
                            chars.next_if(|(_, c)| *c != '\n');
                        }
                        '[' => class = true,
                        ']' => class = false,
                        '/' if !class => break,
                        _ => {}
                    }
                }
                Kind::Name("regex".to_owned())
            }
            '\'' | '"' => Kind::Text(quoted(&mut chars, c), false),
            '`' => {
                let (text, hole) = template(&mut chars);
                if hole {
                    templates.push(found.len());
                }
                Kind::Text(text, false)
            }
            '}' if templates.last().is_some_and(|open| depth(&found[*open..]) == 0) => {
                templates.pop();
                found.push(Token { at, kind: Kind::Sign('+') });
                let (text, hole) = template(&mut chars);
                if hole {
                    templates.push(found.len());
                }
                Kind::Text(text, false)
            }
            c if c.is_alphabetic() || matches!(c, '_' | '$' | '\\') => {
                let mut name = String::new();
                let mut next = Some(c);
                while let Some(c) = next {
                    if c == '\\' {
                        name.extend(escape(&mut chars));
                    } else {
                        name.push(c);
                    }
                    next = chars.next_if(|(_, c)| c.is_alphanumeric() || matches!(c, '_' | '$' | '\\')).map(|(_, c)| c);
                }
                Kind::Name(name)
            }
            c if c.is_ascii_digit() => {
                let mut digits = c.to_string();
                while let Some((_, c)) = chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '_') {
                    digits.push(c);
                }
                let value = match digits.strip_prefix("0x") {
                    Some(hex) => i64::from_str_radix(hex, 16),
                    None => digits.parse(),
                };
                Kind::Number(value.unwrap_or(-1))
            }
            c => Kind::Sign(c),
        };
        found.push(Token { at, kind });
        // What is filled into a template follows it as a sum.
        if templates.last().is_some_and(|open| open + 1 == found.len()) {
            found.push(Token { at, kind: Kind::Sign('+') });
        }
    }
    found
}

/// Braces that are open since a template.
fn depth(tokens: &[Token]) -> usize {
    // Templates are short; without a bound a hostile one would be walked again and again.
    tokens.iter().rev().take(500).fold(0_usize, |depth, token| match token.kind {
        Kind::Sign('{') => depth + 1,
        Kind::Sign('}') => depth.saturating_sub(1),
        _ => depth,
    })
}

type Chars<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn quoted(chars: &mut Chars<'_>, quote: char) -> String {
    let mut text = String::new();
    while let Some((_, c)) = chars.next_if(|(_, c)| *c != '\n') {
        match c {
            '\\' => text.extend(escape(chars)),
            c if c == quote => break,
            c => text.push(c),
        }
    }
    text
}

/// Up to the template's end, or to something that is filled in: then true.
fn template(chars: &mut Chars<'_>) -> (String, bool) {
    let mut text = String::new();
    while let Some((_, c)) = chars.next() {
        match c {
            '\\' => text.extend(escape(chars)),
            '`' => return (text, false),
            '$' if chars.next_if(|(_, c)| *c == '{').is_some() => return (text, true),
            c => text.push(c),
        }
    }
    (text, false)
}

/// After a backslash.
fn escape(chars: &mut Chars<'_>) -> Option<char> {
    let (_, c) = chars.next()?;
    fn number(chars: &mut Chars<'_>, digits: usize) -> Option<char> {
        let mut value = 0;
        for _ in 0..digits {
            let Some((_, c)) = chars.next_if(|(_, c)| c.is_ascii_hexdigit()) else { break };
            value = value * 16 + c.to_digit(16).unwrap_or(0);
        }
        char::from_u32(value)
    }
    match c {
        'n' => Some('\n'),
        't' => Some('\t'),
        'x' => number(chars, 2),
        'u' if chars.next_if(|(_, c)| *c == '{').is_some() => {
            let mut value = 0_u32;
            for (_, c) in chars.by_ref().take(8) {
                if c == '}' {
                    break;
                }
                value = value.saturating_mul(16).saturating_add(c.to_digit(16).unwrap_or(0));
            }
            char::from_u32(value)
        }
        'u' => number(chars, 4),
        '\n' => None,
        c => Some(c),
    }
}

/// One pass over the tokens that puts texts together.
fn fold(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        if let Some((kind, used)) = decoded(rest) {
            out.push(Token { at: rest[0].at, kind });
            at += used;
            continue;
        }
        // `"a" + "b"`, where nothing binds tighter on the right.
        if let (Kind::Text(right, _), [.., left, plus]) = (&rest[0].kind, out.as_slice())
            && plus.is('+')
            && let Kind::Text(text, pieced) = &left.kind
            && text.len() + right.len() < decode::MAX_TEXT
            && !rest.get(1).is_some_and(|next| next.is('.') || next.is('['))
        {
            let pieced = *pieced || !text.is_empty() && !right.is_empty();
            let joined = Token { at: left.at, kind: Kind::Text(format!("{text}{right}"), pieced) };
            out.truncate(out.len() - 2);
            out.push(joined);
            at += 1;
            continue;
        }
        out.push(rest[0].clone());
        at += 1;
    }
    out
}

/// A decoder with what it is given, as the text that it gives, and how many tokens that takes.
fn decoded(tokens: &[Token]) -> Option<(Kind, usize)> {
    let made = |text: String, used| (text.len() <= decode::MAX_TEXT).then_some((Kind::Text(text, true), used));
    let names: Vec<Option<&str>> = tokens.iter().take(12).map(Token::name).collect();
    let sign = |at: usize, sign: char| tokens.get(at).is_some_and(|token| token.is(sign));
    let text = |at: usize| tokens.get(at).and_then(Token::text);
    match (names.first().copied().flatten(), &tokens[0].kind) {
        (Some("atob" | "unescape" | "decodeURIComponent"), _) if sign(1, '(') && sign(3, ')') => {
            let inner = text(2)?;
            match names[0] {
                Some("atob") => made(decode::text(decode::base64(inner)?), 4),
                _ => made(percent(inner), 4),
            }
        }
        // `Buffer.from(TEXT, "base64").toString(..)`
        (Some("Buffer"), _)
            if sign(1, '.') && names.get(2) == Some(&Some("from")) && sign(3, '(') && sign(5, ',') && sign(7, ')') =>
        {
            let bytes = match text(6)? {
                "base64" | "base64url" => decode::base64(text(4)?)?,
                "hex" => decode::hex(text(4)?)?,
                _ => return None,
            };
            let mut used = 8;
            if sign(8, '.') && names.get(9) == Some(&Some("toString")) && sign(10, '(') {
                used = tokens
                    .iter()
                    .position(|token| token.at > tokens[10].at && token.is(')'))
                    .map_or(used, |end| end + 1);
            }
            made(decode::text(bytes), used)
        }
        (Some("String"), _) if sign(1, '.') && names.get(2) == Some(&Some("fromCharCode")) && sign(3, '(') => {
            let mut out = String::new();
            for (at, token) in tokens.iter().enumerate().skip(4).take(8192) {
                match token.kind {
                    Kind::Number(code) => out.extend(u32::try_from(code).ok().and_then(char::from_u32)),
                    Kind::Sign(',' | '.') => {}
                    Kind::Sign(')') => return made(out, at + 1),
                    _ => return None,
                }
            }
            None
        }
        // `["a", "b"].join("")`
        (None, Kind::Sign('[')) => {
            let mut parts = Vec::new();
            let mut end = None;
            for (at, token) in tokens.iter().enumerate().skip(1).take(4096) {
                match &token.kind {
                    Kind::Text(part, _) => parts.push(part.as_str()),
                    Kind::Sign(',') => {}
                    Kind::Sign(']') => {
                        end = Some(at);
                        break;
                    }
                    _ => return None,
                }
            }
            let mut end = end? + 1;
            let named = |at: usize, name: &str| {
                sign(at, '.') && tokens.get(at + 1).and_then(Token::name) == Some(name) && sign(at + 2, '(')
            };
            if named(end, "reverse") && sign(end + 3, ')') {
                parts.reverse();
                end += 4;
            }
            if !named(end, "join") || parts.is_empty() {
                return None;
            }
            let by = text(end + 3).unwrap_or(",");
            if !sign(end + 4, ')') {
                return None;
            }
            made(parts.join(by), end + 5)
        }
        // `"..".split("").reverse().join("")`, `"..".replace("x", "")`
        (None, Kind::Text(value, _)) if sign(1, '.') && sign(3, '(') => match names.get(2).copied().flatten()? {
            "split"
                if text(4) == Some("") && names.get(7) == Some(&Some("reverse")) && sign(8, '(') && sign(9, ')') =>
            {
                let joins = names.get(11) == Some(&Some("join")) && sign(14.min(tokens.len()), ')');
                joins
                    .then(|| made(value.chars().rev().collect(), 15))
                    .flatten()
                    .or_else(|| made(value.chars().rev().collect(), 15.min(tokens.len())))
            }
            "replace" | "replaceAll" if sign(5, ',') && sign(7, ')') && !text(4)?.is_empty() => {
                made(value.replace(text(4)?, text(6)?), 8)
            }
            "concat" if sign(5, ')') => made(format!("{value}{}", text(4)?), 6),
            "toLowerCase" if sign(4, ')') => made(value.to_lowercase(), 5),
            _ => None,
        },
        _ => None,
    }
}

fn percent(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    decode::text(bytes)
}

/// Names that were given a text, `eval`, `process` or `process.env` stand for it; `x["name"]` is `x.name`; sums are done again.
fn follow(tokens: Vec<Token>) -> Vec<Token> {
    let mut known: BTreeMap<String, Vec<Kind>> = BTreeMap::new();
    for window in tokens.windows(5) {
        let [keyword, name, is, value, end] = window else { continue };
        let (Some("const" | "let" | "var"), Some(name), true) = (keyword.name(), name.name(), is.is('=')) else {
            continue;
        };
        let ends = end.is(';') || end.is(',') || !matches!(end.kind, Kind::Sign(_));
        match &value.kind {
            Kind::Text(..) if ends => known.insert(name.to_owned(), vec![value.kind.clone()]),
            Kind::Name(of) if ends && matches!(of.as_str(), "eval" | "process" | "require" | "Function" | "fetch") => {
                known.insert(name.to_owned(), vec![value.kind.clone()])
            }
            _ => None,
        };
    }
    for window in tokens.windows(7) {
        if let [keyword, name, is, process, dot, env, end] = window
            && matches!(keyword.name(), Some("const" | "let" | "var"))
            && is.is('=')
            && process.name() == Some("process")
            && dot.is('.')
            && env.name() == Some("env")
            && !end.is('.')
            && !end.is('[')
            && let Some(name) = name.name()
        {
            known.insert(name.to_owned(), vec![process.kind.clone(), dot.kind.clone(), env.kind.clone()]);
        }
    }
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in &tokens {
        let declares = matches!(out.last().and_then(Token::name), Some("const" | "let" | "var" | "function"))
            || out.last().is_some_and(|last| last.is('.'));
        match token.name().and_then(|name| known.get(name)).filter(|_| !declares) {
            Some(kinds) => out.extend(kinds.iter().map(|kind| Token { at: token.at, kind: kind.clone() })),
            None => out.push(token.clone()),
        }
    }
    let mut tokens = out;
    for _ in 0..3 {
        tokens = fold(tokens);
    }
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let after_value = out.last().is_some_and(|last| matches!(last.kind, Kind::Name(_) | Kind::Sign(')' | ']')));
        if let (true, [open, text, close, ..]) = (after_value, &tokens[at..])
            && open.is('[')
            && close.is(']')
            && let Kind::Text(name, _) = &text.kind
            && !name.is_empty()
        {
            out.push(Token { at: open.at, kind: Kind::Sign('.') });
            out.push(Token { at: text.at, kind: Kind::Name(name.clone()) });
            at += 3;
            continue;
        }
        out.push(tokens[at].clone());
        at += 1;
    }
    out
}

fn look(tokens: &[Token], source: &str, layer: usize, hits: &mut Vec<Hit>) {
    let mut secrets: Vec<(usize, String)> = Vec::new();
    let mut hosts: Vec<String> = Vec::new();
    let mut sends: Option<usize> = None;
    let mut cookies: Option<&str> = None;
    let mut computed = false;
    let mut environment: Option<usize> = None;
    let lists = lists(tokens);
    let named = |names: &[&str]| tokens.iter().any(|token| token.name().is_some_and(|name| names.contains(&name)));
    let reading = named(&[
        "readFileSync",
        "readFile",
        "createReadStream",
        "open",
        "file",
        "readTextFile",
        "cp",
        "copyFile",
        "copyFileSync",
        "execSync",
        "exec",
        "spawn",
    ]);
    let sending =
        named(&["fetch", "axios", "request", "got", "sendBeacon", "XMLHttpRequest", "WebSocket", "post", "put", "get"]);
    for at in 0..tokens.len() {
        let token = &tokens[at];
        let next = |by: usize| tokens.get(at + by);
        let sign = |by: usize, c: char| next(by).is_some_and(|token| token.is(c));
        let before_dot = at > 0 && tokens[at - 1].is('.');
        let mut hit = |rule: &'static Rule, means: Option<String>| hits.push(Hit { rule, at: token.at, means });
        if let Kind::Text(value, pieced) = &token.kind {
            hosts.extend(text::urls(value).map(str::to_owned));
            let written = source.get(token.at..).unwrap_or_default();
            let stands = written.get(1..).is_some_and(|rest| rest.starts_with(value.as_str()));
            let escaped = is_escaped(source, token.at, value);
            let mut found = Vec::new();
            text::scan(
                value,
                token.at,
                if *pieced && !stands || escaped { Made::Pieced } else { Made::Plain },
                &mut found,
            );
            // One of a list that nothing here opens or sends to.
            let before = lists.partition_point(|(from, _)| *from <= token.at);
            if before.checked_sub(1).and_then(|at| lists.get(at)).is_some_and(|(_, to)| token.at < *to) {
                found.retain(|hit| match hit.rule.category {
                    Category::CredentialAccess => reading,
                    Category::SuspiciousNetwork => sending,
                    _ => true,
                });
            }
            hits.append(&mut found);
            let before: Vec<&str> = tokens[at.saturating_sub(4)..at].iter().filter_map(Token::name).collect();
            let shown = before.iter().any(|name| {
                matches!(
                    *name,
                    "log"
                        | "error"
                        | "warn"
                        | "info"
                        | "Error"
                        | "debug"
                        | "print"
                        | "write"
                        | "describe"
                        | "it"
                        | "test"
                )
            });
            if !shown && layer < 4 {
                let mut found = Vec::new();
                super::shell::in_text(value, &mut found);
                if value.len() > 60 && value.matches(' ').count() > 8 {
                    super::prose::said(value, &mut |rule, means| found.push(Hit { rule, at: 0, means }));
                    found.retain(|hit| {
                        hit.rule.category != Category::Instructions
                            || matches!(hit.rule.id, "SKT02" | "SKT03" | "SKT06")
                    });
                }
                hits.extend(found.into_iter().map(|hit| Hit { at: token.at, ..hit }));
            }
            let bcc = at >= 2
                && tokens[at - 1].is(':')
                && tokens[at - 2].name().is_some_and(|name| name.eq_ignore_ascii_case("bcc"));
            if bcc && text::is_mail_address(value) {
                hits.push(Hit { rule: &FIXED_COPY, at: token.at, means: Some(value.clone()) });
            }
            let hidden = if *pieced || escaped { Some(value.clone()) } else { decode::guess(value) };
            if let (Some(hidden), true) = (hidden, layer < 4) {
                nested(&hidden, token.at, layer, hits);
            }
            continue;
        }
        let Some(name) = token.name() else { continue };
        match name {
            "eval" if sign(1, '(') && !before_dot => {
                let indirect = next(2).is_some_and(|token| matches!(&token.kind, Kind::Text(_, true)));
                hit(&EVAL, None);
                let decodes = tokens[at..]
                    .iter()
                    .take(12)
                    .any(|token| matches!(token.name(), Some("atob" | "Buffer" | "unescape" | "fromCharCode")));
                if indirect || decodes {
                    hit(&RUNS_DECODED, None);
                }
            }
            "eval"
                if before_dot
                    && sign(1, '(')
                    && at > 1
                    && matches!(tokens[at - 2].name(), Some("globalThis" | "window" | "self" | "global")) =>
            {
                hit(&EVAL, None);
                hit(&BUILTINS, None);
            }
            "runInThisContext" | "runInNewContext" | "runInContext"
                if sign(1, '(') && next(2).and_then(Token::text).is_none_or(str::is_empty) =>
            {
                hit(&EXEC, None)
            }
            "Function" if sign(1, '(') => {
                hit(&EXEC, None);
                let decodes = tokens[at..].iter().take(12).any(|token| {
                    matches!(&token.kind, Kind::Text(_, true)) || matches!(token.name(), Some("atob" | "Buffer"))
                });
                if decodes {
                    hit(&RUNS_DECODED, None);
                }
            }
            "constructor" if before_dot && sign(1, '.') && next(2).and_then(Token::name) == Some("constructor") => {
                hit(&BUILTINS, None)
            }
            "constructor" if before_dot && sign(1, '(') && next(2).and_then(Token::text).is_some() => {
                hit(&BUILTINS, None)
            }
            "require" | "import" | "from" => {
                let module = if sign(1, '(') { next(2) } else { next(1) };
                match module.map(|token| (&token.kind, sign(1, '('))) {
                    Some((Kind::Text(module, pieced), _)) => {
                        if *pieced {
                            hit(&PIECES, Some(module.clone()));
                        }
                        match module.trim_start_matches("node:") {
                            "child_process" => hit(&SUBPROCESS, Some(module.clone())),
                            "net" | "dgram" | "tls" => hit(&SOCKET, Some(module.clone())),
                            "ffi-napi" | "koffi" | "ffi" => hit(&NATIVE, Some(module.clone())),
                            "vm" => hit(&COMPILE, Some(module.clone())),
                            "v8" | "node-serialize" | "serialize-javascript" => hit(&PICKLE, Some(module.clone())),
                            "dotenv" | "dotenv/config" => hit(&DOTENV, Some(module.clone())),
                            "keytar" => hit(&CREDENTIALS_USED, Some(module.clone())),
                            _ => {}
                        }
                    }
                    Some((Kind::Name(_), true)) if name != "from" => hit(&DYNAMIC_IMPORT, None),
                    _ => {}
                }
            }
            "exec" | "execSync" | "spawn" | "spawnSync" | "execFile" if sign(1, '(') => {
                if let Some(line) = next(2).and_then(Token::text).filter(|_| layer < 4) {
                    // `spawn("gh", ["auth", "token"])`
                    let words: Vec<&str> = tokens[at + 2..]
                        .iter()
                        .take(16)
                        .take_while(|token| !token.is(')'))
                        .filter_map(Token::text)
                        .collect();
                    if let Some(secret) = text::printed_secret(&words.join(" ")) {
                        secrets.push((token.at, secret.to_owned()));
                    }
                    let mut found = Vec::new();
                    super::shell::scan(line, layer + 1, &mut found);
                    hits.extend(found.into_iter().map(|one| Hit {
                        at: token.at,
                        means: one.means.or(Some(line.to_owned())),
                        ..one
                    }));
                }
            }
            "process" if sign(1, '.') && next(2).and_then(Token::name) == Some("env") => {
                match (next(3), next(4).and_then(Token::name)) {
                    (Some(dot), Some(variable)) if dot.is('.') => {
                        if text::is_secret_name(variable) {
                            hit(&SECRET_VARIABLE, Some(variable.to_owned()));
                            secrets.push((token.at, variable.to_owned()));
                        } else {
                            hit(&VARIABLE, Some(variable.to_owned()));
                        }
                        if let Some((rule, part)) = text::matches(variable).into_iter().next() {
                            hits.push(Hit { rule, at: token.at, means: Some(part) });
                        }
                    }
                    (Some(open), _) if open.is('[') => {
                        hit(&VARIABLE, None);
                        computed = true;
                    }
                    _ => {
                        // Handed on to a child process, or taken apart by name: `const { HOME } = process.env`.
                        let child = tokens[at.saturating_sub(6)..at].iter().any(|token| token.name() == Some("env"));
                        // Names only: `Object.keys(process.env)`, `"CI" in process.env`.
                        let keys =
                            at >= 2 && (tokens[at - 2].name() == Some("keys") || tokens[at - 1].name() == Some("in"));
                        let names = at >= 2 && tokens[at - 1].is('=') && tokens[at - 2].is('}');
                        if child {
                        } else if keys {
                            hit(&VARIABLE, None);
                        } else if names {
                            let from = tokens[..at].iter().rposition(|token| token.is('{')).unwrap_or(at);
                            let taken: Vec<&str> = tokens[from..at].iter().filter_map(Token::name).collect();
                            for name in taken {
                                let rule = if text::is_secret_name(name) { &SECRET_VARIABLE } else { &VARIABLE };
                                hits.push(Hit { rule, at: token.at, means: Some(name.to_owned()) });
                                if text::is_secret_name(name) {
                                    secrets.push((token.at, name.to_owned()));
                                }
                            }
                        } else {
                            hit(&WHOLE_ENVIRONMENT, None);
                            environment = Some(token.at);
                        }
                    }
                }
            }
            // What a page keeps for its own site; only a stranger's address makes something of it.
            "Deno"
                if sign(1, '.')
                    && next(2).and_then(Token::name) == Some("env")
                    && next(4).and_then(Token::name) == Some("toObject") =>
            {
                hit(&WHOLE_ENVIRONMENT, None);
                environment = Some(token.at);
            }
            "cookie" if before_dot && at > 1 && tokens[at - 2].name() == Some("document") && !sign(1, '=') => {
                cookies = Some("the page's cookies")
            }
            "localStorage" | "sessionStorage" if sign(1, ')') || next(2).and_then(Token::name) == Some("key") => {
                cookies = Some("what pages keep")
            }
            "Image" if sign(1, '(') && at > 0 && tokens[at - 1].name() == Some("new") => {
                sends.get_or_insert(token.at);
            }
            "fetch" | "axios" | "request" | "got" | "sendBeacon" | "XMLHttpRequest" | "WebSocket" => {
                sends.get_or_insert(token.at);
            }
            _ => {}
        }
    }
    let Some(at) = sends else { return };
    let own = |host: &String| {
        matches!(host.as_str(), "localhost" | "127.0.0.1" | "www.w3.org") || host.starts_with("example.")
    };
    if let (Some(what), Some(host)) = (cookies, hosts.iter().find(|host| !own(host))) {
        hits.push(Hit { rule: &SECRET_SENT, at, means: Some(format!("{what} to {host}")) });
    }
    // Variables by names that are made here: those of several services, none of which is where it goes.
    let capitals = |text: &&str| text.len() >= 4 && text.chars().all(|c| c.is_ascii_uppercase());
    let services: Vec<&str> = tokens
        .iter()
        .filter_map(Token::text)
        .filter(capitals)
        .filter(|text| !text::is_secret_name(text) && *text != "POST")
        .collect();
    let secret = tokens.iter().filter_map(Token::text).any(|text| text.len() < 40 && text::is_secret_name(text));
    if computed
        && secret
        && services.len() >= 2
        && !hosts.is_empty()
        && !services.iter().any(|name| hosts.iter().any(|host| text::belongs(name, host)))
    {
        hits.push(Hit { rule: &SECRET_SENT, at, means: Some(format!("variables of {}", services.join(", "))) });
    }
    if environment.is_some() {
        hits.push(Hit { rule: &SECRET_SENT, at, means: Some("the environment".to_owned()) });
    }
    let reads = tokens
        .iter()
        .any(|token| matches!(token.name(), Some("readFileSync" | "readFile" | "createReadStream" | "open")));
    if reads && let Some(part) = credentials(tokens) {
        hits.push(Hit { rule: &SECRET_SENT, at, means: Some(part) });
    }
    // Tokens say nothing of where a value goes: a key is told of when none of the script's hosts is its own.
    for (_, secret) in secrets {
        if !hosts.is_empty() && !hosts.iter().any(|host| text::belongs(&secret, host)) {
            hits.push(Hit {
                rule: &SECRET_SENT,
                at,
                means: Some(format!("{secret} to {}", hosts.first().map_or("", String::as_str))),
            });
        }
    }
}

fn credentials(tokens: &[Token]) -> Option<String> {
    let mut all = tokens.iter().filter_map(Token::text).flat_map(text::matches);
    all.find(|(rule, _)| matches!(rule.category, Category::CredentialAccess)).map(|(_, part)| part)
}

fn nested(hidden: &str, at: usize, layer: usize, hits: &mut Vec<Hit>) {
    // One word is a name or a path, which has been looked at as such.
    if !hidden.contains([' ', '(', '\n']) {
        return;
    }
    let mut found = Vec::new();
    scan(hidden, layer + 1, &mut found);
    super::shell::scan(hidden, layer + 1, &mut found);
    if let Some(worst) =
        found.iter().filter(|hit| hit.rule.severity <= Severity::High).min_by_key(|hit| hit.rule.severity)
    {
        let means = format!("{} ({})", worst.rule.description, hidden.trim());
        hits.push(Hit { rule: &RUNS_HIDDEN, at, means: Some(means) });
    }
}
