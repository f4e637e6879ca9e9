//! wasi:sockets: names, TCP, UDP. `start-` and `finish-` are one operation here, with the wait between them unless the
//! script says not to.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    args::Args,
    bindings::wasi::sockets::{
        instance_network::instance_network,
        ip_name_lookup,
        network::{ErrorCode, IpAddress, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, Ipv6SocketAddress},
        tcp::{ShutdownType, TcpSocket},
        tcp_create_socket::create_tcp_socket,
        udp::{OutgoingDatagram, UdpSocket},
        udp_create_socket::create_udp_socket,
    },
    handles::Handles,
    outcome::{Failure, Outcome},
};

pub fn run(name: &str, args: &Args, handles: &mut Handles) -> Option<Outcome> {
    Some(match name {
        "resolve" => resolve(args, handles),
        "next-address" => next_address(args, handles),
        "tcp-create" => family(args).and_then(|f| Ok(create_tcp_socket(f)?)).and_then(|s| keep(args, handles, s)),
        "tcp-bind" => tcp(args, handles).and_then(|s| tcp_bind(args, s)),
        "tcp-connect" => tcp_connect(args, handles),
        "tcp-finish-connect" => tcp_finish_connect(args, handles),
        "tcp-listen" => tcp(args, handles).and_then(|s| tcp_listen(args, s)),
        "tcp-accept" => tcp_accept(args, handles),
        "tcp-options" => tcp(args, handles).map(tcp_options),
        "tcp-shutdown" => tcp(args, handles).and_then(|s| Ok(s.shutdown(shutdown_type(args)?)?.into())),
        "udp-create" => family(args).and_then(|f| Ok(create_udp_socket(f)?)).and_then(|s| keep(args, handles, s)),
        "udp-bind" => udp(args, handles).and_then(|s| udp_bind(args, s)),
        "udp-stream" => udp_stream(args, handles),
        "udp-check-send" => args
            .text("handle")
            .and_then(|name| handles.datagrams_out(name))
            .and_then(|stream| Ok(stream.check_send()?.into())),
        "udp-send" => udp_send(args, handles),
        "udp-receive" => udp_receive(args, handles),
        "udp-options" => udp(args, handles).map(udp_options),
        _ => return None,
    })
}

fn keep(args: &Args, handles: &mut Handles, resource: impl Into<crate::handles::Handle>) -> Outcome {
    handles.keep(args, resource)?;
    Ok(Value::Null)
}

fn tcp<'h>(args: &Args, handles: &'h Handles) -> Result<&'h TcpSocket, Failure> {
    handles.tcp(args.text("handle")?)
}

fn udp<'h>(args: &Args, handles: &'h Handles) -> Result<&'h UdpSocket, Failure> {
    handles.udp(args.text("handle")?)
}

/// All addresses of `name`; with `as` the stream is kept and none is asked for.
fn resolve(args: &Args, handles: &mut Handles) -> Outcome {
    let stream = ip_name_lookup::resolve_addresses(&instance_network(), args.text("name")?)?;
    if args.get("as").is_some() {
        return keep(args, handles, stream);
    }
    let mut addresses = Vec::new();
    while let Some(address) = wait(args, || stream.resolve_next_address(), || stream.subscribe().block())? {
        addresses.push(shown_address(address));
    }
    Ok(addresses.into())
}

fn next_address(args: &Args, handles: &Handles) -> Outcome {
    let stream = handles.addresses(args.text("handle")?)?;
    let address = wait(args, || stream.resolve_next_address(), || stream.subscribe().block())?;
    Ok(address.map_or(Value::Null, shown_address))
}

fn tcp_bind(args: &Args, socket: &TcpSocket) -> Outcome {
    socket.start_bind(&instance_network(), address(args)?)?;
    wait(args, || socket.finish_bind(), || socket.subscribe().block())?;
    Ok(shown(socket.local_address()?))
}

/// Connects; the streams are kept under `as-in` and `as-out`.
fn tcp_connect(args: &Args, handles: &mut Handles) -> Outcome {
    tcp(args, handles)?.start_connect(&instance_network(), address(args)?)?;
    tcp_finish_connect(args, handles)
}

