//! What a file does as a whole, seen from what it calls: encrypts and removes, replaces what was copied, listens to what is typed.

use super::super::prose;
use super::super::report::Hit;
use super::super::rules::*;
use super::value::Value;
use super::{Reader, text};
use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::Ranged;

/// First places of what is only something together.
#[derive(Debug, Default)]
pub struct Deeds {
    /// What the source names, looked for once.
    versions: bool,
    ctypes: bool,
    pub dumps: bool,
    pub coin: Option<usize>,
    copies: Option<usize>,
    pastes: Option<usize>,
    walks: Option<usize>,
    encrypts: Option<usize>,
    removes: Option<usize>,
    /// Names of credentials in lists, which say something where files are sent.
    pub listed: Vec<Hit>,
    /// Something is sent that is more than a question.
    pub sends: bool,
}

/// What puts code of one's own making into memory.
const MACHINE: &[&str] =
    &["VirtualAlloc", "VirtualAllocEx", "RtlMoveMemory", "CreateThread", "CreateRemoteThread", "WriteProcessMemory"];

impl Deeds {
    pub fn new(source: &str) -> Deeds {
        Deeds {
            versions: source.contains("version.py"),
            ctypes: source.contains("ctypes"),
            dumps: source.contains("pickle.dumps("),
            ..Deeds::default()
        }
    }
}

