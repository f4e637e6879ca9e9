//! Spans of served calls for an OpenTelemetry collector, as the usual variables say.

use crate::exit::Fault;
use crate::machine;
use customs_ledger::run_id;
use customs_serve::{Collector, Exporter, Tools};
use std::sync::Arc;

/// Without an endpoint nothing is sent.
pub(crate) fn export(tools: &Tools, runtime: &tokio::runtime::Handle) -> Result<(), Fault> {
    let Some(endpoint) = machine::variable("OTEL_EXPORTER_OTLP_ENDPOINT")? else { return Ok(()) };
    let service = machine::variable("OTEL_SERVICE_NAME")?.unwrap_or_else(|| "customs".to_owned());
    let collector = Collector::new(&endpoint, &service)
        .map_err(|why| Fault::Refused(format!("OTEL_EXPORTER_OTLP_ENDPOINT: {why}")))?;
    // 128 random bits in hexadecimal digits.
    let random = u128::from_str_radix(&run_id().map_err(Fault::internal)?, 16).map_err(Fault::internal)?;
    tools.trace(Arc::new(Exporter::start(collector, machine::clock(), random.to_be_bytes(), runtime)));
    Ok(())
}
