//! `wasi:sockets`. Creation and lookup are the doors, and they are shut: each attempt is recorded and refused. The methods of sockets
//! are linked so that components that import them load; without a socket they cannot be called.

use crate::imports::Import;
use crate::state::View;
use customs_policy::{Capability, Denial, DenialCode};
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, IpAddressFamily};
use wasmtime_wasi::p2::bindings::sockets::{instance_network, ip_name_lookup, tcp_create_socket, udp_create_socket};
use wasmtime_wasi::p2::{DynPollable, Network, SocketError, TcpSocket, UdpSocket};

impl View<'_> {
    fn refuse_socket(&self, cap: Capability, op: &'static str, requested: &str) -> SocketError {
        let denial = Denial::new(cap, DenialCode::NotSupported);
        match self.guard.recorder.deny(&denial, op, requested, None) {
            Ok(()) => ErrorCode::AccessDenied.into(),
            Err(stopped) => SocketError::trap(wasmtime::Error::from(stopped)),
        }
    }
}

fn family(family: IpAddressFamily) -> &'static str {
    match family {
        IpAddressFamily::Ipv4 => "ipv4",
        IpAddressFamily::Ipv6 => "ipv6",
    }
}

impl instance_network::Host for View<'_> {
    fn instance_network(&mut self) -> wasmtime::Result<Resource<Network>> {
        self.count(Import::InstanceNetwork);
        instance_network::Host::instance_network(&mut self.inner_sockets())
    }
}

impl network::Host for View<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        self.count(Import::NetworkErrorCode);
        network::Host::network_error_code(&mut self.inner_sockets(), error)
    }
}

impl network::HostNetwork for View<'_> {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        network::HostNetwork::drop(&mut self.inner_sockets(), network)
    }
}

impl tcp_create_socket::Host for View<'_> {
    fn create_tcp_socket(&mut self, of: IpAddressFamily) -> Result<Resource<TcpSocket>, SocketError> {
        self.count(Import::CreateTcpSocket);
        Err(self.refuse_socket(Capability::TcpConnect, "create-tcp-socket", family(of)))
    }
}

impl udp_create_socket::Host for View<'_> {
    async fn create_udp_socket(&mut self, of: IpAddressFamily) -> Result<Resource<UdpSocket>, SocketError> {
        self.count(Import::CreateUdpSocket);
        Err(self.refuse_socket(Capability::UdpSend, "create-udp-socket", family(of)))
    }
}

impl ip_name_lookup::Host for View<'_> {
    fn resolve_addresses(
        &mut self,
        _network: Resource<Network>,
        name: String,
    ) -> Result<Resource<ip_name_lookup::ResolveAddressStream>, SocketError> {
        self.count(Import::ResolveAddresses);
        Err(self.refuse_socket(Capability::DnsLookup, "resolve-addresses", &name))
    }
}

impl ip_name_lookup::HostResolveAddressStream for View<'_> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        self.count(Import::ResolveNextAddress);
        ip_name_lookup::HostResolveAddressStream::resolve_next_address(&mut self.inner_sockets(), stream)
    }

    fn subscribe(
        &mut self,
        stream: Resource<ip_name_lookup::ResolveAddressStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        self.count(Import::ResolveSubscribe);
        ip_name_lookup::HostResolveAddressStream::subscribe(&mut self.inner_sockets(), stream)
    }

    fn drop(&mut self, stream: Resource<ip_name_lookup::ResolveAddressStream>) -> wasmtime::Result<()> {
        ip_name_lookup::HostResolveAddressStream::drop(&mut self.inner_sockets(), stream)
    }
}
