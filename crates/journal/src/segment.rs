//! Segment files: name, header, and the scan that tells torn writes from damage.

use crate::frame::{FRAME_HEADER_BYTES, Frame, FrameFault, peek_lsn, read_frame};
use yagura_event::{Lsn, Micros};

/// Bytes of a segment before its first entry.
pub const SEGMENT_HEADER_BYTES: usize = 32;

const MAGIC: &[u8; 4] = b"YGRJ";
const FORMAT_VERSION: u16 = 1;
/// Header flag: LSNs before the segment are missing because damage was skipped.
const FLAG_GAP: u16 = 1;

/// Distance of the sparse index's marks, in bytes: what a reader that starts within a
/// segment skips over at most.
const INDEX_BYTES: u64 = 1024 * 1024;

/// Smallest unit that a disk writes whole; a hole left by a crash has at least this many zeros.
const SECTOR_BYTES: usize = 512;

/// A segment's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub node: u16,
    pub epoch: u16,
    pub gap: bool,
    pub first: Lsn,
}

impl Header {
    pub fn encode(self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4..6].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.node.to_le_bytes());
        bytes[8..10].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[10..12].copy_from_slice(&(if self.gap { FLAG_GAP } else { 0 }).to_le_bytes());
        bytes[12..20].copy_from_slice(&self.first.0.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header of a segment whose name says that it begins at `first`.
    pub fn decode(bytes: &[u8], first: Lsn) -> Result<Self, &'static str> {
        let Some(b) = bytes.first_chunk::<SEGMENT_HEADER_BYTES>() else {
            return Err("segment header is cut short");
        };
        let half = |at: usize| u16::from_le_bytes([b[at], b[at + 1]]);
        if &b[..4] != MAGIC {
            return Err("segment has not our magic");
        }
        if crc32c::crc32c(&b[..28]) != u32::from_le_bytes([b[28], b[29], b[30], b[31]]) {
            return Err("segment header's checksum does not hold");
        }
        if half(4) != FORMAT_VERSION {
            return Err("segment has a format version this release does not read");
        }
        let lsn = u64::from_le_bytes([b[12], b[13], b[14], b[15], b[16], b[17], b[18], b[19]]);
        if lsn != first.0 {
            return Err("segment's name and header differ");
        }
        Ok(Self { node: half(6), epoch: half(8), gap: half(10) & FLAG_GAP != 0, first })
    }
}

/// The file name of the segment that begins at `first`.
pub(crate) fn file_name(first: Lsn) -> String {
    format!("{:020}.yj", first.0)
}

/// The first LSN in a segment's file name; `None` for any other file.
pub(crate) fn parse_name(name: &str) -> Option<Lsn> {
    let digits = name.strip_suffix(".yj")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok().map(Lsn))?
}

/// A sparse index of one segment: (LSN, offset) of some entries, ascending.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index(Vec<(Lsn, u64)>);

impl Index {
    /// Notes that an entry begins at `offset`, if the last mark is far enough behind.
    pub fn mark(&mut self, lsn: Lsn, offset: u64) {
        if self.0.last().is_none_or(|&(_, last)| offset >= last + INDEX_BYTES) {
            self.0.push((lsn, offset));
        }
    }

    /// The nearest known entry at or before `lsn`.
    pub fn before(&self, lsn: Lsn) -> Option<(Lsn, u64)> {
        let after = self.0.partition_point(|&(l, _)| l <= lsn);
        after.checked_sub(1).map(|i| self.0[i])
    }
}

/// What a scan found wrong, and what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub offset: usize,
    pub what: &'static str,
    /// Whole entries lie behind it.
    pub behind: bool,
    /// What lies behind proves that the place was durable once.
    pub proven: bool,
    /// The bytes simply end; otherwise they are there and wrong.
    pub ends_short: bool,
}

/// The result of reading a segment from end to end.
#[derive(Debug)]
pub(crate) struct Scan {
    pub header: Option<Header>,
    /// Length up to the end of the last whole group.
    pub good_len: usize,
    /// Last entry of the last whole group, or the one before `first`.
    pub last: Lsn,
    pub received: Option<Micros>,
    pub index: Index,
    pub fault: Option<Fault>,
}

