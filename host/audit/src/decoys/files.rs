//! Files of a home, and a few of the system, that thieves look for.

use super::keys;
use super::piece::{Piece, in_base64};
use super::sqlite::{self, Cell};
use super::variables::{azure, slack};
use super::words::{ALNUM, BASE32, BASE64, BASE64URL, CRYPT, DIGITS, LOWER_ALNUM, LOWER_HEX, Source, base58check};
use super::{DecoyFile, HOME, USER};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// All files; the caller sorts them.
pub(super) fn files(source: &mut Source<'_>) -> Vec<DecoyFile> {
    let mut all = Vec::new();
    let mut add = |kind: &'static str, path: &str, piece: Piece| {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("{HOME}/{path}") };
        all.push(DecoyFile { kind, path, content: piece.bytes, secrets: piece.secrets });
    };
    let comment = format!("{USER}@workstation");

    let (key, public) = keys::openssh(source, &comment);
    add("ssh private key", ".ssh/id_ed25519", Piece::default().pem(&key.pem, &key.secrets));
    add("ssh public key", ".ssh/id_ed25519.pub", Piece::default().plain(&public));
    let (key, _) = keys::openssh(source, "deploy");
    // Programs look for this name first; OpenSSH reads any key in it.
    add("ssh private key", ".ssh/id_rsa", Piece::default().pem(&key.pem, &key.secrets));
    add("ssh configuration", ".ssh/config", Piece::default().plain(SSH_CONFIG));
    add("ssh known hosts", ".ssh/known_hosts", known_hosts(source));
    add("AWS credentials", ".aws/credentials", aws(source));
    add("AWS configuration", ".aws/config", Piece::default().plain(AWS_CONFIG));
    add("Google Cloud credentials", ".config/gcloud/application_default_credentials.json", google_user(source));
    add("Google Cloud credentials", "work/service-account.json", google_account(source));
    add("Azure credentials", ".azure/service_principal_entries.json", azure_file(source));
    add("Kubernetes credentials", ".kube/config", kubernetes(source));
    add("Docker credentials", ".docker/config.json", docker(source));
    add("netrc", ".netrc", netrc(source));
    add("npm credentials", ".npmrc", npm(source));
    add("PyPI credentials", ".pypirc", pypi(source));
    add("git credentials", ".git-credentials", git(source));
    add("GitHub credentials", ".config/gh/hosts.yml", gh(source));
    add("environment file", "work/.env", environment(source));
    add("environment file", ".env", environment(source));
    add("browser logins", ".config/google-chrome/Default/Login Data", logins(source));
    add("browser key store", ".mozilla/firefox/k3v9x2qd.default-release/key4.db", firefox(source));
    add("shell history", ".bash_history", history(source));
    add("shell history", ".zsh_history", history(source));
    add("wallet", ".ethereum/keystore/UTC--2025-06-11T08-12-44.102873000Z--account", ethereum(source));
    add("wallet", ".electrum/wallets/default_wallet", electrum(source));
    add("password store", ".password-store/mail.gpg", gpg(source));
    add("password store", ".config/Bitwarden CLI/data.json", bitwarden(source));
    add("database credentials", ".pgpass", pgpass(source));
    add("Vault token", ".vault-token", Piece::default().plain("hvs.").secret(&source.text(BASE64URL, 90)));
    add("Terraform credentials", ".terraform.d/credentials.tfrc.json", terraform(source));
    add("model credentials", ".config/anthropic/config.json", model(source));
    add("system accounts", "/etc/passwd", Piece::default().plain(&passwd()));
    add("system password hashes", "/etc/shadow", shadow(source));
    all
}

const SSH_CONFIG: &str = "Host bastion\n    HostName 10.20.0.4\n    User dev\n    IdentityFile ~/.ssh/id_ed25519\n\nHost db\n    HostName db-primary.prod.internal\n    User deploy\n    ProxyJump bastion\n    IdentityFile ~/.ssh/id_rsa\n";

const AWS_CONFIG: &str = "[default]\nregion = eu-central-1\noutput = json\n\n[profile production]\nregion = eu-central-1\nsource_profile = default\n";

fn known_hosts(source: &mut Source<'_>) -> Piece {
    let mut text = String::new();
    for _ in 0..2 {
        let (salt, hash) = (STANDARD.encode(source.bytes(20)), STANDARD.encode(source.bytes(20)));
        let key = [b"\0\0\0\x0bssh-ed25519\0\0\0 ".to_vec(), source.bytes(32)].concat();
        text.push_str(&format!("|1|{salt}|{hash} ssh-ed25519 {}\n", STANDARD.encode(key)));
    }
    Piece::default().plain(&text)
}

