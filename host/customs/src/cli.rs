//! What can be written on the command line. Types only: what it means is for `grants` and `commands`.

use crate::show::client::Client;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Run MCP tools that you do not trust.
///
/// A tool is a WebAssembly component. It reaches nothing that was not granted; everything it reaches or is refused is recorded.
#[derive(Debug, Parser)]
#[command(name = "customs", version, about, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run one tool of a component
    Run(Box<Run>),
    /// Offer tools to an MCP client
    Serve(Box<Serve>),
    /// Run a recorded call again, on its recording alone
    Replay(Replay),
    /// Show a component's tools and what it may use; runs nothing of it
    Inspect(Inspect),
    /// Check that a ledger is whole and unaltered
    Verify(Verify),
    /// Tell what a ledger says: what was reached, denied and found
    Report(Report),
    /// Try a tool before you trust it: what it asks for, what it takes and gives away, and the least it needs
    Audit(Box<Audit>),
    /// Say what a policy decides about one access (--read, --write, --net, or --env NAME), or explain a record of a ledger (--seq)
    Why(Box<Why>),
    /// Check, show, compare, learn or import a policy
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Look through agent skills, with a scanner that can reach nothing
    Scan(Scan),
    /// Begin a tool: a small project that builds and has a test
    New(New),
    /// Put the words of a WIT file into a component, for models to read
    Docs(Docs),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

/// How a run is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunFormat {
    #[default]
    Text,
    Json,
    /// One page: what crossed, and with --trace the bytes of the answer by their sources
    Html,
}

/// What a trace follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceWhat {
    /// Values, and the addresses that they are read by
    Data,
    /// And what branches are decided by
    Branches,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Denial,
    Limit,
    Finding,
    High,
    Medium,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The component: a WebAssembly component or a WASI preview 1 module
    pub(crate) component: PathBuf,
    /// The tool; may be left out where there is only one
    pub(crate) tool: Option<String>,
    /// Arguments as a JSON object, @FILE, or - for standard input
    #[arg(long, value_name = "JSON|@FILE|-", allow_hyphen_values = true)]
    pub(crate) args: Option<String>,
    /// One argument; the tool's schema says how VALUE is read
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) arg: Vec<String>,
    /// Take grants and limits from a policy file
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Write the ledger to a new file
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Option<PathBuf>,
    /// Follow every byte through the tool's computation: which bytes of its answer come from which source. With =branches also what was decided by them, which labels much more
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "data")]
    pub(crate) trace: Option<TraceWhat>,
    /// Write everything that came in to a new private file, for customs replay
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
    /// Exit with 4 when one of these happened
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) fail_on: Vec<FailOn>,
    /// Show values of granted variables where the tool prints them to stderr
    #[arg(long)]
    pub(crate) reveal: bool,
    /// How to write the result
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: RunFormat,
    /// Arguments of a command, after --
    #[arg(last = true, value_name = "ARGV")]
    pub(crate) argv: Vec<String>,
    #[command(flatten)]
    pub(crate) grants: Grants,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The components; those that the policy file names where none is given
    #[arg(value_name = "COMPONENT")]
    pub(crate) components: Vec<PathBuf>,
    /// Take components, grants and limits from a policy file
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Write a ledger for each component into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// Calls that run at once; the others wait
    #[arg(long, value_name = "N", default_value_t = customs_serve::DEFAULT_CALLS, value_parser = calls)]
    pub(crate) max_calls: usize,
    /// Serve over HTTP at this address, path /mcp, instead of standard input and output; port 0 for one that the system picks
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address, conflicts_with = "print_config", help_heading = "HTTP")]
    pub(crate) http: Option<SocketAddr>,
    /// The bearer token that clients must send; CUSTOMS_TOKEN holds it otherwise. Needed beyond this machine
    #[arg(long, value_name = "FILE", requires = "http", help_heading = "HTTP")]
    pub(crate) token_file: Option<PathBuf>,
    /// Answer requests for this host, beside the names of this machine
    #[arg(long, value_name = "NAME", requires = "http", help_heading = "HTTP")]
    pub(crate) allow_host: Vec<String>,
    /// Answer web pages of this origin
    #[arg(long, value_name = "SCHEME://HOST[:PORT]", requires = "http", help_heading = "HTTP")]
    pub(crate) allow_origin: Vec<String>,
    /// Ask the person, through the client, to allow what a tool was refused; off by default
    #[arg(long)]
    pub(crate) ask: bool,
    /// How long the person has for an answer [default: 60s]
    #[arg(long, value_name = "TIME", requires = "ask", value_parser = ask_time)]
    pub(crate) ask_time: Option<std::time::Duration>,
    /// Serve nothing; print what makes CLIENT start this server
    #[arg(long, value_name = "CLIENT")]
    pub(crate) print_config: Option<Client>,
    #[command(flatten)]
    pub(crate) grants: Grants,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| "expected an address and a port, such as 127.0.0.1:8080 or [::1]:0".to_owned())
}

