//! What a skill tells the agent: Markdown, descriptions, any text that is no code.

use super::report::Hit;
use super::rules::*;
use super::text;

/// Looks through Markdown: sentences as instructions, fenced blocks as the language they name.
pub fn scan(source: &str, hits: &mut Vec<Hit>) {
    let mut fence: Option<(String, usize, char)> = None;
    let mut paragraph: Option<(usize, usize)> = None;
    let mut offset = 0;
    let mut comment: Option<usize> = None;
    let end_paragraph = |paragraph: &mut Option<(usize, usize)>, hits: &mut Vec<Hit>| {
        if let Some((from, to)) = paragraph.take() {
            sentences(&source[from..to], from, hits);
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
            comment = line.find("<!--").map(|start| at + start);
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
        "json" | "yaml" | "toml" | "csv" | "xml" | "html" | "sql" | "diff" => {}
        _ => {
            sentences(code, 0, &mut found);
            super::shell::scan(code, 3, &mut found);
            found.retain(|hit| hit.rule.severity <= Severity::High);
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
        "the assistant",
        "the agent",
        "ai:",
        "system:",
        "before answering",
        "silently",
    ];
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
        let end =
            ["\n\n", ". ", ".\n", "! ", "? "].iter().filter_map(|stop| rest.find(stop).map(|at| at + stop.len())).min();
        let end = end.unwrap_or(rest.len());
        let start = from;
        from += end;
        Some((start, &rest[..end]))
    })
}

fn sentences(paragraph: &str, from: usize, hits: &mut Vec<Hit>) {
    for (at, one) in split(paragraph) {
        // Where the words begin.
        let place = from + at + (one.len() - one.trim_start().len());
        sentence(one, &mut |rule, means| hits.push(Hit { rule, at: place, means }));
        if !forbids(&normal(one)) {
            for (rule, part) in text::matches(one) {
                // To name a file is no access to it: what the agent is told to do with it is for the rules of instructions.
                if matches!(rule.category, Category::SuspiciousNetwork) {
                    hits.push(Hit { rule, at: place, means: Some(part) });
                }
            }
        }
        for command in one.split('`').skip(1).step_by(2).filter(|command| command.contains(' ')) {
            let mut found = Vec::new();
            super::shell::scan(command, 2, &mut found);
            let grave = found.into_iter().filter(|hit| {
                hit.rule.id == PIPE_TO_SHELL.id || hit.rule.id == SECRET_SENT.id || hit.rule.id == RUNS_DECODED.id
            });
            if !forbids(&normal(one)) {
                hits.extend(grave.map(|hit| Hit { at: place, ..hit }));
            }
        }
    }
    if paragraph.contains("](") || paragraph.contains("<img") {
        links(paragraph, from, hits);
    }
}

