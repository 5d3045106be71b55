//! The truth file: what was planted, where each of its lines is, and who took part.

use serde::Serialize;

/// Everything that was planted.
#[derive(Clone, Debug, Serialize)]
pub struct Truth {
    /// Version of this form.
    pub version: u32,
    /// Seed.
    pub seed: u64,
    /// First moment (RFC 3339).
    pub start: String,
    /// Moment of the last record.
    pub end: String,
    /// Records written.
    pub records: u64,
    /// Their bytes, line feeds included.
    pub bytes: u64,
    /// Tenants, the largest first.
    pub tenants: Vec<String>,
    /// Attacks, in the order of their first line.
    pub attacks: Vec<Story>,
    /// What looks like one and is none.
    pub herrings: Vec<Story>,
}

/// One thing that was planted.
#[derive(Clone, Debug, Serialize)]
pub struct Story {
    /// Number from 1, attacks and herrings together.
    pub id: usize,
    /// Whose logs it is in.
    pub tenant: String,
    /// What it is: `password_guessing`, `web_shell`, `phishing`, `lateral_movement`,
    /// `exfiltration`; or `mistyped_password`, `vulnerability_scanner`, `backup_job`,
    /// `update_check`, `admin_discovery`.
    pub kind: &'static str,
    /// Who took part.
    pub principals: Principals,
    /// What happened, in order.
    pub steps: Vec<Step>,
}

/// Names by which a finding would name those who took part. Sorted, none twice.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Principals {
    /// Computers.
    pub hosts: Vec<String>,
    /// Accounts.
    pub users: Vec<String>,
    /// Addresses, inside and outside.
    pub addresses: Vec<String>,
    /// Domains.
    pub domains: Vec<String>,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What it is, in a word or two.
    pub name: &'static str,
    /// ATT&CK technique; none for herrings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technique: Option<&'static str>,
    /// The lines that show it.
    pub lines: Vec<Line>,
}

/// Where one line is.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// When (RFC 3339).
    pub time: String,
    /// In which lane.
    pub lane: &'static str,
    /// Number of the record in the tenant's stream of this lane, from 1.
    pub record: u64,
    /// FNV-1a (64 bits) of the record's bytes without the line feed, 16 hexadecimal digits.
    pub hash: String,
}

/// FNV-1a of 64 bits: an offset basis and a prime, a byte at a time.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
