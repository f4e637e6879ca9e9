//! What is known of a Python expression without running it.

use super::super::decode::{self, MAX_TEXT};
use super::Reader;
use ruff_python_ast::{self as ast, Expr, Number, Operator};

/// A value, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text or bytes; the second is true where it was put together or decoded.
    Text(String, bool),
    Int(i64),
    List(Vec<Value>),
    /// An object by its full name: `os.environ`, `builtins.eval`.
    Object(String),
    Unknown,
}

impl Value {
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text, _) => Some(text),
            _ => None,
        }
    }

    pub fn object(&self) -> Option<&str> {
        match self {
            Value::Object(name) => Some(name),
            _ => None,
        }
    }
}

/// Depth of expressions that is followed. Deeper ones are unknown.
const MAX_DEPTH: usize = 60;
const MAX_LIST: usize = 4096;

fn made(text: String) -> Value {
    if text.len() <= MAX_TEXT { Value::Text(text, true) } else { Value::Unknown }
}

const BUILTINS: &[&str] = &[
    "eval",
    "exec",
    "compile",
    "open",
    "getattr",
    "setattr",
    "__import__",
    "globals",
    "locals",
    "vars",
    "chr",
    "ord",
    "bytes",
    "bytearray",
    "str",
    "reversed",
    "map",
    "list",
    "tuple",
    "dict",
    "input",
    "iter",
    "print",
    "__builtins__",
    "breakpoint",
];

