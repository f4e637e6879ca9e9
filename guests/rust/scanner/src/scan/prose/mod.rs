//! What a skill tells the agent: Markdown, descriptions, any text that is no code.

//!
//! This file takes the text apart; `instructions.rs` judges a sentence, `languages.rs` has the words of other languages.

mod instructions;
mod languages;

use super::report::Hit;
use super::rules::*;
use super::text;
use instructions::{any, normal, sentence_in};
pub use instructions::{forbids, sentence};

/// Looks through Markdown: sentences as instructions, fenced blocks as the language they name.
pub fn scan(source: &str, hits: &mut Vec<Hit>) {
    let about_attacks = speaks_of_attacks(source);
    let mut fence: Option<(String, usize, char)> = None;
    let mut paragraph: Option<(usize, usize)> = None;
    let mut offset = 0;
    let mut comment: Option<usize> = None;
    let end_paragraph = |paragraph: &mut Option<(usize, usize)>, hits: &mut Vec<Hit>| {
        if let Some((from, to)) = paragraph.take() {
            sentences(&source[from..to], from, before(source, from), about_attacks, hits);
        }
    };
    for line in source.split_inclusive('\n') {
        let at = offset;
        offset += line.len();
        let trimmed = line.trim();
        let mark = if trimmed.starts_with("```") { Some('`') } else { trimmed.starts_with("~~~").then_some('~') };
        match (&fence, mark) {
            (None, Some(mark)) => {
                end_paragraph(&mut paragraph, hits);
                fence = Some((trimmed.trim_start_matches(mark).trim().to_ascii_lowercase(), offset, mark));
                continue;
            }
            (Some((_, _, opened)), Some(mark)) if *opened == mark && trimmed.trim_start_matches(mark).is_empty() => {
                if let Some((language, from, _)) = fence.take() {
                    block(&language, &source[from..at], from, hits);
                }
                continue;
            }
            (Some(_), _) => continue,
            (None, None) => {}
        }
        if comment.is_none() {
            // Between backquotes it is no comment but a text about one.
            let starts = line.find("<!--").filter(|start| line[..*start].matches('`').count() % 2 == 0);
            comment = starts.map(|start| at + start);
        }
        if let Some(start) = comment
            && let Some(end) = source[start.max(at)..offset].find("-->").map(|end| start.max(at) + end)
        {
            hidden(&source[start + 4..end.max(start + 4)], start, hits);
            comment = None;
        }
        if trimmed.is_empty()
            || trimmed.starts_with(['#', '|'])
            || trimmed.starts_with("- ")
            || trimmed.starts_with("* ")
        {
            end_paragraph(&mut paragraph, hits);
        }
        let from = paragraph.map_or(at, |(from, _)| from);
        paragraph = (!trimmed.is_empty()).then_some((from, offset));
    }
    end_paragraph(&mut paragraph, hits);
    // A fence that is never closed goes on to the end.
    if let Some((language, from, _)) = fence {
        block(&language, &source[from.min(source.len())..], from, hits);
    }
    if let Some(start) = comment {
        hidden(&source[start..], start, hits);
    }
}

