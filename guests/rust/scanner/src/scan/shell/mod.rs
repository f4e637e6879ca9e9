//! Shell, by its words: quotes are taken off, variables and simple substitutions filled in, before a rule looks.

//!
//! `words.rs` makes commands of a text, `places.rs` says what of theirs is sent, fetched and removed, this file asks the rules.

mod places;
mod words;

use super::report::Hit;
use super::rules::*;
use super::text::{self, Made};
pub use places::guard_off;
pub use places::index;
use places::{Fetched, destroys, is_own, sending, work};
use words::{Command, Word, commands, step};

const MAX_COMMANDS: usize = 20_000;

/// Looks through a script or a command line. `layer` counts the encodings that it came out of.
pub fn scan(source: &str, layer: usize, hits: &mut Vec<Hit>) {
    let source = &programs(source, layer, hits);
    let commands = commands(source, layer);
    if commands.len() >= MAX_COMMANDS {
        hits.push(Hit { rule: &TOO_MUCH, at: commands.last().map_or(0, |command| command.at), means: None });
    }
    let mut before: Option<&Command> = None;
    let mut line: Vec<&Command> = Vec::new();
    let mut fetched = Fetched::new(&commands);
    for command in &commands {
        if !command.piped {
            line.clear();
        }
        if let Some(rule) = fetched.runs(command) {
            hits.push(Hit { rule, at: command.at, means: None });
        }
        look(command, before.filter(|_| command.piped), &line, layer, hits);
        line.push(command);
        before = Some(command);
    }
}

/// Programs in other languages that a script has in it (`python3 - <<'EOF'`): each goes to its own reader, and the shell sees blanks.
fn programs(source: &str, layer: usize, hits: &mut Vec<Hit>) -> String {
    if layer >= 4 || !source.contains("<<") {
        return source.to_owned();
    }
    let mut out = String::with_capacity(source.len());
    // The word that ends it, where it began, and whether it is Python.
    let mut open: Option<(String, usize, bool)> = None;
    for line in source.split_inclusive('\n') {
        let at = out.len();
        if let Some((word, from, python)) = &open {
            if line.trim() != word {
                out.extend(
                    line.chars().flat_map(|c| std::iter::repeat_n(if c == '\n' { '\n' } else { ' ' }, c.len_utf8())),
                );
                continue;
            }
            let code = &source[*from..at];
            let mut found = Vec::new();
            if *python {
                super::python::scan(code, layer + 1, &mut found)
            } else {
                super::script::scan(code, layer + 1, &mut found)
            }
            hits.extend(found.into_iter().map(|hit| Hit { at: hit.at + from, ..hit }));
            open = None;
        }
        out.push_str(line);
        let Some((command, rest)) = line.split_once("<<") else { continue };
        let words = || command.split_whitespace().map(program);
        let python = words().any(|word| matches!(word, "python" | "python3"));
        if python || words().any(|word| matches!(word, "node" | "deno" | "bun")) {
            let word: String = rest
                .trim_start_matches('-')
                .trim()
                .chars()
                .filter(|c| !matches!(c, '\'' | '"'))
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if !word.is_empty() {
                open = Some((word, out.len(), python));
            }
        }
    }
    // One that never ends is read as the shell's own.
    if open.is_some() { source.to_owned() } else { out }
}

/// A text of another language that may be, or have in it, a command: only what is grave in one.
pub fn in_text(text: &str, hits: &mut Vec<Hit>) {
    const SIGNS: &[&str] = &[
        "curl ", "wget ", "/dev/tcp", "base64 -", "nc -", "ncat ", "| sh", "|sh", "| bash", "|bash", "bash -i",
        "rm -rf",
    ];
    if text.len() > 64 << 10 || !SIGNS.iter().any(|sign| text.contains(sign)) {
        return;
    }
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.trim().trim_start_matches(['$', '%', '>', ' ']);
        // What a service or a schedule starts.
        let command = line.split_once("ExecStart=").map_or(line, |(_, command)| command);
        scan(command, 3, &mut found);
    }
    let grave = [
        &PIPE_TO_SHELL,
        &REVERSE_SHELL,
        &SECRET_SENT,
        &RUNS_DECODED,
        &RUNS_HIDDEN,
        &WORK_SENT,
        &DESTROYS,
        &USUAL_INSTALLER,
    ];
    hits.extend(found.into_iter().filter(|hit| grave.iter().any(|rule| rule.id == hit.rule.id)).map(|hit| Hit {
        at: 0,
        means: hit.means.or_else(|| Some(text.trim().to_owned())),
        ..hit
    }));
}

/// What is fetched here and run at once: anything, or the installer of a well-known project.
fn piped(line: &str) -> &'static Rule {
    if text::is_usual_installer(line) { &USUAL_INSTALLER } else { &PIPE_TO_SHELL }
}

