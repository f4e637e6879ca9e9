//! Taking in the records of one call.

use super::MAX_ITEMS;
use super::rows::{Call, Denial, Ending, Flow, Found, Labelled, Moment, Origin, Room, Traced, What};
use crate::records::{
    ACTIONS, CLASSES, ENDINGS, Fields, METHODS, SEVERITIES, SINK_KINDS, SOURCE_KINDS, STRENGTHS, digest, name, names,
    number, one_of, word,
};
use customs_policy::Capability;
use serde_json::Value;

/// Distinct denials of one call, as in the result of the run.
const MAX_DENIALS: usize = 1000;
/// Origins of one source.
const MAX_ORIGINS: usize = 16;

/// Takes one place where there is one.
fn takes(room: &mut usize, left_out: &mut u64) -> bool {
    match room.checked_sub(1) {
        Some(rest) => {
            *room = rest;
            true
        }
        None => {
            *left_out = left_out.saturating_add(1);
            false
        }
    }
}

impl Call {
    fn moment(&mut self, seq: u64, t: u64, what: What, room: &mut Room) {
        if takes(&mut room.moments, &mut self.left_out.moments) {
            self.moments.push(Moment { seq, t, what });
        }
    }

    pub(super) fn access(&mut self, seq: u64, fields: &Fields, room: &mut Room) -> Option<()> {
        let capability: Capability = word(fields, "cap")?.parse().ok()?;
        let capability = capability.as_str();
        let t = number(fields, "t")?;
        let (operation, requested) = (name(fields, "op")?, name(fields, "requested")?);
        if one_of(fields, "decision", &["allow", "deny"])? == "allow" {
            self.moment(seq, t, What::Allowed { capability, operation, requested }, room);
            return Some(());
        }
        let code = name(fields, "code")?;
        self.denied = self.denied.saturating_add(1);
        let key = (capability, operation.text.clone(), code.text.clone(), requested.clone());
        if let Some(row) = self.distinct.get(&key).and_then(|at| self.denials.get_mut(*at)) {
            row.count += 1;
        } else if self.distinct.len() >= MAX_DENIALS {
            self.left_out.denials = self.left_out.denials.saturating_add(1);
            self.short = true;
        } else if takes(&mut room.denials, &mut self.left_out.denials) {
            self.distinct.insert(key, self.denials.len());
            self.denials.push(Denial {
                seq,
                capability,
                operation: operation.clone(),
                requested: requested.clone(),
                resolved: name(fields, "resolved"),
                code: code.clone(),
                count: 1,
            });
        }
        self.moment(seq, t, What::Denied { capability, operation, requested, code }, room);
        Some(())
    }

    pub(super) fn outcome(&mut self, seq: u64, fields: &Fields, room: &mut Room) -> Option<()> {
        let t = number(fields, "t")?;
        let (id, is_source) = match (number(fields, "source"), number(fields, "sink")) {
            (Some(id), None) => (id, true),
            (None, Some(id)) => (id, false),
            // Nothing crossed.
            (None, None) => return Some(()),
            (Some(_), Some(_)) => return None,
        };
        let flow = Flow {
            id,
            seq,
            kind: one_of(fields, "kind", if is_source { &SOURCE_KINDS } else { &SINK_KINDS })?,
            name: name(fields, "name")?,
            class: if is_source { Some(one_of(fields, "class", &CLASSES)?) } else { None },
            bytes: number(fields, "bytes")?,
            sha256: digest(fields, "sha256")?,
            keyed: fields.get("keyed").and_then(Value::as_bool).unwrap_or(false),
            complete: fields.get("complete").and_then(Value::as_bool).unwrap_or(true),
            origins: origins(fields, room),
        };
        self.short |= !flow.complete;
        let (kind, name, bytes) = (flow.kind, flow.name.clone(), flow.bytes);
        let what = if is_source { What::In { kind, name, bytes } } else { What::Out { kind, name, bytes } };
        let (list, places, left_out) = match is_source {
            true => (&mut self.sources, &mut room.sources, &mut self.left_out.sources),
            false => (&mut self.sinks, &mut room.sinks, &mut self.left_out.sinks),
        };
        // An id is given once.
        if list.contains_key(&id) {
            return None;
        }
        if takes(places, left_out) {
            list.insert(id, flow);
        }
        self.moment(seq, t, what, room);
        Some(())
    }

    pub(super) fn suppress(&mut self, fields: &Fields) -> Option<()> {
        let capability: Capability = word(fields, "cap")?.parse().ok()?;
        let (operation, code, count) = (name(fields, "op")?, name(fields, "code")?, number(fields, "count")?);
        self.denied = self.denied.saturating_add(count);
        let key = format!("{capability} {} {}", operation.text, code.text);
        if self.suppressed.len() < MAX_DENIALS || self.suppressed.contains_key(&key) {
            let sum = self.suppressed.entry(key).or_default();
            *sum = sum.saturating_add(count);
        } else {
            self.left_out.denials = self.left_out.denials.saturating_add(count);
        }
        Some(())
    }

