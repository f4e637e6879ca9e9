//! What commands do to places: what they send where, what they fetch and then run, what they remove, where packages come from.

use super::super::report::Hit;
use super::super::rules::*;
use super::super::text;
use super::words::{Command, Word};
use super::{plain, program};

/// What a command sends, and whether it belongs where it goes.
pub fn sending(
    command: &Command,
    before: Option<&Command>,
    line: &[&Command],
    words: &[Word],
    all: &str,
    hits: &mut Vec<Hit>,
) {
    let earlier: String = line
        .iter()
        .flat_map(|one| one.words.iter().filter(|word| !is_key(&one.words, word)))
        .map(|word| format!("{} ", word.text))
        .collect();
    let rest: Vec<&str> = words.iter().skip(1).map(|word| word.text.as_str()).collect();
    // A key to log in with stays here.
    let own =
        words.iter().filter(|word| !is_key(words, word)).map(|word| format!("{} ", word.text)).collect::<String>();
    let given = format!("{own} {}", if before.is_some() { earlier.as_str() } else { "" });
    let name = words.first().map_or("", |word| program(&word.text));
    let looks_up = matches!(name, "nslookup" | "dig" | "host" | "drill" | "ping");
    let hosts: Vec<&str> = text::urls(all).collect();
    let file = text::matches(&given)
        .into_iter()
        .find(|(rule, _)| matches!(rule.category, Category::CredentialAccess) && rule.id != CREDENTIALS_USED.id);
    let held: Vec<&String> =
        command.holds.iter().chain(line.iter().filter(|_| before.is_some()).flat_map(|one| one.holds.iter())).collect();
    let held = held.into_iter().find(|what| {
        what.contains(['/', ' '])
            || (looks_up || !hosts.is_empty()) && !hosts.iter().any(|host| text::belongs(what, host))
    });
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
    if let Some(what) = held {
        let what = what.trim_start_matches('/');
        hits.push(Hit { rule: &SECRET_SENT, at: command.at, means: Some(format!("{what}{}", to())) });
    } else if let Some((_, part)) = file {
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

/// Words of a command that somebody wrote; each is looked for among all of them.
const MAX_WORDS: usize = 2000;

/// The key that a program logs in with, or a path that is left out of what is copied.
fn is_key(words: &[Word], word: &Word) -> bool {
    if words.len() > MAX_WORDS {
        return false;
    }
    let at = words.iter().position(|one| std::ptr::eq(one, word)).unwrap_or(0);
    let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", |word| word.text.as_str());
    matches!(
        before,
        "-i" | "-e"
            | "--exclude"
            | "-x"
            | "--rsh"
            | "-F"
            | "--exclude-from"
            | "-not"
            | "-path"
            | "--cacert"
            | "--cert"
            | "--key"
    ) || word.text.starts_with("--exclude")
        || word.text.contains("ssh -i")
}

/// Whether a program is given credentials because they are what it is for, or looks for their name.
pub fn is_own(name: &str, words: &[Word], word: &Word) -> bool {
    const FOR_THEM: &[&str] = &[
        "ssh",
        "ssh-add",
        "ssh-keygen",
        "ssh-copy-id",
        "ssh-keyscan",
        "git",
        "chmod",
        "chown",
        "mkdir",
        "ls",
        "test",
        "[",
        "[[",
        "stat",
        "kubectl",
        "kubectx",
        "k9s",
        "helm",
        "aws",
        "eksctl",
        "gpg",
        "gpgconf",
        "export",
        "cd",
        "ausearch",
        "journalctl",
        "restic",
        "borg",
        "keyring",
        "gcloud",
        "az",
        "docker",
        "npm",
        "pass",
        "shred",
        "op",
        "local",
        "readonly",
        "declare",
    ];
    let paths =
        matches!(name, "awk" | "cut" | "getent" | "grep" | "wc" | "id" | "sort") && word.text.ends_with("/etc/passwd");
    // The first word that is no flag is what is looked for.
    let pattern = matches!(name, "grep" | "egrep" | "rg" | "zgrep")
        && words.iter().skip(1).find(|one| !one.text.starts_with('-')).is_some_and(|one| std::ptr::eq(one, word));
    if words.len() > MAX_WORDS {
        return false;
    }
    // Where something is written to.
    let at = words.iter().position(|one| std::ptr::eq(one, word)).unwrap_or(0);
    let target = at > 0 && words[at - 1].text == ">" && !word.text.contains("authorized_keys")
        || word.text.starts_with('>') && !word.text.contains("authorized_keys");
    FOR_THEM.contains(&name) || paths || pattern || target || is_key(words, word)
}

/// Whether a pipeline begins with what the person works on.
pub fn work(line: &[&Command]) -> bool {
    line.iter().any(|one| {
        let words = plain(one);
        let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
        match (program(text(0)), text(1)) {
            ("git", "diff" | "show" | "archive" | "bundle" | "format-patch") => true,
            ("history" | "pbpaste" | "wl-paste" | "screencapture", _) => true,
            ("xclip" | "xsel", _) => words.iter().any(|word| word.text.contains("-o")),
            ("tar" | "zip", _) => words.iter().any(|word| is_home(&word.text)),
            _ => false,
        }
    })
}

fn is_home(path: &str) -> bool {
    let path = path.trim_end_matches('*').trim_end_matches('/');
    matches!(path, "~" | "$HOME" | "${HOME}" | "/home" | "/root" | "/Users")
}

/// A removal that leaves nothing: of the home folder, of the system, of a disk.
pub fn destroys(name: &str, rest: &[&str]) -> Option<String> {
    let everything = |path: &str| is_home(path) || matches!(path, "/" | "/*" | "/." | "/etc" | "/usr" | "/var");
    let whole = || Some(format!("{name} {}", rest.join(" ")));
    match name {
        "rm" if rest.contains(&"--no-preserve-root") => whole(),
        "rm" if rest.iter().any(|word| word.starts_with('-') && word.contains(['r', 'R']))
            && rest.iter().any(|path| everything(path)) =>
        {
            whole()
        }
        "find"
            if rest.first().is_some_and(|path| everything(path))
                && !rest.iter().any(|word| matches!(*word, "-name" | "-iname" | "-path" | "-regex" | "-mtime")) =>
        {
            let removes =
                rest.contains(&"-delete") || rest.windows(2).any(|two| two[0] == "-exec" && program(two[1]) == "rm");
            removes.then(whole).flatten()
        }
        "dd" if rest
            .iter()
            .any(|word| word.starts_with("of=/dev/") && !matches!(*word, "of=/dev/null" | "of=/dev/stdout")) =>
        {
            whole()
        }
        _ if name.starts_with("mkfs") && rest.iter().any(|word| word.starts_with("/dev/")) => whole(),
        _ => None,
    }
}

pub fn guard_off(all: &str) -> Option<&'static str> {
    [
        "spctl --master-disable",
        "csrutil disable",
        "setenforce 0",
        "DisableRealtimeMonitoring $true",
        "DisableRealtimeMonitoring 1",
        "Add-MpPreference -ExclusionPath",
        "ufw disable",
        "auditctl -e 0",
        "systemctl stop falco",
        "systemctl stop auditd",
        "netsh advfirewall set allprofiles state off",
    ]
    .into_iter()
    .find(|part| all.contains(part))
}

/// Where a command or a setting takes packages or code from, if that is no usual place.
pub fn index(line: &str) -> Option<&'static Rule> {
    let installs = [
        "pip",
        "npm",
        "pnpm",
        "yarn",
        "uv ",
        "git config",
        "gem ",
        "-i ",
        "--index-url",
        "--extra-index-url",
        "--find-links",
        "index-url",
        "registry",
        "git+",
        "@ http",
    ];
    let names = [
        "--index-url",
        "--extra-index-url",
        "index-url",
        "--default-index",
        "registry",
        ".insteadOf",
        "--find-links",
        " -i http",
        "-i http",
        " -f http",
        "git+http",
        "@ http",
    ];
    if !installs.iter().any(|part| line.contains(part)) || !names.iter().any(|part| line.contains(part)) {
        return line.contains("pip").then(|| line.contains("trusted-host").then_some(&FOREIGN_INDEX)).flatten();
    }
    let strange: Vec<&str> =
        text::urls(line).filter(|host| !text::is_usual_index(&host.to_ascii_lowercase())).collect();
    // Code that is fetched from there for code that is asked for here.
    let instead = line.contains(".insteadOf") && !strange.is_empty();
    let plain = line.contains("http://") && !strange.is_empty();
    let trusts = line.contains("trusted-host");
    let npm_for_good = line.contains("npm config set registry") && !strange.is_empty();
    if instead || plain || trusts || npm_for_good {
        Some(&FOREIGN_INDEX)
    } else {
        (!strange.is_empty()).then_some(&OTHER_INDEX)
    }
}

