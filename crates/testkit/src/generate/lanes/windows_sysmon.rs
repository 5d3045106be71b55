//! Sysmon's events as XML elements of one line each.

use super::Scene;
use super::windows_xml::{
    Computer, Connection, END, Kind, Process, address, all, close, data, number, open, system,
};
use crate::generate::text::Put;
use crate::rng::Rng;

/// A process that began, with its hashes (Sysmon 1).
pub fn sysmon_process(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    p: &Process<'_>,
    out: &mut Vec<u8>,
) {
    sysmon_head(scene, computer, (1, 5, 1, false), p, out);
    all(
        &[
            ("FileVersion", "10.0.22621.1"),
            ("Description", "-"),
            ("Product", "-"),
            ("Company", "-"),
            ("OriginalFileName", "-"),
            ("CommandLine", p.command),
            ("CurrentDirectory", r"C:\Windows\System32\"),
        ],
        out,
    );
    sysmon_user("User", p, out);
    guid("LogonGuid", computer.machine, u32::from(p.user.is_some()), out);
    all(&[("LogonId", "0x3e7"), ("TerminalSessionId", "1"), ("IntegrityLevel", "Medium")], out);
    open("Hashes", out);
    // The hash belongs to the image: its digits follow from the name.
    let seed =
        p.image.bytes().fold(7, |sum: u64, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)));
    let mut bits = Rng::new(seed);
    out.text("MD5=");
    (0..2).for_each(|_| out.hex_upper(bits.bits(), 16));
    out.text(",SHA256=");
    (0..4).for_each(|_| out.hex_upper(bits.bits(), 16));
    close(out);
    guid("ParentProcessGuid", computer.machine, p.parent_pid, out);
    number("ParentProcessId", u64::from(p.parent_pid), out);
    all(&[("ParentImage", p.parent), ("ParentCommandLine", p.parent)], out);
    sysmon_user("ParentUser", p, out);
    out.text(END);
}

/// A process that ended (Sysmon 5).
pub fn sysmon_process_ended(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    p: &Process<'_>,
    out: &mut Vec<u8>,
) {
    sysmon_head(scene, computer, (5, 3, 5, false), p, out);
    sysmon_user("User", p, out);
    out.text(END);
}

/// A connection of a process (Sysmon 3).
pub fn sysmon_connection(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    p: &Process<'_>,
    c: &Connection,
    out: &mut Vec<u8>,
) {
    sysmon_head(scene, computer, (3, 5, 3, false), p, out);
    sysmon_user("User", p, out);
    all(
        &[
            ("Protocol", if c.dst_port == 53 { "udp" } else { "tcp" }),
            ("Initiated", if c.inbound { "false" } else { "true" }),
            ("SourceIsIpv6", "false"),
        ],
        out,
    );
    address("SourceIp", c.src, out);
    data("SourceHostname", "-", out);
    number("SourcePort", u64::from(c.src_port), out);
    all(&[("SourcePortName", "-"), ("DestinationIsIpv6", "false")], out);
    address("DestinationIp", c.dst, out);
    data("DestinationHostname", "-", out);
    number("DestinationPort", u64::from(c.dst_port), out);
    data("DestinationPortName", "-", out);
    out.text(END);
}

/// A name that a process asked for (Sysmon 22).
pub fn name_asked(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    p: &Process<'_>,
    name: &str,
    ip: u32,
    out: &mut Vec<u8>,
) {
    sysmon_head(scene, computer, (22, 5, 22, false), p, out);
    all(&[("QueryName", name), ("QueryStatus", "0")], out);
    open("QueryResults", out);
    out.text("::ffff:");
    out.ip(ip);
    out.push(b';');
    close(out);
    sysmon_user("User", p, out);
    out.text(END);
}

/// A registry value set (Sysmon 13).
pub fn registry_set(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    p: &Process<'_>,
    out: &mut Vec<u8>,
) {
    sysmon_head(scene, computer, (13, 2, 13, false), p, out);
    data("EventType", "SetValue", out);
    open("TargetObject", out);
    out.text("HKU\\");
    out.text(p.sid);
    out.text(r"\Software\Office\16.0\Writer\Reading Locations\Document ");
    out.number(computer.bits >> 50 & 63);
    close(out);
    open("Details", out);
    scene.stamp.date(out);
    out.push(b'T');
    scene.stamp.clock(out);
    close(out);
    sysmon_user("User", p, out);
    out.text(END);
}

/// A process that opened another (Sysmon 10).
pub fn process_accessed(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    p: &Process<'_>,
    out: &mut Vec<u8>,
) {
    system(scene, computer, true, (10, 3, 10, false), out);
    guid("SourceProcessGUID", computer.machine, 640, out);
    all(
        &[
            ("SourceProcessId", "640"),
            ("SourceThreadId", "704"),
            ("SourceImage", r"C:\Windows\System32\csrss.exe"),
        ],
        out,
    );
    guid("TargetProcessGUID", computer.machine, p.pid, out);
    number("TargetProcessId", u64::from(p.pid), out);
    all(
        &[
            ("TargetImage", p.image),
            ("GrantedAccess", "0x1400"),
            ("CallTrace", r"C:\Windows\SYSTEM32\ntdll.dll+9D790"),
            ("SourceUser", r"NT AUTHORITY\SYSTEM"),
        ],
        out,
    );
    sysmon_user("TargetUser", p, out);
    out.text(END);
}

/// A file that a process made (Sysmon 11).
pub fn file_created(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    p: &Process<'_>,
    target: &str,
    out: &mut Vec<u8>,
) {
    sysmon_head(scene, computer, (11, 2, 11, false), p, out);
    data("TargetFilename", target, out);
    open("CreationUtcTime", out);
    scene.stamp.date(out);
    out.push(b' ');
    scene.stamp.clock(out);
    out.text(".000");
    close(out);
    sysmon_user("User", p, out);
    out.text(END);
}

/// A GUID as Sysmon makes them: machine, start, number.
fn guid(name: &str, machine: u32, pid: u32, out: &mut Vec<u8>) {
    open(name, out);
    let mut bits = Rng::new(u64::from(machine) << 32 | u64::from(pid));
    let digits = bits.bits();
    out.push(b'{');
    out.hex(u64::from(machine), 8);
    out.push(b'-');
    out.hex(digits, 4);
    out.text("-6643-");
    out.hex(digits >> 16, 4);
    out.text("-0010");
    out.hex(digits >> 32, 8);
    out.push(b'}');
    close(out);
}

fn sysmon_user(name: &str, p: &Process<'_>, out: &mut Vec<u8>) {
    open(name, out);
    match p.user {
        Some(user) => {
            out.text(p.realm);
            out.push(b'\\');
            out.text(user);
        }
        None => out.text(r"NT AUTHORITY\SYSTEM"),
    }
    close(out);
}

fn sysmon_head(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    kind: Kind,
    p: &Process<'_>,
    out: &mut Vec<u8>,
) {
    system(scene, computer, true, kind, out);
    guid("ProcessGuid", computer.machine, p.pid, out);
    number("ProcessId", u64::from(p.pid), out);
    data("Image", p.image, out);
}
