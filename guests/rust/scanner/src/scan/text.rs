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
    // Most texts name nothing of this: one look at their signs is enough.
    let says = value.contains(['.', '/', '\\', ':', '_']) || SIGNS.iter().any(|sign| value.contains(sign));
    if value.len() < 4 || !says {
        return found;
    }
    let lower = value.to_ascii_lowercase().replace('\\', "/");
    if SPECIAL.iter().any(|part| lower.contains(part)) {
        paths(&lower, &mut found);
    }
    if lower.contains('.')
        || lower.contains("xmrig")
        || lower.contains("requestbin")
        || lower.contains("minerd")
        || lower.contains("--donate")
        || lower.contains("stratum")
    {
        hosts(&lower, &mut found);
    }
    for name in
        ACCOUNT_KEYS.iter().filter(|_| value.contains("KEY") || value.contains("TOKEN") || value.contains("SECRET"))
    {
        if let Some(at) = value.find(name)
            && !value[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        {
            found.push((&ACCOUNT_KEY, (*name).to_owned()));
            break;
        }
    }
    found
}

/// What a text without a sign of a path or a host can still name.
const SIGNS: &[&str] = &["ogin ", "OGIN ", "gnome-keyring", "xmrig", "minerd", "requestbin", "--donate", "keychain"];
/// A part of every path that is looked for.
const SPECIAL: &[&str] = &[
    ".ssh",
    "id_",
    "authorized",
    "environ",
    "credential",
    "/token",
    "_history",
    ".aws",
    ".netrc",
    ".pgpass",
    ".my.cnf",
    "/passwd",
    "/shadow",
    "/sudoers",
    "keychain",
    "keyring",
    "secrets.json",
    ".kube",
    ".docker",
    "gcloud",
    ".azure",
    "login data",
    "cookies",
    "wallet",
    ".npmrc",
    ".pypirc",
    ".gnupg",
    "logins",
    "service_account",
    "key4",
    "auth.json",
    "hosts.yml",
    ".openclaw",
    "solana",
    ".vault",
    "databricks",
    ".electrum",
    ".bitcoin",
    "keystore",
    ".env",
    ".pub",
    "consolehost",
    "oauth2",
];

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
    // What is public in that folder is no key.
    let bare = without_public(lower);
    if bare != lower {
        found.push((&CREDENTIALS_USED, ".ssh".to_owned()));
    }
    let mut any = |rule: &'static Rule, parts: &[&str]| {
        let text = if std::ptr::eq(rule, &SSH_KEYS) { &bare } else { lower };
        if let Some(part) = parts.iter().find(|part| has_part(text, part)) {
            found.push((rule, (*part).to_owned()));
        }
    };
    any(&WHOLE_ENVIRONMENT, &["/proc/self/environ"]);
    any(&SSH_KEYS, &["~/.ssh", "/.ssh", ".ssh/", "id_rsa", "id_ed25519", "id_ecdsa", "authorized_keys"]);
    any(&CLOUD_ROLE, &["iam/security-credentials", "service-accounts/default/token", "metadata/identity/oauth2/token"]);
    any(&HISTORY, &[".bash_history", ".zsh_history", ".psql_history", ".python_history", "consolehost_history.txt"]);
    any(&AWS_FILES, &[".aws/credentials"]);
    any(&CREDENTIALS_USED, &[".aws/config"]);
    any(&LOGIN_FILES, &[".netrc", ".pgpass", ".my.cnf", ".git-credentials"]);
    any(&SYSTEM_ACCOUNTS, &["/etc/passwd", "/etc/shadow", "/etc/sudoers", "etc/shadow"]);
    any(
        &KEY_STORE,
        &["login.keychain", "keychain-db", "dump-keychain", "gnome-keyring", "credential_manager", "secrets.json"],
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
            ".claude/.credentials.json",
            ".codex/auth.json",
            ".config/gh/hosts.yml",
            ".openclaw/identity",
            ".openclaw/device.json",
            ".cargo/credentials",
            ".config/solana/id.json",
            ".vault-token",
            ".terraform.d/credentials",
            ".databrickscfg",
            ".electrum",
            ".bitcoin/",
            ".ethereum/keystore",
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

/// The text with blanks for what is public or settings in a folder of keys.
fn without_public(lower: &str) -> String {
    if !lower.contains(".pub") && !lower.contains(".ssh/") {
        return lower.to_owned();
    }
    let path = |c: char| c.is_ascii_alphanumeric() || "~/._-*$".contains(c);
    let mut out = String::with_capacity(lower.len());
    for part in lower.split_inclusive(|c: char| !path(c)) {
        let (word, end) = part.split_at(part.trim_end_matches(|c: char| !path(c)).len());
        let name = word.rsplit('/').next().unwrap_or(word).trim_end_matches('.');
        let settings = word.contains(".ssh/")
            && (name == "config" || name.starts_with("known_hosts") || name.starts_with("control"));
        if settings || name.len() > 4 && name.ends_with(".pub") {
            out.push(' ')
        } else {
            out.push_str(word)
        }
        out.push_str(end);
    }
    out
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
const PASTES: &[&str] = &[
    "pastebin.com",
    "hastebin.com",
    "paste.ee",
    "transfer.sh",
    "0x0.st",
    "file.io",
    "termbin.com",
    "dpaste.com",
    "glot.io",
    "rentry.co",
    "rentry.org",
    "paste.rs",
    "ix.io",
    "sprunge.us",
    "controlc.com",
    "justpaste.it",
    "telegra.ph",
    "ghostbin.com",
    "bpa.st",
    "temp.sh",
    "bashupload.com",
    "anonfiles.com",
    "gofile.io",
    "catbox.moe",
];
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
    if let Some(part) = ["stratum+tcp://", "stratum+ssl://", "xmrig", "minerd", "--donate-level"]
        .iter()
        .find(|part| has_part(lower, part))
    {
        found.push((&MINER, (*part).to_owned()));
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
    const NO_NAMES: &[&str] = &[
        "api", "key", "token", "secret", "access", "auth", "password", "the", "app", "client", "user", "http", "oauth",
        "bearer", "id", "my", "test", "prod", "dev", "staging",
    ];
    let host = host.to_ascii_lowercase();
    let own =
        host == "localhost" || host.starts_with("127.") || host.ends_with(".local") || host.ends_with(".internal");
    let solid = host.replace(['.', '-'], "");
    let short = |word: &str| {
        [
            ("gh", "github"),
            ("hf", "huggingface"),
            ("bot", "telegram"),
            ("bot", "discord"),
            ("bot", "slack"),
            ("cf", "cloudflare"),
            ("claude", "anthropic"),
            ("gemini", "googleapis"),
            ("google", "googleapis"),
            ("gcp", "googleapis"),
            ("aws", "amazonaws"),
            ("twitter", "x.com"),
            ("fb", "facebook"),
            ("do", "digitalocean"),
            ("npm", "npmjs"),
            ("vercel", "v0"),
            ("azure", "microsoft"),
            ("azure", "windows.net"),
            ("supabase", "supabase"),
            ("dhub", "docker"),
        ]
        .iter()
        .any(|(name, of)| *name == word && host.contains(of))
    };
    let mut words =
        name.split('_').map(str::to_ascii_lowercase).filter(|word| !NO_NAMES.contains(&word.as_str())).peekable();
    // A name that says nothing (`API_KEY`) belongs nowhere in particular: that is for whoever reads to judge.
    own || words.peek().is_none() || words.any(|word| word.len() >= 3 && solid.contains(&word) || short(&word))
}

/// Projects whose installer everybody runs as it is downloaded: hosts, with the beginning of a path where the host is shared.
const INSTALLERS: &[&str] = &[
    "sh.rustup.rs",
    "astral.sh/",
    "get.docker.com",
    "bun.sh/",
    "bun.com/",
    "deno.land/",
    "get.pnpm.io/",
    "install.python-poetry.org",
    "raw.githubusercontent.com/nvm-sh/nvm/",
    "raw.githubusercontent.com/homebrew/install/",
    "raw.githubusercontent.com/helm/helm/",
    "raw.githubusercontent.com/pyenv/pyenv-installer/",
    "raw.githubusercontent.com/ohmyzsh/ohmyzsh/",
    "pyenv.run",
    "fnm.vercel.app/",
    "tailscale.com/install.sh",
    "ollama.com/install.sh",
    "ollama.ai/install.sh",
    "starship.rs/install.sh",
    "mise.run",
    "get.k3s.io",
    "moonrepo.dev/install/",
    "foundry.paradigm.xyz",
    "sdk.cloud.google.com",
    "install.determinate.systems/",
    "nixos.org/nix/install",
    "get.sdkman.io",
    "get.volta.sh",
    "claude.ai/install.sh",
    "dot.net/v1/",
    "aka.ms/install",
    "fly.io/install.sh",
    "cli.doppler.com/install.sh",
    "deb.nodesource.com/",
    "rpm.nodesource.com/",
    "get.rvm.io",
    "pixi.sh/install.sh",
    "micro.mamba.pm/",
    "opencode.ai/install",
    "install.duckdb.org",
    "bootstrap.pypa.io/",
    "apt.llvm.org/llvm.sh",
    "just.systems/install.sh",
    "zed.dev/install.sh",
    "wasmtime.dev/install.sh",
    "taskfile.dev/install.sh",
    "get.chezmoi.io",
    "get.helm.sh",
    "raw.githubusercontent.com/aquasecurity/trivy/",
    "raw.githubusercontent.com/anchore/",
    "raw.githubusercontent.com/golangci/golangci-lint/",
    "raw.githubusercontent.com/k3d-io/k3d/",
];

/// Addresses in a text, from the host on, in lower case.
pub fn addresses(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let ends = |c: char| c.is_whitespace() || "\"'`)|;<>".contains(c);
    lower
        .match_indices("https://")
        .map(|(at, _)| lower[at + 8..].split(ends).next().unwrap_or_default().to_owned())
        .collect()
}

/// All that is downloaded here is the installer of a well-known project, over TLS.
pub fn is_usual_installer(text: &str) -> bool {
    let all = addresses(text);
    let bare = INSTALLERS.iter().any(|one| {
        !one.contains('/') && text.split_whitespace().any(|word| word.trim_matches([')', '"', '\'', '`']) == *one)
    });
    let plain = text.contains("http://");
    let usual = |address: &String| {
        INSTALLERS.iter().any(|one| {
            address.strip_prefix(one).is_some_and(|rest| {
                one.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '?', '#']) || one.contains('/')
            })
        })
    };
    !plain && (!all.is_empty() && all.iter().all(usual) || all.is_empty() && bare)
}

