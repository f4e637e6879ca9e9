//! Languages that are not followed name by name: what their texts say, and whether one file both takes secrets and sends.

use super::report::Hit;
use super::rules::*;
use super::text::{self, Made};
use super::{prose, shell};

/// Texts of one file.
const MAX_TEXTS: usize = 20_000;

/// Ruby, Go, Rust, PHP, Java and their like: quoted texts, and the names of what takes and sends.
pub fn scan(source: &str, hits: &mut Vec<Hit>) {
    const ALL_ENVIRONMENT: &[&str] = &[
        "os.Environ()",
        "ENV.to_h",
        "ENV.to_a",
        "ENV.inspect",
        "env::vars()",
        "System.getenv()",
        "getenv()",
        "GetEnvironmentVariables()",
        "ProcessInfo.processInfo.environment",
        "Platform.environment",
        "%ENV",
    ];
    const SENDS: &[&str] = &[
        "http.Post",
        "http.NewRequest",
        "Net::HTTP",
        "reqwest",
        "ureq",
        "curl_exec",
        "file_get_contents(\"http",
        "HttpClient",
        "URLSession",
        "LWP::",
        "TCPSocket",
        "net.Dial",
        "TcpStream",
        "OkHttp",
        "HttpURLConnection",
        "WebClient",
        "Faraday",
        "HTTParty",
        "fsockopen",
    ];
    let code = without_comments(source);
    let mut secrets: Vec<String> = Vec::new();
    let mut hosts: Vec<String> = Vec::new();
    for (at, value) in texts(&code) {
        text::scan(&value, at, Made::Plain, hits);
        hosts.extend(text::urls(&value).map(str::to_owned));
        let mut all = text::matches(&value).into_iter();
        secrets.extend(
            all.find(|(rule, _)| rule.category == Category::CredentialAccess && rule.id != CREDENTIALS_USED.id)
                .map(|(_, part)| part),
        );
        let mut found = Vec::new();
        shell::in_text(&value, &mut found);
        // A text that is shown to a person has spaces before the command; one that is run begins with it.
        shell_command(&value, &mut found);
        hits.extend(found.into_iter().map(|hit| Hit { at, ..hit }));
        if value.contains(' ') && value.len() > 40 {
            let mut told = Vec::new();
            prose::said(&value, &mut |rule, means| told.push(Hit { rule, at, means }));
            hits.extend(told.into_iter().filter(|hit| hit.rule.id == SECRECY.id));
        }
    }
    decoded(&code, hits);
    for part in ALL_ENVIRONMENT {
        // One of them by its name is one.
        // And what is given to a child process stays here.
        let whole = |at: &usize| {
            !code[*at + part.len()..].trim_start().starts_with(['[', '.'])
                && !code[..*at].trim_end().trim_end_matches('=').trim_end().ends_with("environment")
        };
        if let Some(at) = code.match_indices(part).map(|(at, _)| at).find(whole) {
            hits.push(Hit { rule: &WHOLE_ENVIRONMENT, at, means: None });
            secrets.push("the environment".to_owned());
        }
    }
    let sends = SENDS.iter().find_map(|part| code.find(part));
    let strangers = hosts.iter().find(|host| !matches!(host.as_str(), "localhost" | "127.0.0.1"));
    if let (Some(at), Some(secret), Some(host)) = (sends, secrets.first(), strangers) {
        hits.push(Hit { rule: &SECRET_SENT, at, means: Some(format!("{secret} to {host}")) });
    }
}

/// `eval(gzinflate(base64_decode(..)))`, and a program that is fetched and started.
fn decoded(code: &str, hits: &mut Vec<Hit>) {
    const DECODES: &[&str] = &[
        "base64_decode",
        "gzinflate",
        "gzuncompress",
        "str_rot13",
        "Base64.decode64",
        "decode_base64",
        "unpack(",
        "FromBase64String",
        "hex2bin",
    ];
    for (at, part) in
        ["eval(", "eval (", "instance_eval(", "assert("].iter().flat_map(|part| code.match_indices(part).take(200))
    {
        let mut end = (at + part.len() + 60).min(code.len());
        while !code.is_char_boundary(end) {
            end -= 1;
        }
        let whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '>'));
        if whole && DECODES.iter().any(|decodes| code[at..end].contains(decodes)) {
            hits.push(Hit { rule: &RUNS_DECODED, at, means: None });
        }
    }
    let fetched = ["DownloadFile(", "DownloadFileAsync(", "URLDownloadToFile"].iter().any(|part| code.contains(part));
    if let Some(at) = code.find("Process.Start(").filter(|_| fetched) {
        hits.push(Hit { rule: &PIPE_TO_SHELL, at, means: None });
    }
}

fn shell_command(value: &str, found: &mut Vec<Hit>) {
    if ["tar ", "cat ", "zip ", "scp ", "rsync "].iter().any(|start| value.starts_with(start)) {
        let mut all = Vec::new();
        shell::scan(value, 3, &mut all);
        found.extend(all.into_iter().filter(|hit| hit.rule.id == SECRET_SENT.id));
    }
}

