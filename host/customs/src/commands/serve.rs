//! `customs serve`: tools for MCP clients, until the client goes.

mod granting;
mod kitchen;
mod premises;
mod written;

use self::kitchen::Kitchen;
use self::premises::Premises;
use super::{Runtime, front};
use crate::cli::Serve;
use crate::exit::{Exit, Fault};
use crate::machine;
use customs_serve::{DEFAULT_ASK_TIME, Ground, Served, Tools};
use std::sync::Arc;

pub(crate) fn run(args: &Serve) -> Result<Exit, Fault> {
    if let Some(client) = args.print_config {
        return super::print_config::run(args, client);
    }
    let protocol = Runtime::new()?;
    let workers = tokio::runtime::Builder::new_multi_thread()
        // A worker looks for new calls after each tick of a tool that computes, and not only after many.
        .global_queue_interval(1)
        .enable_time()
        .enable_io()
        .build()
        .map_err(|e| Fault::Internal(format!("no threads can be started: {e}")))?;
    let door = front::open(args)?;
    let kitchen = Kitchen::new(args)?;
    let premises = Arc::new(protocol.block_on(Premises::new(kitchen, args.policy.clone()))??);
    let ground: Arc<dyn Ground> = Arc::clone(&premises) as Arc<dyn Ground>;
    let mut tools = Tools::new(premises.subjects(), workers.handle().clone(), args.max_calls, ground);
    if args.ask {
        tools = tools.with_ask(args.ask_time.unwrap_or(DEFAULT_ASK_TIME));
    }
    #[cfg(feature = "otel")]
    super::traces::export(&tools, workers.handle())?;

    let served = protocol.block_on(async {
        if let Some(door) = door {
            door.announce()?;
            let served = tools.serve_http(door.listener, door.front, machine::asked_to_stop());
            return served.await.map_err(Fault::internal);
        }
        let (input, output) = machine::stdio()?;
        tokio::select! {
            served = tools.serve_stdio(input, output) => served.map_err(Fault::internal),
            () = machine::asked_to_stop() => Ok(tools.end().await),
        }
    })?;
    workers.shutdown_background();
    premises.close()?;
    match served? {
        Served::Done => Ok(Exit::Returned),
        Served::Fault(why) => Err(Fault::Internal(why)),
    }
}
