//! Which grants are broad, and which names are of secrets.

use std::path::Path;

/// What makes a grant of files broad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broad {
    /// `/`.
    Root,
    /// A tree of the machine itself: `/etc`, `/proc`, `/var`..
    System,
    /// The person's home directory, or one that holds it.
    Home,
    /// The directory that the program was started in, or one that holds it.
    WorkingDirectory,
}

/// Trees that belong to the machine.
const SYSTEM: [&str; 10] = ["/proc", "/sys", "/dev", "/etc", "/var", "/usr", "/boot", "/root", "/run", "/lib"];

impl Broad {
    /// What makes this host path broad, if something does: it is one of these, or holds one.
    #[must_use]
    pub fn of(host: &Path, home: Option<&Path>, working_directory: Option<&Path>) -> Option<Broad> {
        if host == Path::new("/") {
            Some(Broad::Root)
        } else if home.is_some_and(|home| home.starts_with(host)) {
            Some(Broad::Home)
        } else if SYSTEM.iter().any(|tree| host == Path::new(tree)) {
            Some(Broad::System)
        } else if working_directory.is_some_and(|here| here.starts_with(host)) {
            Some(Broad::WorkingDirectory)
        } else {
            None
        }
    }

    /// As the end of a sentence.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Broad::Root => "the whole file system",
            Broad::System => "a tree of the system itself",
            Broad::Home => "the home directory",
            Broad::WorkingDirectory => "the whole working directory",
        }
    }
}

/// Names of files and directories that hold secrets, or end in one of these.
const FILES: [&str; 31] = [
    ".env",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".htpasswd",
    ".git-credentials",
    ".vault-token",
    ".bash_history",
    ".zsh_history",
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".password-store",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "credentials",
    "credentials.json",
    "secrets.json",
    "secrets.yaml",
    "secrets.yml",
    "service-account.json",
    "kubeconfig",
    "shadow",
    "login data",
];

/// Ends of names of files that hold keys.
const ENDINGS: [&str; 8] = [".pem", ".key", ".p12", ".pfx", ".jks", ".kdbx", ".ppk", ".keystore"];

/// Whether a file or directory of this name holds secrets, as far as a name can tell.
#[must_use]
pub fn is_secret_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `.env.local` and `.env.production` hold the same as `.env`; what is to be filled in first holds nothing.
    let environment =
        name.strip_prefix(".env.").is_some_and(|rest| !matches!(rest, "example" | "sample" | "template" | "dist"));
    environment || FILES.contains(&name.as_str()) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Words of names of variables that hold secrets, between underscores.
const WORDS: [&str; 19] = [
    "KEY",
    "KEYS",
    "APIKEY",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "TOKENS",
    "PASSWORD",
    "PASSWD",
    "PASS",
    "PWD",
    "CREDENTIAL",
    "CREDENTIALS",
    "PAT",
    "AUTH",
    "DSN",
    "PRIVATE",
    "WEBHOOK",
    "MNEMONIC",
];

/// Names that hold addresses with passwords in them.
const URLS: [&str; 7] =
    ["DATABASE_URL", "REDIS_URL", "MONGODB_URI", "MONGO_URL", "AMQP_URL", "POSTGRES_URL", "CONNECTION_STRING"];

/// Whether a variable of this name holds a secret, as far as a name can tell. `PWD` itself is a directory.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if matches!(name.as_str(), "PWD" | "OLDPWD" | "SSH_AUTH_SOCK" | "XAUTHORITY") {
        return false;
    }
    URLS.iter().any(|url| name.ends_with(url)) || name.split(['_', '-', '.']).any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broad_a_directory_below_is_narrow_and_one_above_is_not() {
        let of = |host: &str| Broad::of(Path::new(host), Some(Path::new("/home/me")), Some(Path::new("/home/me/work")));
        assert_eq!(of("/"), Some(Broad::Root));
        assert_eq!(of("/home"), Some(Broad::Home));
        assert_eq!(of("/home/me"), Some(Broad::Home));
        assert_eq!(of("/home/me/work"), Some(Broad::WorkingDirectory));
        assert_eq!(of("/home/me/work/data"), None);
        assert_eq!(of("/etc"), Some(Broad::System));
        assert_eq!(of("/etc/app"), None);
    }

    #[test]
    fn names_of_secrets_are_told_and_others_are_not() {
        for name in ["AWS_SECRET_ACCESS_KEY", "github_token", "DATABASE_URL", "PGPASSWORD_PASS", "SENTRY_DSN"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["PATH", "PWD", "KEYBOARD", "TOKENIZER", "HOME", "AUTHOR", "MONKEY_MODE"] {
            assert!(!is_secret_name(name), "{name}");
        }
        for name in ["id_rsa", ".env", ".env.production", "server.key", "Credentials"] {
            assert!(is_secret_file(name), "{name}");
        }
        for name in ["id_rsa.pub", ".env.example", "keys.txt", "environment", "monkey"] {
            assert!(!is_secret_file(name), "{name}");
        }
    }
}