/// Comments as blanks, so that places stay. Quotes are kept in mind: an address has two slashes too.
fn without_comments(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut quote: Option<char> = None;
    let mut chars = source.chars().peekable();
    let mut line_start = true;
    while let Some(c) = chars.next() {
        let comment = quote.is_none()
            && (c == '/' && chars.peek() == Some(&'/') || c == '#' && line_start && chars.peek() == Some(&' '));
        if comment {
            let mut length = c.len_utf8();
            while let Some(c) = chars.next_if(|c| *c != '\n') {
                length += c.len_utf8();
            }
            out.extend(std::iter::repeat_n(' ', length));
            continue;
        }
        match quote {
            Some(_) if c == '\\' => {
                out.push(c);
                out.extend(chars.next());
                continue;
            }
            Some(open) if c == open || c == '\n' && open != '`' => quote = None,
            None if matches!(c, '"' | '`') => quote = Some(c),
            _ => {}
        }
        out.push(c);
        line_start = c == '\n' || line_start && c.is_whitespace();
    }
    out
}

/// Texts between quotes, with where they begin.
fn texts(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut chars = source.char_indices();
    while let Some((at, c)) = chars.next() {
        if !matches!(c, '"' | '\'' | '`') || found.len() >= MAX_TEXTS {
            continue;
        }
        let mut value = String::new();
        let mut rest = chars.clone();
        let mut closed = false;
        while let Some((_, inner)) = rest.next() {
            match inner {
                '\\' => match rest.next().map(|(_, c)| c) {
                    Some('n') => value.push('\n'),
                    Some(c) => value.push(c),
                    None => break,
                },
                '\n' if c != '`' => break,
                inner if inner == c => {
                    closed = true;
                    break;
                }
                inner => value.push(inner),
            }
        }
        // A quote that does not close on its line is a letter, or begins a name (`'a`).
        if closed {
            chars = rest;
            found.push((at, value));
        }
    }
    found
}

/// PowerShell: what is downloaded and run, what is encoded, what is turned off, what stays. Case says nothing there.
pub fn powershell(source: &str, hits: &mut Vec<Hit>) {
    let mut at = 0;
    let mut hosts: Vec<String> = Vec::new();
    let mut secret: Option<(usize, String)> = None;
    let mut posts = None;
    for line in source.split_inclusive('\n') {
        let place = at + (line.len() - line.trim_start().len());
        at += line.len();
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        // A backtick between letters says nothing.
        let lower = bare.replace('`', "").to_ascii_lowercase();
        let mut hit = |rule: &'static Rule, means: Option<String>| hits.push(Hit { rule, at: place, means });
        let downloads = [
            "downloadstring",
            "invoke-webrequest",
            "invoke-restmethod",
            "irm ",
            "iwr ",
            "curl ",
            "downloaddata",
            "net.webclient",
        ]
        .iter()
        .any(|part| lower.contains(part));
        let runs = lower.contains("iex") && word(&lower, "iex")
            || lower.contains("invoke-expression")
            || lower.contains("[scriptblock]::create");
        if downloads && runs {
            hit(if text::is_usual_installer(bare) { &USUAL_INSTALLER } else { &PIPE_TO_SHELL }, None);
        } else if runs && (lower.contains("frombase64string") || lower.contains("-join") || lower.contains("[char]")) {
            hit(&RUNS_DECODED, None);
        } else if runs {
            hit(&EVAL, None);
        }
        if [" -enc ", " -encodedcommand ", " -ec ", " -e "].iter().any(|flag| lower.contains(flag))
            && lower.contains("powershell")
        {
            hit(&RUNS_DECODED, None);
        }
        if let Some(what) =
            shell::guard_off(bare).or_else(|| lower.contains("set-mppreference -disable").then_some("Set-MpPreference"))
        {
            hit(&GUARD_OFF, Some(what.to_owned()));
        }
        if lower.contains("\\currentversion\\run")
            || lower.contains("register-scheduledtask")
            || lower.contains("schtasks /create")
            || lower.contains("\\startup\\")
        {
            hit(&STAYS, None);
        }
        if word(&lower, "gci") && lower.contains("env:")
            || lower.contains("get-childitem env:")
            || lower.contains("ls env:")
            || lower.contains("dir env:")
        {
            hit(&WHOLE_ENVIRONMENT, None);
            secret.get_or_insert((place, "the environment".to_owned()));
        }
        if (lower.contains("-method post")
            || lower.contains("uploadstring")
            || lower.contains("uploadfile")
            || lower.contains("-infile"))
            && posts.is_none()
        {
            posts = Some(place);
        }
        hosts.extend(text::urls(&lower).map(str::to_owned));
        let mut found = Vec::new();
        text::scan(bare, place, Made::Plain, &mut found);
        if let Some(hit) = found
            .iter()
            .find(|hit| hit.rule.category == Category::CredentialAccess && hit.rule.id != CREDENTIALS_USED.id)
        {
            secret.get_or_insert((place, hit.means.clone().unwrap_or_default()));
        }
        hits.append(&mut found);
    }
    if let (Some(at), Some((_, what)), Some(host)) = (posts, secret, hosts.first()) {
        hits.push(Hit { rule: &SECRET_SENT, at, means: Some(format!("{what} to {host}")) });
    }
}

fn word(text: &str, part: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == part)
}