fn calls(text: &str) -> Result<usize, String> {
    let most = customs_engine::load::POOL_COMPONENTS as usize;
    match text.parse() {
        Ok(n) if (1..=most).contains(&n) => Ok(n),
        _ => Err(format!("expected a number from 1 to {most}")),
    }
}

fn ask_time(text: &str) -> Result<std::time::Duration, String> {
    let time = customs_policy::parse_duration(text)?;
    let fits = (1..=3_600).contains(&time.as_secs());
    if fits { Ok(time) } else { Err("expected a time from 1s to 1h".to_owned()) }
}

/// What a tool may reach. Each may be given several times.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Grants")]
pub(crate) struct Grants {
    /// Read a file or everything below a directory
    #[arg(long, value_name = "HOST[::GUEST]", require_equals = false)]
    pub(crate) allow_read: Vec<String>,
    /// Read and write
    #[arg(long, value_name = "HOST[::GUEST]")]
    pub(crate) allow_write: Vec<String>,
    /// See a variable of this environment; PREFIX* for several
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_env: Vec<String>,
    /// Give the tool a variable
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// HTTP requests to an origin (https on 443 without a scheme)
    #[arg(long, value_name = "[SCHEME://]HOST[:PORT]")]
    pub(crate) allow_net: Vec<String>,
    /// HTTP requests with this method to URLs that begin so
    #[arg(long, value_name = "METHOD URL-PREFIX")]
    pub(crate) allow_http: Vec<String>,
    /// TCP connections
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_tcp: Vec<String>,
    /// UDP datagrams, to that end and from it
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) allow_udp: Vec<String>,
    /// Listen for TCP connections on a local address; port 0 for one that the system picks
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) allow_listen: Vec<String>,
    /// Give a host name an address, also a local one; it is not looked up
    #[arg(long, value_name = "NAME=ADDRESS")]
    pub(crate) resolve: Vec<String>,
    /// Trust the certificates in this PEM file instead of the platform's
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_roots: Option<String>,
    /// A secret that the tool never holds, put into requests to one origin
    #[arg(long, value_name = "NAME@ORIGIN")]
    pub(crate) secret: Vec<String>,
    /// Never read or change this path, whatever is allowed
    #[arg(long, value_name = "PATH")]
    pub(crate) deny_read: Vec<String>,
    /// Never change this path, whatever is allowed
    #[arg(long, value_name = "PATH")]
    pub(crate) deny_write: Vec<String>,
    /// Never show this variable, whatever is allowed
    #[arg(long, value_name = "NAME")]
    pub(crate) deny_env: Vec<String>,
    /// Never reach this host, whatever is allowed
    #[arg(long, value_name = "HOST")]
    pub(crate) deny_net: Vec<String>,
    /// The same as --allow-read or --allow-write, for paths with commas
    #[arg(long, value_name = "HOST[::GUEST][::ro|rw]")]
    pub(crate) dir: Vec<String>,
    /// Give the tool a fixed clock
    #[arg(long)]
    pub(crate) deny_clock: bool,
    /// Give the tool the same random numbers every time
    #[arg(long)]
    pub(crate) deny_random: bool,
    /// Allow grants that give everything away (/, /proc, /sys, /dev, the home directory, *)
    #[arg(long)]
    pub(crate) dangerously_allow: bool,
    /// Grant everything
    #[arg(short = 'A')]
    pub(crate) allow_all: bool,
}

