//! Names, TCP, UDP.

use crate::bindings::wasi::io::streams::StreamError;
use crate::bindings::wasi::sockets::instance_network::instance_network;
use crate::bindings::wasi::sockets::ip_name_lookup::resolve_addresses;
use crate::bindings::wasi::sockets::network::{
    ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress,
};
use crate::bindings::wasi::sockets::tcp_create_socket::create_tcp_socket;
use crate::bindings::wasi::sockets::udp::OutgoingDatagram;
use crate::bindings::wasi::sockets::udp_create_socket::create_udp_socket;

fn wrong(what: impl std::fmt::Debug) -> String {
    format!("{what:?}")
}

fn wait<T>(mut ask: impl FnMut() -> Result<T, ErrorCode>, block: impl Fn()) -> Result<T, String> {
    loop {
        match ask() {
            Err(ErrorCode::WouldBlock) => block(),
            done => return done.map_err(wrong),
        }
    }
}

fn local(port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) })
}

pub fn tcp(value: &str, port: u16) -> Result<String, String> {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(wrong)?;
    socket.start_connect(&instance_network(), local(port)).map_err(wrong)?;
    let (input, output) = wait(|| socket.finish_connect(), || socket.subscribe().block())?;
    output.blocking_write_and_flush(b"say: ").map_err(wrong)?;
    output.blocking_write_and_flush(value.as_bytes()).map_err(wrong)?;
    let mut back = Vec::new();
    while back.len() < value.len() + 5 {
        match input.blocking_read(64) {
            Ok(part) => back.extend(part),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(wrong(error)),
        }
    }
    String::from_utf8(back).map_err(wrong)
}

pub fn udp(value: &str, port: u16) -> Result<Vec<String>, String> {
    let socket = create_udp_socket(IpAddressFamily::Ipv4).map_err(wrong)?;
    let any = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 0, address: (0, 0, 0, 0) });
    socket.start_bind(&instance_network(), any).map_err(wrong)?;
    wait(|| socket.finish_bind(), || socket.subscribe().block())?;
    let (incoming, outgoing) = socket.stream(None).map_err(wrong)?;
    let mut back = Vec::new();
    for data in [b"first".as_slice(), value.as_bytes()] {
        while outgoing.check_send().map_err(wrong)? == 0 {
            outgoing.subscribe().block();
        }
        let datagram = OutgoingDatagram { data: data.to_vec(), remote_address: Some(local(port)) };
        outgoing.send(&[datagram]).map_err(wrong)?;
        loop {
            let came = incoming.receive(8).map_err(wrong)?;
            if came.is_empty() {
                incoming.subscribe().block();
                continue;
            }
            back.extend(came.into_iter().map(|one| String::from_utf8_lossy(&one.data).into_owned()));
            break;
        }
    }
    Ok(back)
}

pub fn lookup(name: &str) -> Result<String, String> {
    let stream = resolve_addresses(&instance_network(), name).map_err(wrong)?;
    let first = wait(|| stream.resolve_next_address(), || stream.subscribe().block())?;
    Ok(match first {
        Some(IpAddress::Ipv4((a, b, c, d))) => format!("{a}.{b}.{c}.{d}"),
        other => wrong(other),
    })
}