fn aws(source: &mut Source<'_>) -> Piece {
    let mut piece = Piece::default();
    for profile in ["default", "production"] {
        piece = piece.plain(&format!("[{profile}]\naws_access_key_id = AKIA")).secret(&source.text(BASE32, 16));
        piece = piece.plain("\naws_secret_access_key = ").secret(&source.text(BASE64, 40)).plain("\n\n");
    }
    piece
}

fn google_user(source: &mut Source<'_>) -> Piece {
    let client = format!("{}-{}", source.text(DIGITS, 12), source.text(LOWER_ALNUM, 32));
    Piece::default()
        .plain(&format!("{{\n  \"account\": \"\",\n  \"client_id\": \"{client}.apps.googleusercontent.com\",\n"))
        .plain("  \"client_secret\": \"GOCSPX-")
        .secret(&source.text(BASE64URL, 28))
        .plain("\",\n  \"refresh_token\": \"1//0")
        .secret(&source.text(BASE64URL, 98))
        .plain("\",\n  \"type\": \"authorized_user\",\n  \"universe_domain\": \"googleapis.com\"\n}\n")
}

fn google_account(source: &mut Source<'_>) -> Piece {
    let key = keys::rsa_pkcs8(source);
    let (id, project) = (source.text(LOWER_HEX, 40), "platform-prod-418207");
    let lines = Piece::default().pem(&key.pem, &key.secrets);
    let mut piece = Piece::default().plain(&format!(
        "{{\n  \"type\": \"service_account\",\n  \"project_id\": \"{project}\",\n  \"private_key_id\": \"{id}\",\n  \"private_key\": \""
    ));
    // In JSON a line ends in two characters, between which parts move by one each.
    let mut at = 0;
    for range in &lines.secrets {
        let before = lines.bytes.get(at..range.start).unwrap_or_default();
        piece = piece.plain(&String::from_utf8_lossy(before).replace('\n', "\\n"));
        piece = piece.hidden(lines.bytes.get(range.clone()).unwrap_or_default(), 0);
        at = range.end;
    }
    let rest = lines.bytes.get(at..).unwrap_or_default();
    let email = format!("deployer@{project}.iam.gserviceaccount.com");
    piece.plain(&String::from_utf8_lossy(rest).replace('\n', "\\n")).plain(&format!(
        "\",\n  \"client_email\": \"{email}\",\n  \"client_id\": \"{}\",\n  \"token_uri\": \"https://oauth2.googleapis.com/token\",\n  \"universe_domain\": \"googleapis.com\"\n}}\n",
        source.text(DIGITS, 21)
    ))
}

fn azure_file(source: &mut Source<'_>) -> Piece {
    let (client, tenant) = (source.uuid(), source.uuid());
    let secret = azure(source);
    let mut piece = Piece::default()
        .plain(&format!("[{{\"client_id\": \"{client}\", \"tenant\": \"{tenant}\", \"client_secret\": \""));
    let from = secret.secrets.first().map_or(0, |range| range.start);
    piece = piece.hidden(&secret.bytes, from);
    piece.plain("\"}]\n")
}

fn kubernetes(source: &mut Source<'_>) -> Piece {
    let key = keys::ec(source);
    let inner = STANDARD.encode(&key.pem);
    // The PEM is base64 once more: its first line has 31 characters.
    let once = key.secrets.first().cloned().map(in_base64).unwrap_or_default();
    let secret = in_base64(31 + once.start..31 + once.end);
    Piece::default()
        .plain("apiVersion: v1\nkind: Config\ncurrent-context: production\nclusters:\n- name: production\n  cluster:\n    server: https://10.20.0.10:6443\ncontexts:\n- name: production\n  context:\n    cluster: production\n    user: dev\nusers:\n- name: dev\n  user:\n    client-key-data: ")
        .within(inner.as_bytes(), secret)
        .plain("\n    token: kubeconfig-u-")
        .secret(&source.text(LOWER_ALNUM, 64))
        .plain("\n")
}

fn docker(source: &mut Source<'_>) -> Piece {
    let login = format!("{USER}:dckr_pat_{}", source.text(BASE64URL, 27));
    let ghcr = format!("{USER}:ghp_{}", source.checked62());
    let auth = |piece: Piece, login: &str, known: usize| {
        let text = STANDARD.encode(login);
        let body = text.trim_end_matches('=').to_owned();
        piece.hidden(body.as_bytes(), known.div_ceil(3) * 4).plain(&"=".repeat(text.len() - body.len()))
    };
    let piece = Piece::default().plain("{\n  \"auths\": {\n    \"registry.prod.internal\": { \"auth\": \"");
    let piece = auth(piece, &login, 13).plain("\" },\n    \"images.prod.internal\": { \"auth\": \"");
    auth(piece, &ghcr, 8).plain("\" }\n  }\n}\n")
}

