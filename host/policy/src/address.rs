//! Which addresses are not the public internet. A rule for a name must not become a way into the machine or the network
//! that it runs in, so these need a rule that names them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address that `address` really is: an IPv4 address in IPv6 clothes is that IPv4 address.
pub fn plain_address(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
    }
}

/// Whether this machine's own network answers at this address, or nobody on the internet does: loopback, private,
/// link-local (cloud metadata), shared, multicast, reserved; also where IPv6 carries such an IPv4 address inside.
pub fn is_local_address(address: IpAddr) -> bool {
    match plain_address(address) {
        IpAddr::V4(four) => is_local_v4(four),
        IpAddr::V6(six) => is_local_v6(six),
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0)
            | (198, 18 | 19, _)
            | (224.., _, _)
    )
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let carried = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        is_local_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // ::, ::1 and the old IPv4-compatible form
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0) => true,
        // translation to IPv4: what counts is the address behind
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => carried(g, h),
        (0x64, 0xff9b) => true,
        (0x2002, _) => carried(b, c),
        // Teredo hides an address that cannot be judged
        (0x2001, 0) => true,
        // discard-only, unique local, link-local, site-local, multicast
        (0x0100, 0) => true,
        _ => matches!(a, 0xfc00..=0xfdff | 0xfe80..=0xfeff | 0xff00..),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_local_forms_are_recognised() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.0.8",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(is_local_address(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn address_public_ones_are_not_local() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.167.0.1",
            "169.253.0.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::",
            "2606:4700::1111",
            "2001:4860:4860::8888",
        ] {
            assert!(!is_local_address(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn address_mapped_form_is_the_plain_one() {
        assert_eq!(plain_address("::ffff:127.0.0.1".parse().unwrap()), "127.0.0.1".parse::<IpAddr>().unwrap());
    }
}
