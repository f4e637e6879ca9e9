//! Variables of somebody who builds and deploys things.

use super::piece::Piece;
use super::words::{ALNUM, BASE32, BASE64, BASE64URL, DIGITS, LETTERS, LOWER_ALNUM, LOWER_HEX, Source};
use super::{DecoyVariable, HOME, USER};

/// All variables; the caller sorts them.
pub(super) fn variables(source: &mut Source<'_>) -> Vec<DecoyVariable> {
    let mut all = Vec::new();
    let mut add = |kind: &'static str, name: &'static str, piece: Piece| {
        let value = String::from_utf8_lossy(&piece.bytes).into_owned();
        all.push(DecoyVariable { kind, name, value, secrets: piece.secrets });
    };
    let new = Piece::default;

    // What makes an environment look lived in.
    for (name, value) in [
        ("EDITOR", "vim".to_owned()),
        ("HOME", HOME.to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("LOGNAME", USER.to_owned()),
        ("PATH", format!("{HOME}/.local/bin:/usr/local/bin:/usr/bin:/bin")),
        ("PWD", format!("{HOME}/work")),
        ("SHELL", "/bin/bash".to_owned()),
        ("TERM", "xterm-256color".to_owned()),
        ("TZ", "Europe/Zurich".to_owned()),
        ("USER", USER.to_owned()),
        ("AWS_REGION", "eu-central-1".to_owned()),
    ] {
        add("surroundings", name, new().plain(&value));
    }

    add("AWS access key", "AWS_ACCESS_KEY_ID", new().plain("AKIA").secret(&source.text(BASE32, 16)));
    add("AWS secret key", "AWS_SECRET_ACCESS_KEY", new().secret(&source.text(BASE64, 40)));
    add("AWS session token", "AWS_SESSION_TOKEN", new().plain("IQoJb3JpZ2luX2Vj").secret(&source.text(BASE64, 340)));
    add("GitHub token", "GITHUB_TOKEN", new().plain("ghp_").secret(&source.checked62()));
    add("GitHub token", "GH_TOKEN", new().plain("gho_").secret(&source.checked62()));
    add("GitLab token", "GITLAB_TOKEN", new().plain("glpat-").secret(&source.text(BASE64URL, 20)));
    let openai = (source.text(BASE64URL, 74), source.text(BASE64URL, 74));
    // Every key of OpenAI has the same eight characters in its middle.
    let openai = new().plain("sk-proj-").secret(&openai.0).plain("T3BlbkFJ").secret(&openai.1);
    add("OpenAI key", "OPENAI_API_KEY", openai);
    let anthropic = new().plain("sk-ant-api03-").secret(&source.text(BASE64URL, 93)).plain("AA");
    add("Anthropic key", "ANTHROPIC_API_KEY", anthropic);
    add("Google API key", "GOOGLE_API_KEY", new().plain("AIza").secret(&source.text(BASE64URL, 35)));
    add("Hugging Face token", "HF_TOKEN", new().plain("hf_").secret(&source.text(LETTERS, 34)));
    let database = new().plain("postgresql://app:").secret(&source.password());
    add("database password", "DATABASE_URL", database.plain("@db-primary.prod.internal:5432/app?sslmode=require"));
    add("database password", "PGPASSWORD", new().secret(&source.password()));
    let redis = new().plain("rediss://:").secret(&source.text(ALNUM, 44));
    add("Redis password", "REDIS_URL", redis.plain("@cache.prod.internal:6380/0"));
    let slack = new().plain("xoxb-").secret(&slack(source));
    add("Slack token", "SLACK_BOT_TOKEN", slack);
    let team = (source.text(BASE32, 9), source.text(BASE32, 9), source.text(ALNUM, 24));
    let hook = new().plain("https://hooks.slack.com/services/T0").secret(&team.0).plain("/B0").secret(&team.1);
    add("Slack webhook", "SLACK_WEBHOOK_URL", hook.plain("/").secret(&team.2));
    add("Stripe key", "STRIPE_SECRET_KEY", new().plain("sk_live_51").secret(&source.text(ALNUM, 97)));
    add("Stripe webhook secret", "STRIPE_WEBHOOK_SECRET", new().plain("whsec_").secret(&source.text(ALNUM, 32)));
    add("npm token", "NPM_TOKEN", new().plain("npm_").secret(&source.checked62()));
    add("Azure secret", "AZURE_CLIENT_SECRET", azure(source));
    let sendgrid = new().plain("SG.").secret(&source.text(BASE64URL, 22)).plain(".");
    add("SendGrid key", "SENDGRID_API_KEY", sendgrid.secret(&source.text(BASE64URL, 43)));
    add("Twilio token", "TWILIO_AUTH_TOKEN", new().secret(&source.text(LOWER_HEX, 32)));
    let telegram = new().secret(&source.text(DIGITS, 10)).plain(":AA").secret(&source.text(BASE64URL, 33));
    add("Telegram token", "TELEGRAM_BOT_TOKEN", telegram);
    add("DigitalOcean token", "DIGITALOCEAN_TOKEN", new().plain("dop_v1_").secret(&source.text(LOWER_HEX, 64)));
    add("Vault token", "VAULT_TOKEN", new().plain("hvs.").secret(&source.text(BASE64URL, 90)));
    let sentry = new().plain("https://").secret(&source.text(LOWER_HEX, 32));
    add("Sentry key", "SENTRY_DSN", sentry.plain("@sentry.prod.internal/42"));
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let reference = source.text(LOWER_ALNUM, 20);
    let claims = format!(r#"{{"iss":"supabase","ref":"{reference}","role":"service_role"}}"#);
    let (jwt, from) = source.jwt(header, &claims, 32);
    add("Supabase key", "SUPABASE_SERVICE_ROLE_KEY", new().hidden(jwt.as_bytes(), from));
    add("session secret", "SECRET_KEY_BASE", new().secret(&source.text(LOWER_HEX, 128)));
    add("cloud key", "CLOUDFLARE_API_TOKEN", new().secret(&source.text(BASE64URL, 40)));
    all
}

/// Team, bot and secret.
pub(super) fn slack(source: &mut Source<'_>) -> String {
    let (team, bot) = (source.text(DIGITS, 10), source.text(DIGITS, 10));
    format!("7{team}-8{bot}42-{}", source.text(ALNUM, 24))
}

/// Three characters, a digit, `Q~`, and the rest.
pub(super) fn azure(source: &mut Source<'_>) -> Piece {
    let (head, digit) = (source.text(ALNUM, 3), source.text(DIGITS, 1));
    let rest = source.text(BASE64URL, 34);
    Piece::default().plain(&head).plain(&digit).plain("Q~").secret(&rest)
}
