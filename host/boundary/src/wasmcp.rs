//! `wasmcp:mcp-v*/tools`: what a component exports that was made to be composed into a server by wasmcp. Of that package nothing works
//! here: its types need no host, and its functions are for a server. Those of the interfaces that `tools` draws in by its types stand there
//! all the same, because some generators of bindings import them whether they are called or not; a call of one ends the call of the tool.
//!
//! Texts and blobs may be handed over as streams. They are the host's own, with taps inside, so that what the host reads of them for the
//! guest is a source like anything else that it opened; the reading is here.

use crate::labels::Labels;
use crate::labels::runs::Runs;
use crate::record::Stop;
use crate::state::State;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, Resource};
use wasmtime_wasi::p2::{DynInputStream, StreamError};

/// MCP of 2025-11-25.
pub mod v20251125 {
    mod generated {
        wasmtime::component::bindgen!({
            path: ["../../wit/wasi/io.wit", "../../wit/wasmcp/auth.wit", "../../wit/wasmcp/mcp-v20251125.wit"],
            inline: "package customs:wasmcp; world provider { export wasmcp:mcp-v20251125/tools@0.1.1; }",
            world: "customs:wasmcp/provider",
            with: { "wasi:io": wasmtime_wasi_io::bindings::wasi::io },
            exports: { default: async },
            require_store_data_send: true,
        });
    }
    pub use generated::wasmcp::mcp_v20251125::{mcp, server_handler, server_io};
    pub use generated::{Provider, ProviderPre};

    impl Provider {
        #[must_use]
        pub fn tools(&self) -> &generated::exports::wasmcp::mcp_v20251125::tools::Guest {
            self.wasmcp_mcp_v20251125_tools()
        }
    }
}

/// MCP of 2025-06-18.
pub mod v20250618 {
    mod generated {
        wasmtime::component::bindgen!({
            path: ["../../wit/wasi/io.wit", "../../wit/wasmcp/auth.wit", "../../wit/wasmcp/mcp-v20250618.wit"],
            inline: "package customs:wasmcp; world provider { export wasmcp:mcp-v20250618/tools@0.1.8; }",
            world: "customs:wasmcp/provider",
            with: { "wasi:io": wasmtime_wasi_io::bindings::wasi::io },
            exports: { default: async },
            require_store_data_send: true,
        });
    }
    pub use generated::wasmcp::mcp_v20250618::{mcp, server_handler, server_io};
    pub use generated::{Provider, ProviderPre};

    impl Provider {
        #[must_use]
        pub fn tools(&self) -> &generated::exports::wasmcp::mcp_v20250618::tools::Guest {
            self.wasmcp_mcp_v20250618_tools()
        }
    }
}

/// The interfaces that `tools` uses types of, and which have functions too.
const DRAWN_IN: [&str; 3] = ["server-io", "server-handler", "server-auth"];

/// A function was called that only a server of wasmcp has.
#[derive(Debug)]
pub struct NotProvided(String);

impl std::fmt::Display for NotProvided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it called {}, which customs does not provide", self.0)
    }
}

impl std::error::Error for NotProvided {}

/// Puts functions that end the call where the component imports those of a server. They take nothing across and give nothing back.
pub fn link_nothing(linker: &mut Linker<State>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine();
    for (name, import) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        if !is_drawn_in(name) {
            continue;
        }
        let mut there = linker.instance(name)?;
        for (function, export) in instance.exports(engine) {
            if matches!(export.ty, ComponentItem::ComponentFunc(_)) {
                let called = format!("{name}#{function}");
                there.func_new(function, move |_, _, _, _| Err(NotProvided(called.clone()).into()))?;
            }
        }
    }
    Ok(())
}

fn is_drawn_in(import: &str) -> bool {
    let interface = import.strip_prefix("wasmcp:mcp-v").and_then(|rest| rest.split_once('/'));
    interface.is_some_and(|(_, rest)| DRAWN_IN.contains(&rest.split('@').next().unwrap_or(rest)))
}

/// A stream that a guest handed over.
pub type Handed = Resource<DynInputStream>;

/// What is read at once.
const PIECE: usize = 64 * 1024;

impl State {
    /// Reads a stream to its end, at most what a call may give out. `block` is the place in the answer that it is for. The inner error is a sentence about the stream; the outer ends the call.
    pub async fn read_out(&mut self, stream: Handed, block: u64) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let most = self.recorder().policy().limits().max_output;
        let mut stream = self.table_mut().delete(stream)?;
        let (mut read, mut runs) = (Vec::new(), Runs::new());
        self.recorder().labelled(Labels::kept_back);
        loop {
            match stream.blocking_read(PIECE).await {
                // A stream that is ready and has nothing must not keep the thread from the clock.
                Ok(bytes) if bytes.is_empty() => tokio::task::yield_now().await,
                Ok(bytes) => {
                    let (at, came) = (read.len() as u64, bytes.len() as u64);
                    self.recorder().labelled(|labels| labels.handed(&mut runs, at, came));
                    read.extend_from_slice(&bytes);
                }
                Err(StreamError::Closed) => {
                    self.recorder().labelled(|labels| labels.handed_over(block, runs));
                    return Ok(Ok(read));
                }
                Err(StreamError::LastOperationFailed(_)) => {
                    return Ok(Err(format!("its stream broke off after {} bytes", read.len())));
                }
                Err(StreamError::Trap(error)) => return Err(error),
            }
            if read.len() as u64 > most {
                let observed = format!("more than {most} bytes");
                return Err(self.recorder().stop(Stop::Limit { limit: "output", observed }).into());
            }
        }
    }
}