/// Reads a whole segment. Entries behind a fault are looked for, but not returned.
pub(crate) fn scan(bytes: &[u8], first: Lsn) -> Scan {
    let before = Lsn(first.0.saturating_sub(1));
    let mut scan = Scan {
        header: None,
        good_len: 0,
        last: before,
        received: None,
        index: Index::default(),
        fault: None,
    };
    match Header::decode(bytes, first) {
        Ok(header) => scan.header = Some(header),
        Err(what) => {
            // Damage if entries behind hold: header and first entry are written together, so
            // that a torn write takes both.
            let behind = find_frame(bytes, SEGMENT_HEADER_BYTES, first);
            let whole = behind.is_some_and(|(at, _)| at == SEGMENT_HEADER_BYTES);
            let proven = whole || find_commit(bytes, SEGMENT_HEADER_BYTES + 1, first).is_some();
            let ends_short = bytes.len() < SEGMENT_HEADER_BYTES;
            scan.fault =
                Some(Fault { offset: 0, what, behind: behind.is_some(), proven, ends_short });
            return scan;
        }
    }
    scan.good_len = SEGMENT_HEADER_BYTES;
    let (mut at, mut expected) = (SEGMENT_HEADER_BYTES, first);
    while at < bytes.len() {
        match read_frame(&bytes[at..]) {
            Ok(frame) if frame.lsn == expected => {
                scan.index.mark(frame.lsn, at as u64);
                at += frame.len;
                if frame.ends {
                    (scan.good_len, scan.last, scan.received) =
                        (at, frame.lsn, Some(frame.received));
                }
                expected = Lsn(expected.0 + 1);
            }
            Ok(_) => {
                scan.fault =
                    Some(fault_at(bytes, at, expected, "entry's number is out of order", false));
                return scan;
            }
            Err(FrameFault::Short(_)) => {
                scan.fault = Some(fault_at(bytes, at, expected, "entry is cut short", true));
                return scan;
            }
            Err(FrameFault::Bad(what)) => {
                scan.fault = Some(fault_at(bytes, at, expected, what, false));
                return scan;
            }
        }
    }
    if scan.good_len < bytes.len() {
        let (offset, what) = (scan.good_len, "last group is not whole");
        scan.fault = Some(Fault { offset, what, behind: false, proven: false, ends_short: true });
    }
    scan
}

fn fault_at(bytes: &[u8], at: usize, expected: Lsn, what: &'static str, ends_short: bool) -> Fault {
    let Some((next, _)) = find_frame(bytes, at, expected) else {
        return Fault { offset: at, what, behind: false, proven: false, ends_short };
    };
    // Behind the fault there are whole entries. A later commit proves that the place had been
    // durable. Within the last commit, pages may reach the disk in any order: a page that did
    // not leaves zeros, and anything else is damage.
    let later_commit = find_commit(bytes, at + 1, expected).is_some();
    let proven = later_commit || !has_hole(bytes, at, next);
    Fault { offset: at, what, behind: true, proven, ends_short: false }
}

/// The first whole frame at or after `from` whose LSN can follow `expected`.
pub(crate) fn find_frame(bytes: &[u8], from: usize, expected: Lsn) -> Option<(usize, Frame)> {
    let mut at = from;
    while let Some(head) = bytes.get(at..).and_then(<[u8]>::first_chunk::<FRAME_HEADER_BYTES>) {
        let room = ((bytes.len() - at) / FRAME_HEADER_BYTES) as u64;
        let passed = ((at - from) / FRAME_HEADER_BYTES) as u64;
        let lsn = peek_lsn(head).0;
        if lsn >= expected.0
            && lsn - expected.0 <= passed + room
            && let Ok(frame) = read_frame(&bytes[at..])
        {
            return Some((at, frame));
        }
        at += 1;
    }
    None
}

/// The first whole frame at or after `from` that begins a commit.
fn find_commit(bytes: &[u8], from: usize, expected: Lsn) -> Option<usize> {
    let (mut at, mut expected) = (from, expected);
    while let Some((found, frame)) = find_frame(bytes, at, expected) {
        if frame.begins {
            return Some(found);
        }
        (at, expected) = (found + frame.len, Lsn(frame.lsn.0 + 1));
    }
    None
}