impl Reader<'_> {
    /// Takes note of a call.
    pub fn done(&mut self, call: &ast::ExprCall, whole: &Expr) {
        if self.quiet {
            return;
        }
        let place = whole.start().to_usize();
        let attribute = match &*call.func {
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => "",
        };
        if let Expr::Attribute(on) = &*call.func
            && matches!(attribute, "read_text" | "read_bytes" | "open" | "upload_file")
        {
            let path = self.value(&on.value);
            self.opened(&path, whole);
        }
        for keyword in &call.arguments.keywords {
            if keyword.arg.as_ref().is_some_and(|name| name.as_str().eq_ignore_ascii_case("bcc")) {
                let value = self.value(&keyword.value);
                self.copy_to(&value, whole);
            }
        }
        if MACHINE.contains(&attribute) && self.deeds.ctypes {
            self.hit(&MACHINE_CODE, whole, Some(attribute.to_owned()));
        }
        let function = self.value(&call.func);
        let name = function.object().unwrap_or_default();
        let deeds = &mut self.deeds;
        let slot = match name {
            "pyperclip.copy" | "clipboard.copy" | "win32clipboard.SetClipboardText" => &mut deeds.copies,
            "pyperclip.paste" | "pyperclip.waitForNewPaste" | "clipboard.paste" | "win32clipboard.GetClipboardData" => {
                &mut deeds.pastes
            }
            "os.walk" | "glob.glob" | "glob.iglob" | "os.scandir" => &mut deeds.walks,
            "os.remove" | "os.unlink" | "shutil.rmtree" => &mut deeds.removes,
            "pynput.keyboard.Listener"
            | "keyboard.on_press"
            | "keyboard.hook"
            | "keyboard.record"
            | "keyboard.on_release" => {
                self.hit(&WATCHES_KEYS, whole, Some(name.to_owned()));
                return;
            }
            _ => match attribute {
                "rglob" => &mut deeds.walks,
                "unlink" => &mut deeds.removes,
                "encrypt"
                    if name.starts_with("cryptography.")
                        || name.starts_with("Crypto.")
                        || name.starts_with("nacl.")
                        || name.is_empty() =>
                {
                    &mut deeds.encrypts
                }
                _ => return,
            },
        };
        slot.get_or_insert(place);
    }

    /// `msg["Bcc"] = ".."`
    pub fn copies(&mut self, assign: &ast::StmtAssign) {
        for target in &assign.targets {
            if let Expr::Subscript(subscript) = target
                && self.value(&subscript.slice).text().is_some_and(|key| key.eq_ignore_ascii_case("bcc"))
            {
                let value = self.value(&assign.value);
                self.copy_to(&value, target);
            }
        }
    }

    fn copy_to(&mut self, value: &Value, at: &Expr) {
        let first = match value {
            Value::List(list) => list.first().and_then(Value::text),
            other => other.text(),
        };
        if let Some(address) = first.filter(|text| text::is_mail_address(text)).map(str::to_owned) {
            self.hit(&FIXED_COPY, at, Some(address));
        }
    }

    /// What is only something together.
    pub fn judge(&mut self) {
        let deeds = &self.deeds;
        let mut hits = Vec::new();
        if let (Some(_), Some(_), Some(at)) = (deeds.pastes, deeds.copies, deeds.coin) {
            hits.push((&REPLACES_COPIED, at));
        }
        if let (Some(_), Some(_), Some(at)) = (deeds.walks, deeds.removes, deeds.encrypts) {
            hits.push((&ENCRYPTS, at));
        }
        if self.deeds.sends {
            self.hits.append(&mut self.deeds.listed);
        }
        self.hits.extend(hits.into_iter().map(|(rule, at)| Hit { rule, at, means: None }));
    }

    /// The words of a tool go to the model: they are read as instructions.
    pub fn tool(&mut self, function: &ast::StmtFunctionDef) {
        let offered = function.decorator_list.iter().any(|decorator| {
            let written = self.source.get(decorator.range().to_std_range()).unwrap_or_default();
            ["tool", "prompt", "resource"].iter().any(|part| written.contains(part))
        });
        let Some(Stmt::Expr(ast::StmtExpr { value, .. })) = function.body.first() else { return };
        let Expr::StringLiteral(words) = &**value else { return };
        if !offered || self.quiet {
            return;
        }
        let mut found = Vec::new();
        prose::said(words.value.to_str(), &mut |rule, means| {
            found.push(Hit { rule, at: value.start().to_usize(), means })
        });
        self.hits.append(&mut found);
    }

    /// A program that was brought here is run: by itself or by an interpreter.
    pub fn runs(&mut self, call: &ast::ExprCall, whole: &Expr) {
        let Some(Expr::List(words)) = call.arguments.args.first() else { return };
        let interpreter = words.elts.first().is_some_and(|first| {
            let value = self.value(first);
            let written = value.text().or(value.object()).unwrap_or_default();
            ["sh", "bash", "python", "python3", "node", "sys.executable"]
                .iter()
                .any(|name| written.rsplit('/').next() == Some(name))
        });
        let run = words.elts.get(usize::from(interpreter));
        if run.is_some_and(|run| {
            matches!(run, Expr::Name(_) | Expr::Call(_) | Expr::Attribute(_)) && self.is_brought(run)
        }) {
            self.hit(&PIPE_TO_SHELL, whole, None);
        }
    }

    /// Code that is read from a Python file beside this one.
    pub fn reads_source(&self, code: &Expr) -> bool {
        let written = self.source.get(code.range().to_std_range()).unwrap_or_default();
        let reads = written.contains(".read()") || written.contains("read_text(");
        let named = |text: &str| {
            text.contains(".py\"") || text.contains(".py'") || text.contains("version") || text.contains("__about__")
        };
        reads && (named(written) || !written.contains("open(") && self.deeds.versions)
    }

    /// `[open(p) for p in PLACES]`: the name stands for each of them.
    pub fn comprehends(&mut self, expr: &Expr) {
        let generators = match expr {
            Expr::ListComp(one) => &one.generators,
            Expr::SetComp(one) => &one.generators,
            Expr::DictComp(one) => &one.generators,
            Expr::Generator(one) => &one.generators,
            _ => return,
        };
        for one in generators {
            if let (Expr::Name(name), Value::List(list)) = (&one.target, self.value(&one.iter)) {
                self.names.insert(name.id.to_string(), Value::List(list));
            }
        }
    }

    /// Texts that go to a person.
    pub fn is_shown(&mut self, expr: &Expr) -> bool {
        let Expr::Call(call) = expr else { return false };
        let written = self.source.get(call.func.range().to_std_range()).unwrap_or_default();
        let last = written.rsplit('.').next().unwrap_or(written);
        matches!(
            last,
            "print"
                | "echo"
                | "secho"
                | "error"
                | "warning"
                | "warn"
                | "info"
                | "debug"
                | "critical"
                | "exception"
                | "add_argument"
                | "ArgumentParser"
                | "exit"
        ) || last.ends_with("Error")
    }
}
