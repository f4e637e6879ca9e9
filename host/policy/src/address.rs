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

/// Whether this machine's own network answers at this address, or nobody on the internet does. A rule for a name does not
/// reach these; a rule that names the address does.
///
/// The source is what IANA registers: [IPv4 special-purpose addresses][v4], [IPv6 special-purpose addresses][v6] and the
/// [IPv6 address space][space], where all that is not in `2000::/3` is reserved. Local is what they call not globally
/// reachable, and every multicast address. Where they leave it open, or by our own judgement:
///
/// - `64:ff9b::/96` (NAT64) and `2002::/16` (6to4) are what the IPv4 address in them is. `2001::/32` (Teredo) hides its
///   address, so it is local. The translation prefix that a network chose for itself cannot be known.
/// - `192.0.0.9`, `192.0.0.10`, `2001:1::1`, `2001:1::2` and `2001:1::3` are registered as globally reachable, but they
///   are anycast addresses of the nearest PCP, TURN or SRP server, which is one of this network: local.
/// - `192.88.99.0/24` (relays of 6to4, withdrawn) is local.
/// - Services that answer on the internet stay public: AS112 (`192.31.196.0/24`, `192.175.48.0/24`, `2001:4:112::/48`,
///   `2620:4f:8000::/48`), AMT (`192.52.193.0/24`, `2001:3::/32`), ORCHIDv2 (`2001:20::/28`), drone identifiers
///   (`2001:30::/28`).
///
/// [v4]: https://www.iana.org/assignments/iana-ipv4-special-registry
/// [v6]: https://www.iana.org/assignments/iana-ipv6-special-registry
/// [space]: https://www.iana.org/assignments/ipv6-address-space
pub fn is_local_address(address: IpAddr) -> bool {
    match (plain_address(address), carried(address)) {
        (_, Some(four)) | (IpAddr::V4(four), _) => is_local_v4(four),
        (IpAddr::V6(six), None) => is_local_v6(six),
    }
}

/// The IPv4 address that a packet to this IPv6 address ends at: behind a translator (NAT64) or at the end of a tunnel
/// (6to4).
pub(crate) fn carried(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(six) = address else { return None };
    let inside = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match six.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => inside(high, low),
        _ => None,
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    matches!(
        (a, b, c),
        // this network, private, loopback
        (0 | 10 | 127, _, _)
            // shared by a provider's customers
            | (100, 64..=127, _)
            // link-local
            | (169, 254, _)
            // private
            | (172, 16..=31, _)
            | (192, 168, _)
            // protocol assignments, documentation, relays of 6to4
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            // benchmarks, documentation
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            // multicast, reserved, broadcast
            | (224.., _, _)
    )
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Protocol assignments, 2001::/23, but for what is assigned to the internet: AMT, AS112, ORCHIDv2, drones.
        [0x2001, 3, ..] | [0x2001, 4, 0x112, ..] | [0x2001, 0x20..=0x3f, ..] => false,
        [0x2001, 0..=0x1ff, ..] => true,
        // Documentation.
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => true,
        // Global unicast. Outside of it: unspecified, loopback, IPv4-compatible and IPv4-translated forms, local NAT64,
        // discard-only, segment routing, unique local, link-local, site-local, multicast, and what nobody has yet.
        [first, ..] => !(0x2000..=0x3fff).contains(&first),
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
            "198.19.255.255",
            "192.0.0.8",
            "192.0.0.9",
            "192.0.0.10",
            "192.0.0.170",
            "192.0.2.1",
            "192.88.99.1",
            "192.88.99.2",
            "198.51.100.1",
            "203.0.113.1",
            "240.0.0.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:0:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::cb00:7101",
            "64:ff9b::1:808:808",
            "64:ff9b:1::1",
            "64:ff9b:1::808:808",
            "2002:7f00:1::",
            "2002:c000:204::1",
            "2001::1",
            "2001:0:808:808::1",
            "2001:1::1",
            "2001:1::2",
            "2001:1::3",
            "2001:1::4",
            "2001:2::1",
            "2001:4:111::1",
            "2001:10::1",
            "2001:1f:ffff::1",
            "2001:40::1",
            "2001:1ff::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "1fff::1",
            "400::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "100:0:0:1::1",
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
            "93.184.216.34",
            "192.0.1.1",
            "192.0.3.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.98.1",
            "192.88.100.1",
            "192.175.48.1",
            "198.17.255.255",
            "198.20.0.1",
            "198.51.99.1",
            "198.51.101.1",
            "203.0.112.1",
            "203.0.114.1",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::",
            "2606:4700::1111",
            "2001:3::1",
            "2001:4:112::1",
            "2001:20::1",
            "2001:2f:ffff::1",
            "2001:30::1",
            "2001:3f:ffff::1",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2001:4860:4860::8888",
            "2620:4f:8000::1",
            "3ffe::1",
            "3fff:1000::1",
            "2003::1",
            "2000::1",
        ] {
            assert!(!is_local_address(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn address_inside_a_translated_one_is_found() {
        for (text, inner) in [
            ("64:ff9b::a00:1", Some([10, 0, 0, 1])),
            ("2002:a00:1:2:3:4:5:6", Some([10, 0, 0, 1])),
            ("64:ff9b:1::a00:1", None),
            ("64:ff9b:0:0:1::a00:1", None),
            ("2003:a00:1::", None),
            ("10.0.0.1", None),
        ] {
            assert_eq!(carried(text.parse().unwrap()), inner.map(Ipv4Addr::from), "{text}");
        }
    }

    #[test]
    fn address_mapped_form_is_the_plain_one() {
        assert_eq!(plain_address("::ffff:127.0.0.1".parse().unwrap()), "127.0.0.1".parse::<IpAddr>().unwrap());
    }
}