/// Whether the bytes from `from`, where a commit may begin within a sector, to the sector's
/// end are zeros, or a whole sector of zeros lies before `to`.
fn has_hole(bytes: &[u8], from: usize, to: usize) -> bool {
    let zeros = |b: &[u8]| !b.is_empty() && b.iter().all(|&byte| byte == 0);
    let start = from.next_multiple_of(SECTOR_BYTES);
    let begins = start <= to && bytes.get(from..start).is_some_and(zeros);
    begins || bytes.get(start..to).is_some_and(|b| b.chunks_exact(SECTOR_BYTES).any(zeros))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::entry::Entry;
    use crate::frame::{EntryBuffer, stamp};

    /// A segment of commits, each a group of notes of the given lengths.
    fn segment(commits: &[&[usize]]) -> Vec<u8> {
        let first = Lsn(10);
        let mut bytes = Header { node: 1, epoch: 2, gap: false, first }.encode().to_vec();
        let mut next = first;
        for commit in commits {
            let mut buffer = EntryBuffer::new();
            for &len in *commit {
                buffer.push(&Entry::Note("n".repeat(len))).unwrap();
            }
            stamp(&mut buffer.bytes, next, 1, true, true);
            next = Lsn(next.0 + buffer.entries);
            bytes.extend_from_slice(&buffer.bytes);
        }
        bytes
    }

    #[test]
    fn names_and_headers_round_trip() {
        let header = Header { node: 3, epoch: 4, gap: true, first: Lsn(99) };
        assert_eq!(Header::decode(&header.encode(), Lsn(99)), Ok(header));
        assert!(Header::decode(&header.encode(), Lsn(98)).is_err());
        for bit in 0..SEGMENT_HEADER_BYTES * 8 {
            let mut bytes = header.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&bytes, Lsn(99)).is_err(), "bit {bit}");
        }
        assert_eq!(parse_name(&file_name(Lsn(u64::MAX))), Some(Lsn(u64::MAX)));
        assert_eq!(parse_name("00000000000000000001.yj.tmp"), None);
    }

    #[test]
    fn every_cut_of_the_last_commit_is_a_torn_tail() {
        let bytes = segment(&[&[30, 40], &[50, 60]]);
        let whole = segment(&[&[30, 40]]).len();
        for len in whole..bytes.len() {
            let scan = scan(&bytes[..len], Lsn(10));
            assert_eq!((scan.good_len, scan.last), (whole, Lsn(11)), "cut at {len}");
            assert!(scan.fault.is_none_or(|f| !f.proven), "cut at {len}");
        }
    }

    #[test]
    fn a_flip_before_a_later_commit_is_damage_wherever_it_is() {
        let bytes = segment(&[&[30, 40], &[50, 60], &[5]]);
        let last = segment(&[&[30, 40], &[50, 60]]).len();
        for at in 0..last {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            let fault = scan(&flipped, Lsn(10)).fault.expect("a flip is noticed");
            assert!(fault.proven, "flip at {at}: {fault:?}");
        }
    }

    #[test]
    fn a_hole_within_the_last_commit_is_torn_and_a_flip_there_is_damage() {
        let bytes = segment(&[&[30], &[700, 2000, 700]]);
        let mut hole = bytes.clone();
        hole[1024..2048].fill(0);
        let fault = scan(&hole, Lsn(10)).fault.unwrap();
        assert!(fault.behind && !fault.proven, "{fault:?}");
        let mut flipped = bytes.clone();
        flipped[1500] ^= 1;
        assert!(scan(&flipped, Lsn(10)).fault.unwrap().proven);
    }

    #[test]
    fn a_hole_from_the_commits_begin_to_the_next_sector_is_torn() {
        let room = 512 - SEGMENT_HEADER_BYTES - 2 * FRAME_HEADER_BYTES - 3;
        let bytes = segment(&[&[100], &[room - 100, 80]]);
        let start = segment(&[&[100]]).len();
        let mut hole = bytes.clone();
        hole[start..512].fill(0);
        assert!(read_frame(&bytes[512..]).is_ok_and(|f| f.lsn == Lsn(12)));
        let fault = scan(&hole, Lsn(10)).fault.unwrap();
        assert!(fault.behind && !fault.proven, "{fault:?}");
    }

    #[test]
    fn format_version_1_stays_as_it_is() {
        let hex: String = segment(&[&[3]]).iter().map(|b| format!("{b:02x}")).collect();
        let header = "5947524a01000100020000000a000000000000000000000000000000d984e3b6";
        let entry = "0400000054dad7650a00000000000000c80100000000000000036e6e6e";
        assert_eq!(hex, format!("{header}{entry}"));
    }
}