/// Files that a script downloads; one of them that is run is run unseen.
pub struct Fetched {
    files: Vec<(String, &'static Rule)>,
    checked: bool,
}

impl Fetched {
    pub fn new(commands: &[Command]) -> Fetched {
        let checks = |command: &Command| {
            let name = plain(command).first().map_or("", |word| program(&word.text));
            matches!(name, "sha256sum" | "shasum" | "sha512sum" | "cosign" | "minisign" | "gpgv")
                || name == "gpg" && command.words.iter().any(|word| word.text == "--verify")
        };
        Fetched { files: Vec::new(), checked: commands.iter().any(checks) }
    }

    /// Takes note of what a command downloads, and says whether it runs what was.
    pub fn runs(&mut self, command: &Command) -> Option<&'static Rule> {
        let words: Vec<&str> = plain(command).iter().map(|word| word.text.as_str()).collect();
        let (first, rest) = words.split_first()?;
        let name = program(first);
        if matches!(name, "curl" | "wget") && self.files.len() < 100 {
            let flag = |word: &&str| {
                matches!(*word, "-o" | "-O" | "--output" | "--output-document")
                    || word.starts_with('-') && !word.starts_with("--") && word.ends_with(['o', 'O'])
            };
            let url = rest.iter().find(|word| word.contains("://"))?;
            let named = rest
                .iter()
                .position(|word| flag(word))
                .and_then(|at| rest.get(at + 1))
                .filter(|word| !word.starts_with('-') && !word.contains("://"));
            let to = rest
                .iter()
                .position(|word| *word == ">")
                .and_then(|at| rest.get(at + 1))
                .or_else(|| rest.iter().find(|word| word.starts_with('>') && word.len() > 1));
            let remote = name == "wget"
                || rest.iter().any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains('O'));
            let file = named
                .or(to)
                .copied()
                .or_else(|| remote.then_some(*url))
                .map(|path| program(path.trim_start_matches('>')).to_owned());
            let rule = if text::is_usual_installer(&words.join(" ")) { &USUAL_INSTALLER } else { &PIPE_TO_SHELL };
            if let Some(file) = file.filter(|file| !file.is_empty() && file != "-" && file != "null") {
                self.files.push((file, rule));
            }
            return None;
        }
        let script = super::is_shell(first).then(|| rest.iter().find(|word| !word.starts_with('-'))).flatten();
        let run = script.copied().or_else(|| first.contains('/').then_some(*first))?;
        let found = self.files.iter().find(|(file, _)| file == program(run)).map(|(_, rule)| *rule);
        found.filter(|_| !self.checked)
    }
}
