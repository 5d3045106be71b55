//! The moment of a record in every form that a lane writes, rendered once a second.

use super::text::Put;
use yagura_event::Micros;
use yagura_event::time::{Civil, SECOND, civil};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment and its written forms to the second, all in UTC.
#[derive(Clone, Debug, Default)]
pub struct Stamp {
    at: Micros,
    second: i64,
    bsd: Vec<u8>,
    access: Vec<u8>,
    iso: Vec<u8>,
    slashed: Vec<u8>,
    named: Vec<u8>,
    snort: Vec<u8>,
    epoch: Vec<u8>,
}

impl Stamp {
    /// The moment `at`.
    pub fn new(at: Micros) -> Self {
        let mut stamp = Self { second: i64::MIN, ..Self::default() };
        stamp.set(at);
        stamp
    }

    /// Moves to `at`; true where that is another second than before.
    pub fn set(&mut self, at: Micros) -> bool {
        self.at = at;
        let second = at.div_euclid(SECOND);
        if second == self.second {
            return false;
        }
        self.second = second;
        self.render(civil(at));
        true
    }

    fn render(&mut self, c: Civil) {
        let month = MONTHS[(c.month as usize).clamp(1, 12) - 1];
        let year = c.year.max(0);
        let (day, clock) = (c.day, format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second));
        self.bsd = format!("{month} {day:2} {clock}").into_bytes();
        self.access = format!("{day:02}/{month}/{year}:{clock} +0000").into_bytes();
        self.iso = format!("{year:04}-{:02}-{day:02}T{clock}", c.month).into_bytes();
        self.slashed = format!("{year:04}/{:02}/{day:02} {clock}", c.month).into_bytes();
        self.named = format!("{day:02}-{month}-{year:04} {clock}").into_bytes();
        self.snort = format!("{:02}/{day:02}-{clock}", c.month).into_bytes();
        self.epoch = self.second.to_string().into_bytes();
    }

    /// The moment itself.
    pub fn at(&self) -> Micros {
        self.at
    }

    /// Microseconds within the second.
    pub fn micros(&self) -> u64 {
        self.at.rem_euclid(SECOND).unsigned_abs()
    }

    /// `May 14 14:24:44`
    pub fn bsd(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bsd);
    }

    /// `14/May/2024:14:24:44 +0000`
    pub fn access(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.access);
    }

    /// `2024-05-14`
    pub fn date(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.iso.get(..10).unwrap_or_default());
    }

    /// `14:24:44`
    pub fn clock(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.iso.get(11..).unwrap_or_default());
    }

    /// `2024-05-14T14:24:44.` and the microseconds in `digits` digits (7 has a zero behind).
    pub fn iso(&self, out: &mut Vec<u8>, digits: usize) {
        out.extend_from_slice(&self.iso);
        out.push(b'.');
        self.fraction(out, digits);
    }

    /// `2024-05-14T14:24:44`, to keep for later.
    pub fn iso_second(&self) -> [u8; 19] {
        self.iso.get(..19).and_then(|text| text.try_into().ok()).unwrap_or([b'0'; 19])
    }

    /// The fraction of the second in `digits` digits.
    pub fn fraction(&self, out: &mut Vec<u8>, digits: usize) {
        let micros = self.micros();
        match digits {
            3 => out.padded(micros / 1_000, 3),
            7 => out.padded(micros * 10, 7),
            _ => out.padded(micros, 6),
        }
    }

    /// `2024/05/14 14:24:44`
    pub fn slashed(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.slashed);
    }

    /// `14-May-2024 14:24:44`
    pub fn named(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.named);
    }

    /// `05/14-14:24:44`
    pub fn snort(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.snort);
    }

    /// `1715696684`
    pub fn epoch(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.epoch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_in_every_form() {
        let mut stamp = Stamp::new(1_715_696_684_012_345);
        let mut forms = Vec::new();
        let writers: [fn(&Stamp, &mut Vec<u8>); 8] = [
            Stamp::bsd,
            Stamp::access,
            Stamp::date,
            Stamp::clock,
            Stamp::slashed,
            Stamp::named,
            Stamp::snort,
            Stamp::epoch,
        ];
        for write in writers {
            write(&stamp, &mut forms);
            forms.push(b'|');
        }
        stamp.iso(&mut forms, 3);
        stamp.fraction(&mut forms, 7);
        let text = String::from_utf8_lossy(&forms).into_owned();
        assert_eq!(
            text,
            "May 14 14:24:44|14/May/2024:14:24:44 +0000|2024-05-14|14:24:44|\
             2024/05/14 14:24:44|14-May-2024 14:24:44|05/14-14:24:44|1715696684|\
             2024-05-14T14:24:44.0120123450"
        );
        assert!(!stamp.set(1_715_696_684_900_000));
        assert!(stamp.set(1_715_696_685_000_000));
    }
}
