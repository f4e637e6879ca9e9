//! `wasi:cli/environment`: variables and arguments.
//!
//! The interface hands over all variables at once: which one a guest wanted cannot be seen. Each granted variable is therefore recorded
//! as exposed when the guest first asks; a variable that was not granted leaves no trace, because nothing was asked for by name.

use crate::flow::Way;
use crate::imports::Import;
use crate::record::Stopped;
use crate::state::View;
use customs_ledger::material::SourceKind;
use customs_policy::Request;
use wasmtime_wasi::p2::bindings::cli::environment;

const OP: &str = "get-environment";

impl View<'_> {
    fn expose_environment(&mut self) -> Result<(), Stopped> {
        let recorder = self.guard.recorder.clone();
        let policy = std::sync::Arc::clone(recorder.policy());
        for variable in policy.env() {
            let name = variable.name.as_str();
            match self.decide(&Request::Env { name }) {
                Ok(permit) => {
                    let of = recorder.allow(&permit, OP, name, Some(name), false)?;
                    recorder.whole(of, Way::In(SourceKind::Env), name, variable.value.as_bytes())?;
                }
                Err(denial) => recorder.deny(&denial, OP, name, None)?,
            }
        }
        // What stands for a secret: the guest may do with it what it likes, and where it turns up tells what the guest did.
        for (name, placeholder) in self.guard.network.secrets().placeholders() {
            match self.decide(&Request::Env { name }) {
                Ok(permit) => {
                    let of = recorder.allow(&permit, OP, name, Some(name), false)?;
                    recorder.whole(of, Way::In(SourceKind::Env), name, placeholder.as_bytes())?;
                }
                Err(denial) => recorder.deny(&denial, OP, name, None)?,
            }
        }
        // Granted and yet not handed over: the record says why.
        let absent = policy.env_absent().iter().map(|name| (name, "not set on the host"));
        let skipped = policy.env_skipped().iter().map(|name| (name, "not text on the host"));
        for (name, why) in absent.chain(skipped) {
            match self.decide(&Request::Env { name }) {
                Ok(permit) => {
                    let of = recorder.allow(&permit, OP, name, None, false)?;
                    recorder.outcome(of, Some(why))?;
                }
                Err(denial) => recorder.deny(&denial, OP, name, None)?,
            }
        }
        Ok(())
    }

    fn expose_arguments(&mut self) -> Result<(), Stopped> {
        let recorder = self.guard.recorder.clone();
        // argv[0] is a name we made up.
        let rest: Vec<&String> = self.guard.arguments.iter().skip(1).collect();
        if rest.is_empty() {
            return Ok(());
        }
        match self.decide(&Request::StdioRead) {
            Ok(permit) => {
                let of = recorder.allow(&permit, "get-arguments", "argv", None, false)?;
                for (at, argument) in rest.into_iter().enumerate() {
                    recorder.argument(of, &format!("/args/{at}"), argument.as_bytes())?;
                }
                Ok(())
            }
            Err(denial) => recorder.deny(&denial, "get-arguments", "argv", None),
        }
    }
}

impl environment::Host for View<'_> {
    fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.count(Import::GetEnvironment);
        if !self.guard.environment_told {
            self.expose_environment()?;
            self.guard.environment_told = true;
        }
        let policy = self.guard.recorder.policy();
        let held = policy.env().iter().map(|v| (v.name.as_str(), v.value.as_str()));
        let all = held.chain(self.guard.network.secrets().placeholders());
        let granted = all.filter(|(name, _)| self.decide(&Request::Env { name }).is_ok());
        Ok(granted.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
        self.count(Import::GetArguments);
        if !self.guard.arguments_told {
            self.expose_arguments()?;
            self.guard.arguments_told = true;
        }
        let many = self.guard.arguments.len().saturating_sub(1);
        self.guard.recorder.labelled(|labels| labels.give_arguments(many));
        Ok(self.guard.arguments.clone())
    }

    /// A guest has no working directory: relative paths mean what its libc makes of them, from "/".
    fn initial_cwd(&mut self) -> wasmtime::Result<Option<String>> {
        self.count(Import::InitialCwd);
        Ok(None)
    }
}
