//! The promises of the policy, by boundary. Everything runs against a machine made of tables (`world`).

#![cfg(test)]

mod addresses;
mod differences;
mod environment;
mod files;
mod flow;
mod least;
mod network;
mod paths;
mod policy_file;
mod properties;
mod rules;
mod sockets;
mod world;