/// Lower case, one space between words, nothing that is not seen, plain quotes.
fn normal(text: &str) -> String {
    let seen: String =
        text.chars().filter(|c| !super::unicode::is_unseen(*c)).map(|c| if c == '’' { '\'' } else { c }).collect();
    let mut words = seen.to_lowercase();
    words.retain(|c| !matches!(c, '*' | '_' | '`'));
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentence says not to.
fn forbids(lower: &str) -> bool {
    [
        "never ",
        "do not ",
        "don't ",
        "must not ",
        "avoid ",
        "should not ",
        "refuse ",
        "cannot ",
        "is not allowed",
        "without ever",
        "warn when",
        "warn about",
        "warn if",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

fn any(lower: &str, words: &[&str]) -> bool {
    words.iter().any(|word| lower.contains(word))
}

/// The rules of instructions, on one sentence.
pub fn sentence(text: &str, hit: &mut dyn FnMut(&'static Rule, Option<String>)) {
    // No sentence of a person's is this long; one of a machine's would cost too much.
    if text.len() > 20_000 {
        hit(&TOO_MUCH, None);
        return;
    }
    let lower = normal(text);
    let agent_rules = [
        "previous instructions",
        "prior instructions",
        "earlier instructions",
        "above instructions",
        "system prompt",
        "your instructions",
        "all instructions",
        "safety guidelines",
        "safety rules",
        "instructions above",
        "previous rules",
        "developer message",
    ];
    if any(&lower, &["ignore ", "disregard ", "forget ", "override ", "bypass ", "set aside "])
        && any(&lower, &agent_rules)
        && !forbids(&lower)
    {
        hit(&OVERRIDE, None);
    }
    let person = ["the user", "user ", "the person", "the human", "them ", "anyone", "the operator", "the developer"];
    let silent = [
        "do not tell",
        "don't tell",
        "never tell",
        "do not mention",
        "don't mention",
        "never mention",
        "do not inform",
        "don't inform",
        "do not reveal this",
        "never reveal this",
        "do not disclose this",
        "without telling",
        "without informing",
        "without mentioning",
        "without the user",
        "hide this from",
        "keep this hidden",
        "keep this secret",
        "keep it secret",
        "do not show this",
        "don't show this",
        "without their knowledge",
        "do not let the user",
        "don't let the user",
        "silently ",
        "do not report this",
        "secretly ",
    ];
    let knows = any(
        &lower,
        &[
            "this step",
            "this from",
            "this to",
            "step ",
            "that you",
            "about this",
            "about the",
            "what you",
            "knowing",
            "know ",
            "this action",
            "these instructions",
            "this file",
            "knowledge",
        ],
    );
    let by_silence = silent.iter().find(|word| lower.contains(**word));
    if let Some(word) = by_silence {
        let quietly = matches!(*word, "silently " | "secretly ");
        let acts = any(
            &lower,
            &["send ", "upload", "post ", "copy ", "append", "include ", "read ", "collect", "forward", "run "],
        );
        let outside = any(&lower, &["http://", "https://", "webhook", "server", "endpoint", "secret", ".env", "ssh"]);
        if quietly && acts && outside
            || !quietly
                && (any(&lower, &person) && knows || any(&lower, &["hidden", "keep this secret", "keep it secret"]))
        {
            hit(&SECRECY, None);
        }
    }
    if lower.contains("| sh") || lower.contains("| bash") || lower.contains("|sh") || lower.contains("|bash") {
        if any(&lower, &["curl ", "wget "]) && !forbids(&lower) && !text.contains('`') {
            hit(&PIPE_TO_SHELL, None);
        }
    }
    let takes = any(
        &lower,
        &[
            "read ",
            "open ",
            "cat ",
            "collect ",
            "gather ",
            "include ",
            "copy ",
            "send ",
            "upload ",
            "attach ",
            "append ",
            "extract ",
            "retrieve ",
            "output ",
            "print ",
            "find ",
            "paste ",
            "grab ",
            "load ",
            "look for ",
        ],
    );
    let sends = any(
        &lower,
        &[
            "send ",
            "upload ",
            "post ",
            "forward ",
            "transmit ",
            "submit ",
            "exfiltrate",
            "append ",
            "attach ",
            "report ",
            "include ",
            "paste ",
        ],
    );
    let to_outside = lower.contains("http://")
        || lower.contains("https://")
        || any(
            &lower,
            &["webhook", "our server", "remote server", "external server", "this url", "the url", "endpoint"],
        );
    let knowledge = any(
        &lower,
        &[
            "conversation",
            "chat history",
            "system prompt",
            "credential",
            "password",
            "api key",
            "api keys",
            "token",
            "secret",
            "environment variable",
            "private key",
            ".env",
            "user's files",
            "their files",
        ],
    );
    let file = text::matches(text)
        .into_iter()
        .find(|(rule, _)| matches!(rule.category, Category::CredentialAccess) && rule.severity <= Severity::High);
    let forbidden = forbids(&lower) && by_silence.is_none();
    if !forbidden {
        if let (Some((_, part)), true) = (&file, takes) {
            hit(&TELLS_TO_TAKE, Some(part.clone()));
        } else if sends
            && to_outside
            && knowledge
            && any(
                &lower,
                &[
                    "conversation",
                    "chat history",
                    "system prompt",
                    "credentials",
                    "passwords",
                    "all environment",
                    "environment variables",
                    "private key",
                    "user's",
                    ".env",
                    "secrets",
                    "any api key",
                    "api keys",
                    "access tokens",
                    "auth tokens",
                    "api tokens",
                ],
            )
            && !any(&lower, &["your own"])
        {
            hit(&TELLS_TO_TAKE, None);
        }
    }
    if any(
        &lower,
        &[
            "--dangerously-skip-permissions",
            "auto-approve",
            "auto approve",
            "without asking for confirmation",
            "without asking for permission",
            "without asking the user",
            "do not ask for permission",
            "don't ask for permission",
            "do not ask for confirmation",
            "don't ask for confirmation",
            "skip confirmation",
            "--no-verify",
            "disable the sandbox",
            "chmod 777",
            "yolo mode",
        ],
    ) && !any(&lower, &["never ", "avoid "])
    {
        hit(&NO_ASKING, None);
    }
    let stays = [
        "~/.bashrc",
        "~/.zshrc",
        "~/.profile",
        "crontab",
        "claude.md",
        "agents.md",
        ".cursorrules",
        "authorized_keys",
        "settings.json",
        "memory file",
    ];
    if any(&lower, &["append ", "add ", "write ", "insert ", "modify ", "edit "])
        && any(&lower, &stays)
        && any(&lower, &["every", "always", "future", "persist", "also ", "so that", "start"])
        && !forbidden
    {
        hit(&STAYS, None);
    }
}

/// `![](https://x/?q=<the data>)`: whoever shows it sends it.
fn links(paragraph: &str, from: usize, hits: &mut Vec<Hit>) {
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
        if hole && data {
            hits.push(Hit { rule: &DATA_IN_LINK, at: from + start, means: Some(url.to_owned()) });
        }
    }
}
