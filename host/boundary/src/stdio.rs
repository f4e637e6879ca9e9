//! `wasi:cli` standard streams, terminals and exit. Nothing of the host's is inherited: stdin is the bytes of the call, stdout and stderr
//! are kept as sinks, there is never a terminal, and exit ends the call, not the program.

use crate::flow::{FlowId, Way};
use crate::imports::Import;
use crate::record::{Stop, Stopped};
use crate::state::View;
use crate::tap::{InTap, Line, OutTap, Swallow};
use customs_ledger::material::{SinkKind, SourceKind};
use customs_policy::Request;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{
    exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr, terminal_stdin, terminal_stdout,
};
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

/// The flows of the standard streams. A guest may ask for a stream many times: it is one flow.
pub(crate) struct Stdio {
    stdin: MemoryInputPipe,
    reading: Option<FlowId>,
    out: Option<FlowId>,
    err: Option<FlowId>,
}

impl Stdio {
    pub(crate) fn new(stdin: Vec<u8>) -> Stdio {
        Stdio { stdin: MemoryInputPipe::new(stdin), reading: None, out: None, err: None }
    }
}

impl View<'_> {
    fn flow(&mut self, request: &Request<'_>, op: &'static str, way: Way, name: &str) -> Result<FlowId, Stopped> {
        let recorder = &self.guard.recorder;
        let permit = match self.decide(request) {
            Ok(permit) => permit,
            Err(denial) => {
                recorder.deny(&denial, op, name, None)?;
                // The interface has no way to say no: the call ends instead of going on with bytes unseen.
                return Err(recorder.stop(Stop::Limit { limit: "stdio", observed: "refused by the policy".to_owned() }));
            }
        };
        let of = recorder.allow(&permit, op, name, None, false)?;
        recorder.begin(of, way, name.to_owned())
    }

    fn output(&mut self, flow: FlowId) -> wasmtime::Result<Resource<DynOutputStream>> {
        let tap: DynOutputStream = Box::new(OutTap::new(Box::new(Swallow), self.guard.recorder.clone(), flow, None));
        Ok(self.table.push(tap)?)
    }
}

impl stdin::Host for View<'_> {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        self.count(Import::GetStdin);
        let flow = match self.guard.stdio.reading {
            Some(flow) => flow,
            None => self.flow(&Request::StdioRead, "get-stdin", Way::In(SourceKind::Stdin), "stdin")?,
        };
        self.guard.stdio.reading = Some(flow);
        let inner: DynInputStream = Box::new(self.guard.stdio.stdin.clone());
        let line = Line::known(self.guard.recorder.tape(), SourceKind::Stdin, "stdin");
        let tap: DynInputStream = Box::new(InTap::new(inner, self.guard.recorder.clone(), flow, line));
        Ok(self.table.push(tap)?)
    }
}

impl stdout::Host for View<'_> {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.count(Import::GetStdout);
        let flow = match self.guard.stdio.out {
            Some(flow) => flow,
            None => self.flow(&Request::StdioWrite, "get-stdout", Way::Out(SinkKind::Stdout), "stdout")?,
        };
        self.guard.stdio.out = Some(flow);
        self.output(flow)
    }
}

impl stderr::Host for View<'_> {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.count(Import::GetStderr);
        let flow = match self.guard.stdio.err {
            Some(flow) => flow,
            None => self.flow(&Request::StdioWrite, "get-stderr", Way::Out(SinkKind::Stderr), "stderr")?,
        };
        self.guard.stdio.err = Some(flow);
        self.output(flow)
    }
}

impl terminal_stdin::Host for View<'_> {
    fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<terminal_input::TerminalInput>>> {
        self.count(Import::GetTerminalStdin);
        Ok(None)
    }
}

impl terminal_stdout::Host for View<'_> {
    fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        self.count(Import::GetTerminalStdout);
        Ok(None)
    }
}

impl terminal_stderr::Host for View<'_> {
    fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<terminal_output::TerminalOutput>>> {
        self.count(Import::GetTerminalStderr);
        Ok(None)
    }
}

impl terminal_input::Host for View<'_> {}
impl terminal_output::Host for View<'_> {}

impl terminal_input::HostTerminalInput for View<'_> {
    fn drop(&mut self, terminal: Resource<terminal_input::TerminalInput>) -> wasmtime::Result<()> {
        terminal_input::HostTerminalInput::drop(&mut self.inner_cli(), terminal)
    }
}

impl terminal_output::HostTerminalOutput for View<'_> {
    fn drop(&mut self, terminal: Resource<terminal_output::TerminalOutput>) -> wasmtime::Result<()> {
        terminal_output::HostTerminalOutput::drop(&mut self.inner_cli(), terminal)
    }
}

impl exit::Host for View<'_> {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        self.count(Import::Exit);
        let code = i32::from(status.is_err());
        Err(wasmtime::Error::from(self.guard.recorder.stop(Stop::Exit(code))))
    }

    fn exit_with_code(&mut self, code: u8) -> wasmtime::Result<()> {
        self.count(Import::ExitWithCode);
        Err(wasmtime::Error::from(self.guard.recorder.stop(Stop::Exit(i32::from(code)))))
    }
}
