//! Syslog over UDP (RFC 5426): a thread that takes what the kernel has, many datagrams a group.
//!
//! One datagram is one record, whatever line feeds it holds (RFC 5426 section 3.1). When the
//! journal pushes back the thread stops reading: what then does not fit into the socket's
//! buffer is dropped by the kernel, which counts it, and is journalled beside the books.

use crate::intake::{FeedContext, Group, Intake, IntakeError, stream_id};
use crate::syslog::host_of;
use socket2::SockRef;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};
use yagura_journal::Ticket;

/// Room for one datagram. IP itself allows 65,535 bytes with headers, so nothing is ever cut
/// here; it is far below the limit of a record, too.
pub const DATAGRAM_BYTES_MAX: usize = 64 * 1024;

/// Bytes of datagrams submitted as one group.
const GROUP_BYTES: usize = 512 * 1024;

/// Most datagrams of one group, so that a group of tiny ones becomes durable soon.
const GROUP_RECORDS_MAX: usize = 8_192;

/// Groups on their way to the disk at a time. More would only hide a disk that is too slow
/// from the kernel's count.
const GROUPS_IN_FLIGHT_MAX: usize = 8;

/// How long the thread waits for a datagram before it looks whether to stop.
const WAIT: Duration = Duration::from_millis(100);

/// How long it waits when the journal is full.
const FULL_WAIT: Duration = Duration::from_millis(200);

/// How long what the kernel still has is taken after the call to stop, should a sender go on.
const LAST_READ: Duration = Duration::from_secs(1);

/// How often the kernel's count of drops is read; a kill -9 loses the count since.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A bound socket.
pub struct UdpSyslog {
    socket: UdpSocket,
    address: SocketAddr,
    inode: u64,
    buffer_bytes: usize,
}

impl UdpSyslog {
    /// Binds `address` and asks for a receive buffer of `buffer_bytes`; the kernel grants at
    /// most `net.core.rmem_max`.
    ///
    /// # Errors
    /// An address that cannot be bound.
    pub fn bind(address: SocketAddr, buffer_bytes: usize) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let options = SockRef::from(&socket);
        options.set_recv_buffer_size(buffer_bytes)?;
        // The kernel doubles what it grants, for its own records (socket(7)).
        let buffer_bytes = options.recv_buffer_size()? / 2;
        socket.set_read_timeout(Some(WAIT))?;
        let link = format!("/proc/self/fd/{}", socket.as_raw_fd());
        let inode = std::fs::metadata(link).map_or(0, |meta| meta.ino());
        let address = socket.local_addr()?;
        Ok(Self { socket, address, inode, buffer_bytes })
    }

    /// The address bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Bytes of receive buffer that the kernel granted.
    pub fn buffer_bytes(&self) -> usize {
        self.buffer_bytes
    }

    /// Takes datagrams until `stopping`, then what the kernel still has.
    ///
    /// # Errors
    /// A journal that has stopped, a socket that fails.
    pub fn serve(
        self,
        intake: &Intake,
        feed: &FeedContext,
        stopping: &dyn Fn() -> bool,
    ) -> Result<(), UdpError> {
        let mut flow = Flow {
            intake,
            feed,
            stopping,
            tickets: VecDeque::new(),
            position: 0,
            told_full: false,
        };
        let mut datagrams = Datagrams::default();
        let mut room = vec![0u8; DATAGRAM_BYTES_MAX];
        let mut drops = Drops::new(self.inode, self.address.is_ipv6());
        let mut drained = true;
        let mut stopped: Option<Instant> = None;
        loop {
            let stop = stopping();
            if stop {
                stopped.get_or_insert_with(Instant::now);
            }
            if drained && !stop {
                self.socket.set_nonblocking(false)?;
                self.take(&mut datagrams, &mut room)?;
            }
            self.socket.set_nonblocking(true)?;
            drained = self.fill(&mut datagrams, &mut room)?;
            let last = stopped.is_some_and(|since| drained || since.elapsed() > LAST_READ);
            let dropped = drops.since_last(last);
            flow.submit(&datagrams, dropped)?;
            datagrams.clear();
            if last {
                return flow.finish();
            }
        }
    }

    /// Takes datagrams until there are none or the group is full; true where there are none.
    fn fill(&self, into: &mut Datagrams, room: &mut [u8]) -> io::Result<bool> {
        while into.bytes.len() < GROUP_BYTES && into.places.len() < GROUP_RECORDS_MAX {
            if !self.take(into, room)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn take(&self, into: &mut Datagrams, room: &mut [u8]) -> io::Result<bool> {
        loop {
            return match self.socket.recv_from(room) {
                Ok((len, peer)) => {
                    into.push(peer.ip().to_canonical(), room.get(..len).unwrap_or_default());
                    Ok(true)
                }
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => continue,
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(false),
                    _ => Err(error),
                },
            };
        }
    }
}

