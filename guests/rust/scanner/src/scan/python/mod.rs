//! Python, by its syntax tree: names are followed to what they stand for and constant texts to what they come to before a rule looks.
//!
//! `value.rs` says what an expression comes to, `flow.rs` which names hold secrets, `modules.rs` what other files of the skill do,
//! `deeds.rs` what a file does as a whole; this file walks the tree and asks the rules.

mod deeds;
mod flow;
mod modules;
mod value;

pub use modules::{Modules, modules};

use super::decode;
use super::report::Hit;
use super::rules::*;
use super::text::{self, Made};
use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{self as ast, Expr, ExprContext, Stmt};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::Ranged;
use std::collections::{BTreeMap, BTreeSet};
use value::Value;

/// Steps of evaluation for a file. A file of a megabyte takes a tenth of it.
const BUDGET: usize = 2_000_000;
/// Brackets within brackets. The parser calls itself for each; what honest people write has ten.
const MAX_NESTING: usize = 120;
/// Encodings within encodings.
pub const MAX_LAYERS: usize = 4;

/// Walks one text.
#[derive(Debug)]
pub struct Reader<'a> {
    source: &'a str,
    /// What module-level and local names stand for; the last that was said.
    names: BTreeMap<String, Value>,
    /// Names of comprehensions that are being evaluated.
    local: Vec<(String, Value)>,
    /// Names that hold secrets, and which: an environment variable's name, `*` for all, a path.
    secrets: BTreeMap<String, Vec<String>>,
    /// Names that hold text that was decoded or came from the network.
    brought: BTreeSet<String>,
    /// Parameters of the functions of this file.
    parameters: BTreeMap<String, Vec<String>>,
    function: Vec<String>,
    /// What the skill's other files take and send.
    modules: &'a Modules,
    /// Functions of other files that send what they are given, and where to.
    senders: BTreeMap<String, Vec<String>>,
    /// Functions of this file that do.
    own_senders: BTreeMap<String, Vec<String>>,
    deeds: deeds::Deeds,
    /// In a text that is shown to a person.
    shown: bool,
    /// In a list whose name says that what it has is kept out.
    denied: bool,
    /// Places whose use of the environment has been told already.
    told: BTreeSet<(usize, usize)>,
    /// In a list of names that are kept out, which is no use of them.
    listing: bool,
    /// Inside of a text that has been looked at as a whole.
    inside: bool,
    quiet: bool,
    budget: usize,
    depth: usize,
    walk: usize,
    layer: usize,
    hits: Vec<Hit>,
}

/// Looks through a file of a skill.
pub fn scan_in(source: &str, modules: &Modules, hits: &mut Vec<Hit>) {
    read(source, 0, modules, hits);
}

/// Looks through Python source. `layer` counts the encodings that it came out of.
pub fn scan(source: &str, layer: usize, hits: &mut Vec<Hit>) {
    read(source, layer, &Modules::default(), hits);
}

fn read(source: &str, layer: usize, modules: &Modules, hits: &mut Vec<Hit>) {
    if nesting(source) > MAX_NESTING {
        hits.push(Hit { rule: &TOO_MUCH, at: 0, means: None });
        text::scan(source, 0, Made::Plain, hits);
        return;
    }
    let parsed = parse_unchecked(source, ParseOptions::from(Mode::Module));
    if let (Some(error), 0) = (parsed.errors().first(), layer) {
        hits.push(Hit { rule: &NOT_READ, at: error.location.start().to_usize(), means: Some(error.error.to_string()) });
    }
    let mut reader = Reader::new(source, layer, modules);
    let Some(module) = parsed.into_syntax().module() else { return };
    // Twice without a word, so that what is said below is known above and secrets have found their way.
    for quiet in [true, true, false] {
        reader.quiet = quiet;
        reader.budget = BUDGET;
        reader.told.clear();
        reader.visit_body(&module.body);
    }
    if reader.budget == 0 {
        reader.hits.push(Hit { rule: &TOO_MUCH, at: 0, means: None });
    }
    reader.judge();
    hits.append(&mut reader.hits);
    // A tree that is deep takes as deep a stack to drop; the whole instance is dropped soon.
    std::mem::forget(module);
}

