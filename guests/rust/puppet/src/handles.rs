//! The resources a script holds, by the names it gave them.

use std::{cell::OnceCell, collections::BTreeMap};

use crate::{
    args::Args,
    bindings::wasi::{
        filesystem::{
            preopens,
            types::{Descriptor, DirectoryEntryStream},
        },
        http::types::{FutureIncomingResponse, IncomingBody, IncomingResponse, OutgoingBody, OutgoingRequest},
        io::{
            poll::Pollable,
            streams::{InputStream, OutputStream},
        },
        sockets::{
            ip_name_lookup::ResolveAddressStream,
            tcp::TcpSocket,
            udp::{IncomingDatagramStream, OutgoingDatagramStream, UdpSocket},
        },
    },
    outcome::Failure,
};

macro_rules! handles {
    ($($variant:ident($resource:ty) = $accessor:ident),+ $(,)?) => {
        /// One resource of the host.
        pub enum Handle { $($variant($resource)),+ }

        $(impl From<$resource> for Handle {
            fn from(resource: $resource) -> Self { Self::$variant(resource) }
        }

        impl TryFrom<Handle> for $resource {
            type Error = Handle;

            fn try_from(handle: Handle) -> Result<Self, Handle> {
                match handle {
                    Handle::$variant(resource) => Ok(resource),
                    other => Err(other),
                }
            }
        })+

        impl Handles {
            $(pub fn $accessor(&self, name: &str) -> Result<&$resource, Failure> {
                match self.named.get(name) {
                    Some(Handle::$variant(resource)) => Ok(resource),
                    Some(_) => Err(Failure::script(format!("{name:?} is not a {}", stringify!($accessor)))),
                    // An earlier operation was refused, so there is nothing under this name: an outcome, not a mistake.
                    None => Err(Failure::code("no-handle")),
                }
            })+
        }
    };
}

handles! {
    Descriptor(Descriptor) = opened,
    Entries(DirectoryEntryStream) = entries,
    Input(InputStream) = input,
    Output(OutputStream) = output,
    Pollable(Pollable) = pollable,
    Tcp(TcpSocket) = tcp,
    Udp(UdpSocket) = udp,
    DatagramsIn(IncomingDatagramStream) = datagrams_in,
    DatagramsOut(OutgoingDatagramStream) = datagrams_out,
    Addresses(ResolveAddressStream) = addresses,
    Request(OutgoingRequest) = request,
    OutgoingBody(OutgoingBody) = outgoing_body,
    Exchange(FutureIncomingResponse) = exchange,
    Response(IncomingResponse) = response,
    IncomingBody(IncomingBody) = incoming_body,
}

/// Everything the script holds.
#[derive(Default)]
pub struct Handles {
    named: BTreeMap<String, Handle>,
    /// Asked for once: each call of get-directories makes new descriptors.
    preopens: OnceCell<Vec<(Descriptor, String)>>,
}

impl Handles {
    /// Keeps a resource under the name in `as`; without one it is dropped at once.
    pub fn keep(&mut self, args: &Args, resource: impl Into<Handle>) -> Result<(), Failure> {
        self.keep_as(args.text_or_none("as")?, resource);
        Ok(())
    }

    pub fn keep_as(&mut self, name: Option<&str>, resource: impl Into<Handle>) {
        let resource = resource.into();
        if let Some(name) = name {
            self.named.insert(name.to_owned(), resource);
        }
    }

    pub fn take(&mut self, name: &str) -> Result<Handle, Failure> {
        self.named.remove(name).ok_or_else(|| Failure::code("no-handle"))
    }

    /// For functions that want the resource itself; the name holds nothing afterwards.
    pub fn give<T: TryFrom<Handle, Error = Handle>>(&mut self, name: &str) -> Result<T, Failure> {
        self.take(name)?.try_into().map_err(|other| {
            self.named.insert(name.to_owned(), other);
            Failure::script(format!("{name:?} is of another kind"))
        })
    }

    /// What is under this name, of whatever kind.
    pub fn any(&self, name: &str) -> Result<&Handle, Failure> {
        self.named.get(name).ok_or_else(|| Failure::code("no-handle"))
    }

    /// A descriptor by the name of a handle or by the guest path of a preopen.
    pub fn descriptor(&self, name: &str) -> Result<&Descriptor, Failure> {
        if self.named.contains_key(name) {
            return self.opened(name);
        }
        let preopens = self.preopens.get_or_init(preopens::get_directories);
        preopens
            .iter()
            .find(|(_, path)| path == name)
            .map(|(descriptor, _)| descriptor)
            .ok_or_else(|| Failure::code("no-handle"))
    }
}