impl Reader<'_> {
    /// The value of an expression. Bounded by the reader's budget: what costs more is unknown.
    pub fn value(&mut self, expr: &Expr) -> Value {
        if self.depth >= MAX_DEPTH || self.budget == 0 {
            return Value::Unknown;
        }
        self.budget -= 1;
        self.depth += 1;
        let value = self.known(expr);
        self.depth -= 1;
        let cost = match &value {
            Value::Text(text, _) => text.len() / 16,
            Value::List(list) => list.len(),
            _ => 0,
        };
        self.budget = self.budget.saturating_sub(cost);
        value
    }

    fn known(&mut self, expr: &Expr) -> Value {
        match expr {
            Expr::StringLiteral(literal) => {
                let text = literal.value.to_str().to_owned();
                // Python joins literals that stand side by side. Long texts are written so; short ones are pieces.
                let pieced = literal.value.as_slice().len() > 1 && text.len() < 40;
                Value::Text(text, pieced)
            }
            Expr::BytesLiteral(literal) => {
                Value::Text(decode::text(literal.value.bytes().take(MAX_TEXT).collect()), false)
            }
            Expr::NumberLiteral(number) => match &number.value {
                Number::Int(int) => int.as_i64().map_or(Value::Unknown, Value::Int),
                _ => Value::Unknown,
            },
            Expr::FString(format) => self.format_string(format),
            Expr::Name(name) => self.name(name.id.as_str()),
            Expr::Attribute(attribute) => match self.value(&attribute.value) {
                Value::Object(object) => join(&object, attribute.attr.as_str()),
                _ => Value::Unknown,
            },
            Expr::Subscript(subscript) => self.subscript(subscript),
            // A sum is as deep as it is long: its left side is walked, not followed.
            Expr::BinOp(sum) if sum.op == Operator::Add => {
                let mut right = Vec::new();
                let mut first = expr;
                while let Expr::BinOp(ast::ExprBinOp { left, op: Operator::Add, right: one, .. }) = first {
                    right.push(&**one);
                    first = left;
                }
                let mut value = self.value(first);
                for one in right.into_iter().rev() {
                    let next = self.value(one);
                    value = operate(&value, Operator::Add, &next);
                }
                value
            }
            Expr::BinOp(operation) => {
                let (left, right) = (self.value(&operation.left), self.value(&operation.right));
                operate(&left, operation.op, &right)
            }
            Expr::UnaryOp(operation) => match (operation.op, self.value(&operation.operand)) {
                (ast::UnaryOp::USub, Value::Int(int)) => Value::Int(int.saturating_neg()),
                (ast::UnaryOp::UAdd, value) => value,
                _ => Value::Unknown,
            },
            Expr::List(list) => self.list(&list.elts),
            Expr::Tuple(tuple) => self.list(&tuple.elts),
            Expr::Set(set) => self.list(&set.elts),
            Expr::ListComp(comp) => self.comprehension(&comp.elt, &comp.generators),
            Expr::Generator(comp) => self.comprehension(&comp.elt, &comp.generators),
            Expr::Named(named) => self.value(&named.value),
            Expr::Call(call) => self.call_value(call),
            Expr::Await(awaited) => self.value(&awaited.value),
            _ => Value::Unknown,
        }
    }

    fn name(&self, name: &str) -> Value {
        if let Some(value) = self.local.iter().rev().find(|(local, _)| local == name).map(|(_, value)| value) {
            return value.clone();
        }
        match self.names.get(name) {
            Some(value) => value.clone(),
            None if name == "__builtins__" => Value::Object("builtins".to_owned()),
            None if BUILTINS.contains(&name) => Value::Object(format!("builtins.{name}")),
            None => Value::Unknown,
        }
    }

    fn list(&mut self, elements: &[Expr]) -> Value {
        if elements.len() > MAX_LIST {
            return Value::Unknown;
        }
        Value::List(elements.iter().map(|element| self.value(element)).collect())
    }

    fn format_string(&mut self, format: &ast::ExprFString) -> Value {
        let mut text = String::new();
        let mut filled = false;
        for part in format.value.iter() {
            match part {
                ast::FStringPart::Literal(literal) => text.push_str(literal.as_str()),
                ast::FStringPart::FString(string) => {
                    for element in string.elements.iter() {
                        match element {
                            ast::InterpolatedStringElement::Literal(literal) => text.push_str(&literal.value),
                            ast::InterpolatedStringElement::Interpolation(hole) => match self.value(&hole.expression) {
                                Value::Text(part, _) => {
                                    text.push_str(&part);
                                    filled = true;
                                }
                                Value::Int(int) => text.push_str(&int.to_string()),
                                // What is around it can still be looked at.
                                _ => text.push('\u{fffd}'),
                            },
                        }
                    }
                }
            }
        }
        if text.len() > MAX_TEXT { Value::Unknown } else { Value::Text(text, filled) }
    }

    fn subscript(&mut self, subscript: &ast::ExprSubscript) -> Value {
        let object = self.value(&subscript.value);
        if let (Expr::Slice(slice), Some(text)) = (&*subscript.slice, object.text()) {
            let mut bound = |expr: &Option<Box<Expr>>| expr.as_ref().map(|expr| self.value(expr));
            return self::slice(text, bound(&slice.lower), bound(&slice.upper), bound(&slice.step));
        }
        match (object, self.value(&subscript.slice)) {
            (Value::Object(object), Value::Text(key, _)) => match object.as_str() {
                "sys.modules" => Value::Object(key),
                "builtins.globals()" if key == "__builtins__" => Value::Object("builtins".to_owned()),
                "builtins.globals()" | "builtins.locals()" => self.name(&key),
                other => match other.strip_suffix(".__dict__") {
                    Some(of) => join(of, &key),
                    None => Value::Object(format!("{other}[]")),
                },
            },
            (Value::Object(object), _) => Value::Object(format!("{object}[]")),
            (Value::List(list), Value::Int(at)) => {
                place(list.len(), at).and_then(|at| list.get(at).cloned()).unwrap_or(Value::Unknown)
            }
            (Value::Text(text, _), Value::Int(at)) => {
                let chars: Vec<char> = text.chars().collect();
                place(chars.len(), at).and_then(|at| chars.get(at)).map_or(Value::Unknown, |c| made(c.to_string()))
            }
            _ => Value::Unknown,
        }
    }

    /// `[f(c) for c in ".."]`: one name, no condition.
    fn comprehension(&mut self, element: &Expr, generators: &[ast::Comprehension]) -> Value {
        let [one] = generators else { return Value::Unknown };
        let (Expr::Name(name), true) = (&one.target, one.ifs.is_empty()) else { return Value::Unknown };
        let Some(items) = items(self.value(&one.iter)) else { return Value::Unknown };
        let mut list = Vec::new();
        for item in items {
            self.local.push((name.id.to_string(), item));
            list.push(self.value(element));
            self.local.pop();
        }
        Value::List(list)
    }

    pub fn arguments(&mut self, call: &ast::ExprCall) -> Vec<Value> {
        call.arguments.args.iter().take(32).map(|argument| self.value(argument)).collect()
    }

    fn call_value(&mut self, call: &ast::ExprCall) -> Value {
        if let Expr::Attribute(attribute) = &*call.func {
            let on = self.value(&attribute.value);
            if !matches!(on, Value::Object(_) | Value::Unknown) {
                let arguments = self.arguments(call);
                return method(&on, attribute.attr.as_str(), &arguments);
            }
        }
        let Value::Object(function) = self.value(&call.func) else { return Value::Unknown };
        let arguments = self.arguments(call);
        function_value(&function, &arguments)
    }
}