fn nesting(source: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        most = most.max(depth);
    }
    most
}

impl<'a> Reader<'a> {
    fn new(source: &'a str, layer: usize, modules: &'a Modules) -> Reader<'a> {
        Reader {
            source,
            names: BTreeMap::new(),
            local: Vec::new(),
            secrets: BTreeMap::new(),
            brought: BTreeSet::new(),
            parameters: BTreeMap::new(),
            function: Vec::new(),
            modules,
            senders: BTreeMap::new(),
            own_senders: BTreeMap::new(),
            deeds: deeds::Deeds::new(source),
            shown: false,
            denied: false,
            told: BTreeSet::new(),
            listing: false,
            inside: false,
            quiet: true,
            budget: BUDGET,
            depth: 0,
            walk: 0,
            layer,
            hits: Vec::new(),
        }
    }
}

impl Reader<'_> {
    fn hit(&mut self, rule: &'static Rule, at: &impl Ranged, means: Option<String>) {
        if !self.quiet && self.hits.len() < 10_000 {
            self.hits.push(Hit { rule, at: at.start().to_usize(), means });
        }
    }

    fn text(&mut self, value: &str, at: &Expr, pieced: bool) {
        if self.quiet {
            return;
        }
        if self.listing && !pieced {
            let mut listed = Vec::new();
            text::scan(value, at.start().to_usize(), Made::Plain, &mut listed);
            listed.retain(|hit| hit.rule.category == Category::CredentialAccess && hit.rule.severity <= Severity::High);
            if !self.denied && self.deeds.listed.len() < 100 {
                self.deeds.listed.append(&mut listed);
            }
            return;
        }
        let place = at.start().to_usize();
        let mut found = Vec::new();
        // What stands in the source as it is was not put together.
        let written = self.source.get(at.range().to_std_range()).unwrap_or_default().to_ascii_lowercase();
        let made = if pieced { Made::Pieced } else { Made::Plain };
        text::scan(value, place, made, &mut found);
        found.retain(|hit| {
            hit.rule.id != PIECES.id || hit.means.as_ref().is_some_and(|part| !written.contains(part.as_str()))
        });
        self.hits.append(&mut found);
        if text::is_coin_address(value) {
            self.deeds.coin.get_or_insert(place);
        }
        if !self.shown {
            let mut found = Vec::new();
            super::shell::in_text(value, &mut found);
            if value.len() > 60 && value.matches(' ').count() > 8 {
                super::prose::said(value, &mut |rule, means| found.push(Hit { rule, at: 0, means }));
                found.retain(|hit| {
                    hit.rule.category != Category::Instructions || matches!(hit.rule.id, "SKT02" | "SKT03" | "SKT06")
                });
            }
            self.hits.extend(found.into_iter().map(|hit| Hit { at: place, ..hit }));
        }
        let hidden = if pieced { Some(value.to_owned()) } else { decode::guess(value) };
        if let (Some(hidden), true) = (hidden, self.layer < MAX_LAYERS) {
            self.nested(&hidden, at);
        }
    }

    /// Text that came out of an encoding, as code and as a command.
    fn nested(&mut self, hidden: &str, at: &impl Ranged) {
        // One word is a name or a path, which has been looked at as such.
        if self.quiet || self.layer >= MAX_LAYERS || !hidden.contains([' ', '(', '\n']) {
            return;
        }
        let mut found = Vec::new();
        scan(hidden, self.layer + 1, &mut found);
        super::shell::scan(hidden, self.layer + 1, &mut found);
        if let Some(worst) =
            found.iter().filter(|hit| hit.rule.severity <= Severity::High).min_by_key(|hit| hit.rule.severity)
        {
            let means = format!("{} ({})", worst.rule.description, hidden.trim());
            self.hit(&RUNS_HIDDEN, at, Some(means));
        }
    }

    fn object(&mut self, expr: &Expr, name: &str) {
        let place = (expr.start().to_usize(), expr.end().to_usize());
        if self.told.contains(&place) {
            return;
        }
        if matches!(name, "os.environ" | "os.environb") {
            self.hit(&WHOLE_ENVIRONMENT, expr, None);
        }
        let detour = matches!(expr, Expr::Subscript(_) | Expr::Attribute(_) | Expr::Call(_));
        let reached = matches!(
            name,
            "builtins"
                | "builtins.eval"
                | "builtins.exec"
                | "builtins.open"
                | "builtins.compile"
                | "builtins.__import__"
        );
        if detour && reached {
            self.hit(&BUILTINS, expr, Some(name.to_owned()));
        }
    }

    fn module(&mut self, name: &str, at: &impl Ranged) {
        let first = name.split('.').next().unwrap_or(name);
        let rule = match first {
            "subprocess" | "pty" | "pexpect" => &SUBPROCESS,
            "socket" => &SOCKET,
            "ctypes" | "cffi" => &NATIVE,
            "pickle" | "marshal" | "shelve" | "dill" | "cPickle" | "cloudpickle" => &PICKLE,
            "keyring" => &CREDENTIALS_USED,
            "secretstorage" | "browser_cookie3" => &KEY_STORE,
            "dotenv" => &DOTENV,
            _ => return,
        };
        self.hit(rule, at, Some(name.to_owned()));
    }

    fn call(&mut self, call: &ast::ExprCall, whole: &Expr) {
        let function = self.value(&call.func);
        self.done(call, whole);
        let Some(name) = function.object().map(str::to_owned) else { return };
        let arguments = self.arguments(call);
        let first = arguments.first().and_then(Value::text).map(str::to_owned);
        let pieced = matches!(arguments.first(), Some(Value::Text(_, true)));
        match name.as_str() {
            "os.getenv"
            | "os.environ.get"
            | "os.environ.pop"
            | "os.environ.setdefault"
            | "os.getenvb"
            | "os.environ.__getitem__" => {
                if let Expr::Attribute(attribute) = &*call.func {
                    self.tell(&attribute.value);
                }
                match first {
                    Some(variable) => self.variable(&variable, whole),
                    None => self.hit(&VARIABLE, whole, None),
                }
            }
            "builtins.eval" | "builtins.exec" | "builtins.compile" => {
                let rule = match name.as_str() {
                    "builtins.eval" => &EVAL,
                    "builtins.exec" => &EXEC,
                    _ => &COMPILE,
                };
                let brought = call.arguments.args.first().is_some_and(|code| self.is_brought(code));
                // The version of a package is read so everywhere; the other file is looked through as well.
                let of_file =
                    !brought && !pieced && call.arguments.args.first().is_some_and(|code| self.reads_source(code));
                self.hit(if of_file { &RUNS_FILE } else { rule }, whole, None);
                if pieced || brought {
                    self.hit(&RUNS_DECODED, whole, None);
                }
                if let Some(code) = first {
                    self.nested(&code, whole);
                }
            }
            "builtins.__import__" | "importlib.import_module" | "importlib.__import__" => {
                if first.is_none() || pieced || name == "builtins.__import__" {
                    self.hit(&DYNAMIC_IMPORT, whole, first.clone());
                }
                if let Some(module) = first {
                    if pieced {
                        self.hit(&PIECES, whole, Some(module.clone()));
                    }
                    self.module(&module, whole);
                }
            }
            "builtins.getattr" => {
                if let Some(Value::Text(attribute, pieced)) = arguments.get(1) {
                    self.hit(&GETATTR, whole, Some(attribute.clone()));
                    if *pieced && arguments.first().and_then(Value::object).is_some() {
                        self.hit(&PIECES, whole, Some(attribute.clone()));
                    }
                }
            }
            "pickle.load" | "pickle.Unpickler" | "dill.load" | "cloudpickle.load" | "shelve.open" | "joblib.load" => {
                let brought = call.arguments.args.first().is_some_and(|from| self.is_brought(from));
                self.hit(if brought { &UNPICKLE } else { &LOADS_OBJECTS }, whole, None);
            }
            "pickle.loads" | "marshal.loads" | "marshal.load" | "dill.loads" | "cloudpickle.loads" => {
                let brought = call.arguments.args.first().is_some_and(|from| self.is_brought(from));
                // What the file itself makes it may take apart again.
                let own = !brought && self.deeds.dumps;
                self.hit(if own { &LOADS_OBJECTS } else { &UNPICKLE }, whole, None);
            }
            "runpy.run_path" | "runpy.run_module" | "os.startfile" | "importlib.util.spec_from_file_location" => {
                if call.arguments.args.iter().any(|from| self.is_brought(from)) {
                    self.hit(&PIPE_TO_SHELL, whole, None);
                }
            }
            "urllib.request.urlretrieve" | "wget.download" => {
                if let Some(Expr::Name(name)) = call.arguments.args.get(1) {
                    self.brought.insert(name.id.to_string());
                }
            }
            "os.system" | "os.popen" | "os.execvp" | "os.execv" | "os.spawnvp" | "pty.spawn" => {
                self.hit(&SUBPROCESS, whole, None);
                self.command(&arguments, whole);
            }
            "os.dup2" => {
                let socket =
                    self.names.values().any(|value| value.object().is_some_and(|name| name.starts_with("socket")));
                if socket {
                    self.hit(&REVERSE_SHELL, whole, None);
                }
            }
            "dotenv.load_dotenv" | "dotenv.dotenv_values" | "dotenv.main.load_dotenv" => self.hit(&DOTENV, whole, None),
            _ if name.starts_with("subprocess.") && !name.contains('(') => {
                self.runs(call, whole);
                self.command(&arguments, whole);
            }
            _ => {}
        }
        if matches!(
            name.as_str(),
            "builtins.open"
                | "io.open"
                | "os.open"
                | "pathlib.Path"
                | "shutil.copy"
                | "shutil.copyfile"
                | "shutil.make_archive"
                | "shutil.copytree"
                | "shutil.copy2"
        ) || matches!(name.rsplit('.').next(), Some("add" | "write" | "upload_file" | "upload"))
            && name.contains('(')
        {
            for argument in &arguments {
                self.opened(argument, whole);
            }
        }
        if matches!(
            name.as_str(),
            "json.dumps" | "builtins.str" | "pprint.pformat" | "base64.b64encode" | "builtins.print"
        ) && self.secrets_of(whole).iter().any(|secret| secret == "*")
        {
            self.hit(&WHOLE_ENVIRONMENT, whole, None);
        }
        if flow::is_sending(&name) {
            self.sending(call, &arguments, whole);
        } else {
            self.hands_on(call, &name, whole);
        }
    }

    /// A file's name, wherever it came from.
    fn opened(&mut self, value: &Value, at: &Expr) {
        match value {
            Value::Text(path, _) => {
                let was = std::mem::replace(&mut self.listing, false);
                if !self.quiet {
                    text::scan(path, at.start().to_usize(), Made::Plain, &mut self.hits);
                }
                self.listing = was;
            }
            Value::List(list) => {
                list.iter().filter(|item| item.text().is_some()).for_each(|item| self.opened(item, at))
            }
            _ => {}
        }
    }

    fn command(&mut self, arguments: &[Value], at: &Expr) {
        let line = match arguments.first() {
            Some(Value::Text(line, _)) => line.clone(),
            Some(Value::List(words)) => {
                let words: Vec<&str> = words.iter().map(|word| word.text().unwrap_or("\u{fffd}")).collect();
                // `["sh", "-c", "..."]`: what is between the quotes is a command too.
                match words.as_slice() {
                    [shell, flag, line] if shell.ends_with("sh") && flag.starts_with("-") && flag.ends_with('c') => {
                        (*line).to_owned()
                    }
                    words => words.join(" "),
                }
            }
            _ => return,
        };
        if !self.quiet && self.layer < MAX_LAYERS {
            let mut found = Vec::new();
            super::shell::scan(&line, self.layer + 1, &mut found);
            for hit in found {
                self.hit(hit.rule, at, Some(hit.means.unwrap_or_else(|| line.clone())));
            }
        }
    }

    fn variable(&mut self, name: &str, at: &Expr) {
        let rule = if text::is_secret_name(name) { &SECRET_VARIABLE } else { &VARIABLE };
        self.hit(rule, at, Some(name.to_owned()));
    }

    fn tell(&mut self, expr: &Expr) {
        self.told.insert((expr.start().to_usize(), expr.end().to_usize()));
    }

    fn sending(&mut self, call: &ast::ExprCall, arguments: &[Value], whole: &Expr) {
        let carries = |name: &str| matches!(name, "data" | "json" | "files" | "body" | "content" | "params");
        let body = call
            .arguments
            .keywords
            .iter()
            .any(|keyword| keyword.arg.as_ref().is_some_and(|name| carries(name.as_str())));
        self.deeds.sends |= body || arguments.len() > 1;
        let (markers, mut secrets): (Vec<String>, Vec<String>) =
            self.secrets_of(whole).into_iter().partition(|one| flow::is_marker(one));
        // A key out of one's own settings goes into headers; the settings themselves do not go into a body.
        if secrets.iter().any(|secret| secret.starts_with("/.env")) {
            let mut elsewhere = Vec::new();
            let headers = |name: &str| matches!(name, "headers" | "auth" | "cookies" | "cert" | "api_key");
            let rest = call
                .arguments
                .keywords
                .iter()
                .filter(|one| one.arg.as_ref().is_none_or(|name| !headers(name.as_str())));
            for one in call.arguments.args.iter().chain(rest.map(|one| &one.value)) {
                elsewhere.extend(self.secrets_of(one));
            }
            secrets.retain(|secret| !secret.starts_with("/.env") || elsewhere.contains(secret));
        }
        if secrets.is_empty() && markers.is_empty() {
            return;
        }
        let named: Vec<Value> = call.arguments.keywords.iter().map(|keyword| self.value(&keyword.value)).collect();
        let texts: Vec<&str> = arguments.iter().chain(&named).filter_map(Value::text).collect();
        let hosts: Vec<&str> = texts.iter().flat_map(|text| text::urls(text)).collect();
        for marker in markers {
            let kept = self.own_senders.entry(marker.trim_start_matches('\u{1}').to_owned()).or_default();
            kept.extend(hosts.iter().take(8).map(|host| (*host).to_owned()));
            kept.truncate(8);
        }
        for secret in secrets {
            let belongs = secret != "*"
                && !secret.contains(['/', '.'])
                && (hosts.is_empty() || hosts.iter().any(|host| text::belongs(&secret, host)));
            if !belongs {
                let what = if secret == "*" { "the environment" } else { &secret };
                let to = hosts.first().map_or_else(String::new, |host| format!(" to {host}"));
                self.hit(&SECRET_SENT, whole, Some(format!("{what}{to}")));
            }
        }
    }

    fn bind(&mut self, target: &Expr, value: Value, secrets: &[String], brought: bool) {
        match target {
            Expr::Name(name) => {
                let name = name.id.to_string();
                if !secrets.is_empty() {
                    self.keep(&name, secrets);
                }
                if brought {
                    self.brought.insert(name.clone());
                }
                self.names.insert(name, value);
            }
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let mut each = match value {
                    Value::List(list) => list.into_iter(),
                    _ => Vec::new().into_iter(),
                };
                for target in elts {
                    self.bind(target, each.next().unwrap_or(Value::Unknown), secrets, brought);
                }
            }
            Expr::Subscript(ast::ExprSubscript { value: inner, .. })
            | Expr::Attribute(ast::ExprAttribute { value: inner, .. }) => {
                if let (Expr::Name(name), false) = (&**inner, secrets.is_empty()) {
                    self.keep(name.id.as_str(), secrets);
                }
            }
            _ => {}
        }
    }

    fn assign(&mut self, target: &Expr, from: &Expr) {
        let secrets = self.secrets_of(from);
        let brought = self.is_brought(from);
        let value = self.value(from);
        self.bind(target, value, &secrets, brought);
    }
}

