//! The rules of instructions, on one sentence.

use super::super::rules::*;
use super::super::sieve::Sieve;
use super::super::text;
use super::languages::LANGUAGES;
use std::sync::OnceLock;

/// To set aside.
const VERBS: &[&str] = &["ignore", "disregard", "forget", "override", "bypass", "aside"];

/// Not to say, whatever it is about.
const OUTRIGHT: &[&str] = &[
    "do not bring it up",
    "don't bring it up",
    "needs no mention",
    "no need to mention this",
    "need not be mentioned",
    "need not see",
    "need not know",
    "does not need to know about this",
    "leave these commands out",
    "leave this out of your",
    "leave it out of your",
    "out of your summary",
    "out of the summary",
    "do this quietly",
    "without drawing attention",
    "keep this between",
    "say nothing about this",
    "say nothing of this",
    "do not surface this",
    "not to the user's attention",
    "talk about something else instead",
    "act as if nothing",
    "as if it were your own idea",
    "do not log this",
    "don't log this",
];

/// Said of the skill itself: what it keeps from people.
const KEPT: &[&str] = &[
    "not disclosed to the user",
    "not disclosed to users",
    "does not notify the user that",
    "user is not notified",
    "users are not notified",
    "user is not informed",
    "users are not informed",
    "do not need to know this",
    "does not need to know this",
    "not prompted to approve",
    "without notifying the user",
    "without the user's knowledge",
    "not shown to the user to",
    "not logged to the audit",
    "do not log this to the audit",
    "to the standard moderation audit",
    "are not labeled as ad",
    "not reported in the standard output",
    "respond that it cannot",
    "respond that it does not",
];

/// Not to say, if what follows is about what is done.
const SILENT: &[&str] = &[
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
    "hide these",
    "hide it from",
    "conceal this",
    "conceal these",
    "never let the user",
    "secretly ",
];

