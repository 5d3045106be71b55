//! Events of the Security log as XML elements of one line each.

use super::Scene;
use super::windows_xml::{
    Computer, Connection, END, Logon, Process, Ticket, account, address, all, close, data, handle,
    number, open, system, system_account,
};
use crate::generate::text::Put;

/// A connection that the platform's filter let through (5156).
pub fn connection_allowed(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    c: &Connection,
    out: &mut Vec<u8>,
) {
    system(scene, computer, false, (5156, 1, 12_810, false), out);
    let name_service = c.dst_port == 53 && c.inbound;
    number("ProcessID", if name_service { 2_416 } else { 5_756 }, out);
    data(
        "Application",
        if name_service {
            r"\device\harddiskvolume1\windows\system32\dns.exe"
        } else {
            r"\device\harddiskvolume1\windows\system32\svchost.exe"
        },
        out,
    );
    data("Direction", if c.inbound { "%%14592" } else { "%%14593" }, out);
    address("SourceAddress", c.src, out);
    number("SourcePort", u64::from(c.src_port), out);
    address("DestAddress", c.dst, out);
    number("DestPort", u64::from(c.dst_port), out);
    number("Protocol", if c.dst_port == 53 { 17 } else { 6 }, out);
    number("FilterRTID", if c.inbound { 36_317 } else { 21_837 }, out);
    data("LayerName", if c.inbound { "%%14610" } else { "%%14611" }, out);
    number("LayerRTID", if c.inbound { 44 } else { 48 }, out);
    all(&[("RemoteUserID", "S-1-0-0"), ("RemoteMachineID", "S-1-0-0")], out);
    out.text(END);
}

/// A log-on (4624).
pub fn logged_on(scene: &Scene<'_>, computer: &Computer<'_>, logon: &Logon<'_>, out: &mut Vec<u8>) {
    system(scene, computer, false, (4624, 2, 12_544, false), out);
    system_account("Subject", out);
    account(scene, "Target", logon.sid, logon.user, Some(logon.id), out);
    number("LogonType", u64::from(logon.kind), out);
    data("LogonGuid", "{00000000-0000-0000-0000-000000000000}", out);
    let kerberos = logon.kind == 3;
    let process = if kerberos { "Kerberos" } else { "User32" };
    data("LogonProcessName", process, out);
    data("AuthenticationPackageName", if kerberos { "Kerberos" } else { "Negotiate" }, out);
    data("WorkstationName", if kerberos { "-" } else { logon.workstation }, out);
    all(
        &[
            ("TransmittedServices", "-"),
            ("LmPackageName", "-"),
            ("KeyLength", "0"),
            ("ProcessId", "0x1630"),
        ],
        out,
    );
    let image = if kerberos {
        r"C:\Windows\System32\lsass.exe"
    } else {
        r"C:\Windows\System32\winlogon.exe"
    };
    data("ProcessName", image, out);
    address("IpAddress", logon.from, out);
    number("IpPort", u64::from(logon.port), out);
    all(
        &[
            ("ImpersonationLevel", "%%1833"),
            ("RestrictedAdminMode", "-"),
            ("TargetOutboundUserName", "-"),
            ("TargetOutboundDomainName", "-"),
            ("VirtualAccount", "%%1843"),
            ("TargetLinkedLogonId", "0x0"),
            ("ElevatedToken", "%%1843"),
        ],
        out,
    );
    out.text(END);
}

/// A log-off (4634).
pub fn logged_off(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    logon: &Logon<'_>,
    out: &mut Vec<u8>,
) {
    system(scene, computer, false, (4634, 0, 12_545, false), out);
    account(scene, "Target", logon.sid, logon.user, Some(logon.id), out);
    number("LogonType", u64::from(logon.kind), out);
    out.text(END);
}

/// A log-on with privileges (4672).
pub fn privileges(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    logon: &Logon<'_>,
    out: &mut Vec<u8>,
) {
    system(scene, computer, false, (4672, 0, 12_548, false), out);
    account(scene, "Subject", logon.sid, logon.user, Some(logon.id), out);
    let list = "SeSecurityPrivilege SeBackupPrivilege SeRestorePrivilege SeTakeOwnershipPrivilege SeDebugPrivilege SeSystemEnvironmentPrivilege SeLoadDriverPrivilege SeImpersonatePrivilege";
    data("PrivilegeList", list, out);
    out.text(END);
}