fn tcp_finish_connect(args: &Args, handles: &mut Handles) -> Outcome {
    let socket = tcp(args, handles)?;
    let (input, output) = wait(args, || socket.finish_connect(), || socket.subscribe().block())?;
    let remote = shown(socket.remote_address()?);
    handles.keep_as(args.text_or_none("as-in")?, input);
    handles.keep_as(args.text_or_none("as-out")?, output);
    Ok(remote)
}

fn tcp_listen(args: &Args, socket: &TcpSocket) -> Outcome {
    socket.start_listen()?;
    wait(args, || socket.finish_listen(), || socket.subscribe().block())?;
    Ok(socket.is_listening().into())
}

fn tcp_accept(args: &Args, handles: &mut Handles) -> Outcome {
    let socket = tcp(args, handles)?;
    let (accepted, input, output) = wait(args, || socket.accept(), || socket.subscribe().block())?;
    let remote = accepted.remote_address().map(shown)?;
    handles.keep(args, accepted)?;
    handles.keep_as(args.text_or_none("as-in")?, input);
    handles.keep_as(args.text_or_none("as-out")?, output);
    Ok(remote)
}

/// Asks for and sets every option once; each answer is a value or the name of its error.
fn tcp_options(socket: &TcpSocket) -> Value {
    json!({
        "local-address": answer(socket.local_address(), shown),
        "remote-address": answer(socket.remote_address(), shown),
        "address-family": family_name(socket.address_family()),
        "is-listening": socket.is_listening(),
        "set-listen-backlog-size": answer(socket.set_listen_backlog_size(8), Value::from),
        "keep-alive-enabled": answer(socket.keep_alive_enabled(), Value::from),
        "set-keep-alive-enabled": answer(socket.set_keep_alive_enabled(true), Value::from),
        "keep-alive-idle-time": answer(socket.keep_alive_idle_time(), Value::from),
        "set-keep-alive-idle-time": answer(socket.set_keep_alive_idle_time(1_000_000_000), Value::from),
        "keep-alive-interval": answer(socket.keep_alive_interval(), Value::from),
        "set-keep-alive-interval": answer(socket.set_keep_alive_interval(1_000_000_000), Value::from),
        "keep-alive-count": answer(socket.keep_alive_count(), Value::from),
        "set-keep-alive-count": answer(socket.set_keep_alive_count(2), Value::from),
        "hop-limit": answer(socket.hop_limit(), Value::from),
        "set-hop-limit": answer(socket.set_hop_limit(64), Value::from),
        "receive-buffer-size": answer(socket.receive_buffer_size(), Value::from),
        "set-receive-buffer-size": answer(socket.set_receive_buffer_size(65536), Value::from),
        "send-buffer-size": answer(socket.send_buffer_size(), Value::from),
        "set-send-buffer-size": answer(socket.set_send_buffer_size(65536), Value::from),
    })
}

fn udp_bind(args: &Args, socket: &UdpSocket) -> Outcome {
    socket.start_bind(&instance_network(), address(args)?)?;
    wait(args, || socket.finish_bind(), || socket.subscribe().block())?;
    Ok(shown(socket.local_address()?))
}

/// Opens the datagram streams under `as-in` and `as-out`, connected where `address` is given.
fn udp_stream(args: &Args, handles: &mut Handles) -> Outcome {
    let remote = args.get("address").map(|_| address(args)).transpose()?;
    let (incoming, outgoing) = udp(args, handles)?.stream(remote)?;
    handles.keep_as(args.text_or_none("as-in")?, incoming);
    handles.keep_as(args.text_or_none("as-out")?, outgoing);
    Ok(Value::Null)
}

/// `count` equal datagrams in one call. `unchecked` sends without asking whether there is room.
fn udp_send(args: &Args, handles: &Handles) -> Outcome {
    let stream = handles.datagrams_out(args.text("handle")?)?;
    let remote_address = args.get("address").map(|_| address(args)).transpose()?;
    let datagram = OutgoingDatagram { data: args.content()?, remote_address };
    let datagrams = vec![datagram; args.narrow("count", 1)?];
    if !args.flag("unchecked", false)? {
        while stream.check_send()? == 0 {
            stream.subscribe().block();
        }
    }
    Ok(stream.send(&datagrams)?.into())
}

