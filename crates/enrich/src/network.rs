//! IP networks and ranges: reading them, and which are refused.

use crate::refusal::Refusal;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Shortest IPv4 prefix taken: a /8 is the largest block that one owner ever had.
pub const V4_PREFIX_MIN: u8 = 8;

/// Shortest IPv6 prefix taken: no registry gave one owner more than a /16.
pub const V6_PREFIX_MIN: u8 = 16;

/// An IP network, host bits zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Network {
    /// Its first address.
    pub first: IpAddr,
    /// Leading bits that are fixed.
    pub len: u8,
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.len)
    }
}

/// Networks that name no single owner, as (address, prefix length): IANA's special-purpose
/// registries without what is set aside for documentation and benchmarks. Those never occur in
/// real traffic, and exercises need them.
const RESERVED_V4: [(u32, u8); 10] = [
    (0x0000_0000, 8),
    (0x0a00_0000, 8),
    (0x6440_0000, 10),
    (0x7f00_0000, 8),
    (0xa9fe_0000, 16),
    (0xac10_0000, 12),
    (0xc000_0000, 24),
    (0xc0a8_0000, 16),
    (0xe000_0000, 4),
    (0xf000_0000, 4),
];

/// See [`RESERVED_V4`]: unspecified, loopback and the rest of ::/96, unique local, link-local
/// with what was site-local, multicast.
const RESERVED_V6: [(u128, u8); 4] =
    [(0, 96), (0xfc00 << 112, 7), (0xfe80 << 112, 9), (0xff00 << 112, 8)];

fn mask_v4(len: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0)
}

fn mask_v6(len: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(len.min(128))).unwrap_or(0)
}

impl Network {
    /// The network of `len` bits around `address`; `None` where the family has fewer bits.
    pub fn new(address: IpAddr, len: u8) -> Option<Self> {
        let first = match address {
            IpAddr::V4(ip) if len <= 32 => IpAddr::V4(Ipv4Addr::from(u32::from(ip) & mask_v4(len))),
            IpAddr::V6(ip) if len <= 128 => {
                IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask_v6(len)))
            }
            _ => return None,
        };
        Some(Self { first, len })
    }

    /// First and last address as numbers, for IPv4.
    pub fn v4(&self) -> Option<(u32, u32)> {
        let IpAddr::V4(ip) = self.first else { return None };
        let first = u32::from(ip);
        Some((first, first | !mask_v4(self.len)))
    }

    /// First and last address as numbers, for IPv6.
    pub fn v6(&self) -> Option<(u128, u128)> {
        let IpAddr::V6(ip) = self.first else { return None };
        let first = u128::from(ip);
        Some((first, first | !mask_v6(self.len)))
    }

    /// Whether it is a single address.
    pub fn is_one(&self) -> bool {
        self.len == if self.first.is_ipv4() { 32 } else { 128 }
    }

    /// Whether any reserved network overlaps it.
    fn is_reserved(&self) -> bool {
        if let Some((first, last)) = self.v4() {
            return RESERVED_V4.iter().any(|(net, len)| {
                let end = net | !mask_v4(*len);
                first <= end && *net <= last
            });
        }
        let Some((first, last)) = self.v6() else { return false };
        RESERVED_V6.iter().any(|(net, len)| {
            let end = net | !mask_v6(*len);
            first <= end && *net <= last
        })
    }

    /// Whether it may be an indicator.
    ///
    /// # Errors
    /// [`Refusal::TooWide`] below [`V4_PREFIX_MIN`] or [`V6_PREFIX_MIN`], [`Refusal::Reserved`].
    pub fn check(&self) -> Result<(), Refusal> {
        let least = if self.first.is_ipv4() { V4_PREFIX_MIN } else { V6_PREFIX_MIN };
        if self.len < least {
            return Err(Refusal::TooWide);
        }
        if self.is_reserved() { Err(Refusal::Reserved) } else { Ok(()) }
    }
}

/// Reads an address; octets with leading zeros only where all four have three digits.
pub fn address(text: &str) -> Option<IpAddr> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ip.to_canonical());
    }
    if text.len() != 15 || text.split('.').count() != 4 {
        return None;
    }
    let mut octets = [0u8; 4];
    for (octet, part) in octets.iter_mut().zip(text.split('.')) {
        if part.len() != 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    Some(IpAddr::from(octets))
}

/// Reads `address/length` and `address/mask`.
pub fn cidr(text: &str) -> Option<Network> {
    let (ip, len) = text.split_once('/')?;
    let ip = address(ip.trim())?;
    let len = len.trim();
    let len = match len.parse::<u8>() {
        Ok(len) => len,
        Err(_) => mask_len(len)?,
    };
    Network::new(ip, len)
}

/// The prefix length of a netmask such as 255.255.255.0.
pub fn mask_len(mask: &str) -> Option<u8> {
    let bits = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    let len = bits.leading_ones() as u8;
    (bits == mask_v4(len) && len > 0).then_some(len)
}

/// The networks that make up all addresses from `first` to `last`, both included; `None` where
/// the families differ or the order is wrong.
pub fn range(first: IpAddr, last: IpAddr) -> Option<Vec<Network>> {
    let (mut at, end, bits) = match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(u32::from(a)), u128::from(u32::from(b)), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a), u128::from(b), 128u32),
        _ => return None,
    };
    if at > end {
        return None;
    }
    let mut found = Vec::new();
    loop {
        let room = end - at;
        // The largest block that begins here: by alignment and by what is left.
        let aligned = if at == 0 { bits } else { at.trailing_zeros().min(bits) };
        let fits = match room.checked_add(1) {
            Some(count) => 127 - count.leading_zeros(),
            None => 128,
        };
        let host = aligned.min(fits);
        let first = match bits {
            32 => IpAddr::V4(Ipv4Addr::from(at as u32)),
            _ => IpAddr::V6(Ipv6Addr::from(at)),
        };
        found.push(Network { first, len: (bits - host) as u8 });
        let size = 1u128.checked_shl(host).unwrap_or(0);
        match at.checked_add(size) {
            Some(next) if size > 0 && next <= end => at = next,
            _ => return Some(found),
        }
    }
}
