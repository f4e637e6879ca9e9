//! The tools on offer: what a client lists, and what is behind each name.

use crate::hygiene::{clean_schema, clean_text};
use customs_boundary::Hidden;
use customs_engine::{Listed, Prepared, Session};
use customs_ledger::{Ledger, hex};
use customs_policy::Policy;
use rmcp::model::{JsonObject, MetaObject, Tool, ToolAnnotations};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

/// One component, ready to be called under its policy.
#[derive(Debug)]
pub struct Subject {
    /// What the policy file or the command line calls it.
    pub name: String,
    /// The component's file name: what records call it.
    pub component: String,
    pub session: Session,
    /// Its tools, those that the policy exposes.
    pub tools: Vec<Listed>,
    /// The id of its ledger.
    pub run: String,
    pub ledger: Arc<Mutex<Ledger>>,
    /// Values that no client sees in progress and log lines.
    pub hidden: Hidden,
    /// Why nothing of it is run, where that is so.
    pub held: Held,
}

impl Subject {
    /// Checks a call of one of its tools, by its own name. The error is one sentence for the caller.
    pub(crate) fn prepare(&self, own: &str, arguments: JsonObject) -> Result<Prepared, String> {
        let (program, policy) = (self.session.program(), self.session.policy());
        match self.tools.iter().find(|tool| tool.name == own) {
            Some(listed) => Session::prepare_listed(program, policy, listed, arguments),
            None => Session::prepare(program, policy, own, arguments),
        }
    }
}

/// Why a component that is still listed is not run: a sentence for the model. Empty as long as it is.
#[derive(Debug, Default)]
pub struct Held(Mutex<Option<&'static str>>);

impl Held {
    fn slot(&self) -> std::sync::MutexGuard<'_, Option<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on its calls are refused with this sentence; with none they run again.
    pub fn set(&self, why: Option<&'static str>) {
        *self.slot() = why;
    }

    #[must_use]
    pub fn why(&self) -> Option<&'static str> {
        *self.slot()
    }
}

/// One tool under the name that clients use.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) subject: Arc<Subject>,
    /// Its name in the component.
    pub(crate) own: String,
    pub(crate) tool: Tool,
    /// Of everything that a client and a person judged it by: component, description, schemas.
    pub(crate) identity: [u8; 32],
}

/// All of them, by name.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) subjects: Vec<Arc<Subject>>,
    pub(crate) offers: BTreeMap<String, Arc<Offer>>,
    /// What a person should know about their texts.
    pub(crate) warnings: Vec<String>,
}

impl Shelf {
    /// A tool has its own name where no other has it, else the subject's in front.
    pub(crate) fn new(subjects: &[Arc<Subject>]) -> Shelf {
        let mut count: BTreeMap<&str, usize> = BTreeMap::new();
        for tool in subjects.iter().flat_map(|s| &s.tools) {
            *count.entry(&tool.name).or_default() += 1;
        }
        let mut shelf = Shelf { subjects: subjects.to_vec(), ..Shelf::default() };
        for subject in subjects {
            for listed in &subject.tools {
                let alone = count.get(listed.name.as_str()) == Some(&1);
                let name = if alone { listed.name.clone() } else { format!("{}.{}", subject.name, listed.name) };
                let (offer, warnings) = offer(subject, listed, name.clone());
                shelf.warnings.extend(warnings.into_iter().map(|w| format!("{name}: {w}")));
                // `a.b` of one component and `b` of a component `a`: the first keeps the name, and the person is told.
                match shelf.offers.entry(name) {
                    Entry::Vacant(free) => drop(free.insert(Arc::new(offer))),
                    Entry::Occupied(taken) => {
                        let name = taken.key();
                        shelf.warnings.push(format!("{name}: two tools have this name; the second is not offered"));
                    }
                }
            }
        }
        shelf
    }
}

fn offer(subject: &Arc<Subject>, listed: &Listed, name: String) -> (Offer, Vec<String>) {
    let mut odd = Vec::new();
    let description = listed.description.as_deref().map(|text| clean_text(text, "description", &mut odd));
    let title = listed.title.as_deref().map(|text| clean_text(text, "title", &mut odd));
    let input = object(clean_schema(&listed.input_schema, &mut odd));
    let output = listed.output_schema.as_ref().map(|schema| Arc::new(object(clean_schema(schema, &mut odd))));

    let mut hash = Sha256::new();
    hash.update(subject.session.program().sha256());
    // As the component gave them, not as they are shown.
    let parts = [
        json!(listed.name),
        json!(listed.title),
        json!(listed.description),
        listed.input_schema.clone(),
        json!(listed.output_schema),
    ];
    hash.update(Value::from(parts.to_vec()).to_string());

    let mut tool = Tool::new_with_raw(name, description.map(Into::into), input)
        .with_annotations(annotations(subject.session.policy(), subject.session.program().facts().imports.as_slice()));
    tool.title = title;
    tool.output_schema = output;
    tool.meta = Some(meta(subject, &odd));
    (Offer { subject: Arc::clone(subject), own: listed.name.clone(), tool, identity: hash.finalize().into() }, odd)
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

/// What the tool is and may do, from its component and policy.
fn meta(subject: &Subject, odd: &[String]) -> MetaObject {
    let mut about = json!({"component": subject.component, "sha256": hex(&subject.session.program().sha256())});
    if let (Some(about), false) = (about.as_object_mut(), odd.is_empty()) {
        about.insert("warnings".to_owned(), json!(odd));
    }
    let mut meta = MetaObject::new();
    meta.insert("dev.customs/tool".to_owned(), about);
    meta
}

/// From what the component imports and what it is granted; what its author says of it is no evidence.
fn annotations(policy: &Policy, imports: &[String]) -> ToolAnnotations {
    let imports_any = |prefixes: &[&str]| imports.iter().any(|import| prefixes.iter().any(|p| import.starts_with(p)));
    let net = ["wasi:http/", "wasi:sockets/", "wasi_snapshot_preview1.sock_"];
    let files = ["wasi:filesystem/", "wasi_snapshot_preview1.path_", "wasi_snapshot_preview1.fd_"];
    let open_world = imports_any(&net) && !policy.net().is_empty();
    let changes_files = imports_any(&files) && policy.mounts().iter().any(|mount| mount.writable);
    let read_only = !open_world && !changes_files;
    let mut annotations = ToolAnnotations::default();
    annotations.read_only_hint = Some(read_only);
    annotations.destructive_hint = Some(!read_only);
    annotations.open_world_hint = Some(open_world);
    annotations
}