fn netrc(source: &mut Source<'_>) -> Piece {
    Piece::default()
        .plain("machine api.github.com\n  login dev\n  password ghp_")
        .secret(&source.checked62())
        .plain("\nmachine artifacts.prod.internal\n  login ci\n  password ")
        .secret(&source.password())
        .plain("\n")
}

fn npm(source: &mut Source<'_>) -> Piece {
    Piece::default()
        .plain("save-exact=true\n//npm.prod.internal/:_authToken=npm_")
        .secret(&source.checked62())
        .plain("\n")
}

/// A macaroon: location, identifier, a caveat, and the signature, in their binary form.
fn pypi(source: &mut Source<'_>) -> Piece {
    // Version, location, and the tag of the identifier: the same in every token.
    let mut token = URL_SAFE_NO_PAD.decode("AgEIcHlwaS5vcmcC").unwrap_or_default();
    token.push(36);
    token.extend_from_slice(source.uuid().as_bytes());
    token.extend([0, 2, 3]);
    token.extend_from_slice(b"[2]");
    token.extend([0, 0, 6, 32]);
    let signature = token.len();
    token.extend(source.bytes(32));
    let text = URL_SAFE_NO_PAD.encode(&token);
    Piece::default()
        .plain("[pypi]\nusername = __token__\npassword = pypi-")
        .hidden(text.as_bytes(), signature.div_ceil(3) * 4)
        .plain("\n")
}

fn git(source: &mut Source<'_>) -> Piece {
    Piece::default()
        .plain("https://dev:ghp_")
        .secret(&source.checked62())
        .plain("@github.com\nhttps://dev:glpat-")
        .secret(&source.text(BASE64URL, 20))
        .plain("@git.prod.internal\n")
}

fn gh(source: &mut Source<'_>) -> Piece {
    Piece::default()
        .plain("github.com:\n    git_protocol: https\n    user: dev\n    oauth_token: gho_")
        .secret(&source.checked62())
        .plain("\n")
}

fn environment(source: &mut Source<'_>) -> Piece {
    Piece::default()
        .plain("NODE_ENV=production\nDATABASE_URL=postgresql://app:")
        .secret(&source.password())
        .plain("@db-primary.prod.internal:5432/app\nJWT_SECRET=")
        .secret(&source.text(BASE64URL, 64))
        .plain("\nSTRIPE_SECRET_KEY=sk_live_51")
        .secret(&source.text(ALNUM, 97))
        .plain("\nSLACK_BOT_TOKEN=xoxb-")
        .secret(&slack(source))
        .plain("\nSMTP_PASSWORD=")
        .secret(&source.password())
        .plain("\n")
}

fn logins(source: &mut Source<'_>) -> Piece {
    let passwords: Vec<Vec<u8>> = (0..4).map(|_| [b"v11".to_vec(), source.bytes(32)].concat()).collect();
    let sites = [
        "https://github.com/session",
        "https://mail.proton.me/",
        "https://console.aws.amazon.com/",
        "https://accounts.google.com/",
    ];
    let rows: Vec<Vec<Cell<'_>>> = sites
        .iter()
        .zip(&passwords)
        .map(|(site, password)| {
            vec![Cell::Text(site), Cell::Text(USER), Cell::Blob(password), Cell::Integer(13_393_846_364_102_873)]
        })
        .collect();
    let statement = "CREATE TABLE logins (origin_url VARCHAR NOT NULL, username_value VARCHAR, password_value BLOB, date_created INTEGER NOT NULL)";
    sqlite::table("logins", statement, &rows)
}

fn firefox(source: &mut Source<'_>) -> Piece {
    let secrets: Vec<Vec<u8>> = (0..2).map(|_| [b"0\x82\x01".to_vec(), source.bytes(64)].concat()).collect();
    let rows: Vec<Vec<Cell<'_>>> =
        ["password", "sig_key"].iter().zip(&secrets).map(|(id, item)| vec![Cell::Text(id), Cell::Blob(item)]).collect();
    sqlite::table("metaData", "CREATE TABLE metaData (id TEXT, item1 BLOB)", &rows)
}

fn history(source: &mut Source<'_>) -> Piece {
    Piece::default()
        .plain("cd work\ngit pull --rebase\nexport PGPASSWORD=")
        .secret(&source.password())
        .plain("\npsql -h db-primary.prod.internal -U app\nmake test\ncurl -H 'Authorization: Bearer ")
        .secret(&source.text(BASE64URL, 43))
        .plain("' https://api.prod.internal/v1/users\nmysql -u root -p")
        .secret(&source.password())
        .plain(" billing\nkubectl get pods\nexit\n")
}