/// Where packages usually come from; others are told of.
pub fn is_usual_index(host: &str) -> bool {
    const USUAL: &[&str] = &[
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        "pytorch.org",
        "nvidia.com",
        concat!("npmjs", ".org"),
        concat!("npmjs", ".com"),
        "yarnpkg.com",
        "npmmirror.com",
        "tsinghua.edu.cn",
        "aliyun.com",
        "ustc.edu.cn",
        "tencent.com",
        "huaweicloud.com",
        "github.com",
        "githubusercontent.com",
        "gitlab.com",
        "pkg.github.com",
        concat!("rubygems", ".org"),
        concat!("crates", ".io"),
        "anaconda.org",
        "pyg.org",
        "googleapis.com",
        "pkg.dev",
        "amazonaws.com",
        "jsr.io",
        "vllm.ai",
        "rapids.ai",
        "github.io",
        "huggingface.co",
        "localhost",
        "127.0.0.1",
        concat!("test.pypi", ".org"),
        "azure.com",
    ];
    USUAL.iter().any(|one| host == *one || host.strip_suffix(one).is_some_and(|rest| rest.ends_with('.')))
}

/// A command that prints a secret: whose it is, as the name of a variable would say.
pub fn printed_secret(command: &str) -> Option<&'static str> {
    let line = command.split_whitespace().collect::<Vec<_>>().join(" ");
    [
        ("gh auth token", "GITHUB_TOKEN"),
        ("git credential fill", "GITHUB_CREDENTIAL"),
        ("git credential-", "GITHUB_CREDENTIAL"),
        ("aws configure get", "AWS_SECRET"),
        ("aws sts", "AWS_SECRET"),
        ("aws configure export-credentials", "AWS_SECRET"),
        ("gcloud auth print-", "GOOGLE_TOKEN"),
        ("az account get-access-token", "AZURE_TOKEN"),
        ("npm token", "NPM_TOKEN"),
        ("npm config get //registry", "NPM_TOKEN"),
        ("heroku auth:token", "HEROKU_TOKEN"),
        ("security find-generic-password", "KEYCHAIN"),
        ("security find-internet-password", "KEYCHAIN"),
        ("security dump-keychain", "KEYCHAIN"),
        ("hidden answer", "a password that was typed"),
    ]
    .iter()
    .find(|(part, _)| line.contains(part))
    .map(|(_, name)| *name)
}

/// A coin's address, or a pattern for one.
pub fn is_coin_address(text: &str) -> bool {
    text.contains("0x[a-f")
        || text.contains("0x[A-F")
        || text.contains("0x[0-9a-f")
        || text.contains("bc1|")
        || text.contains("(bc1")
        || text.starts_with("bc1") && text.len() > 30 && text.chars().all(|c| c.is_ascii_alphanumeric())
        || text.len() == 42 && text.strip_prefix("0x").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_hexdigit()))
}

/// An address that mail goes to; those that examples use are none.
pub fn is_mail_address(text: &str) -> bool {
    let Some((name, host)) = text.trim().split_once('@') else { return false };
    !name.is_empty()
        && host.contains('.')
        && !host.contains(char::is_whitespace)
        && !host.starts_with("example.")
        && !text.contains(['{', '$', '\u{fffd}'])
}