/// What a call may use.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// Time for the call [default: 30s]
    #[arg(long, value_name = "TIME")]
    pub(crate) timeout: Option<String>,
    /// Memory of the guest [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_memory: Option<String>,
    /// Bytes returned and printed [default: 8MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_output: Option<String>,
    /// Bytes read, and arguments [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_input: Option<String>,
    /// Bytes written to files [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_file_write: Option<String>,
    /// HTTP requests [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) max_requests: Option<String>,
    /// WebAssembly instructions, about; none by default
    #[arg(long, value_name = "N")]
    pub(crate) fuel: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The recording, written by run --record
    pub(crate) recording: PathBuf,
    /// Run this version of the component, and say what it does differently
    #[arg(long, value_name = "FILE")]
    pub(crate) component: Option<PathBuf>,
    /// Change the bytes of a source and say what changes with it: an id of the run's sources, KIND:NAME, or all
    #[arg(long, value_name = "SOURCE", conflicts_with = "component")]
    pub(crate) perturb: Vec<String>,
    /// Follow every byte: which bytes of the answer come from which source. The recorded run itself went at full speed
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "data", conflicts_with = "perturb")]
    pub(crate) trace: Option<TraceWhat>,
    /// Write the replay's ledger to a new file
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Option<PathBuf>,
    /// Exit with 4 when one of these happened
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) fail_on: Vec<FailOn>,
    /// How to write the result
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: RunFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The component
    pub(crate) component: PathBuf,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: InspectFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum InspectFormat {
    /// For a person, on a terminal
    #[default]
    Text,
    /// For scripts
    Json,
    /// A bill of materials in the manner of CycloneDX 1.6: what it was made with, by its own word, and the known holes of that
    Cyclonedx,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The ledger
    pub(crate) ledger: PathBuf,
    /// The head it must have, as printed by the run
    #[arg(long, value_name = "HEX")]
    pub(crate) head: Option<String>,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For a person, on a terminal
    #[default]
    Text,
    /// For scripts
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// One page that needs nothing else
    Html,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The ledger
    pub(crate) ledger: PathBuf,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: ReportFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The component: a WebAssembly component or a WASI preview 1 module
    pub(crate) component: PathBuf,
    /// The tool; all of them where it is left out
    pub(crate) tool: Option<String>,
    /// Arguments that work, as a JSON object or @FILE; they are tried first. Needs TOOL where there are several
    #[arg(long, value_name = "JSON|@FILE", allow_hyphen_values = true)]
    pub(crate) args: Option<String>,
    /// Take grants and limits from a policy file
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Where the inputs come from: the same number, the same audit
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Inputs for each tool
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) inputs: u32,
    /// Time for all of it; what is not done by then is said to be missing
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = customs_policy::parse_duration)]
    pub(crate) time: std::time::Duration,
    /// Also change what came in, run again, and see what changes with it
    #[arg(long)]
    pub(crate) causal: bool,
    /// Exit with 4 when the tool needs more than this policy file grants
    #[arg(long, value_name = "FILE")]
    pub(crate) check: Option<PathBuf>,
    /// Write the least policy that lets the audited calls pass to a new file
    #[arg(long, value_name = "FILE")]
    pub(crate) write_policy: Option<PathBuf>,
    /// Exit with 4 when one of these was seen: denial, limit, finding, medium, high, decoy, score=N
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = audit_fail_on)]
    pub(crate) fail_on: Vec<AuditFailOn>,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: ReportFormat,
    #[command(flatten)]
    pub(crate) grants: Grants,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuditFailOn {
    Denial,
    Limit,
    Finding,
    Medium,
    High,
    Decoy,
    /// The score is this or more.
    Score(u32),
}

