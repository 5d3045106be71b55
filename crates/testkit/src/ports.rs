//! Addresses for a server of a test.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// Ports that Linux gives to no outgoing connection (`ip_local_port_range` begins at 32768): what
/// was free a moment ago stays so until the server binds it.
const FIRST: u32 = 20_000;
const PORTS: u32 = 12_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// `N` loopback addresses, no two alike and none given twice by this process, free for TCP and
/// UDP.
///
/// # Panics
/// Where none of the ports is free.
pub fn free_addresses<const N: usize>() -> [SocketAddr; N] {
    // Processes at the same time begin at places of their own.
    let begin = std::process::id().wrapping_mul(97);
    [(); N].map(|()| {
        for _ in 0..PORTS {
            let number = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS;
            let port = u16::try_from(FIRST + number).unwrap_or(u16::MAX);
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
                return address;
            }
        }
        panic!("no port from {FIRST} on is free");
    })
}
