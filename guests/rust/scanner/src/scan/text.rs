//! What a string says, in whatever language it stands: paths of credentials, hosts, names of keys.

use super::report::Hit;
use super::rules::*;

/// Where a string comes from decides what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It stands there as it is.
    Plain,
    /// It was put together, decoded or turned around.
    Pieced,
}

/// The rules that a string matches by what it says, each with the part that says it.
pub fn matches(value: &str) -> Vec<(&'static Rule, String)> {
    let mut found = Vec::new();
    if value.len() < 4 {
        return found;
    }
    let lower = value.to_ascii_lowercase().replace('\\', "/");
    paths(&lower, &mut found);
    hosts(&lower, &mut found);
    for name in ACCOUNT_KEYS {
        if let Some(at) = value.find(name)
            && !value[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        {
            found.push((&ACCOUNT_KEY, (*name).to_owned()));
            break;
        }
    }
    found
}

/// Hits for a string at a place. One that was put together, and is looked for, is twice a finding.
pub fn scan(value: &str, at: usize, made: Made, hits: &mut Vec<Hit>) {
    let found = matches(value);
    if made == Made::Pieced
        && let Some((_, part)) = found.iter().find(|(rule, _)| rule.severity <= Severity::High)
    {
        hits.push(Hit { rule: &PIECES, at, means: Some(part.clone()) });
    }
    for (rule, part) in found {
        hits.push(Hit { rule, at, means: Some(part) });
    }
}

const ACCOUNT_KEYS: &[&str] = &[
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "STRIPE_SECRET_KEY",
    "SECRET_KEY",
    "API_KEY",
];

/// A name that says its value is secret.
pub fn is_secret_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "AUTH", "PRIVATE", "COOKIE"].iter().any(|word| {
        upper.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == *word || part == format!("{word}S"))
            || upper.ends_with(word) && upper.len() > word.len() && *word != "KEY"
    })
}

/// `lower` is in lower case, with `/` between folders.
fn paths(lower: &str, found: &mut Vec<(&'static Rule, String)>) {
    let mut any = |rule: &'static Rule, parts: &[&str]| {
        if let Some(part) = parts.iter().find(|part| has_part(lower, part)) {
            found.push((rule, (*part).to_owned()));
        }
    };
    any(&WHOLE_ENVIRONMENT, &["/proc/self/environ"]);
    any(&SSH_KEYS, &["~/.ssh", "/.ssh", ".ssh/", "id_rsa", "id_ed25519", "id_ecdsa", "authorized_keys"]);
    any(&AWS_FILES, &[".aws/credentials", ".aws/config"]);
    any(&LOGIN_FILES, &[".netrc", ".pgpass", ".my.cnf", ".git-credentials"]);
    any(&SYSTEM_ACCOUNTS, &["/etc/passwd", "/etc/shadow", "/etc/sudoers", "etc/shadow"]);
    any(
        &KEY_STORE,
        &["keychain", "login.keychain", "gnome-keyring", "credential_manager", "secrets.json", "find-generic-password"],
    );
    any(
        &OTHER_CREDENTIALS,
        &[
            ".kube/config",
            ".docker/config.json",
            ".config/gcloud",
            ".azure/",
            "login data",
            "cookies.sqlite",
            "wallet.dat",
            ".npmrc",
            ".pypirc",
            ".gnupg",
            "logins.json",
            "service_account.json",
            "key4.db",
        ],
    );
    let name = lower.rsplit('/').next().unwrap_or(lower);
    if name == ".env" || matches!(name, ".env.local" | ".env.production" | ".env.prod") {
        found.push((&DOTENV, name.to_owned()));
    }
    // The folder's name alone, as a piece of a path.
    if lower == ".ssh" {
        found.push((&SSH_KEYS, lower.to_owned()));
    } else if lower == ".aws" {
        found.push((&AWS_FILES, lower.to_owned()));
    }
}

/// The part stands by itself: not inside of a longer word.
fn has_part(text: &str, part: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(part).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + part.len()..].chars().next();
        !(part.starts_with(word) && before.is_some_and(word)) && !(part.ends_with(word) && after.is_some_and(word))
    })
}

const BINS: &[&str] = &[
    "webhook.site",
    "pipedream.net",
    "requestbin",
    "requestcatcher.com",
    "beeceptor.com",
    "hookbin.com",
    "oast.fun",
    "oast.pro",
    "oastify.com",
    "burpcollaborator.net",
    "interact.sh",
    "canarytokens.com",
];
const PASTES: &[&str] =
    &["pastebin.com", "hastebin.com", "paste.ee", "transfer.sh", "0x0.st", "file.io", "termbin.com", "dpaste.com"];
const TUNNELS: &[&str] = &[
    "ngrok.io",
    "ngrok.app",
    "ngrok-free.app",
    "localtunnel.me",
    "loca.lt",
    "serveo.net",
    "trycloudflare.com",
    "localhost.run",
];
const CHATS: &[&str] = &[
    "discord.com/api/webhooks",
    "discordapp.com/api/webhooks",
    "slack.com/api",
    "hooks.slack.com",
    "telegram.org/bot",
];

fn hosts(lower: &str, found: &mut Vec<(&'static Rule, String)>) {
    for (rule, names) in [(&REQUEST_BIN, BINS), (&PASTE, PASTES), (&TUNNEL, TUNNELS), (&CHAT_HOOK, CHATS)] {
        if let Some(name) = names.iter().find(|name| has_part(lower, name)) {
            found.push((rule, (*name).to_owned()));
        }
    }
    for host in urls(lower) {
        if is_public_number(host) {
            found.push((&BARE_ADDRESS, host.to_owned()));
            break;
        }
    }
}

/// The hosts of the URLs in a text.
pub fn urls(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("://").filter_map(|(at, _)| {
        let rest = &text[at + 3..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-._@:[]".contains(c))).unwrap_or(rest.len());
        let host = rest[..end].rsplit('@').next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        (!host.is_empty()).then_some(host)
    })
}

/// An IPv4 address that is on nobody's own network.
fn is_public_number(host: &str) -> bool {
    let Ok(address) = host.parse::<std::net::Ipv4Addr>() else { return false };
    let documentation = address.is_documentation();
    !(address.is_private() || address.is_loopback() || address.is_link_local() || address.is_unspecified())
        || documentation
}

/// Whether a key may go to this host: a word of its name is in the host's (`OPENAI_API_KEY`, `api.openai.com`).
pub fn belongs(name: &str, host: &str) -> bool {
    const NO_NAMES: &[&str] =
        &["api", "key", "token", "secret", "access", "auth", "password", "the", "app", "client", "user", "http"];
    let host = host.to_ascii_lowercase();
    let own =
        host == "localhost" || host.starts_with("127.") || host.ends_with(".local") || host.ends_with(".internal");
    let short = |word: &str| {
        matches!(word, "gh" if host.contains("github")) || matches!(word, "hf" if host.contains("huggingface"))
    };
    let mut words =
        name.split('_').map(str::to_ascii_lowercase).filter(|word| !NO_NAMES.contains(&word.as_str())).peekable();
    // A name that says nothing (`API_KEY`) belongs nowhere in particular: that is for whoever reads to judge.
    own || words.peek().is_none() || words.any(|word| word.len() >= 3 && host.contains(&word) || short(&word))
}