/// `os` and `environ` as `os.environ`. Detours are straightened: what comes of them has the name that it has everywhere.
fn join(object: &str, name: &str) -> Value {
    let object = object.strip_suffix(".__class__").unwrap_or(object);
    let joined = match (object, name) {
        ("builtins", "__builtins__") => "builtins".to_owned(),
        ("builtins", "__dict__") => "builtins.__dict__".to_owned(),
        (_, "__call__") => object.to_owned(),
        ("posix" | "nt", _) => format!("os.{name}"),
        _ => format!("{object}.{name}"),
    };
    if joined.len() > 200 { Value::Unknown } else { Value::Object(joined) }
}

fn items(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::List(list) => Some(list),
        Value::Text(text, _) if text.len() <= MAX_LIST => {
            Some(text.chars().map(|c| Value::Text(c.to_string(), false)).collect())
        }
        _ => None,
    }
}

fn place(length: usize, at: i64) -> Option<usize> {
    let at = if at < 0 { at.checked_add(i64::try_from(length).ok()?)? } else { at };
    usize::try_from(at).ok()
}

fn slice(text: &str, lower: Option<Value>, upper: Option<Value>, step: Option<Value>) -> Value {
    let chars: Vec<char> = text.chars().collect();
    let length = i64::try_from(chars.len()).unwrap_or(i64::MAX);
    let int = |value: Option<Value>, or: i64| match value {
        None => Some(or),
        Some(Value::Int(int)) => Some(int),
        Some(_) => None,
    };
    let clamp = |at: i64| if at < 0 { at.saturating_add(length).max(0) } else { at.min(length) };
    let Some(step) = int(step, 1).filter(|step| *step != 0) else { return Value::Unknown };
    let picked: Option<String> = if step > 0 {
        let range = int(lower, 0).zip(int(upper, length)).map(|(from, to)| clamp(from)..clamp(to));
        range.map(|range| {
            range
                .step_by(usize::try_from(step).unwrap_or(1))
                .filter_map(|at| chars.get(usize::try_from(at).ok()?))
                .collect()
        })
    } else if lower.is_none() && upper.is_none() {
        Some(chars.iter().rev().step_by(usize::try_from(step.unsigned_abs()).unwrap_or(1)).collect())
    } else {
        None
    };
    picked.map_or(Value::Unknown, made)
}

fn operate(left: &Value, operator: Operator, right: &Value) -> Value {
    match (left, operator, right) {
        // One of several names behind a place.
        (Value::Text(..) | Value::Unknown | Value::Object(_), Operator::Div | Operator::Add, Value::List(list))
            if list.len() <= 64 && list.iter().all(|item| item.text().is_some()) && !list.is_empty() =>
        {
            Value::List(list.iter().map(|item| operate(left, operator, item)).collect())
        }
        (Value::List(list), Operator::Div | Operator::Add, Value::Text(..))
            if list.len() <= 64 && list.iter().all(|item| item.text().is_some()) && !list.is_empty() =>
        {
            Value::List(list.iter().map(|item| operate(item, operator, right)).collect())
        }
        (Value::Text(left, _), Operator::Add, Value::Text(right, _)) => made(format!("{left}{right}")),
        // The known side of a sum is still worth a look.
        (Value::Text(left, pieced), Operator::Add | Operator::Div, Value::Unknown | Value::Object(_)) => {
            Value::Text(format!("{left}\u{fffd}"), *pieced)
        }
        (Value::Unknown | Value::Object(_), Operator::Add, Value::Text(right, pieced)) => {
            Value::Text(format!("\u{fffd}{right}"), *pieced)
        }
        // Paths: `Path.home() / ".ssh"`.
        (Value::Object(object), Operator::Div, Value::Text(right, _)) if object.starts_with("pathlib.") => {
            let start = if object.contains("home") { "~" } else { "\u{fffd}" };
            Value::Text(format!("{start}/{right}"), false)
        }
        (Value::Text(left, _), Operator::Div, Value::Text(right, _)) => Value::Text(format!("{left}/{right}"), false),
        (Value::Unknown, Operator::Div, Value::Text(right, _)) => Value::Text(format!("\u{fffd}/{right}"), false),
        (Value::Text(format, _), Operator::Mod, Value::List(list)) => percent(format, list),
        (Value::Text(format, _), Operator::Mod, one) => percent(format, std::slice::from_ref(one)),
        (Value::Text(text, _), Operator::Mult, Value::Int(times)) => {
            let times = usize::try_from(*times).unwrap_or(0);
            if text.len().saturating_mul(times) <= MAX_TEXT { made(text.repeat(times)) } else { Value::Unknown }
        }
        (Value::List(left), Operator::Add, Value::List(right)) if left.len() + right.len() <= MAX_LIST => {
            Value::List(left.iter().chain(right).cloned().collect())
        }
        (Value::Int(left), _, Value::Int(right)) => {
            let int = match operator {
                Operator::Add => left.checked_add(*right),
                Operator::Sub => left.checked_sub(*right),
                Operator::Mult => left.checked_mul(*right),
                Operator::BitXor => Some(left ^ right),
                Operator::BitAnd => Some(left & right),
                Operator::BitOr => Some(left | right),
                Operator::FloorDiv => left.checked_div_euclid(*right),
                Operator::Mod => left.checked_rem_euclid(*right),
                _ => None,
            };
            int.map_or(Value::Unknown, Value::Int)
        }
        _ => Value::Unknown,
    }
}