fn is_cron_field(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_digit() || "*/,-".contains(c))
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
    // A line of a crontab: when, then what.
    if words.first().is_some_and(|word| word.text.starts_with('@')) {
        words = &words[1..];
    } else if words.len() > 5 && words[..5].iter().all(|word| is_cron_field(&word.text)) {
        words = &words[5..];
    }
    while let [first, rest @ ..] = words {
        let assigns = first
            .text
            .split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        let before = matches!(
            program(&first.text),
            "sudo"
                | "nohup"
                | "exec"
                | "command"
                | "time"
                | "then"
                | "do"
                | "else"
                | "if"
                | "elif"
                | "while"
                | "until"
                | "!"
        );
        let wrapper = program(&first.text) == "env" && !rest.is_empty();
        if !(assigns || before || wrapper) || rest.is_empty() && !assigns {
            break;
        }
        words = rest;
    }
    words
}

fn to_file(words: &[Word]) -> bool {
    words.iter().any(|word| word.text.starts_with('>'))
}

fn push(hits: &mut Vec<Hit>, rule: &'static Rule, at: usize, means: Option<String>) {
    hits.push(Hit { rule, at, means });
}

fn look(command: &Command, before: Option<&Command>, line: &[&Command], layer: usize, hits: &mut Vec<Hit>) {
    let words = plain(command);
    let Some(first) = words.first() else {
        // A place that a variable names: what is done with it is told of where that happens.
        for word in &command.words {
            let mut found = Vec::new();
            text::scan(&word.text, word.at, Made::Plain, &mut found);
            for hit in &mut found {
                if hit.rule.category == Category::CredentialAccess && !word.text.contains("$(") {
                    hit.rule = &CREDENTIALS_USED;
                }
            }
            hits.append(&mut found);
        }
        return;
    };
    let name = program(&first.text);
    let rest: Vec<&str> = words.iter().skip(1).map(|word| word.text.as_str()).collect();
    let all = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    let fetched = |text: &str| text.contains("curl ") || text.contains("wget ");
    let fetches = |command: &&Command| {
        plain(command).first().is_some_and(|word| matches!(program(&word.text), "curl" | "wget" | "fetch"))
            && command.words.len() > 1
    };

    if is_shell(&first.text) {
        // Where its output goes says nothing of its input.
        let mut after_redirection = false;
        let reads_input = rest.iter().all(|word| {
            let was = std::mem::replace(&mut after_redirection, *word == ">");
            was || word.starts_with('>') || matches!(*word, "-" | "-s" | "--" | "-e" | "-x" | "-i" | "1" | "2")
        });
        if before.is_some() && reads_input {
            let printed = line.iter().try_fold(None, |text, one| step(one, text).map(Some)).flatten();
            let decodes = line.iter().any(|one| {
                plain(one).first().is_some_and(|word| {
                    matches!(
                        program(&word.text),
                        "base64" | "base32" | "xxd" | "rev" | "openssl" | "gunzip" | "uudecode"
                    )
                })
            });
            if let Some(from) = line.iter().find(|one| fetches(one)) {
                let whole: Vec<&str> = from.words.iter().map(|word| word.text.as_str()).collect();
                let whole = whole.join(" ");
                // `https://example.com/install.sh` stands for an address, it is none.
                if !text::urls(&whole).any(|host| matches!(host, "example.com" | "example.org" | "example.net")) {
                    push(hits, piped(&whole), command.at, None);
                }
            } else if decodes {
                push(hits, &RUNS_DECODED, command.at, None);
            }
            if let (Some(text), true) = (printed, layer < 4) {
                nested(&text, command.at, layer, hits);
            }
            return;
        }
        let script = matches!(name, "node" | "bun" | "deno");
        let flag = |word: &&str| {
            word.starts_with('-') && word.len() <= 3 && (word.ends_with('c') || script && word.ends_with(['e', 'p']))
        };
        if let Some(at) = rest.iter().position(flag)
            && let Some(inner) = rest.get(at + 1)
        {
            if inner.starts_with("$(") && fetched(inner) {
                push(hits, piped(inner), command.at, None);
            } else if layer < 4 {
                let mut found = Vec::new();
                scan(inner, layer + 1, &mut found);
                if name.starts_with("python") {
                    super::python::scan(inner, layer + 1, &mut found);
                } else if script {
                    super::script::scan(inner, layer + 1, &mut found);
                }
                hits.extend(found.into_iter().map(|one| Hit {
                    at: command.at,
                    means: one.means.or(Some((*inner).to_owned())),
                    ..one
                }));
            }
        } else if rest.iter().any(|word| word.starts_with("<(") || *word == "<") && fetched(&format!("{all} ")) {
            push(hits, piped(&all), command.at, None);
        } else if rest.iter().any(|word| word.starts_with("-i")) && all.contains("/dev/tcp/") {
            push(hits, &REVERSE_SHELL, command.at, None);
        }
    }
    if matches!(name, "eval" | "source" | ".") && rest.iter().any(|word| fetched(word)) {
        push(hits, piped(&all), command.at, None);
    } else if name == "eval" {
        // `eval "$(brew shellenv)"` and `eval "$name=()"` are how shells do things; what is grave in the text is told of below.
        push(hits, &EVAL_OUTPUT, command.at, None);
        if layer < 4 {
            let mut found = Vec::new();
            scan(&rest.join(" "), layer + 1, &mut found);
            hits.extend(found.into_iter().map(|one| Hit { at: command.at, ..one }));
        }
    }
    // To look for it in logs is not to do it.
    let looks = matches!(name, "grep" | "egrep" | "rg" | "zgrep" | "ausearch" | "journalctl" | "echo" | "printf");
    if all.contains("/dev/tcp/") && !looks
        || matches!(name, "nc" | "ncat" | "netcat") && rest.iter().any(|word| matches!(*word, "-e" | "-c" | "--exec"))
    {
        push(hits, &REVERSE_SHELL, command.at, None);
    }
    let sends = matches!(
        name,
        "curl"
            | "wget"
            | "nc"
            | "ncat"
            | "netcat"
            | "scp"
            | "rsync"
            | "sftp"
            | "sendmail"
            | "mail"
            | "ftp"
            | "nslookup"
            | "dig"
            | "host"
            | "drill"
            | "ping"
            | "http"
            | "https"
            | "xh"
    );
    if sends {
        sending(command, before, line, words, &all, hits);
    }
    if sends && before.is_some() && work(line) && !text::urls(&all).all(|host| host == "localhost") {
        push(hits, &WORK_SENT, command.at, Some(all.clone()));
    }
    if matches!(name, "printenv" | "env" | "export" | "declare") && (rest.is_empty() || rest == ["-p"]) {
        push(hits, &ENVIRONMENT_SHOWN, command.at, None);
    }
    // What a pipeline writes down of it is taken; what is looked for in it, or shown, is not.
    let from_env = line.first().is_some_and(|one| {
        plain(one).first().is_some_and(|word| matches!(program(&word.text), "env" | "printenv"))
            && plain(one).len() == 1
    });
    if from_env
        && before.is_some()
        && matches!(name, "base64" | "gzip" | "tee" | "openssl" | "xxd" | "python3" | "python" | "node" | "xargs")
    {
        push(hits, &WHOLE_ENVIRONMENT, command.at, None);
    }
    if matches!(name, "env" | "printenv") && rest.first().is_some_and(|word| word.starts_with('>')) {
        push(hits, &WHOLE_ENVIRONMENT, command.at, None);
    }
    if name == "security"
        && rest.first().is_some_and(|word| {
            word.starts_with("find-generic") || word.starts_with("find-internet") || word.starts_with("dump-")
        })
    {
        // One's own entry, by its name, is what programs keep there.
        let own = rest.iter().any(|word| *word == "-s" || *word == "-l") && !rest[0].starts_with("dump-");
        push(hits, if own { &CREDENTIALS_USED } else { &KEY_STORE }, command.at, None);
    }
    if name == "osascript" && all.contains("hidden answer") || name == "dscl" && rest.contains(&"-authonly") {
        push(hits, &PASSWORD_ASKED, command.at, None);
    }
    if name == "alias" && layer < 4 {
        for body in rest.iter().filter_map(|word| word.split_once('=')).map(|(_, body)| body) {
            let mut found = Vec::new();
            scan(body, layer + 1, &mut found);
            hits.extend(found.into_iter().map(|one| Hit { at: command.at, ..one }));
        }
    }
    if let Some(what) = destroys(name, &rest) {
        push(hits, &DESTROYS, command.at, Some(what));
    }
    if let Some(what) = guard_off(&all) {
        push(hits, &GUARD_OFF, command.at, Some(what.to_owned()));
    }
    if let Some(rule) = index(&all) {
        push(hits, rule, command.at, None);
    }
    if layer < 4 {
        for line in &rest {
            // A line for a crontab or a file, or a program's own text.
            if matches!(name, "echo" | "printf") && (to_file(words) || command.feeds) || line.contains("hidden answer")
            {
                let mut found = Vec::new();
                scan(line, layer + 1, &mut found);
                hits.extend(found.into_iter().filter(|one| one.rule.severity <= Severity::High).map(|one| Hit {
                    at: command.at,
                    means: one.means.or_else(|| Some((*line).to_owned())),
                    ..one
                }));
            }
        }
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
    let writes = to_file(words) || matches!(name, "tee");
    if writes && to_start.iter().any(|file| all.to_lowercase().contains(file))
        || name == "crontab" && rest != ["-l"]
        || name == "git" && all.contains("core.hooksPath")
    {
        push(hits, &STAYS, command.at, None);
    }
    for word in words {
        if matches!(name, "echo" | "printf") && !writes && before.is_none() {
            // Shown to a person; whether it is decoded is looked at where that happens.
            continue;
        }
        let mut found = Vec::new();
        text::scan(&word.text, word.at, if word.pieced { Made::Pieced } else { Made::Plain }, &mut found);
        if found.iter().any(|hit| hit.rule.category == Category::CredentialAccess) && is_own(name, words, word) {
            found.retain(|hit| hit.rule.category != Category::CredentialAccess && hit.rule.id != PIECES.id);
            found.push(Hit { rule: &CREDENTIALS_USED, at: word.at, means: Some(word.text.clone()) });
        }
        hits.append(&mut found);
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
