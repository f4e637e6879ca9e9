//! Which names hold secrets, and where secrets go. Names only: no paths of execution, no objects' insides.

use super::value::Value;
use super::{Reader, text};
use ruff_python_ast::visitor::{Visitor, walk_expr};
use ruff_python_ast::{self as ast, Expr};

/// Secrets that one name is said to hold.
const MAX_SECRETS: usize = 24;

/// Stands for what a function is given, so that it is seen where that goes.
pub fn marker(function: &str) -> String {
    format!("\u{1}{function}")
}

pub fn is_marker(secret: &str) -> bool {
    secret.starts_with('\u{1}')
}

/// Calls that send what they are given.
pub fn is_sending(name: &str) -> bool {
    const MODULES: &[&str] = &[
        "requests.",
        "httpx.",
        "urllib.request.",
        "urllib3.",
        "aiohttp.",
        "http.client.",
        "socket.",
        "smtplib.",
        "websocket.",
        "websockets.",
        "ftplib.",
        "paramiko.",
        "pycurl.",
    ];
    MODULES.iter().any(|module| name.starts_with(module))
}

const DECODERS: &[&str] = &[
    "base64.",
    "codecs.decode",
    "zlib.decompress",
    "gzip.decompress",
    "bz2.decompress",
    "lzma.decompress",
    "binascii.",
    "marshal.loads",
    "builtins.bytes.fromhex",
    "builtins.bytearray.fromhex",
    "requests.get",
    "requests.post",
    "httpx.get",
    "urllib.request.urlopen",
];

struct Finder<'r, 's> {
    reader: &'r mut Reader<'s>,
    found: Vec<String>,
    brought: bool,
    left: usize,
}

impl<'a> Visitor<'a> for Finder<'_, '_> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if self.left == 0 || self.reader.walk > 400 {
            return;
        }
        self.left -= 1;
        match expr {
            Expr::Name(name) => {
                if let Some(secrets) = self.reader.secrets.get(name.id.as_str()) {
                    self.found.extend(secrets.iter().cloned());
                }
                self.brought |= self.reader.brought.contains(name.id.as_str());
            }
            Expr::Call(call) => {
                let function = self.reader.value(&call.func);
                // `settings().get("API_KEY")`: one of them.
                if let (Expr::Attribute(attribute), Some(Value::Text(key, _))) =
                    (&*call.func, call.arguments.args.first().map(|key| self.reader.value(key)))
                    && attribute.attr.as_str() == "get"
                    && function.object().is_none_or(|name| !name.starts_with("os.environ") && !is_sending(name))
                {
                    self.one_of(&attribute.value, &key);
                    return;
                }
                if let Some(name) = function.object() {
                    let taken = self.reader.modules.taken(name);
                    self.found.extend(taken.into_iter().flatten().cloned());
                    self.brought |= DECODERS.iter().any(|decoder| name.starts_with(decoder));
                    if matches!(name, "os.getenv" | "os.environ.get" | "os.environ.pop") {
                        if let Some(Value::Text(variable, _)) =
                            call.arguments.args.first().map(|name| self.reader.value(name))
                            && text::is_secret_name(&variable)
                        {
                            self.found.push(variable);
                        }
                        return;
                    }
                    if name == "keyring.get_password" {
                        if let Some(Value::Text(service, _)) =
                            call.arguments.args.first().map(|name| self.reader.value(name))
                        {
                            self.found
                                .push(service.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect());
                        }
                        return;
                    }
                    if (name.starts_with("subprocess.") || matches!(name, "os.popen" | "os.system"))
                        && let Some(line) = call.arguments.args.first().map(|line| self.reader.value(line))
                    {
                        let line = match line {
                            Value::List(words) => words.iter().filter_map(Value::text).collect::<Vec<_>>().join(" "),
                            Value::Text(line, _) => line,
                            _ => String::new(),
                        };
                        self.found.extend(text::printed_secret(&line).map(str::to_owned));
                    }
                    // What a child process has is not what it prints.
                    if name.starts_with("subprocess.") {
                        for argument in &call.arguments.args {
                            self.visit_expr(argument);
                        }
                        for keyword in call
                            .arguments
                            .keywords
                            .iter()
                            .filter(|one| one.arg.as_ref().is_none_or(|name| name.as_str() != "env"))
                        {
                            self.visit_expr(&keyword.value);
                        }
                        return;
                    }
                }
            }
            Expr::Subscript(subscript) => {
                if matches!(self.reader.value(&subscript.value).object(), Some("os.environ" | "os.environb")) {
                    if let Value::Text(variable, _) = self.reader.value(&subscript.slice)
                        && text::is_secret_name(&variable)
                    {
                        self.found.push(variable);
                    }
                    return;
                }
                if let Value::Text(key, _) = self.reader.value(&subscript.slice) {
                    self.one_of(&subscript.value, &key);
                    return;
                }
            }
            _ => {}
        }
        match self.reader.value(expr) {
            Value::Object(name) if matches!(name.as_str(), "os.environ" | "os.environb") => {
                self.found.push("*".to_owned())
            }
            Value::Text(path, _) => {
                let secret = text::matches(&path).into_iter().find(|(rule, _)| {
                    matches!(rule.category, super::Category::CredentialAccess) && rule.id != super::CREDENTIALS_USED.id
                        || rule.id == super::DOTENV.id
                });
                self.found.extend(secret.map(|(_, part)| format!("/{part}")));
            }
            // One of several places.
            Value::List(list) => {
                let mut all = list.iter().filter_map(Value::text).take(64).flat_map(text::matches);
                let secret = all.find(|(rule, _)| {
                    matches!(rule.category, super::Category::CredentialAccess) && rule.id != super::CREDENTIALS_USED.id
                });
                self.found.extend(secret.map(|(_, part)| format!("/{part}")));
            }
            _ => {}
        }
        self.reader.walk += 1;
        walk_expr(self, expr);
        self.reader.walk -= 1;
    }
}