fn percent(format: &str, values: &[Value]) -> Value {
    let mut text = String::new();
    let mut values = values.iter();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some('%') => text.push('%'),
                Some('s' | 'd' | 'c') => text.push_str(&shown(values.next())),
                _ => return Value::Unknown,
            },
            other => text.push(other),
        }
        if text.len() > MAX_TEXT {
            return Value::Unknown;
        }
    }
    made(text)
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text, _)) => text.clone(),
        Some(Value::Int(int)) => int.to_string(),
        _ => "\u{fffd}".to_owned(),
    }
}

/// `"..".join(..)` and its like.
fn method(on: &Value, name: &str, arguments: &[Value]) -> Value {
    let first = arguments.first();
    if let (Value::List(list), "copy") = (on, name) {
        return Value::List(list.clone());
    }
    let Value::Text(text, pieced) = on else { return Value::Unknown };
    match (name, first) {
        ("join", Some(of)) => match items(of.clone()) {
            Some(parts) if parts.iter().all(|part| part.text().is_some()) => {
                let parts: Vec<&str> = parts.iter().filter_map(Value::text).collect();
                made(parts.join(text))
            }
            _ => Value::Unknown,
        },
        ("format", _) => {
            let mut out = String::new();
            let mut rest = text.as_str();
            let mut next = 0;
            while let Some((before, after)) = rest.split_once('{') {
                let Some((hole, tail)) = after.split_once('}') else { return Value::Unknown };
                let at = if hole.is_empty() { next } else { hole.parse().unwrap_or(usize::MAX) };
                next += 1;
                out.push_str(before);
                out.push_str(&shown(arguments.get(at)));
                rest = tail;
                if out.len() > MAX_TEXT {
                    return Value::Unknown;
                }
            }
            out.push_str(rest);
            made(out)
        }
        ("replace", Some(Value::Text(from, _))) => match arguments.get(1) {
            Some(Value::Text(to, _))
                if !from.is_empty() && text.len().saturating_mul(to.len().max(1)) <= MAX_TEXT * 8 =>
            {
                made(text.replace(from, to))
            }
            _ => Value::Unknown,
        },
        ("split", Some(Value::Text(by, _))) if !by.is_empty() => Value::List(
            text.split(by.as_str()).take(MAX_LIST).map(|part| Value::Text(part.to_owned(), *pieced)).collect(),
        ),
        ("split", None) => Value::List(
            text.split_whitespace().take(MAX_LIST).map(|part| Value::Text(part.to_owned(), *pieced)).collect(),
        ),
        ("decode" | "encode", _) => match first.and_then(Value::text) {
            Some(codec) => decoded(codec, text).unwrap_or_else(|| on.clone()),
            None => on.clone(),
        },
        ("strip" | "lstrip" | "rstrip", None) => Value::Text(text.trim().to_owned(), *pieced),
        ("lower" | "casefold", _) => made(text.to_lowercase()),
        ("upper", _) => made(text.to_uppercase()),
        ("swapcase", _) => made(
            text.chars()
                .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
                .collect(),
        ),
        ("hex", _) => Value::Unknown,
        _ => Value::Unknown,
    }
}

fn decoded(codec: &str, text: &str) -> Option<Value> {
    match codec.to_ascii_lowercase().replace('_', "-").as_str() {
        "rot13" | "rot-13" => Some(made(decode::rot13(text))),
        "hex" | "hex-codec" => Some(decode::hex(text).map_or(Value::Unknown, |bytes| made(decode::text(bytes)))),
        "base64" | "base64-codec" => {
            Some(decode::base64(text).map_or(Value::Unknown, |bytes| made(decode::text(bytes))))
        }
        _ => None,
    }
}

