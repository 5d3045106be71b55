//! The lanes of the operator mix: which formats there are and how often each is written.

/// One log format of the mix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Lane {
    /// Cisco ASA syslog.
    Asa,
    /// FortiGate key=value syslog.
    Fortigate,
    /// Palo Alto traffic and threat, comma-separated.
    PaloAlto,
    /// Linux netfilter's kernel log.
    Iptables,
    /// Suricata EVE JSON.
    Suricata,
    /// Snort's fast alerts.
    Snort,
    /// Forward proxy, combined form with extensions.
    Proxy,
    /// Apache or nginx, combined form.
    Web,
    /// Squid's native access log.
    Squid,
    /// Postfix through syslog.
    Postfix,
    /// Windows Security and Sysmon events, one XML element a line.
    Windows,
    /// BIND's query log.
    Bind,
    /// Zeek's dns.log as JSON.
    ZeekDns,
}

/// What a lane's lines are about, for the shares of the mix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Group {
    /// Firewalls and intrusion sensors: 64 %.
    Firewall,
    /// Proxies and web servers: 34 %.
    Web,
    /// Mail: 1.5 %.
    Mail,
    /// Hosts and name resolution: 0.5 %.
    Endpoint,
}

impl Lane {
    /// Every lane, in the order of streams.
    pub const ALL: [Self; 13] = [
        Self::Asa,
        Self::Fortigate,
        Self::PaloAlto,
        Self::Iptables,
        Self::Suricata,
        Self::Snort,
        Self::Proxy,
        Self::Web,
        Self::Squid,
        Self::Postfix,
        Self::Windows,
        Self::Bind,
        Self::ZeekDns,
    ];

    /// The lane's name, also its file's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asa => "cisco_asa",
            Self::Fortigate => "fortigate",
            Self::PaloAlto => "paloalto",
            Self::Iptables => "iptables",
            Self::Suricata => "suricata",
            Self::Snort => "snort_fast",
            Self::Proxy => "proxy_access",
            Self::Web => "web_access",
            Self::Squid => "squid",
            Self::Postfix => "postfix",
            Self::Windows => "windows_event",
            Self::Bind => "bind",
            Self::ZeekDns => "zeek_dns",
        }
    }

    /// The name of the source that reads its records.
    pub fn source(self) -> &'static str {
        match self {
            Self::ZeekDns => "zeek",
            _ => self.name(),
        }
    }

    /// The lane of a name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.name() == name)
    }

    /// What the lane is about.
    pub fn group(self) -> Group {
        match self {
            Self::Asa
            | Self::Fortigate
            | Self::PaloAlto
            | Self::Iptables
            | Self::Suricata
            | Self::Snort => Group::Firewall,
            Self::Proxy | Self::Web | Self::Squid => Group::Web,
            Self::Postfix => Group::Mail,
            Self::Windows | Self::Bind | Self::ZeekDns => Group::Endpoint,
        }
    }

    /// The ending of the lane's file.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Suricata | Self::ZeekDns => "json",
            Self::Windows => "xml",
            _ => "log",
        }
    }

    /// Records of this lane in [`DECK_LEN`] of the mix. Firewall and IDS lines are 64 % of an
    /// operator's, web lines 34 %, mail 1.5 % (the monthly figures of a national operator);
    /// how each splits into products is our choice.
    pub fn weight(self) -> usize {
        match self {
            Self::Asa => 480,
            Self::Fortigate => 280,
            Self::PaloAlto => 240,
            Self::Iptables => 160,
            Self::Suricata => 100,
            Self::Snort => 20,
            Self::Proxy => 280,
            Self::Web => 240,
            Self::Squid => 160,
            Self::Postfix => 30,
            Self::Windows => 6,
            Self::Bind => 2,
            Self::ZeekDns => 2,
        }
    }
}

/// Bytes of an average record of the mix, or of the one lane that is written, for reckoning how
/// many records a number of bytes is. Measured; a test holds it within a tenth.
pub fn record_bytes_mean(only: Option<Lane>) -> u64 {
    let mean = |lane: Lane| match lane {
        Lane::Asa => 165,
        Lane::Fortigate => 600,
        Lane::PaloAlto => 505,
        Lane::Iptables => 262,
        Lane::Suricata => 590,
        Lane::Snort => 168,
        Lane::Proxy => 350,
        Lane::Web => 230,
        Lane::Squid => 170,
        Lane::Postfix => 150,
        Lane::Windows => 1_150,
        Lane::Bind => 165,
        Lane::ZeekDns => 440,
    };
    match only {
        Some(lane) => mean(lane),
        None => {
            let all: u64 =
                Lane::ALL.into_iter().map(|lane| mean(lane) * lane.weight() as u64).sum();
            all / DECK_LEN as u64
        }
    }
}

/// The lanes' weights together: within so many records the shares of the mix are exact.
pub const DECK_LEN: usize = 2_000;

/// The order in which lanes are written, shuffled by `rng`; `only` where a single one is asked
/// for.
pub fn deck(rng: &mut crate::rng::Rng, only: Option<Lane>) -> Vec<Lane> {
    if let Some(lane) = only {
        return vec![lane];
    }
    let mut deck: Vec<Lane> =
        Lane::ALL.into_iter().flat_map(|lane| std::iter::repeat_n(lane, lane.weight())).collect();
    for at in (1..deck.len()).rev() {
        deck.swap(at, rng.below(at as u32 + 1) as usize);
    }
    deck
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn the_deck_holds_the_shares_of_the_mix() {
        let deck = deck(&mut Rng::new(1), None);
        assert_eq!(deck.len(), DECK_LEN);
        let share = |group| deck.iter().filter(|lane| lane.group() == group).count();
        assert_eq!(share(Group::Firewall), 1_280);
        assert_eq!(share(Group::Web), 680);
        assert_eq!(share(Group::Mail), 30);
        assert_eq!(share(Group::Endpoint), 10);
        assert!(Lane::ALL.into_iter().all(|lane| Lane::of(lane.name()) == Some(lane)));
    }
}