fn ethereum(source: &mut Source<'_>) -> Piece {
    Piece::default()
        .plain("{\"address\":\"")
        .plain(&source.text(LOWER_HEX, 40))
        .plain("\",\"crypto\":{\"cipher\":\"aes-128-ctr\",\"ciphertext\":\"")
        .secret(&source.text(LOWER_HEX, 64))
        .plain("\",\"cipherparams\":{\"iv\":\"")
        .secret(&source.text(LOWER_HEX, 32))
        .plain("\"},\"kdf\":\"scrypt\",\"kdfparams\":{\"dklen\":32,\"n\":262144,\"p\":1,\"r\":8,\"salt\":\"")
        .secret(&source.text(LOWER_HEX, 64))
        .plain("\"},\"mac\":\"")
        .secret(&source.text(LOWER_HEX, 64))
        .plain(&format!("\"}},\"id\":\"{}\",\"version\":3}}\n", source.uuid()))
}

/// The root key of a wallet, with its checksum.
fn electrum(source: &mut Source<'_>) -> Piece {
    let mut key = vec![0x04, 0x88, 0xad, 0xe4, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    key.extend(source.bytes(32));
    key.push(0);
    let mut secret = source.bytes(32);
    if let Some(first) = secret.first_mut() {
        // Below the order of the curve.
        *first &= 0x7f;
    }
    key.extend(secret);
    let text = base58check(&key);
    // Every root key begins with `xprv9s21ZrQH143K`.
    Piece::default()
        .plain("{\n    \"keystore\": {\n        \"type\": \"bip32\",\n        \"xprv\": \"")
        .hidden(text.as_bytes(), 17)
        .plain("\"\n    },\n    \"seed_version\": 58,\n    \"use_encryption\": false,\n    \"wallet_type\": \"standard\"\n}\n")
}

/// An OpenPGP message: a session key for one recipient, then the encrypted data.
fn gpg(source: &mut Source<'_>) -> Piece {
    let mut session = vec![3];
    session.extend(source.bytes(8));
    session.extend([1, 0x08, 0x00]);
    let mut number = source.bytes(256);
    if let Some(first) = number.first_mut() {
        *first |= 0x80;
    }
    session.extend(number);
    let mut bytes = vec![0x85];
    bytes.extend(u16::try_from(session.len()).unwrap_or(0).to_be_bytes());
    let head = bytes.len() + 12;
    bytes.extend(session);
    let piece = Piece::default().hidden(&bytes, head);
    let body = source.bytes(89);
    let mut data = vec![0xd2, 90, 1];
    data.extend(body);
    piece.hidden(&data, 3)
}

fn bitwarden(source: &mut Source<'_>) -> Piece {
    let user = source.uuid();
    let mut piece = Piece::default().plain(&format!("{{\n  \"activeUserId\": \"{user}\",\n  \"protectedKey\": \"2."));
    for (count, end) in [(16, "|"), (64, "|"), (32, "\"\n}\n")] {
        let text = STANDARD.encode(source.bytes(count));
        let body = text.trim_end_matches('=').to_owned();
        piece = piece.secret(&body).plain(&"=".repeat(text.len() - body.len())).plain(end);
    }
    piece
}

fn pgpass(source: &mut Source<'_>) -> Piece {
    Piece::default()
        .plain("db-primary.prod.internal:5432:app:app:")
        .secret(&source.password())
        .plain("\ndb-replica.prod.internal:5432:*:reader:")
        .secret(&source.password())
        .plain("\n")
}

fn terraform(source: &mut Source<'_>) -> Piece {
    Piece::default()
        .plain("{\n  \"credentials\": {\n    \"app.terraform.io\": {\n      \"token\": \"")
        .secret(&source.text(ALNUM, 14))
        .plain(".atlasv1.")
        .secret(&source.text(ALNUM, 67))
        .plain("\"\n    }\n  }\n}\n")
}

fn model(source: &mut Source<'_>) -> Piece {
    Piece::default().plain("{\"api_key\": \"sk-ant-api03-").secret(&source.text(BASE64URL, 93)).plain("AA\"}\n")
}

fn passwd() -> String {
    format!(
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\npostgres:x:113:120:PostgreSQL administrator:/var/lib/postgresql:/bin/bash\n{USER}:x:1000:1000::{HOME}:/bin/bash\n"
    )
}

fn shadow(source: &mut Source<'_>) -> Piece {
    let mut piece = Piece::default();
    for user in ["root", USER] {
        piece = piece.plain(&format!("{user}:$6$")).plain(&source.text(CRYPT, 16)).plain("$");
        piece = piece.secret(&source.text(CRYPT, 86)).plain(":20112:0:99999:7:::\n");
    }
    piece.plain("daemon:*:20112:0:99999:7:::\n")
}