fn block(language: &str, code: &str, from: usize, hits: &mut Vec<Hit>) {
    let mut found = Vec::new();
    match language.split([' ', '{', ',']).next().unwrap_or_default() {
        "python" | "py" | "python3" => super::python::scan(code, 1, &mut found),
        "js" | "javascript" | "ts" | "typescript" | "mjs" | "jsx" | "tsx" => super::script::scan(code, 1, &mut found),
        "sh" | "bash" | "shell" | "zsh" | "console" | "shell-session" => {
            let stripped: String = code.split_inclusive('\n').map(|line| blank_prompt(line)).collect();
            super::shell::scan(&stripped, 1, &mut found);
        }
        // An example of data says nothing by itself; text in a fence may still be meant for the agent.
        "php" | "go" | "golang" | "ruby" | "rb" | "rust" | "rs" | "java" | "kotlin" | "c" | "cpp" | "c++"
        | "csharp" | "cs" | "swift" | "perl" | "lua" => {
            super::other::scan(code, &mut found);
        }
        "makefile" | "make" | "dockerfile" | "docker" => {
            let name = if language.starts_with("docker") { "dockerfile" } else { "makefile" };
            super::config::scan(name, code, &mut found);
        }
        "powershell" | "ps1" | "pwsh" => super::other::powershell(code, &mut found),
        // Settings that are shown are written down by whoever follows: what they run counts, what they name does not.
        "json" | "jsonc" | "yaml" | "yml" => {
            let name = if language.starts_with('j') { "settings.json" } else { "settings.yml" };
            super::config::scan(name, code, &mut found);
            let runs = [
                &PIPE_TO_SHELL,
                &SECRET_SENT,
                &ASKS_NOBODY,
                &REVERSE_SHELL,
                &RUNS_DECODED,
                &RUNS_HIDDEN,
                &USUAL_INSTALLER,
                &KEY_ELSEWHERE,
                &BY_ITSELF,
            ];
            found.retain(|hit| runs.iter().any(|rule| rule.id == hit.rule.id));
        }
        "toml" | "csv" | "xml" | "html" | "sql" | "diff" | "yara" | "yar" | "regex" | "mermaid" | "gitignore" => {}
        _ => {
            sentences(code, 0, "", true, &mut found);
            // Without a language it may be a command, or a picture of one: what is grave by what it does, not by what it names.
            super::shell::scan(code, 3, &mut found);
            found.retain(|hit| hit.rule.severity <= Severity::High && hit.rule.category != Category::CredentialAccess);
        }
    }
    // An example is not run; one that decodes or fetches what it runs has a rule of its own.
    let examples = [&EVAL, &EXEC, &UNPICKLE, &BUILTINS];
    if !found.iter().any(|hit| hit.rule.severity == Severity::Critical) {
        for hit in &mut found {
            if examples.iter().any(|rule| rule.id == hit.rule.id) {
                hit.rule = &SHOWN;
            }
        }
    }
    hits.extend(found.into_iter().map(|hit| Hit { at: hit.at + from, ..hit }));
}

/// `$ command` as `  command`: the same length, so that places stay.
fn blank_prompt(line: &str) -> String {
    match line.strip_prefix("$ ") {
        Some(rest) => format!("  {rest}"),
        None => line.to_owned(),
    }
}

/// What stands in a comment is not shown where Markdown is rendered.
fn hidden(comment: &str, at: usize, hits: &mut Vec<Hit>) {
    let mut told = false;
    for part in split(comment) {
        sentence(part.1, &mut |_, _| told = true);
        told |= text::matches(part.1).iter().any(|(rule, _)| rule.severity <= Severity::High);
    }
    let lower = comment.to_lowercase();
    let commands = [
        "you must",
        "always run",
        "always include",
        "for the assistant",
        "to the assistant",
        "dear assistant",
        "assistant:",
        "note to ai",
        "note for ai",
        "ai:",
        "ai agents:",
        "system:",
        "before answering",
        "from now on you",
    ];
    let urgent = lower.contains("://")
        && any(&lower, &["send ", "upload ", "fetch ", "post ", "call ", "include ", "run ", "curl "])
        && !lower.contains("see ");
    let told = told || urgent;
    if told || commands.iter().any(|word| lower.contains(word)) {
        hits.push(Hit { rule: &HIDDEN_TEXT, at, means: Some(comment.trim().to_owned()) });
    }
}

/// Sentences with where they begin: up to a full stop before a space, or an empty line.
fn split(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        if from >= text.len() {
            return None;
        }
        let rest = &text[from..];
        let mut chars = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|(_, c)| *c);
            let wide = matches!(c, '\u{3002}' | '\u{ff01}' | '\u{ff1f}');
            let stops = match c {
                _ if wide => true,
                '.' => matches!(next, Some(' ' | '\n')),
                '!' | '?' | '\u{964}' => next == Some(' '),
                '\n' => next == Some('\n'),
                _ => false,
            };
            if stops {
                // With the space behind it.
                end = at + c.len_utf8() + usize::from(!wide);
                break;
            }
        }
        let end = end.min(rest.len());
        let start = from;
        from += end;
        Some((start, &rest[..end]))
    })
}

