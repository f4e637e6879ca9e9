//! As much of a URL as a request needs. Nothing is decoded or tidied up: what the authority means is for the host to
//! decide, and it should see what was asked for.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub https: bool,
    /// Host, port, and whatever else stood before the path.
    pub authority: String,
    /// Begins with a slash; has no fragment.
    pub path_with_query: String,
}

impl Url {
    /// An absolute `http` or `https` URL. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("url {text:?}: {what}"));
        let Some((scheme, rest)) = text.split_once("://") else { return wrong("it has no scheme") };
        let https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return wrong("the scheme is neither http nor https"),
        };
        let rest = without_fragment(rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return wrong("it has no host");
        }
        let path_with_query = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { https, authority: authority.to_owned(), path_with_query })
    }

    /// Where a `location` header leads from here.
    pub fn join(&self, location: &str) -> Result<Self, String> {
        let scheme = if self.https { "https" } else { "http" };
        if location.starts_with("//") {
            return Self::parse(&format!("{scheme}:{location}"));
        }
        if has_scheme(location) {
            return Self::parse(location);
        }
        let reference = without_fragment(location);
        let path = self.path_with_query.split('?').next().unwrap_or("/");
        let path_with_query = match reference.chars().next() {
            None => self.path_with_query.clone(),
            Some('/') => tidy(reference),
            Some('?') => format!("{path}{reference}"),
            Some(_) => tidy(&format!("{}/{reference}", path.rsplit_once('/').map_or("", |(folder, _)| folder))),
        };
        Ok(Self { https: self.https, authority: self.authority.clone(), path_with_query })
    }

    /// The whole of it again.
    #[allow(dead_code, reason = "fetch only sends it")]
    pub fn text(&self) -> String {
        format!("{}://{}{}", if self.https { "https" } else { "http" }, self.authority, self.path_with_query)
    }

    /// Whether credentials for the one may go to the other.
    #[allow(dead_code, reason = "readable has no credentials")]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.https == other.https && self.authority.eq_ignore_ascii_case(&other.authority)
    }
}

fn without_fragment(text: &str) -> &str {
    text.split('#').next().unwrap_or("")
}

/// A colon before any slash, query or fragment ends a scheme.
fn has_scheme(text: &str) -> bool {
    let end = text.find([':', '/', '?', '#']);
    end.is_some_and(|end| end > 0 && text[end..].starts_with(':'))
}

/// Takes `.` and `..` out of the path, as a browser does with a relative location.
fn tidy(path_with_query: &str) -> String {
    let (path, query) = path_with_query.split_at(path_with_query.find('?').unwrap_or(path_with_query.len()));
    let mut parts: Vec<&str> = Vec::new();
    let mut open = false;
    for part in path.split('/').skip(1) {
        open = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    if open {
        parts.push("");
    }
    format!("/{}{query}", parts.join("/"))
}