/// Why the listener ended.
#[derive(Debug, thiserror::Error)]
pub enum UdpError {
    /// The journal has stopped.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The socket failed.
    #[error("the socket failed: {0}")]
    Socket(#[from] io::Error),
}

/// Datagrams that wait to be submitted.
#[derive(Default)]
struct Datagrams {
    bytes: Vec<u8>,
    places: Vec<(IpAddr, Range<usize>)>,
    /// Datagrams without a byte of content, which are refused.
    empty: u64,
}

impl Datagrams {
    fn push(&mut self, peer: IpAddr, datagram: &[u8]) {
        let body = trim(datagram);
        if body.is_empty() {
            self.empty += 1;
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(body);
        self.places.push((peer, start..self.bytes.len()));
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
        self.empty = 0;
    }
}

/// Without trailing CR, LF and NUL, which senders add.
fn trim(datagram: &[u8]) -> &[u8] {
    let end = datagram.iter().rposition(|b| !matches!(b, b'\r' | b'\n' | 0));
    &datagram[..end.map_or(0, |at| at + 1)]
}

/// The way into the journal.
struct Flow<'a> {
    intake: &'a Intake,
    feed: &'a FeedContext,
    stopping: &'a dyn Fn() -> bool,
    tickets: VecDeque<Ticket>,
    position: u64,
    told_full: bool,
}

impl Flow<'_> {
    fn submit(&mut self, datagrams: &Datagrams, dropped: u64) -> Result<(), IntakeError> {
        loop {
            let group = self.group(datagrams, dropped)?;
            if group.is_empty() {
                return Ok(());
            }
            match self.intake.begin(group) {
                Ok(ticket) => {
                    self.position += datagrams.places.len() as u64;
                    self.told_full = false;
                    self.tickets.push_back(ticket);
                    return self.wait_down_to(GROUPS_IN_FLIGHT_MAX);
                }
                Err(IntakeError::Journal(error)) if error.is_full() => {
                    if (self.stopping)() {
                        return self.refuse(datagrams, dropped);
                    }
                    if !std::mem::replace(&mut self.told_full, true) {
                        tracing::warn!(%error, "syslog over UDP waits; the kernel drops what does not fit");
                    }
                    std::thread::sleep(FULL_WAIT);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn group(&self, datagrams: &Datagrams, dropped: u64) -> Result<Group<'_>, IntakeError> {
        let mut group = Group::new(self.feed, "");
        let (mut peer, mut peer_text) = (None, String::new());
        // Neighbours mostly share their stream, and to hash is dear.
        let (mut host, mut stream) = (&[][..], None);
        for (number, (from, range)) in datagrams.places.iter().enumerate() {
            if peer != Some(from) {
                peer = Some(from);
                peer_text.clear();
                // Text grows by itself: writing to it does not fail.
                let _ = write!(peer_text, "{from}");
                stream = None;
            }
            let bytes = &datagrams.bytes[range.clone()];
            if host_of(bytes) != host {
                (host, stream) = (host_of(bytes), None);
            }
            let stream = *stream.get_or_insert_with(|| stream_id(&[peer_text.as_bytes(), host]));
            group.push_from(&peer_text, stream, self.position + number as u64 + 1, bytes)?;
        }
        if datagrams.empty > 0 {
            group.reject("empty", datagrams.empty);
        }
        group.kernel_dropped(dropped);
        Ok(group)
    }

    /// At the end there is no room for what was read: it is counted as refused.
    fn refuse(&mut self, datagrams: &Datagrams, dropped: u64) -> Result<(), IntakeError> {
        let mut group = Group::new(self.feed, "");
        group.reject("journal_full", datagrams.places.len() as u64);
        group.reject("empty", datagrams.empty);
        group.kernel_dropped(dropped);
        self.tickets.push_back(self.intake.begin(group)?);
        Ok(())
    }

    fn wait_down_to(&mut self, most: usize) -> Result<(), IntakeError> {
        while self.tickets.len() > most {
            let Some(ticket) = self.tickets.pop_front() else { break };
            ticket.wait()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), UdpError> {
        Ok(self.wait_down_to(0)?)
    }
}

/// The kernel's count of datagrams that it dropped for a socket.
struct Drops {
    inode: u64,
    table: &'static str,
    seen: u32,
    looked: Instant,
    told: bool,
}

impl Drops {
    fn new(inode: u64, v6: bool) -> Self {
        let table = if v6 { "/proc/net/udp6" } else { "/proc/net/udp" };
        Self { inode, table, seen: 0, looked: Instant::now(), told: false }
    }

    /// Drops since the last look that was due; 0 where none is and `now` is false.
    fn since_last(&mut self, now: bool) -> u64 {
        if !now && self.looked.elapsed() < LOOK_INTERVAL {
            return 0;
        }
        self.looked = Instant::now();
        let text = std::fs::read_to_string(self.table).unwrap_or_default();
        let Some(count) = drops_of(&text, self.inode) else {
            if !std::mem::replace(&mut self.told, true) {
                tracing::warn!(table = self.table, "the kernel's drops cannot be counted");
            }
            return 0;
        };
        // The kernel counts in 32 bits and begins again behind them.
        let more = count.wrapping_sub(self.seen);
        self.seen = count;
        u64::from(more)
    }
}

/// The last column of the socket's row (proc_pid_net(5)).
fn drops_of(table: &str, inode: u64) -> Option<u32> {
    let inode = inode.to_string();
    let mut rows = table.lines().skip(1);
    let row = rows.find(|row| row.split_whitespace().nth(9) == Some(inode.as_str()))?;
    row.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn drops_are_in_the_sockets_row() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
            3: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 12\n\
            4: 0100007F:158B 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 47 2 0000000000000000 5\n";
        assert_eq!(drops_of(table, 4711), Some(12));
        assert_eq!(drops_of(table, 47), Some(5));
        assert_eq!(drops_of(table, 9), None);
        assert_eq!(drops_of("", 9), None);
    }

    #[test]
    fn a_datagram_loses_its_end_and_keeps_its_lines() {
        let mut datagrams = Datagrams::default();
        for text in [&b"<1>a\nb\r\n\0"[..], b"\n\0", b"", b"<2>c"] {
            datagrams.push(IpAddr::from([127, 0, 0, 1]), text);
        }
        assert_eq!(datagrams.bytes, b"<1>a\nb<2>c");
        assert_eq!((datagrams.places.len(), datagrams.empty), (2, 2));
    }

    /// What overflows a tiny buffer that nobody reads is counted by the kernel, to the datagram.
    #[test]
    fn the_kernel_counts_what_it_drops() {
        let listener = UdpSyslog::bind(SocketAddr::from(([127, 0, 0, 1], 0)), 4_096).unwrap();
        let mut drops = Drops::new(listener.inode, false);
        assert_eq!(drops.since_last(true), 0);
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sent = 500;
        for n in 0..sent {
            sender.send_to(format!("<1>{n}").as_bytes(), listener.local_addr()).unwrap();
        }
        let mut datagrams = Datagrams::default();
        let mut room = vec![0u8; DATAGRAM_BYTES_MAX];
        listener.socket.set_nonblocking(true).unwrap();
        assert!(listener.fill(&mut datagrams, &mut room).unwrap());
        let dropped = drops.since_last(true);
        assert!(dropped > 0 && !datagrams.places.is_empty());
        assert_eq!(datagrams.places.len() as u64 + dropped, sent);
    }
}