/// A name for what is kept out rather than taken.
fn is_listing(target: &Expr) -> bool {
    let Expr::Name(name) = target else { return false };
    let upper = name.id.as_str().to_ascii_uppercase();
    [
        "BLOCK",
        "DENY",
        "DENIED",
        "FORBID",
        "SENSITIVE",
        "PROTECT",
        "EXCLUDE",
        "IGNORE",
        "SKIP",
        "REDACT",
        "UNSAFE",
        "NEVER",
    ]
    .iter()
    .any(|word| upper.contains(word))
}

/// Texts that stand side by side to be compared with: what is done with one of them is told of where it is done.
fn is_collection(expr: &Expr) -> bool {
    let elements = match expr {
        Expr::List(list) => &list.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        Expr::Set(set) => &set.elts,
        _ => return false,
    };
    elements.len() >= 3 && elements.iter().all(|element| matches!(element, Expr::StringLiteral(_)))
}

impl<'a> Visitor<'a> for Reader<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            // A docstring, or a text that nobody uses.
            Stmt::Expr(ast::StmtExpr { value, .. }) if matches!(**value, Expr::StringLiteral(_)) => return,
            Stmt::Import(import) => {
                for alias in &import.names {
                    let name = alias.name.as_str();
                    let (bound, object) = match &alias.asname {
                        Some(other) => (other.as_str(), name),
                        None => (name.split('.').next().unwrap_or(name), name.split('.').next().unwrap_or(name)),
                    };
                    let object = if matches!(object, "posix" | "nt") { "os" } else { object };
                    self.names.insert(bound.to_owned(), Value::Object(object.to_owned()));
                    self.module(name, alias);
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                let module = if matches!(module, "posix" | "nt") { "os" } else { module };
                for alias in &import.names {
                    let bound = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    self.names.insert(bound.to_owned(), Value::Object(format!("{module}.{}", alias.name.as_str())));
                }
                if import.level == 0 {
                    self.module(module, import);
                }
                self.bring(module, import);
            }
            Stmt::Assign(assign) => {
                self.copies(assign);
                let listing = assign.targets.iter().any(is_listing);
                for target in &assign.targets {
                    self.assign(target, &assign.value);
                    // A copy for a child process; what becomes of it is followed.
                    if let Expr::Name(name) = target
                        && name.id.to_ascii_lowercase().contains("env")
                    {
                        self.tell_environment(&assign.value);
                    }
                }
                let was = (self.listing, self.denied);
                self.listing |= listing;
                self.denied |= listing;
                walk_stmt(self, stmt);
                (self.listing, self.denied) = was;
                return;
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.assign(&assign.target, value);
                }
            }
            Stmt::AugAssign(assign) => {
                let secrets = self.secrets_of(&assign.value);
                let value = match (&*assign.target, assign.op, self.value(&assign.target), self.value(&assign.value)) {
                    (Expr::Name(_), ast::Operator::Add, Value::Text(left, _), Value::Text(right, _))
                        if left.len() + right.len() < decode::MAX_TEXT =>
                    {
                        Value::Text(left + &right, true)
                    }
                    _ => Value::Unknown,
                };
                if let Value::Text(text, _) = &value {
                    self.text(text, &assign.value, true);
                }
                self.bind(&assign.target, value, &secrets, false);
            }
            Stmt::For(each) => {
                let secrets = self.secrets_of(&each.iter);
                // One of these: the list stands for its element.
                let value = match self.value(&each.iter) {
                    Value::List(list) if matches!(*each.target, Expr::Name(_)) => Value::List(list),
                    _ => Value::Unknown,
                };
                self.bind(&each.target, value, &secrets, false);
            }
            Stmt::With(with) => {
                for item in &with.items {
                    if let Some(target) = &item.optional_vars {
                        self.assign(target, &item.context_expr);
                    }
                }
            }
            Stmt::Raise(_) => {
                let was = std::mem::replace(&mut self.shown, true);
                walk_stmt(self, stmt);
                self.shown = was;
                return;
            }
            Stmt::Return(ast::StmtReturn { value: Some(value), .. }) => {
                let mut secrets = self.secrets_of(value);
                secrets.retain(|one| !flow::is_marker(one));
                if let (Some(function), false) = (self.function.last().cloned(), secrets.is_empty()) {
                    self.keep(&function, &secrets);
                }
                if let (Some(function), true) = (self.function.last().cloned(), self.is_brought(value)) {
                    self.brought.insert(function);
                }
            }
            Stmt::FunctionDef(function) => {
                let name = function.name.to_string();
                let parameters = function.parameters.iter().map(|one| one.name().to_string()).collect();
                self.parameters.insert(name.clone(), parameters);
                for one in function.parameters.iter().filter(|one| one.name().as_str() != "self") {
                    let parameter = one.name().to_string();
                    self.keep(&parameter, &[flow::marker(&name)]);
                }
                self.tool(function);
                // A docstring is the first statement, which the arm above leaves out.
                self.function.push(name);
                walk_stmt(self, stmt);
                self.function.pop();
                return;
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_expr(&mut self, expr: &'a Expr) {
        // The tree of `a + a + ..` is as deep as it is long; its value is known without going down.
        if self.walk > 400 {
            self.hit(&TOO_MUCH, expr, None);
            return;
        }
        self.walk += 1;
        self.look(expr);
        self.walk -= 1;
    }
}

