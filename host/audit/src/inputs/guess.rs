//! What a field is for, by its format, name and description, and what people put into such fields.

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Use {
    Path,
    Url,
    Host,
    Address,
    Email,
    Date,
    Time,
    DateTime,
    Identifier,
    Command,
    Sql,
    Markup,
    Template,
    Query,
    Name,
    Place,
    Language,
    Text,
}

/// Names and words, the most telling first: the first that is found decides.
const TELLING: [(Use, &[&str]); 17] = [
    (Use::Url, &["url", "uri", "href", "link", "endpoint", "webhook", "website", "page", "origin", "feed"]),
    (
        Use::Path,
        &["path", "file", "filename", "filepath", "dir", "directory", "folder", "workspace", "root", "cwd", "glob"],
    ),
    (Use::Email, &["email", "mail", "recipient", "sender"]),
    (Use::Address, &["ip", "ipv4", "ipv6"]),
    (Use::Host, &["host", "hostname", "domain", "server", "dns"]),
    (Use::Command, &["command", "cmd", "shell", "exec", "script", "argv", "args"]),
    (Use::Sql, &["sql", "statement", "where", "table", "column"]),
    (Use::Markup, &["html", "xml", "svg", "markup"]),
    (Use::Template, &["template", "format", "pattern"]),
    (Use::DateTime, &["datetime", "timestamp", "since", "until"]),
    (Use::Date, &["date", "day", "birthday"]),
    (Use::Time, &["time", "hour"]),
    (Use::Place, &["city", "location", "place", "country", "address", "region"]),
    (Use::Language, &["language", "lang", "locale"]),
    (Use::Identifier, &["id", "uuid", "guid", "key", "ref", "sha", "hash", "slug"]),
    (Use::Query, &["query", "search", "q", "keyword", "keywords", "term", "filter", "question"]),
    (Use::Name, &["name", "title", "label", "user", "username", "author", "tag"]),
];

impl Use {
    /// By `format` first, then by the name, then by the description.
    pub(super) fn of(format: Option<&str>, guest_name: &str, guest_description: &str) -> Use {
        match format {
            Some("uri" | "uri-reference" | "iri" | "url") => return Use::Url,
            Some("email" | "idn-email") => return Use::Email,
            Some("date") => return Use::Date,
            Some("time") => return Use::Time,
            Some("date-time") => return Use::DateTime,
            Some("uuid") => return Use::Identifier,
            Some("hostname" | "idn-hostname") => return Use::Host,
            Some("ipv4" | "ipv6") => return Use::Address,
            Some("path" | "file-path" | "directory-path") => return Use::Path,
            _ => {}
        }
        by_words(guest_name).or_else(|| by_words(guest_description)).unwrap_or(Use::Text)
    }

    /// What people put there.
    pub(super) fn typical(self) -> &'static [&'static str] {
        match self {
            Use::Path => &["notes/today.md", "README.md", "/data/report.csv", "."],
            Use::Url => {
                &["https://docs.rs/serde/latest/serde/", "http://localhost:8080/health", "https://api.github.com/zen"]
            }
            Use::Host => &["docs.rs", "localhost", "api.github.com"],
            Use::Address => &["192.0.2.7", "127.0.0.1"],
            Use::Email => &["maria.keller@mail.test", "ops@team.test"],
            Use::Date => &["2026-03-14", "1999-12-31", "2024-02-29"],
            Use::Time => &["09:30:00", "23:59:59"],
            Use::DateTime => &["2026-03-14T09:30:00Z", "1970-01-01T00:00:00Z"],
            Use::Identifier => &["7d444840-9dc0-4d3c-b3a6-2f5d1e0c9b7a", "42", "release-2026-03"],
            Use::Command => &["list", "status --short", "echo hello"],
            Use::Sql => &["SELECT id, title FROM notes LIMIT 5", "id = 3"],
            Use::Markup => &["<p>Hello</p>", "<note><to>Maria</to></note>"],
            Use::Template => &["Hello {name}", "%Y-%m-%d", "*.md"],
            Use::Query => &["meeting notes", "how to tie a bowline", "rust"],
            Use::Name => &["Quarterly review", "maria", "draft"],
            Use::Place => &["Bern", "Lake Constance", "1 Market Square, Zug"],
            Use::Language => &["en", "de-CH"],
            Use::Text => &["A short text, with a comma.", "hello", "First line\nSecond line"],
        }
    }
}

fn by_words(guest_text: &str) -> Option<Use> {
    let words = words(guest_text);
    TELLING.iter().find(|(_, telling)| words.iter().any(|word| telling.contains(&word.as_str()))).map(|(use_, _)| *use_)
}

/// Words of a name or a sentence, also of `camelCase`; a plural's s is taken off.
fn words(guest_text: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for c in guest_text.chars().take(400) {
        let turn = c.is_ascii_uppercase() && before.is_ascii_lowercase();
        if turn || !c.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && c.is_ascii_alphanumeric()
        {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    for word in &mut words {
        if word.len() > 4 && word.ends_with("ies") {
            word.truncate(word.len() - 3);
            word.push('y');
        } else if word.len() > 3
            && word.ends_with('s')
            && !word.ends_with("ss")
            && !matches!(word.as_str(), "args" | "dns")
        {
            word.pop();
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn use_is_told_by_format_then_name_then_description() {
        assert_eq!(Use::of(Some("uri"), "path", ""), Use::Url);
        assert_eq!(Use::of(None, "targetUrl", ""), Use::Url);
        assert_eq!(Use::of(None, "file_path", "An address"), Use::Path);
        assert_eq!(Use::of(None, "x", "The directories to look in."), Use::Path);
        assert_eq!(Use::of(None, "note-id", ""), Use::Identifier);
        assert_eq!(Use::of(None, "pathology", ""), Use::Text);
    }
}