    pub(super) fn end(&mut self, fields: &Fields, room: &mut Room) -> Option<()> {
        if self.ending.is_some() {
            return None;
        }
        if let Some(list) = fields.get("traced") {
            self.traced = traced(list.as_array()?, room, &mut self.left_out.traced)?;
            let omitted = number(fields, "traced_omitted").unwrap_or(0);
            self.left_out.traced = self.left_out.traced.saturating_add(omitted);
        }
        self.ending = Some(Ending {
            kind: one_of(fields, "ending", &ENDINGS)?,
            limit: name(fields, "limit"),
            detail: name(fields, "observed").or_else(|| name(fields, "detail")),
        });
        if let Some(searched) = fields.get("searched").and_then(Value::as_str) {
            let told = fields.get("methods").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let known = |method: &&str| told.iter().any(|told| told.as_str() == Some(*method));
            self.methods = METHODS.into_iter().filter(known).collect();
            // An older ledger does not say, and there was nothing else.
            if self.methods.is_empty() {
                self.methods.push("match");
            }
            self.short |= searched != "whole";
        }
        Some(())
    }

    pub(super) fn retrace(&mut self, list: &[Value], findings: &[Value], room: &mut Room) {
        let mut left_out = 0;
        let Some(sinks) = traced(list, room, &mut left_out) else { return };
        (self.traced, self.left_out.traced) = (sinks, left_out);
        self.findings.retain(|found| found.method != "trace");
        for found in findings.iter().filter_map(Value::as_object) {
            if one_of(found, "method", &METHODS) == Some("trace") {
                // They have no record.
                self.find(0, found, room);
            }
        }
    }

    pub(super) fn find(&mut self, seq: u64, fields: &Fields, room: &mut Room) -> Option<()> {
        let coverage = fields.get("coverage").and_then(Value::as_f64)?;
        let source = match fields.get("source") {
            None | Some(Value::Null) => None,
            Some(id) => Some(id.as_u64()?),
        };
        let found = Found {
            seq,
            id: name(fields, "id")?,
            rule: name(fields, "rule")?,
            severity: one_of(fields, "severity", &SEVERITIES)?,
            source,
            sink: number(fields, "sink")?,
            method: one_of(fields, "method", &METHODS)?,
            transform: names(fields, "transform", MAX_ITEMS).0,
            strength: one_of(fields, "strength", &STRENGTHS)?,
            source_ranges: ranges(fields, "source_ranges")?,
            sink_ranges: ranges(fields, "sink_ranges")?,
            coverage: coverage.clamp(0.0, 1.0),
            action: one_of(fields, "action", &ACTIONS)?,
            preview: name(fields, "preview")?,
            note: name(fields, "note"),
            more: number(fields, "more").unwrap_or(0),
            origin: fields.get("origin").and_then(origin),
        };
        if !self.methods.contains(&found.method) {
            self.methods.push(found.method);
        }
        if takes(&mut room.findings, &mut self.left_out.findings) {
            self.findings.push(found);
        }
        Some(())
    }
}

/// The labelled bytes of sinks. None where one has not its form.
fn traced(list: &[Value], room: &mut Room, left_out: &mut u64) -> Option<Vec<Traced>> {
    let mut all = Vec::new();
    for value in list {
        let fields = value.as_object()?;
        let mut sink =
            Traced { sink: number(fields, "sink")?, ranges: Vec::new(), more: number(fields, "more").unwrap_or(0) };
        let mut end = 0;
        for value in fields.get("ranges")?.as_array()? {
            let range = labelled(value)?;
            if range.from < end || range.from >= range.to {
                return None;
            }
            end = range.to;
            if takes(&mut room.labelled, &mut sink.more) {
                sink.ranges.push(range);
            }
        }
        if takes(&mut room.traced, left_out) {
            all.push(sink);
        }
    }
    Some(all)
}

fn labelled(value: &Value) -> Option<Labelled> {
    let fields = value.as_object()?;
    let id = |id: &Value| id.as_u64().filter(|id| *id > 0);
    let ids = |key| fields.get(key)?.as_array()?.iter().take(MAX_ITEMS).map(id).collect::<Option<Vec<_>>>();
    Some(Labelled {
        from: number(fields, "from")?,
        to: number(fields, "to")?,
        strong: ids("strong")?,
        weak: ids("weak")?,
        shared: fields.get("shared").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn ranges(fields: &Fields, key: &str) -> Option<Vec<(u64, u64)>> {
    let pair = |range: &Value| match range.as_array()?.as_slice() {
        [from, to] => Some((from.as_u64()?, to.as_u64()?)).filter(|(from, to)| from <= to),
        _ => None,
    };
    fields.get(key)?.as_array()?.iter().take(MAX_ITEMS).map(pair).collect()
}

/// The origins of a source. What has no room is not told; the source is.
fn origins(fields: &Fields, room: &mut Room) -> Vec<Origin> {
    let list: &[Value] = fields.get("origins").and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let told: Vec<Origin> = list.iter().filter_map(origin).take(MAX_ORIGINS.min(room.origins)).collect();
    room.origins -= told.len();
    told
}

/// An origin that has not its form is not told: the record beside it stands without it.
fn origin(value: &Value) -> Option<Origin> {
    let fields = value.as_object()?;
    Some(Origin {
        call: number(fields, "call")?,
        kind: one_of(fields, "kind", &SOURCE_KINDS)?,
        name: name(fields, "name")?,
        class: one_of(fields, "class", &CLASSES),
        ranges: ranges(fields, "ranges").unwrap_or_default(),
    })
}