/// The datagrams that are there; waits for the first.
fn udp_receive(args: &Args, handles: &Handles) -> Outcome {
    let stream = handles.datagrams_in(args.text("handle")?)?;
    let wait = args.flag("wait", true)?;
    let datagrams = loop {
        let datagrams = stream.receive(args.number_or("max", 16)?)?;
        if !datagrams.is_empty() || !wait {
            break datagrams;
        }
        stream.subscribe().block();
    };
    let mut received = Vec::new();
    for datagram in datagrams {
        received.push(json!({"from": shown(datagram.remote_address), "data": args.show(&datagram.data)?}));
    }
    Ok(received.into())
}

fn udp_options(socket: &UdpSocket) -> Value {
    json!({
        "local-address": answer(socket.local_address(), shown),
        "remote-address": answer(socket.remote_address(), shown),
        "address-family": family_name(socket.address_family()),
        "unicast-hop-limit": answer(socket.unicast_hop_limit(), Value::from),
        "set-unicast-hop-limit": answer(socket.set_unicast_hop_limit(64), Value::from),
        "receive-buffer-size": answer(socket.receive_buffer_size(), Value::from),
        "set-receive-buffer-size": answer(socket.set_receive_buffer_size(65536), Value::from),
        "send-buffer-size": answer(socket.send_buffer_size(), Value::from),
        "set-send-buffer-size": answer(socket.set_send_buffer_size(65536), Value::from),
    })
}

fn answer<T>(result: Result<T, ErrorCode>, show: impl Fn(T) -> Value) -> Value {
    match result {
        Ok(value) => json!({"ok": show(value)}),
        Err(error) => json!({"error": error.name()}),
    }
}

/// Until it is finished; with `"wait": false` what is not finished at once is `would-block`.
fn wait<T>(args: &Args, finish: impl Fn() -> Result<T, ErrorCode>, block: impl Fn()) -> Result<T, Failure> {
    let wait = args.flag("wait", true)?;
    loop {
        match finish() {
            Err(ErrorCode::WouldBlock) if wait => block(),
            finished => return Ok(finished?),
        }
    }
}

fn shutdown_type(args: &Args) -> Result<ShutdownType, Failure> {
    match args.text_or_none("how")?.unwrap_or("both") {
        "receive" => Ok(ShutdownType::Receive),
        "send" => Ok(ShutdownType::Send),
        "both" => Ok(ShutdownType::Both),
        _ => Err(args.wrong("how", "receive, send or both")),
    }
}

fn family(args: &Args) -> Result<IpAddressFamily, Failure> {
    match args.text_or_none("family")?.unwrap_or("ipv4") {
        "ipv4" => Ok(IpAddressFamily::Ipv4),
        "ipv6" => Ok(IpAddressFamily::Ipv6),
        _ => Err(args.wrong("family", "ipv4 or ipv6")),
    }
}

fn family_name(family: IpAddressFamily) -> &'static str {
    match family {
        IpAddressFamily::Ipv4 => "ipv4",
        IpAddressFamily::Ipv6 => "ipv6",
    }
}

/// `address` and `port`, for IPv6 also `flow-info` and `scope-id`.
fn address(args: &Args) -> Result<IpSocketAddress, Failure> {
    let port = args.narrow("port", 0)?;
    match args.text("address")?.parse() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, c, d] = ip.octets();
            Ok(IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (a, b, c, d) }))
        }
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, d, e, f, g, h] = ip.segments();
            Ok(IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port,
                flow_info: args.narrow("flow-info", 0)?,
                address: (a, b, c, d, e, f, g, h),
                scope_id: args.narrow("scope-id", 0)?,
            }))
        }
        Err(_) => Err(args.wrong("address", "an IP address")),
    }
}

fn shown(address: IpSocketAddress) -> Value {
    match address {
        IpSocketAddress::Ipv4(at) => json!({"address": shown_address(IpAddress::Ipv4(at.address)), "port": at.port}),
        IpSocketAddress::Ipv6(at) => json!({"address": shown_address(IpAddress::Ipv6(at.address)), "port": at.port}),
    }
}

fn shown_address(address: IpAddress) -> Value {
    match address {
        IpAddress::Ipv4((a, b, c, d)) => IpAddr::from([a, b, c, d]).to_string().into(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => IpAddr::from([a, b, c, d, e, f, g, h]).to_string().into(),
    }
}
