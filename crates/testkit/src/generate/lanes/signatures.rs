//! What intrusion sensors name: signatures with their class and priority.

/// One signature.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Number.
    pub sid: u32,
    /// Revision.
    pub rev: u8,
    /// Name.
    pub name: &'static str,
    /// The same in the dotted form that FortiGate and Palo Alto write.
    pub dotted: &'static str,
    /// Class in Snort's short form.
    pub class: &'static str,
    /// The class in words.
    pub category: &'static str,
    /// 1 (worst) to 3.
    pub priority: u8,
    /// Protocol in upper case.
    pub protocol: &'static str,
}

const fn signature(
    sid: u32,
    rev: u8,
    name: &'static str,
    dotted: &'static str,
    class: (&'static str, &'static str, u8),
    protocol: &'static str,
) -> Signature {
    let (class, category, priority) = class;
    Signature { sid, rev, name, dotted, class, category, priority, protocol }
}

const RECON: (&str, &str, u8) = ("attempted-recon", "Attempted Information Leak", 2);
const WEB: (&str, &str, u8) = ("web-application-attack", "Web Application Attack", 1);
const ACTIVITY: (&str, &str, u8) =
    ("web-application-activity", "Access to a Potentially Vulnerable Web Application", 2);
const ICMP: (&str, &str, u8) = ("icmp-event", "Generic ICMP event", 3);
const MISC: (&str, &str, u8) = ("misc-activity", "Misc activity", 3);
const TROJAN: (&str, &str, u8) = ("trojan-activity", "A Network Trojan was detected", 1);

/// Signatures seen on any uplink, the most common first; those from [`SERIOUS`] on are seen in
/// attacks alone.
pub const ALL: [Signature; 16] = [
    signature(384, 8, "PROTOCOL-ICMP PING", "ICMP.Ping", ICMP, "ICMP"),
    signature(9_000_575, 8, "SCAN ICMP PING sweep", "ICMP.Sweep", RECON, "ICMP"),
    signature(
        9_402_000,
        6_0,
        "DROP listed address, inbound group 14",
        "Listed.Address",
        MISC,
        "TCP",
    ),
    signature(9_001_219, 20, "SCAN potential SSH scan", "SSH.Connection.Scan", RECON, "TCP"),
    signature(
        9_010_935,
        3,
        "SCAN suspicious inbound to MSSQL port 1433",
        "MSSQL.Port.Scan",
        RECON,
        "TCP",
    ),
    signature(
        9_010_937,
        3,
        "SCAN suspicious inbound to MySQL port 3306",
        "MySQL.Port.Scan",
        RECON,
        "TCP",
    ),
    signature(9_101_852, 5, "WEB_SERVER robots.txt access", "Web.Robots.Access", ACTIVITY, "TCP"),
    signature(9_009_582, 4, "SCAN port scanner window 1024", "Port.Scan.Window.1024", RECON, "TCP"),
    signature(
        9_027_885,
        3,
        "WEB_SERVER version control directory access attempt",
        "Web.VCS.Directory.Access",
        RECON,
        "TCP",
    ),
    signature(
        9_012_887,
        2,
        "WEB_SERVER possible CRLF injection in header",
        "Web.Header.CRLF.Injection",
        WEB,
        "TCP",
    ),
    signature(
        9_015_737,
        5,
        "WEB_SERVER administration tool access",
        "Web.Admin.Tool.Access",
        WEB,
        "TCP",
    ),
    signature(9_024_364, 5, "SCAN internet scanner user agent", "Scanner.User.Agent", RECON, "TCP"),
    signature(9_002_677, 13, "SCAN Nikto web scan in progress", "Nikto.Web.Scanner", WEB, "TCP"),
    signature(
        9_011_768,
        7,
        "WEB_SERVER PHP system command in request",
        "PHP.System.Command.Request",
        WEB,
        "TCP",
    ),
    signature(
        9_022_000,
        3,
        "MALWARE regular check-in to new domain",
        "Beacon.New.Domain",
        TROJAN,
        "TCP",
    ),
    signature(9_027_758, 4, "POLICY DNS query of unusual length", "DNS.Long.Query", TROJAN, "UDP"),
];

/// Signatures below this index are everyday noise.
pub const SERIOUS: usize = 12;

/// The Nikto scan.
pub const SCANNER: usize = 12;
/// The command in a request.
pub const COMMAND: usize = 13;
/// The check-in.
pub const BEACON: usize = 14;
/// The long query.
pub const TUNNEL: usize = 15;

/// An everyday signature of random bits.
pub fn of(bits: u32) -> &'static Signature {
    // The lower of two draws, so that the first are the most common.
    let (a, b) = (bits as usize % SERIOUS, (bits >> 8) as usize % SERIOUS);
    &ALL[a.min(b)]
}