impl Reader<'_> {
    fn look(&mut self, expr: &Expr) {
        match expr {
            Expr::Call(call) => {
                for keyword in &call.arguments.keywords {
                    if keyword.arg.as_ref().is_some_and(|name| name.as_str() == "env") {
                        self.tell_environment(&keyword.value);
                    }
                }
                self.pass(call);
                self.call(call, expr);
            }
            Expr::Subscript(subscript) => {
                let environment = self
                    .value(&subscript.value)
                    .object()
                    .is_some_and(|name| matches!(name, "os.environ" | "os.environb"));
                if environment {
                    self.tell(&subscript.value);
                    if let (Value::Text(name, _), ExprContext::Load) = (self.value(&subscript.slice), subscript.ctx) {
                        self.variable(&name, expr);
                    }
                }
            }
            Expr::Compare(compare) => compare.comparators.iter().for_each(|with| self.tell(with)),
            Expr::Attribute(attribute) if matches!(attribute.attr.as_str(), "__subclasses__" | "__globals__") => {
                self.hit(&BUILTINS, expr, Some(attribute.attr.to_string()));
            }
            Expr::Attribute(attribute) if self.value(expr).object() == Some("os.environ.get") => {
                self.tell(&attribute.value)
            }
            _ => {}
        }
        self.comprehends(expr);
        let (was_listing, was_shown) = (self.listing, self.shown);
        self.listing |= is_collection(expr);
        self.shown |= self.is_shown(expr);
        let was = self.inside;
        if !self.quiet {
            match self.value(expr) {
                Value::Text(value, pieced) if !matches!(expr, Expr::Name(_)) => {
                    if !self.inside {
                        let literal = matches!(expr, Expr::StringLiteral(_) | Expr::BytesLiteral(_));
                        self.text(&value, expr, pieced && (!literal || value.len() < 40));
                        self.inside = true;
                    }
                }
                Value::Object(name) => self.object(expr, &name),
                _ => self.inside = false,
            }
        }
        walk_expr(self, expr);
        self.inside = was;
        (self.listing, self.shown) = (was_listing, was_shown);
    }

    /// A copy of the environment that stays with a child process.
    fn tell_environment(&mut self, expr: &Expr) {
        match expr {
            Expr::Call(call) => {
                if let Expr::Attribute(attribute) = &*call.func {
                    self.tell_environment(&attribute.value);
                }
                call.arguments.args.iter().for_each(|argument| self.tell_environment(argument));
            }
            Expr::Dict(dict) => {
                dict.items.iter().filter(|item| item.key.is_none()).for_each(|item| self.tell_environment(&item.value))
            }
            Expr::DictComp(each) => each.generators.iter().for_each(|one| self.tell_environment(&one.iter)),
            Expr::BinOp(both) => {
                self.tell_environment(&both.left);
                self.tell_environment(&both.right);
            }
            other => self.tell(other),
        }
    }
}