/// A log-on that failed for a wrong password (4625).
pub fn logon_failed(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    logon: &Logon<'_>,
    out: &mut Vec<u8>,
) {
    system(scene, computer, false, (4625, 0, 12_544, true), out);
    all(
        &[
            ("SubjectUserSid", "S-1-0-0"),
            ("SubjectUserName", "-"),
            ("SubjectDomainName", "-"),
            ("SubjectLogonId", "0x0"),
            ("TargetUserSid", "S-1-0-0"),
            ("TargetUserName", logon.user),
            ("TargetDomainName", &scene.tenant.realm),
            ("Status", "0xc000006d"),
            ("FailureReason", "%%2313"),
            ("SubStatus", "0xc000006a"),
        ],
        out,
    );
    number("LogonType", u64::from(logon.kind), out);
    all(
        &[
            ("LogonProcessName", "NtLmSsp "),
            ("AuthenticationPackageName", "NTLM"),
            ("WorkstationName", logon.workstation),
            ("TransmittedServices", "-"),
            ("LmPackageName", "-"),
            ("KeyLength", "0"),
            ("ProcessId", "0x0"),
            ("ProcessName", "-"),
        ],
        out,
    );
    address("IpAddress", logon.from, out);
    number("IpPort", u64::from(logon.port), out);
    out.text(END);
}

/// A ticket given (4768 for the first, 4769 for a service).
pub fn ticket(scene: &Scene<'_>, computer: &Computer<'_>, ticket: &Ticket<'_>, out: &mut Vec<u8>) {
    let id = if ticket.granting { 4768 } else { 4769 };
    system(
        scene,
        computer,
        false,
        (id, 0, if ticket.granting { 14_339 } else { 14_337 }, false),
        out,
    );
    open("TargetUserName", out);
    out.text(ticket.user);
    if !ticket.granting {
        out.push(b'@');
        out.text(&scene.tenant.domain);
    }
    close(out);
    data("TargetDomainName", &scene.tenant.domain, out);
    open("ServiceName", out);
    if ticket.granting {
        out.text("krbtgt");
    } else {
        out.text(ticket.service);
        out.push(b'$');
    }
    close(out);
    let options = if ticket.granting { "0x40810010" } else { "0x40810000" };
    all(&[("TicketOptions", options), ("TicketEncryptionType", "0x12")], out);
    open("IpAddress", out);
    out.text("::ffff:");
    out.ip(ticket.from);
    close(out);
    number("IpPort", u64::from(ticket.port), out);
    all(&[("Status", "0x0"), ("TransmittedServices", "-")], out);
    out.text(END);
}

/// A process that began (4688).
pub fn process_created(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    p: &Process<'_>,
    out: &mut Vec<u8>,
) {
    system(scene, computer, false, (4688, 2, 13_312, false), out);
    match p.user {
        Some(user) => account(scene, "Subject", p.sid, user, Some(0x83_a723), out),
        None => system_account("Subject", out),
    }
    handle("NewProcessId", p.pid, out);
    all(&[("NewProcessName", p.image), ("TokenElevationType", "%%1936")], out);
    handle("ProcessId", p.parent_pid, out);
    data("CommandLine", p.command, out);
    system_account("Target", out);
    all(&[("ParentProcessName", p.parent), ("MandatoryLabel", "S-1-16-8192")], out);
    out.text(END);
}

/// A process that ended (4689).
pub fn process_ended(
    scene: &Scene<'_>,
    computer: &Computer<'_>,
    p: &Process<'_>,
    out: &mut Vec<u8>,
) {
    system(scene, computer, false, (4689, 0, 13_313, false), out);
    match p.user {
        Some(user) => account(scene, "Subject", p.sid, user, Some(0x83_a723), out),
        None => system_account("Subject", out),
    }
    data("Status", "0x0", out);
    handle("ProcessId", p.pid, out);
    data("ProcessName", p.image, out);
    out.text(END);
}
