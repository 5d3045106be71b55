//! Postfix through syslog: connections, queue, deliveries and refusals.

use super::Scene;
use crate::generate::text::Put;
use crate::generate::world::Site;
use crate::rng::Rng;

/// The mail server's memory: the message on its way.
#[derive(Clone, Debug)]
pub struct Postfix {
    stage: u8,
    letter: Letter,
    pid: u32,
}

/// One message.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// Queue id.
    pub queue: u64,
    /// Address of the server that brings it.
    pub client: u32,
    /// That server's name.
    pub client_name: String,
    /// Sender's domain.
    pub from_domain: String,
    /// Sender's local part.
    pub from_user: String,
    /// Recipient's local part.
    pub to: String,
    /// Size in bytes.
    pub bytes: u32,
    /// Number of the process that takes it.
    pub pid: u32,
    /// Random bits for the rest.
    pub spice: u32,
}

/// The lines of one message, in their order.
pub const STAGES: u8 = 7;

impl Postfix {
    /// A mail server of tenant `n`.
    pub fn new(rng: &mut Rng, n: usize) -> Self {
        let pid = 2_000 + rng.below(60_000) + n as u32;
        Self { stage: STAGES, letter: Letter::default(), pid }
    }

    /// The next line.
    pub fn write(&mut self, scene: &Scene<'_>, rng: &mut Rng, out: &mut Vec<u8>) {
        if self.stage >= STAGES {
            self.begin(scene, rng);
            if rng.chance(60) {
                self.stage = STAGES;
                return refused(scene, &self.letter, out);
            }
        }
        line(scene, &self.letter, self.stage, out);
        self.stage += 1;
    }

    fn begin(&mut self, scene: &Scene<'_>, rng: &mut Rng) {
        self.stage = 0;
        if rng.chance(20) {
            self.pid = 2_000 + rng.below(60_000);
        }
        let site: &Site = &scene.world.sites[scene.world.site(rng)];
        let letter = &mut self.letter;
        letter.queue = rng.bits();
        letter.client = scene.world.client(rng).ip;
        letter.spice = rng.bits() as u32;
        letter.bytes = rng.size(14_000);
        letter.pid = self.pid;
        // The strings keep their room, so that a message allocates nothing.
        let domain = site.host.split_once('.').map_or(site.host.as_str(), |(_, rest)| rest);
        set(&mut letter.from_domain, &[domain]);
        set(&mut letter.client_name, &["mx", ["1", "2", "3"][rng.below(3) as usize], ".", domain]);
        let people = &scene.world.tenants;
        let sender = people[rng.below(people.len() as u32) as usize].desk(rng);
        let word = ["news", "billing", "info", "no-reply", "support"][rng.below(5) as usize];
        set(&mut letter.from_user, &[if rng.chance(50) { &sender.user } else { word }]);
        set(&mut letter.to, &[&scene.tenant.desk(rng).user]);
    }
}

fn set(text: &mut String, parts: &[&str]) {
    text.clear();
    parts.iter().for_each(|part| text.push_str(part));
}

fn head(scene: &Scene<'_>, program: &str, pid: u32, out: &mut Vec<u8>) {
    out.text("<22>");
    scene.stamp.bsd(out);
    out.text(" mx-");
    out.text(scene.tenant.name);
    out.text(" postfix/");
    out.text(program);
    out.push(b'[');
    out.number(u64::from(pid));
    out.text("]: ");
}

fn queue(letter: &Letter, out: &mut Vec<u8>) {
    out.hex_upper(letter.queue, 10);
    out.text(": ");
}

fn client(letter: &Letter, out: &mut Vec<u8>) {
    out.text(&letter.client_name);
    out.push(b'[');
    out.ip(letter.client);
    out.push(b']');
}

fn sender(letter: &Letter, out: &mut Vec<u8>) {
    for part in ["from=<", &letter.from_user, "@", &letter.from_domain, ">"] {
        out.text(part);
    }
}

fn recipient(scene: &Scene<'_>, letter: &Letter, out: &mut Vec<u8>) {
    for part in ["to=<", &letter.to, "@", &scene.tenant.domain, ">"] {
        out.text(part);
    }
}

/// The n-th line of a message's way, 0 to [`STAGES`] - 1.
pub fn line(scene: &Scene<'_>, letter: &Letter, stage: u8, out: &mut Vec<u8>) {
    let spice = letter.spice;
    match stage {
        0 => {
            head(scene, "smtpd", letter.pid, out);
            out.text("connect from ");
            client(letter, out);
        }
        1 => {
            head(scene, "smtpd", letter.pid, out);
            queue(letter, out);
            out.text("client=");
            client(letter, out);
        }
        2 => {
            head(scene, "cleanup", letter.pid + 2, out);
            queue(letter, out);
            out.text("message-id=<");
            out.hex(letter.queue >> 20, 11);
            out.push(b'.');
            out.hex(u64::from(spice), 8);
            out.push(b'@');
            out.text(&letter.from_domain);
            out.push(b'>');
        }
        3 => {
            head(scene, "qmgr", 1_190, out);
            queue(letter, out);
            sender(letter, out);
            out.text(", size=");
            out.number(u64::from(letter.bytes));
            out.text(", nrcpt=1 (queue active)");
        }
        4 => delivered(scene, letter, out),
        5 => {
            head(scene, "qmgr", 1_190, out);
            queue(letter, out);
            out.text("removed");
        }
        _ => {
            head(scene, "smtpd", letter.pid, out);
            out.text("disconnect from ");
            client(letter, out);
            out.text(" ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7");
        }
    }
}

fn delivered(scene: &Scene<'_>, letter: &Letter, out: &mut Vec<u8>) {
    head(scene, "lmtp", letter.pid + 5, out);
    queue(letter, out);
    recipient(scene, letter, out);
    let spice = u64::from(letter.spice);
    out.text(", relay=mailstore.");
    out.text(&scene.tenant.domain);
    out.text("[private/dovecot-lmtp], delay=0.");
    out.padded(spice % 90 + 10, 2);
    out.text(", delays=0.");
    out.padded(spice % 89 + 1, 2);
    out.text("/0.01/0.01/0.0");
    out.number(spice % 8 + 1);
    out.text(", dsn=2.0.0, status=sent (250 2.0.0 <");
    for part in [&letter.to, "@", &scene.tenant.domain, "> "] {
        out.text(part);
    }
    out.hex(letter.queue ^ spice << 24, 16);
    out.text(" Saved)");
}

/// A recipient that the server turns away.
pub fn refused(scene: &Scene<'_>, letter: &Letter, out: &mut Vec<u8>) {
    head(scene, "smtpd", letter.pid, out);
    out.text("NOQUEUE: reject: RCPT from unknown[");
    out.ip(letter.client);
    let reason = match letter.spice % 4 {
        0 => "]: 554 5.7.1 Service unavailable; Client host blocked using zen.blocklist.example; ",
        1 => "]: 450 4.7.1 Client host rejected: cannot find your hostname; ",
        2 => "]: 550 5.1.1 Recipient address rejected: User unknown in local recipient table; ",
        _ => "]: 454 4.7.1 Relay access denied; ",
    };
    out.text(reason);
    sender(letter, out);
    out.push(b' ');
    recipient(scene, letter, out);
    out.text(" proto=ESMTP helo=<");
    out.text(&letter.client_name);
    out.push(b'>');
}
