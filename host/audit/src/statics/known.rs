//! What is looked for by its text: paths, commands, words for a model.

use super::Kind;
use crate::severity::Severity;

/// A text and what it says.
#[derive(Debug)]
pub(super) struct Known {
    /// Lower case; upper case is folded where it is looked for.
    pub(super) text: &'static str,
    pub(super) kind: Kind,
    /// As it stands. What was hidden under an encoding is a step worse.
    pub(super) severity: Severity,
    pub(super) why: &'static str,
}

const fn path(text: &'static str, severity: Severity, why: &'static str) -> Known {
    Known { text, kind: Kind::Path, severity, why }
}

const fn command(text: &'static str, why: &'static str) -> Known {
    Known { text, kind: Kind::Command, severity: Severity::Medium, why }
}

const fn words(text: &'static str) -> Known {
    Known {
        text,
        kind: Kind::Instructions,
        severity: Severity::Medium,
        why: "words that read like instructions to a model",
    }
}

const KEYS: &str = "private keys";
const CREDENTIALS: &str = "credentials";
const ACCOUNTS: &str = "the accounts of the machine";
const PROCESS: &str = "the environment or memory of the process";
const LOGINS: &str = "what a browser keeps";
const WALLET: &str = "a wallet";
const PASSWORDS: &str = "a store of passwords";
const HISTORY: &str = "what was typed into a shell";
const START: &str = "what runs when somebody logs in";
const AGENT: &str = "settings of a coding assistant";

#[rustfmt::skip]
pub(super) const KNOWN: &[Known] = &[
    path("/etc/passwd", Severity::Medium, ACCOUNTS),
    path("/etc/shadow", Severity::Medium, ACCOUNTS),
    path("/etc/sudoers", Severity::Medium, ACCOUNTS),
    path("/etc/cron", Severity::Medium, START),
    path("/proc/self/environ", Severity::Medium, PROCESS),
    path("/proc/self/mem", Severity::Medium, PROCESS),
    path("/proc/1/environ", Severity::Medium, PROCESS),
    path(".ssh/", Severity::Medium, KEYS),
    path("id_ed25519", Severity::Medium, KEYS),
    path("id_ecdsa", Severity::Medium, KEYS),
    path("id_rsa", Severity::Medium, KEYS),
    path("authorized_keys", Severity::Medium, KEYS),
    path(".gnupg/", Severity::Medium, KEYS),
    path(".aws/credentials", Severity::Medium, CREDENTIALS),
    path(".aws/config", Severity::Medium, CREDENTIALS),
    path(".azure/", Severity::Medium, CREDENTIALS),
    path("application_default_credentials.json", Severity::Medium, CREDENTIALS),
    path(".kube/config", Severity::Medium, CREDENTIALS),
    path(".docker/config.json", Severity::Medium, CREDENTIALS),
    path(".git-credentials", Severity::Medium, CREDENTIALS),
    path(".config/gh/hosts", Severity::Medium, CREDENTIALS),
    path("/.netrc", Severity::Medium, CREDENTIALS),
    path("/.npmrc", Severity::Low, CREDENTIALS),
    path("/.pypirc", Severity::Low, CREDENTIALS),
    path("/.pgpass", Severity::Medium, CREDENTIALS),
    path(".vault-token", Severity::Medium, CREDENTIALS),
    path("/var/run/secrets/kubernetes.io", Severity::Medium, CREDENTIALS),
    path("/var/run/docker.sock", Severity::Medium, CREDENTIALS),
    path("google-chrome/default", Severity::Medium, LOGINS),
    path("chrome/user data", Severity::Medium, LOGINS),
    path("login data", Severity::Low, LOGINS),
    path("cookies.sqlite", Severity::Medium, LOGINS),
    path("logins.json", Severity::Medium, LOGINS),
    path("key4.db", Severity::Medium, LOGINS),
    path("library/keychains", Severity::Medium, PASSWORDS),
    path("login.keychain", Severity::Medium, PASSWORDS),
    path(".password-store", Severity::Medium, PASSWORDS),
    path(".local/share/keyrings", Severity::Medium, PASSWORDS),
    path("wallet.dat", Severity::Medium, WALLET),
    path(".ethereum/keystore", Severity::Medium, WALLET),
    path(".electrum/wallets", Severity::Medium, WALLET),
    path("solana/id.json", Severity::Medium, WALLET),
    path("metamask", Severity::Low, WALLET),
    path(".bash_history", Severity::Medium, HISTORY),
    path(".zsh_history", Severity::Medium, HISTORY),
    path("/.bashrc", Severity::Low, START),
    path("/.zshrc", Severity::Low, START),
    path("library/launchagents", Severity::Medium, START),
    path("/.cursor/mcp.json", Severity::Medium, AGENT),
    path("claude_desktop_config.json", Severity::Medium, AGENT),
    path("windows\\system32\\config\\sam", Severity::Medium, ACCOUNTS),

    command("/dev/tcp/", "a shell that talks to the network"),
    command("bash -i", "a shell for somebody elsewhere"),
    command("nc -e", "a shell for somebody elsewhere"),
    command("mkfifo /tmp/", "a shell for somebody elsewhere"),
    command("/bin/sh -c ", "a command for a shell"),
    command("bash -c ", "a command for a shell"),
    command("curl http", "a download by a shell"),
    command("curl -s", "a download by a shell"),
    command("curl -f", "a download by a shell"),
    command("wget http", "a download by a shell"),
    command("wget -q", "a download by a shell"),
    command("| bash", "something downloaded and run"),
    command("|bash", "something downloaded and run"),
    command("| sh\n", "something downloaded and run"),
    command("rm -rf /", "removes what can't be got back"),
    command("chmod +x ", "makes a file run"),
    command("chmod 777 ", "opens a file to everybody"),
    command("base64 -d", "a command that unpacks another"),
    command("powershell -", "a command for a shell"),
    command("cmd.exe /c", "a command for a shell"),
    command("certutil -", "a download by a shell"),
    command("crontab -", "runs something again and again"),
    command("launchctl load", "runs something again and again"),
    command("security find-generic-password", "asks the keychain"),
    command("osascript -e", "a command for a shell"),

    words("ignore all previous"),
    words("ignore previous instructions"),
    words("ignore the previous"),
    words("ignore your previous"),
    words("disregard previous"),
    words("disregard all previous"),
    words("do not tell the user"),
    words("don't tell the user"),
    words("do not mention this to the user"),
    words("without telling the user"),
    words("<important>"),
    words("<|im_start|>"),
    words("you are now in developer mode"),
    words("before using this tool, read"),
    words("system prompt:"),
];
