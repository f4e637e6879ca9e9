//! The data of one store, and the view that the host functions get of it.

use crate::context::Context;
use crate::filesystem::Files;
use crate::http::Sender;
use crate::http_labels::Web;
use crate::imports::Import;
use crate::limits::MemoryLimits;
use crate::network::Network;
use crate::record::{Recorder, Stop, Stopped};
use crate::roots::Roots;
use crate::sockets::Sockets;
use crate::stdio::Stdio;
use customs_policy::{Capability, Denial, Permit, Request, decide};
use std::sync::Arc;
use wasmtime::component::{HasData, ResourceTable};
use wasmtime_wasi::cli::WasiCliCtxView;
use wasmtime_wasi::clocks::WasiClocksCtxView;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::sockets::WasiSocketsCtxView;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView};

/// Handles that a guest may hold at once: descriptors, streams, pollables, header maps. Real tools hold tens.
pub const MAX_HANDLES: usize = 4_096;

/// What one call brings to the boundary.
#[derive(Debug, Default)]
pub struct Input {
    /// `argv` as the guest sees it. Never the program's own.
    pub arguments: Vec<String>,
    pub stdin: Vec<u8>,
    /// Receives progress and log lines while the call runs.
    pub context: Context,
}

/// Everything of one call. Dropped after it: no state survives.
pub struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    sender: Sender,
    pub(crate) guard: Guard,
    pub(crate) limits: MemoryLimits,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("recorder", &self.guard.recorder).finish_non_exhaustive()
    }
}

/// What the views share: who decides, who writes, and what the guest holds.
pub(crate) struct Guard {
    pub(crate) recorder: Recorder,
    pub(crate) roots: Arc<Roots>,
    pub(crate) network: Arc<Network>,
    pub(crate) files: Files,
    pub(crate) sockets: Sockets,
    pub(crate) web: Web,
    pub(crate) stdio: Stdio,
    pub(crate) arguments: Vec<String>,
    pub(crate) context: Context,
    pub(crate) environment_told: bool,
    pub(crate) arguments_told: bool,
    pub(crate) fixed_clock: u64,
    pub(crate) waits: crate::io::Waits,
    pub(crate) seeded: crate::random::Seeded,
}

impl State {
    /// A store's data for one call. Nothing of the host is inherited: no stdio, environment, arguments, directories or sockets.
    #[must_use]
    pub fn new(recorder: Recorder, roots: Arc<Roots>, network: Arc<Network>, input: Input) -> State {
        let mut builder = WasiCtxBuilder::new();
        // One thread runs one call: handing every small read to a pool costs more than the read.
        builder.allow_blocking_current_thread(true);
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let limits = MemoryLimits::new(recorder.clone());
        State {
            wasi: builder.build(),
            table,
            http: WasiHttpCtx::new(),
            sender: Sender::new(recorder.clone(), Arc::clone(&network)),
            limits,
            guard: Guard {
                recorder,
                roots,
                network,
                files: Files::default(),
                sockets: Sockets::default(),
                web: Web::default(),
                stdio: Stdio::new(input.stdin),
                arguments: input.arguments,
                context: input.context,
                environment_told: false,
                arguments_told: false,
                fixed_clock: 0,
                waits: crate::io::Waits::default(),
                seeded: crate::random::Seeded::default(),
            },
        }
    }

    /// The limits on memory and tables, for `Store::limiter`.
    pub fn limiter(&mut self) -> &mut dyn wasmtime::ResourceLimiter {
        &mut self.limits
    }

    /// The component is a traced one.
    pub fn traced(&mut self) {
        self.limits.with_shadow();
    }

    pub(crate) fn table_mut(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.guard.recorder
    }

    /// The most linear memory the call had at once, in bytes.
    #[must_use]
    pub fn peak_memory(&self) -> u64 {
        self.limits.peak()
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl wasmtime_wasi_http::WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.sender }
    }
}

/// Marks the interfaces that are linked through [`View`].
pub(crate) struct Guarded;

impl HasData for Guarded {
    type Data<'a> = View<'a>;
}

/// What a host function sees: wasmtime-wasi's contexts to delegate to, and the guard.
pub(crate) struct View<'a> {
    wasi: &'a mut WasiCtx,
    pub(crate) table: &'a mut ResourceTable,
    http: &'a mut WasiHttpCtx,
    pub(crate) sender: &'a mut Sender,
    pub(crate) guard: &'a mut Guard,
}

pub(crate) fn view(state: &mut State) -> View<'_> {
    let State { wasi, table, http, sender, guard, .. } = state;
    View { wasi, table, http, sender, guard }
}

impl View<'_> {
    pub(crate) fn inner_files(&mut self) -> WasiFilesystemCtxView<'_> {
        WasiFilesystemCtxView { ctx: self.wasi.filesystem(), table: self.table }
    }

    pub(crate) fn inner_cli(&mut self) -> WasiCliCtxView<'_> {
        WasiCliCtxView { ctx: self.wasi.cli(), table: self.table }
    }

    pub(crate) fn inner_clocks(&mut self) -> WasiClocksCtxView<'_> {
        WasiClocksCtxView { ctx: self.wasi.clocks(), table: self.table }
    }

    pub(crate) fn inner_sockets(&mut self) -> WasiSocketsCtxView<'_> {
        WasiSocketsCtxView { ctx: self.wasi.sockets(), table: self.table }
    }

    pub(crate) fn inner_http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: self.http, table: self.table, hooks: self.sender }
    }

    pub(crate) fn inner_random(&mut self) -> &mut wasmtime_wasi::random::WasiRandomCtx {
        self.wasi.random()
    }

    pub(crate) fn count(&self, import: Import) {
        self.guard.recorder.count(import);
    }

    pub(crate) fn decide(&self, request: &Request<'_>) -> Result<Permit, Denial> {
        decide(self.guard.recorder.policy(), request)
    }

    /// A capability that is decided at each use and recorded at the first. `false` where the policy refuses it.
    pub(crate) fn use_counted(&mut self, request: &Request<'_>, op: &'static str) -> Result<bool, Stopped> {
        match self.decide(request) {
            Ok(permit) => self.guard.recorder.use_counted(&permit, op).map(|()| true),
            Err(denial) => self.guard.recorder.deny(&denial, op, op, None).map(|()| false),
        }
    }

    pub(crate) fn stop(&self, limit: &'static str, observed: String) -> wasmtime::Error {
        wasmtime::Error::from(self.guard.recorder.stop(Stop::Limit { limit, observed }))
    }
}

/// The capability of opening a path.
pub(crate) fn path_capability(write: bool) -> Capability {
    if write { Capability::FsWrite } else { Capability::FsRead }
}