impl Finder<'_, '_> {
    /// One value by its name out of the environment or a file of settings: that one, not all.
    fn one_of(&mut self, whole: &Expr, key: &str) {
        let before = self.found.len();
        self.visit_expr(whole);
        let mut one = false;
        let mut at = 0;
        self.found.retain(|secret| {
            at += 1;
            let all = at > before && (secret == "*" || secret.starts_with("/.env"));
            one |= all;
            !all
        });
        if one && text::is_secret_name(key) {
            self.found.push(key.to_owned());
        }
    }
}

impl Reader<'_> {
    fn find(&mut self, expr: &Expr) -> (Vec<String>, bool) {
        let mut finder = Finder { reader: self, found: Vec::new(), brought: false, left: 2000 };
        finder.visit_expr(expr);
        let (mut found, brought) = (finder.found, finder.brought);
        found.sort();
        found.dedup();
        found.truncate(MAX_SECRETS);
        (found, brought)
    }

    /// The secrets that an expression is made with.
    pub fn secrets_of(&mut self, expr: &Expr) -> Vec<String> {
        self.find(expr).0
    }

    /// Whether an expression is made with text that was decoded or downloaded.
    pub fn is_brought(&mut self, expr: &Expr) -> bool {
        self.find(expr).1
    }

    pub fn keep(&mut self, name: &str, secrets: &[String]) {
        let kept = self.secrets.entry(name.to_owned()).or_default();
        for secret in secrets {
            if kept.len() < MAX_SECRETS && !kept.contains(secret) {
                kept.push(secret.clone());
            }
        }
    }

    /// What is handed to a function of the file, or put into a list, is there from now on.
    pub fn pass(&mut self, call: &ast::ExprCall) {
        match &*call.func {
            Expr::Name(name) => {
                let Some(parameters) = self.parameters.get(name.id.as_str()).cloned() else { return };
                let by_name = call
                    .arguments
                    .keywords
                    .iter()
                    .filter_map(|keyword| Some((keyword.arg.as_ref()?.to_string(), &keyword.value)));
                let all: Vec<(String, &Expr)> =
                    parameters.into_iter().zip(call.arguments.args.iter()).chain(by_name).collect();
                for (parameter, argument) in all {
                    let (secrets, brought) = self.find(argument);
                    if !secrets.is_empty() {
                        self.keep(&parameter, &secrets);
                    }
                    if brought {
                        self.brought.insert(parameter.clone());
                    }
                    // A list of places is opened there.
                    if let Value::List(list) = self.value(argument)
                        && list.iter().filter_map(Value::text).take(64).any(|text| !text::matches(text).is_empty())
                    {
                        self.names.insert(parameter, Value::List(list));
                    }
                }
            }
            Expr::Attribute(ast::ExprAttribute { value, attr, .. })
                if matches!(attr.as_str(), "append" | "extend" | "update" | "write" | "add") =>
            {
                if let Expr::Name(name) = &**value {
                    for argument in &call.arguments.args {
                        let (secrets, brought) = self.find(argument);
                        if !secrets.is_empty() {
                            self.keep(name.id.as_str(), &secrets);
                        }
                        if brought {
                            self.brought.insert(name.id.to_string());
                        }
                    }
                }
            }
            _ => {}
        }
    }
}