fn function_value(function: &str, arguments: &[Value]) -> Value {
    let first = arguments.first();
    let text = first.and_then(Value::text);
    let bytes = |bytes: Option<Vec<u8>>| bytes.map_or(Value::Unknown, |bytes| made(decode::text(bytes)));
    match (function, first, text) {
        ("builtins.__import__" | "importlib.import_module" | "importlib.__import__", _, Some(name)) => {
            Value::Object(name.to_owned())
        }
        ("builtins.getattr", Some(Value::Object(object)), _) => match arguments.get(1).and_then(Value::text) {
            Some(name) => join(object, name),
            None => Value::Unknown,
        },
        ("builtins.globals" | "builtins.locals", ..) => Value::Object("builtins.globals()".to_owned()),
        ("builtins.vars", Some(Value::Object(object)), _) => Value::Object(format!("{object}.__dict__")),
        ("builtins.vars", None, _) => Value::Object("builtins.globals()".to_owned()),
        ("builtins.chr", Some(Value::Int(int)), _) => {
            u32::try_from(*int).ok().and_then(char::from_u32).map_or(Value::Unknown, |c| made(c.to_string()))
        }
        ("builtins.ord", _, Some(text)) => {
            text.chars().next().map_or(Value::Unknown, |c| Value::Int(i64::from(u32::from(c))))
        }
        ("builtins.bytes" | "builtins.bytearray", Some(Value::List(list)), _) => {
            let all = list.iter().map(|item| if let Value::Int(int) = item { u8::try_from(*int).ok() } else { None });
            bytes(all.collect())
        }
        (
            "builtins.str" | "builtins.bytes" | "builtins.bytearray" | "pathlib.Path" | "os.path.expanduser"
            | "os.path.expandvars",
            Some(of),
            _,
        ) => of.clone(),
        ("builtins.list" | "builtins.tuple" | "builtins.iter", Some(of), _) => {
            items(of.clone()).map_or(Value::Unknown, Value::List)
        }
        ("builtins.reversed", Some(of), _) => items(of.clone()).map_or(Value::Unknown, |mut list| {
            list.reverse();
            Value::List(list)
        }),
        ("builtins.map", Some(Value::Object(function)), _) => {
            let Some(items) = arguments.get(1).cloned().and_then(items) else { return Value::Unknown };
            Value::List(items.into_iter().map(|item| function_value(function, &[item])).collect())
        }
        (
            "builtins.bytes.fromhex" | "builtins.bytearray.fromhex" | "binascii.unhexlify" | "binascii.a2b_hex",
            _,
            Some(text),
        ) => bytes(decode::hex(text)),
        (
            "base64.b64decode"
            | "base64.urlsafe_b64decode"
            | "base64.standard_b64decode"
            | "base64.decodebytes"
            | "binascii.a2b_base64",
            _,
            Some(text),
        ) => bytes(decode::base64(text)),
        ("base64.b32decode", _, Some(text)) => bytes(decode::base32(text)),
        ("base64.b16decode", _, Some(text)) => bytes(decode::hex(text)),
        ("codecs.decode" | "codecs.encode", _, Some(text)) => {
            let codec = arguments.get(1).and_then(Value::text).unwrap_or_default();
            decoded(codec, text).unwrap_or(Value::Unknown)
        }
        ("os.path.join", ..) if arguments.iter().filter(|one| matches!(one, Value::List(_))).count() == 1 => {
            let list =
                arguments.iter().find_map(|one| if let Value::List(list) = one { Some(list.clone()) } else { None });
            let each = list.unwrap_or_default().into_iter().take(64).map(|item| {
                let parts: Vec<String> = arguments
                    .iter()
                    .map(|one| if matches!(one, Value::List(_)) { shown(Some(&item)) } else { shown(Some(one)) })
                    .collect();
                Value::Text(parts.join("/"), false)
            });
            Value::List(each.collect())
        }
        ("os.path.join" | "pathlib.Path" | "builtins.Path.joinpath", ..) => {
            let parts: Vec<String> = arguments.iter().map(|part| shown(Some(part))).collect();
            Value::Text(parts.join("/"), false)
        }
        ("operator.attrgetter", _, Some(name)) => Value::Object(format!("operator.attrgetter:{name}")),
        ("pathlib.Path.home", ..) => Value::Text("~".to_owned(), false),
        ("functools.partial", Some(Value::Object(function)), _) => Value::Object(function.clone()),
        (other, Some(Value::Object(object)), _) if other.starts_with("operator.attrgetter:") => {
            join(object, other.trim_start_matches("operator.attrgetter:"))
        }
        (function, ..) if function.len() < 200 => Value::Object(format!("{function}()")),
        _ => Value::Unknown,
    }
}