/// A text that stands by itself, sentence by sentence.
pub fn said(value: &str, hit: &mut dyn FnMut(&'static Rule, Option<String>)) {
    let around = value.get(..4000).unwrap_or(value).to_lowercase();
    for (_, one) in split(value).take(2000) {
        sentence_in(one, &around, hit);
    }
}

/// A text about attacks quotes them; what it quotes is not said by it.
fn speaks_of_attacks(source: &str) -> bool {
    let lower = source.get(..100_000).unwrap_or(source).to_lowercase();
    let words = [
        "injection",
        "jailbreak",
        "attack",
        "malicious",
        "red flag",
        "suspicious",
        "vulnerab",
        "threat",
        "adversar",
        "phishing",
        "untrusted",
    ];
    words.iter().filter(|word| lower.contains(**word)).count() >= 2
        || lower.contains("prompt injection")
        || lower.contains("for injection")
}

/// Without what stands between quotation marks, of three words or more.
fn unquoted(text: &str) -> String {
    // No sentence of a person's, and each mark would be looked for to its end.
    if text.len() > 20_000 {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['"', '“', '«', '`']) {
        let open = rest[start..].chars().next().unwrap_or('"');
        let close = match open {
            '“' => '”',
            '«' => '»',
            other => other,
        };
        let inner = &rest[start + open.len_utf8()..];
        let Some(end) = inner.find(close).filter(|end| inner[..*end].split_whitespace().count() >= 3) else {
            let after = start + open.len_utf8();
            out.push_str(&rest[..after]);
            rest = &rest[after..];
            continue;
        };
        out.push_str(&rest[..start]);
        out.push('…');
        rest = &inner[end + close.len_utf8()..];
    }
    out.push_str(rest);
    out
}

/// What stands before a paragraph, as far as it may say something about it.
fn before(source: &str, from: usize) -> &str {
    let mut start = from.saturating_sub(500);
    while !source.is_char_boundary(start) {
        start += 1;
    }
    &source[start..from]
}

fn sentences(paragraph: &str, from: usize, before: &str, about_attacks: bool, hits: &mut Vec<Hit>) {
    let around = format!("{before}{}", paragraph.get(..4000).unwrap_or(paragraph)).to_lowercase();
    elements(paragraph, from, hits);
    for (at, one) in split(paragraph) {
        // Where the words begin.
        let place = from + at + (one.len() - one.trim_start().len());
        let own = if about_attacks { unquoted(one) } else { one.to_owned() };
        sentence_in(&own, &around, &mut |rule, means| hits.push(Hit { rule, at: place, means }));
        if !forbids(&normal(one)) && !about_attacks {
            for (rule, part) in text::matches(one) {
                // To name a file is no access to it: what the agent is told to do with it is for the rules of instructions.
                // A tunnel to one's own machine is how webhooks are tried out: that is for whoever makes one.
                if matches!(rule.category, Category::SuspiciousNetwork) && rule.id != TUNNEL.id {
                    hits.push(Hit { rule, at: place, means: Some(part) });
                }
            }
        }
        for command in one.split('`').skip(1).step_by(2).filter(|command| command.contains(' ')) {
            let mut found = Vec::new();
            super::shell::scan(command, 2, &mut found);
            let grave = found.into_iter().filter(|hit| {
                hit.rule.id == PIPE_TO_SHELL.id
                    || hit.rule.id == USUAL_INSTALLER.id
                    || hit.rule.id == DESTROYS.id
                    || hit.rule.id == REVERSE_SHELL.id
                    || hit.rule.id == SECRET_SENT.id
                    || hit.rule.id == RUNS_DECODED.id
            });
            if !forbids(&normal(one)) && !about_attacks {
                hits.extend(grave.map(|hit| Hit { at: place, ..hit }));
            }
        }
    }
    if paragraph.contains("](") || paragraph.contains("<img") {
        links(paragraph, from, before, &around, hits);
    }
}

/// Bytes of an element's beginning; a longer one would be looked through again and again.
const MAX_TAG: usize = 1000;
/// Bytes of what it hides, likewise.
const MAX_HIDDEN: usize = 4000;

/// HTML that is not shown, and Markdown that is none: what it says is said to machines only.
fn elements(paragraph: &str, from: usize, hits: &mut Vec<Hit>) {
    let lower = paragraph.to_ascii_lowercase();
    for (start, _) in lower.match_indices("[//]:").chain(lower.match_indices("[comment]:")).take(50) {
        let end = lower[start..].find('\n').map_or(lower.len(), |end| start + end);
        hidden(&paragraph[start..end], from + start, hits);
    }
    const STYLES: &[&str] = &[
        "display:none",
        "display: none",
        "visibility:hidden",
        "visibility: hidden",
        "font-size:0",
        "font-size: 0",
        "opacity:0",
        "opacity: 0",
        "color:white",
        "color: white",
        "color:#fff",
        "color: #fff",
        "color:transparent",
        "color: transparent",
        " hidden>",
        " hidden ",
        "height:0",
        "width:0",
    ];
    for (start, _) in lower.match_indices('<').take(500) {
        let Some(end) = lower[start..].find('>').map(|end| start + end) else { break };
        if end - start > MAX_TAG || !STYLES.iter().any(|style| lower[start..=end].contains(style)) {
            continue;
        }
        let mut most = (end + 1 + MAX_HIDDEN).min(lower.len());
        while !paragraph.is_char_boundary(most) {
            most -= 1;
        }
        let close = lower[end..most].find("</").map_or(most, |close| end + close);
        hidden(&paragraph[end + 1..close.max(end + 1)], from + start, hits);
    }
}

/// `![](https://x/?q=<the data>)`: whoever shows it sends it.
fn links(paragraph: &str, from: usize, before: &str, around: &str, hits: &mut Vec<Hit>) {
    let starts = paragraph.match_indices("](").map(|(at, _)| at + 2);
    let images = paragraph.match_indices("src=").map(|(at, _)| at + 4);
    for start in starts.chain(images) {
        let rest = paragraph[start..].trim_start_matches(['"', '\'', '<']);
        // A longer address is not looked at to its end: that would cost its length for each place it could begin at.
        let mut cut = rest.len().min(2000);
        while !rest.is_char_boundary(cut) {
            cut -= 1;
        }
        let rest = &rest[..cut];
        let end = rest.find([')', '\n', '"', '>']).unwrap_or(rest.len());
        let url = &rest[..end];
        let Some((_, query)) = url.split_once('?').filter(|(host, _)| host.contains("://")) else { continue };
        let lower = query.to_lowercase();
        // A badge's token is for the badge.
        if any(url, &["badge", "shields.io", "codecov.io"]) {
            continue;
        }
        let hole = any(query, &["{", "<", "$", "[", "%7b"]) || any(&lower, &["your_", "insert", "_here"]);
        let data = any(
            &lower,
            &[
                "secret",
                "token",
                "key",
                "password",
                "conversation",
                "history",
                "context",
                "env",
                "data",
                "summary",
                "prompt",
                "content",
            ],
        );
        // A word that the text says to put something else for.
        let mut near = start.saturating_sub(300);
        while !paragraph.is_char_boundary(near) {
            near += 1;
        }
        let near = &paragraph[near..start];
        let image = near.rfind("![").is_some_and(|open| !near[open..].contains(')'));
        let filled = image
            && query.split(['=', '&', '+']).any(|word| {
                word.len() >= 3
                    && (before.contains(word) || near.contains(word))
                    && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
                    && any(around, &["instead of", "in place of", "replace", "put ", "fill"])
            });
        if filled || hole && data {
            hits.push(Hit { rule: &DATA_IN_LINK, at: from + start, means: Some(url.to_owned()) });
        }
    }
}