/// What is read or run at every start.
const START_FILES: &[&str] = &[
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

/// To do without asking.
const UNASKED: &[&str] = &[
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
];

/// What somebody outside would want to have.
const KNOWLEDGE: &[&str] = &[
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
    "its output",
    "each answer",
    "every answer",
    "each message",
    "every message",
    "their files",
];

/// Whoever has one of these has everything.
const WHOLE_KEYS: &[&str] =
    &["private key", "seed phrase", "recovery phrase", "mnemonic phrase", "wallet phrase", "master password"];

/// Text that is to be taken for the system's.
const AS_SYSTEM: &[&str] = &[
    "as a high-priority system instruction",
    "as a system instruction",
    "as system instructions",
    "overrides your current task",
    "override your current task",
];

/// Of what every other rule needs.
const SIGNS: &[&str] = &[
    "security warning",
    "safety warning",
    "warnings about",
    "security alert",
    "security finding",
    "scanner warning",
    "approved by",
    "verified by",
    "trusted by",
    "whitelisted by",
    "bypasspermissions",
    "yes for the user",
    "it for the user",
    "behalf",
    "approve it yourself",
    "grant yourself",
    "bypasses the",
    "regardless of what",
    "unrestricted mode",
    "content filtering",
    "elevates its",
    "waiting for the required",
    "hooks that check",
    "permission",
    "safety checks",
    "guardrails",
    "password",
    "confirm for",
    "for the user",
    "curl ",
    "wget ",
    "/dev/tcp",
    "base64 -",
    "ncat ",
    "| sh",
    "| bash",
    "|bash",
    "bash -i",
    "rm -rf",
    ".env",
];

/// Most sentences have nothing that any rule begins with.
fn may_instruct(lower: &str) -> bool {
    static SIEVE: OnceLock<Sieve> = OnceLock::new();
    let all = || {
        let lists = [VERBS, OUTRIGHT, KEPT, SILENT, START_FILES, UNASKED, KNOWLEDGE, WHOLE_KEYS, AS_SYSTEM, SIGNS];
        let foreign = LANGUAGES.iter().flat_map(|one| [one.ignore, one.silence]);
        Sieve::new(lists.into_iter().chain(foreign).flatten().copied())
    };
    SIEVE.get_or_init(all).may(lower) || lower.contains("|sh") || lower.contains("nc -")
}

/// Lower case, one space between words, nothing that is not seen, plain quotes.
pub fn normal(text: &str) -> String {
    let seen: String = text
        .chars()
        .filter(|c| !super::super::unicode::is_unseen(*c))
        .map(|c| if c == '’' { '\'' } else { c })
        .collect();
    let mut words = seen.to_lowercase();
    words.retain(|c| !matches!(c, '*' | '_' | '`'));
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentence says not to.
pub fn forbids(lower: &str) -> bool {
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
        "rather than",
        "instead of ",
        "are ignored",
        "is ignored",
        "nothing secret",
    ]
    .iter()
    // "Whenever" has "never" in it.
    .any(|word| lower.match_indices(word).any(|(at, _)| !lower[..at].ends_with(|c: char| c.is_alphabetic())))
}

pub fn any(lower: &str, words: &[&str]) -> bool {
    words.iter().any(|word| lower.contains(word))
}

/// The rules of instructions, on one sentence.
pub fn sentence(text: &str, hit: &mut dyn FnMut(&'static Rule, Option<String>)) {
    sentence_in(text, "", hit);
}

/// The same, with the paragraph that it stands in, in lower case: what is done quietly is often said one sentence earlier.
pub fn sentence_in(text: &str, around: &str, hit: &mut dyn FnMut(&'static Rule, Option<String>)) {
    // No sentence of a person's is this long; one of a machine's would cost too much.
    if text.len() > 20_000 {
        hit(&NOT_READ, None);
        return;
    }
    let lower = normal(text);
    // Words about an attack, without a place to send something to, tell of one.
    let tells = || {
        !lower.contains("://")
            && (any(
                &lower,
                &["attacker", "malicious", "prompt injection", "prompt-injection", "untrusted", "vulnerab", "exploit"],
            ) || is_account(&lower))
    };
    let matches = text::matches(text);
    if matches.is_empty() && !may_instruct(&lower) {
        return;
    }
    if sets_aside(&lower) && !forbids(&lower) && !tells() {
        hit(&OVERRIDE, None);
    }
    foreign(&lower, &matches, hit);
    let doing = |text: &str| {
        any(
            text,
            &[
                "send", "fetch", "read ", "add ", "://", "run ", "append", "look up", "collect", "post ", "include",
                "upload", "commands", "copy ",
            ],
        )
    };
    if any(&lower, OUTRIGHT) && !tells() && (doing(&lower) || doing(around)) {
        hit(&SECRECY, None);
    }
    if vouches(&lower) {
        hit(&VOUCHES, None);
    }
    // Told of the skill itself, as if it were a feature.
    if any(&lower, KEPT) && !tells() {
        hit(&SECRECY, None);
    }
    if any(&lower, AS_SYSTEM) && !forbids(&lower) && !tells() {
        hit(&OVERRIDE, None);
    }
    // Whoever has one of these has everything: no skill needs it told.
    let whole_key = any(&lower, WHOLE_KEYS);
    if whole_key
        && any(
            &lower,
            &[
                "ask the user",
                "instruct the user",
                "tell the user",
                "have the user",
                "request the user",
                "prompt the user",
                "ask for ",
            ],
        )
        && any(&lower, &["enter", "provide", "paste", "share", "type ", "send"])
        && !forbids(&lower)
        && !tells()
    {
        hit(&TELLS_TO_TAKE, None);
    }
    let archive = any(&lower, &[".zip", ".rar", ".7z", "archive"])
        && lower.contains("password")
        && any(&lower, &["extract", "unpack", "unzip"]);
    if archive && any(&lower, &["run ", "execute ", "launch ", "start ", ".exe"]) && !forbids(&lower) {
        hit(&LOCKED_DOWNLOAD, None);
    }
    if asks_nobody(&lower) && !forbids(&lower) {
        hit(&ASKS_NOBODY, None);
    }
    let person = ["the user", "user ", "the person", "the human", "them ", "anyone", "the operator", "the developer"];
    let knowing = [
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
        "which file",
        "which tool",
        "which data",
        "this data",
        "this collection",
        "this context",
        "this upload",
        "these steps",
        "it could upset",
        "these instructions",
        "this file",
        "knowledge",
    ];
    let by_silence = SILENT.iter().find(|word| lower.contains(**word)).filter(|_| !tells());
    if let Some(word) = by_silence {
        // What is not to be told stands behind the words that say so.
        let from = lower.find(*word).unwrap_or(0);
        let mut end = (from + 160).min(lower.len());
        while !lower.is_char_boundary(end) {
            end -= 1;
        }
        let behind = &lower[from..end];
        let knows = any(behind, &knowing);
        let quietly = matches!(*word, "silently " | "secretly ");
        // "Silently send": the verb stands beside it; what a program does silently is something else.
        let mut beside = (from + 45).min(lower.len());
        while !lower.is_char_boundary(beside) {
            beside -= 1;
        }
        let acts = any(
            &lower[from..beside],
            &["send ", "upload", "post ", "copy ", "append", "include ", "read ", "collect", "forward", "run "],
        ) || any(
            &lower[..from],
            &["send it ", "send them ", "upload it ", "upload them ", "post it ", "forward it ", "append it "],
        );
        let outside = any(&lower, &["http://", "https://", "webhook", "server", "endpoint", "secret", ".env", "ssh"]);
        if quietly && acts && outside
            || !quietly
                && (any(behind, &person) && knows || any(&lower, &["hidden", "keep this secret", "keep it secret"]))
        {
            hit(&SECRECY, None);
        }
    }
    if !forbids(&lower) && !text.contains('`') {
        let mut found = Vec::new();
        super::super::shell::in_text(text, &mut found);
        found.truncate(8);
        found.into_iter().for_each(|one| hit(one.rule, one.means));
    }
    let takes = || {
        any(
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
        )
    };
    let sends = || {
        any(
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
        )
    };
    let to_outside = || {
        lower.contains("http://")
            || lower.contains("https://")
            || any(
                &lower,
                &["webhook", "our server", "remote server", "external server", "this url", "the url", "endpoint"],
            )
    };
    let knowledge = || any(&lower, KNOWLEDGE);
    let file =
        matches.iter().find(|(rule, _)| rule.category == Category::CredentialAccess && rule.severity <= Severity::High);
    let named = matches.iter().any(|(rule, _)| rule.category == Category::CredentialAccess) || lower.contains(".env");
    let forbidden = forbids(&lower) && by_silence.is_none();
    if !forbidden {
        if let Some((_, part)) = file.filter(|_| takes() && !tells()) {
            hit(&TELLS_TO_TAKE, Some(part.clone()));
        } else if named && takes() && any(&lower, &["send ", "upload ", "post ", "forward "]) && lower.contains("://") {
            hit(&TELLS_TO_TAKE, None);
        } else if to_outside()
            && knowledge()
            && sends()
            && any(
                &lower,
                &[
                    "conversation",
                    "chat history",
                    "system prompt",
                    "credentials",
                    "passwords",
                    "all environment",
                    "its output",
                    "each answer",
                    "every answer",
                    "each message",
                    "every message",
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
    if any(&lower, UNASKED) && !any(&lower, &["never ", "avoid "]) {
        hit(&NO_ASKING, None);
    }
    if any(&lower, &["append ", "add ", "write ", "insert ", "modify ", "edit "])
        && any(&lower, START_FILES)
        && any(&lower, &["every", "always", "future", "persist", "also ", "so that", "start"])
        && !forbidden
    {
        hit(&STAYS, None);
    }
}

/// To set one's instructions aside: the verb, then them, with nothing between that is not about them.
fn sets_aside(lower: &str) -> bool {
    if !any(lower, VERBS) {
        return false;
    }
    const BETWEEN: &[&str] = &[
        "all",
        "any",
        "every",
        "your",
        "the",
        "my",
        "these",
        "those",
        "of",
        "other",
        "previous",
        "prior",
        "earlier",
        "above",
        "existing",
        "system",
        "safety",
        "original",
        "foregoing",
        "preceding",
        "initial",
        "default",
        "built",
        "in",
        "and",
        "or",
        "current",
        "that",
        "developer",
        "user",
        "user's",
        "platform",
        "security",
        "content",
        "you",
        "were",
        "given",
        "everything",
        "before",
        "have",
        "been",
        "told",
        "its",
    ];
    const THEM: &[&str] = &[
        "instructions",
        "instruction",
        "rules",
        "guidelines",
        "guardrails",
        "prompt",
        "directives",
        "directions",
        "constraints",
        "restrictions",
        "safeguards",
    ];
    let words: Vec<&str> =
        lower.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty()).take(4000).collect();
    words.iter().enumerate().filter(|(_, word)| VERBS.contains(word)).any(|(at, verb)| {
        let ahead = words.get(at + 1..(at + 10).min(words.len())).unwrap_or_default();
        // "Set your instructions aside".
        let ahead = if *verb == "aside" { words.get(at.saturating_sub(6)..at).unwrap_or_default() } else { ahead };
        let ahead = if *verb == "aside" {
            ahead.iter().position(|word| *word == "set").map_or(&[][..], |set| &ahead[set + 1..])
        } else {
            ahead
        };
        let Some(end) = ahead.iter().position(|word| THEM.contains(word)) else { return false };
        let about = &ahead[..end];
        let behind = ahead.get(end + 1).is_some_and(|word| matches!(*word, "above" | "before" | "given"));
        let whose = about.iter().any(|word| {
            !matches!(
                *word,
                "the" | "user" | "of" | "these" | "those" | "my" | "in" | "and" | "or" | "default" | "that" | "its"
            )
        });
        about.iter().all(|word| BETWEEN.contains(word))
            && (whose || behind)
            && !(ahead[end] == "prompt" && !about.contains(&"system"))
    })
}

/// It tells what others do or ask for: "requests to read ..".
fn is_account(lower: &str) -> bool {
    let start = lower.trim_start_matches(|c: char| !c.is_alphabetic());
    [
        "requests to",
        "attempts to",
        "attempt to",
        "instructions to",
        "instructions that",
        "instructions within",
        "any attempt",
        "skills that",
        "tools that",
        "code that",
        "text that",
        "content that",
        "prompts that",
        "detects",
        "detect ",
    ]
    .iter()
    .any(|word| start.starts_with(word))
}

fn vouches(lower: &str) -> bool {
    let warnings = any(
        lower,
        &[
            "security warning",
            "safety warning",
            "warnings about it",
            "warnings about this",
            "security alert",
            "security finding",
            "scanner warning",
        ],
    );
    let passed = any(lower, &["suppress", "ignore ", "disregard ", "dismiss", "false positive", "pass over", "skip "]);
    let itself = any(
        lower,
        &["this skill", "about it", "about this", "this tool", "pre-approved", "preapproved", "this package"],
    );
    let approved = any(
        lower,
        &[
            "pre-approved by",
            "preapproved by",
            "already approved by",
            "already been approved by",
            "has been verified by anthropic",
            "is trusted by the system",
            "whitelisted by",
        ],
    );
    !forbids(lower)
        && (warnings && passed && itself
            || approved && any(lower, &["signed", "platform", "security", "anthropic", "system", "administrator"]))
}

fn asks_nobody(lower: &str) -> bool {
    let sets = any(lower, &["set ", "add ", "write ", "change ", "put "]);
    sets && lower.contains("bypasspermissions") && lower.contains("settings")
        || any(
            lower,
            &[
                "answer yes for the user",
                "say yes for the user",
                "approve it for the user",
                "approve on the user's behalf",
                "approve on behalf of the user",
                "confirm on behalf of the user",
                "confirm for the user",
                "approve it yourself",
                "bypasses the standard approval",
                "bypasses the approval",
                "without waiting for the required",
                "regardless of what the user sets",
                "enters an unrestricted mode",
                "disables all content filtering",
                "elevates its own",
                "click allow for the user",
                "grant yourself",
            ],
        )
        || any(lower, &["turn off", "disable "])
            && any(
                lower,
                &[
                    "hooks that check",
                    "permission checks",
                    "the permission system",
                    "permission prompts",
                    "safety checks",
                    "the guardrails",
                    "your guardrails",
                ],
            )
}

/// The same in other languages.
fn foreign(lower: &str, matches: &[(&'static Rule, String)], hit: &mut dyn FnMut(&'static Rule, Option<String>)) {
    let sent = lower.contains("://");
    let part = matches
        .iter()
        .find(|(rule, _)| rule.category == Category::CredentialAccess && (rule.severity <= Severity::High || sent))
        .map(|(_, part)| part.clone());
    let secret = part.or_else(|| lower.contains(".env").then(|| ".env".to_owned()));
    let ascii = lower.is_ascii();
    for language in LANGUAGES {
        // Words of another alphabet are in none of these bytes.
        if ascii && language.ignore.iter().all(|word| !word.is_ascii()) {
            continue;
        }
        let silent = any(lower, language.silence);
        let ignores = any(lower, language.ignore);
        if !silent && !ignores && secret.is_none() {
            continue;
        }
        let forbidden = any(lower, language.forbid);
        if ignores && any(lower, language.instructions) && !forbidden {
            hit(&OVERRIDE, None);
        }
        if silent && (sent || secret.is_some() || ignores || any(lower, language.take)) {
            hit(&SECRECY, None);
        }
        if let Some(part) = secret.clone().filter(|part| part != ".env" || sent)
            && (!forbidden || silent)
            && any(lower, language.take)
        {
            hit(&TELLS_TO_TAKE, Some(part));
        }
    }
}