fn audit_fail_on(text: &str) -> Result<AuditFailOn, String> {
    Ok(match text {
        "denial" => AuditFailOn::Denial,
        "limit" => AuditFailOn::Limit,
        "finding" => AuditFailOn::Finding,
        "medium" => AuditFailOn::Medium,
        "high" => AuditFailOn::High,
        "decoy" => AuditFailOn::Decoy,
        _ => match text.strip_prefix("score=").map(str::parse) {
            Some(Ok(score @ 0..=100)) => AuditFailOn::Score(score),
            Some(_) => return Err("a score is a number from 0 to 100".to_owned()),
            None => return Err("expected denial, limit, finding, medium, high, decoy or score=N".to_owned()),
        },
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFormat {
    /// For a person, on a terminal
    #[default]
    Text,
    /// For scripts
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScanFailOn {
    Finding,
    High,
    Medium,
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// A folder of skills, a skill, or one file
    pub(crate) path: PathBuf,
    /// The scanner, where it is not beside this program; CUSTOMS_SCANNER otherwise
    #[arg(long, value_name = "FILE")]
    pub(crate) scanner: Option<PathBuf>,
    /// Exit with 4 when there is such a finding, or a skill that could not be scanned
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) fail_on: Vec<ScanFailOn>,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: ScanFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// A ledger, with --seq: explain one of its records
    #[arg(requires = "seq")]
    pub(crate) ledger: Option<PathBuf>,
    /// The number of the record
    #[arg(long, value_name = "N", requires = "ledger", conflicts_with_all = ["read", "write", "net"])]
    pub(crate) seq: Option<u64>,
    /// Reading this path, as the tool sees it
    #[arg(long, value_name = "PATH")]
    pub(crate) read: Option<String>,
    /// Writing this path, as the tool sees it
    #[arg(long, value_name = "PATH")]
    pub(crate) write: Option<String>,
    /// A request to this URL, a TCP connection to HOST:PORT, or a datagram to udp://HOST:PORT
    #[arg(long, value_name = "URL|HOST:PORT")]
    pub(crate) net: Option<String>,
    /// The policy file
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Which tool of the policy file
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Option<String>,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
    /// As for run. `--env NAME`, without a value, asks about that variable
    #[command(flatten)]
    pub(crate) grants: Grants,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check that a policy file can be enforced as written
    Check(PolicyCheck),
    /// Show what grants and a policy file come to
    Show(Box<PolicyShow>),
    /// Say what one policy file allows that another does not
    Diff(PolicyDiff),
    /// Learn the least policy from ledgers of real runs
    Least(Box<PolicyLeast>),
    /// Turn a policy of Wassette into a table of customs.toml
    Import(PolicyImport),
}

#[derive(Debug, Args)]
pub(crate) struct PolicyDiff {
    /// The policy file to compare with
    pub(crate) first: PathBuf,
    /// The policy file that is compared
    pub(crate) second: PathBuf,
    /// Only this table
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Option<String>,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyLeast {
    /// Ledgers of runs of one component
    #[arg(required = true, value_name = "LEDGER")]
    pub(crate) ledgers: Vec<PathBuf>,
    /// The policy file that these runs had; the grants in the ledger where neither it nor flags are given
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Which tool of that file
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Option<String>,
    /// Write the policy to a new file
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Where several files of a directory were used, grant the directory
    #[arg(long)]
    pub(crate) generalize: bool,
    #[command(flatten)]
    pub(crate) grants: Grants,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyImport {
    /// The policy file of Wassette: policy.yaml
    pub(crate) file: PathBuf,
    /// The name of the table; that of the file's directory where left out
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyCheck {
    /// The policy file
    pub(crate) file: PathBuf,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyShow {
    /// The policy file
    pub(crate) file: Option<PathBuf>,
    /// Which tool of the file
    #[arg(long, value_name = "NAME")]
    pub(crate) tool: Option<String>,
    #[command(flatten)]
    pub(crate) grants: Grants,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The project, a new directory here: words of a-z and 0-9, with dashes between
    pub(crate) name: String,
    /// What it is written in
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Language,
    /// How it offers its tools
    #[arg(long, value_name = "WORLD", default_value = "typed")]
    pub(crate) world: World,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// With cargo and wit-bindgen
    Rust,
    /// With npm and componentize-js
    Js,
    /// With pip and componentize-py
    Python,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum World {
    /// Functions, whose types say what they take and give
    Typed,
    /// A list of tools made at run time, with content blocks and progress: customs:tool
    Customs,
}

#[derive(Debug, Args)]
pub(crate) struct Docs {
    /// The component
    pub(crate) component: PathBuf,
    /// The WIT that its exports are from
    #[arg(long, value_name = "FILE")]
    pub(crate) wit: PathBuf,
    /// Where to write it; in place of COMPONENT where left out
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// The hidden word that makes the program a compiler for its parent.
pub(crate) fn is_compile(first: Option<&OsString>) -> bool {
    first.is_some_and(|word| word == crate::commands::compile::WORD)
}
