//! What the Python files of one skill do for each other: which functions give back secrets, which send what they are given.

use super::super::text;
use super::{BUDGET, Expr, MAX_NESTING, Reader, SECRET_SENT, flow, nesting};
use ruff_python_ast as ast;
use ruff_python_ast::visitor::Visitor;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use std::collections::BTreeMap;

/// Files whose functions are known to others, and their bytes.
const MAX_FILES: usize = 100;
const MAX_BYTES: usize = 1 << 20;

#[derive(Debug, Default)]
struct Module {
    takes: BTreeMap<String, Vec<String>>,
    sends: BTreeMap<String, Vec<String>>,
}

/// The modules by their dotted names.
#[derive(Debug, Default)]
pub struct Modules(BTreeMap<String, Module>);

/// Reads each file once more, for what others need to know of it. A single one has no others.
pub fn modules<'a>(files: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Modules {
    let mut all = Modules::default();
    if files.clone().take(2).count() < 2 {
        return all;
    }
    let mut bytes = 0;
    for (path, source) in files.take(MAX_FILES) {
        bytes += source.len();
        if bytes > MAX_BYTES || nesting(source) > MAX_NESTING {
            continue;
        }
        let parsed = parse_unchecked(source, ParseOptions::from(Mode::Module));
        let Some(tree) = parsed.into_syntax().module() else { continue };
        let none = Modules::default();
        let mut reader = Reader::new(source, 0, &none);
        for _ in 0..2 {
            reader.budget = BUDGET;
            reader.visit_body(&tree.body);
        }
        std::mem::forget(tree);
        let mut takes = std::mem::take(&mut reader.secrets);
        for secrets in takes.values_mut() {
            secrets.retain(|one| !flow::is_marker(one));
        }
        takes.retain(|_, secrets| !secrets.is_empty());
        let name = path.trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".");
        all.0.insert(name, Module { takes, sends: reader.own_senders });
    }
    all
}

impl Modules {
    /// By its name as it is imported: `lib.context` for `skill/lib/context.py`.
    fn find(&self, name: &str) -> Option<&Module> {
        let name = name.trim_start_matches('.');
        let ends = |whole: &str| whole.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        self.0.iter().find(|(whole, _)| !name.is_empty() && ends(whole)).map(|(_, module)| module)
    }

    fn split<'n>(&self, function: &'n str) -> Option<(&Module, &'n str)> {
        if self.0.is_empty() {
            return None;
        }
        let (module, name) = function.rsplit_once('.')?;
        Some((self.find(module)?, name))
    }

    /// The secrets that `module.function` gives back.
    pub fn taken(&self, function: &str) -> Option<&Vec<String>> {
        let (module, name) = self.split(function)?;
        module.takes.get(name)
    }

    fn sent(&self, function: &str) -> Option<&Vec<String>> {
        let (module, name) = self.split(function)?;
        module.sends.get(name)
    }
}

impl Reader<'_> {
    /// `from lib.context import gather`: what is known of it there.
    pub fn bring(&mut self, module: &str, import: &ast::StmtImportFrom) {
        for alias in &import.names {
            let bound = alias.asname.as_ref().unwrap_or(&alias.name).to_string();
            let full =
                if module.is_empty() { alias.name.to_string() } else { format!("{module}.{}", alias.name.as_str()) };
            let taken = self.modules.taken(&full).cloned().unwrap_or_default();
            if !taken.is_empty() {
                self.keep(&bound, &taken);
            }
            if let Some(hosts) = self.modules.sent(&full).cloned() {
                self.senders.insert(bound, hosts);
            }
        }
    }

    /// A secret that is handed to a function of another file, which sends it.
    pub fn hands_on(&mut self, call: &ast::ExprCall, function: &str, whole: &Expr) {
        let by_name = match &*call.func {
            Expr::Name(name) => self.senders.get(name.id.as_str()).cloned(),
            _ => None,
        };
        let Some(hosts) = by_name.or_else(|| self.modules.sent(function).cloned()) else { return };
        let mut secrets = Vec::new();
        for argument in call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|keyword| &keyword.value)) {
            secrets.extend(self.secrets_of(argument).into_iter().filter(|one| !flow::is_marker(one)));
        }
        for secret in secrets {
            let belongs = secret != "*"
                && !secret.contains(['/', '.'])
                && (hosts.is_empty() || hosts.iter().any(|host| text::belongs(&secret, host)));
            if !belongs {
                let what = if secret == "*" { "the environment" } else { secret.as_str() };
                let to = hosts.first().map_or_else(String::new, |host| format!(" to {host}"));
                self.hit(&SECRET_SENT, whole, Some(format!("{what}{to}")));
            }
        }
    }
}
