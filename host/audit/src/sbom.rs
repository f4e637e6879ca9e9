//! What a component was made with, as a bill of materials.

use crate::statics::{Statics, advisories_of};
use serde_json::{Value, json};

/// A bill of materials in the manner of CycloneDX 1.6: the component itself, everything that its producers name, and the known holes of those. No time
/// and no serial number, so that the same bytes give the same text. It is what the component says of itself: a toolchain may leave all of it out.
#[must_use]
pub fn cyclonedx(statics: &Statics, name: &str, sha256: &[u8; 32]) -> Value {
    let digest: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let reference = |place: usize| format!("producer-{}", place + 1);
    let components: Vec<Value> = statics
        .producers
        .iter()
        .enumerate()
        .map(|(place, producer)| {
            let kind = if producer.role == "language" { "platform" } else { "application" };
            let mut component = json!({
                "type": kind,
                "bom-ref": reference(place),
                "name": producer.name,
                "properties": [{"name": "wasm:producers:role", "value": producer.role}],
            });
            if let (Some(component), false) = (component.as_object_mut(), producer.version.is_empty()) {
                component.insert("version".to_owned(), Value::from(producer.version.as_str()));
            }
            component
        })
        .collect();
    let vulnerabilities: Vec<Value> = statics
        .producers
        .iter()
        .enumerate()
        .flat_map(|(place, producer)| advisories_of(producer).map(move |advisory| (place, advisory)))
        .map(|(place, advisory)| {
            json!({
                "id": advisory.id,
                "source": {"url": advisory.url},
                "ratings": [{"severity": advisory.severity.as_str()}],
                "description": advisory.what,
                "affects": [{"ref": reference(place)}],
            })
        })
        .collect();
    let imports: Vec<Value> = statics
        .imports
        .iter()
        .map(|import| json!({"name": "wasm:import", "value": import.interface}))
        .chain(statics.features.iter().map(|feature| json!({"name": "wasm:feature", "value": feature})))
        .collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {
            "type": "application",
            "bom-ref": "component",
            "name": name,
            "hashes": [{"alg": "SHA-256", "content": digest}],
            "properties": imports,
        }},
        "components": components,
        "dependencies": [{"ref": "component", "dependsOn": (0..statics.producers.len()).map(reference).collect::<Vec<_>>()}],
        "vulnerabilities": vulnerabilities,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statics::Producer;

    #[test]
    fn sbom_lists_producers_with_their_holes_and_is_the_same_twice() {
        let producer = |name: &str, version: &str| Producer {
            role: "processed-by".to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
        };
        let statics =
            Statics { producers: vec![producer("rustc", "1.50.0 (x)"), producer("clang", "")], ..Statics::default() };
        let bom = cyclonedx(&statics, "t.wasm", &[7; 32]);
        assert_eq!(bom, cyclonedx(&statics, "t.wasm", &[7; 32]));
        assert_eq!(bom["components"].as_array().map(Vec::len), Some(2));
        assert_eq!(bom["components"][0]["version"], "1.50.0 (x)");
        assert!(bom["components"][1].get("version").is_none());
        assert_eq!(bom["vulnerabilities"][0]["affects"][0]["ref"], "producer-1");
        assert_eq!(bom["metadata"]["component"]["hashes"][0]["content"], "07".repeat(32));
    }
}
