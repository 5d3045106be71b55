//! Writing fields into a buffer by hand: digits, addresses, hexadecimal.

/// How fields are appended to a record. Nothing allocates beyond the buffer's own growth.
pub trait Put {
    /// Text as it is.
    fn text(&mut self, text: &str);
    /// A number in decimal digits.
    fn number(&mut self, number: u64);
    /// A number in at least `width` digits (up to 20), zeros in front.
    fn padded(&mut self, number: u64, width: usize);
    /// The low `width` hexadecimal digits (up to 16) of a number, lower case.
    fn hex(&mut self, number: u64, width: usize);
    /// The same in upper case.
    fn hex_upper(&mut self, number: u64, width: usize);
    /// An IPv4 address in dotted form.
    fn ip(&mut self, ip: u32);
    /// An address and a port with `between` between them.
    fn socket(&mut self, ip: u32, between: u8, port: u16);
}

const LOWER: &[u8; 16] = b"0123456789abcdef";
const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// The decimal forms of the numbers of a byte, so that an address is four copies.
static OCTETS: [([u8; 3], u8); 256] = octets();

const fn octets() -> [([u8; 3], u8); 256] {
    let mut table = [([b'0'; 3], 1); 256];
    let mut n = 0;
    while n < 256 {
        let (a, b, c) = (b'0' + (n / 100) as u8, b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8);
        table[n] = match n {
            0..=9 => ([c, b'0', b'0'], 1),
            10..=99 => ([b, c, b'0'], 2),
            _ => ([a, b, c], 3),
        };
        n += 1;
    }
    table
}

impl Put for Vec<u8> {
    fn text(&mut self, text: &str) {
        self.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.padded(number, 1);
    }

    fn padded(&mut self, mut number: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let mut at = 20;
        while number > 0 {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.extend_from_slice(&digits[at.min(20 - width.clamp(1, 20))..]);
    }

    fn hex(&mut self, number: u64, width: usize) {
        hexadecimal(self, number, width, LOWER);
    }

    fn hex_upper(&mut self, number: u64, width: usize) {
        hexadecimal(self, number, width, UPPER);
    }

    fn ip(&mut self, ip: u32) {
        let mut text = [b'.'; 16];
        let mut len = 0;
        for octet in ip.to_be_bytes() {
            let (digits, digits_len) = &OCTETS[octet as usize];
            text[len..len + 3].copy_from_slice(digits);
            len += *digits_len as usize;
            text[len] = b'.';
            len += 1;
        }
        self.extend_from_slice(&text[..len - 1]);
    }

    fn socket(&mut self, ip: u32, between: u8, port: u16) {
        self.ip(ip);
        self.push(between);
        self.number(u64::from(port));
    }
}

fn hexadecimal(out: &mut Vec<u8>, number: u64, width: usize, digits: &[u8; 16]) {
    let mut text = [b'0'; 16];
    let width = width.min(16);
    for (place, digit) in text[..width].iter_mut().rev().enumerate() {
        *digit = digits[(number >> (4 * place) & 15) as usize];
    }
    out.extend_from_slice(&text[..width]);
}

/// The dotted form of an address, for names and for the truth file.
pub fn dotted(ip: u32) -> String {
    let [a, b, c, d] = ip.to_be_bytes();
    format!("{a}.{b}.{c}.{d}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn numbers_and_addresses_read_as_formatted_ones() {
        for number in [0, 1, 9, 10, 99, 100, 65_535, u64::from(u32::MAX), u64::MAX] {
            assert_eq!(written(|out| out.number(number)), number.to_string());
            assert_eq!(written(|out| out.padded(number, 6)), format!("{number:06}"));
            assert_eq!(written(|out| out.hex(number, 16)), format!("{number:016x}"));
        }
        for ip in [0, 1, u32::MAX, 0x0a01_6409, 0xc0a8_0064] {
            assert_eq!(written(|out| out.ip(ip)), dotted(ip));
        }
        assert_eq!(written(|out| out.socket(0x7f00_0001, b':', 80)), "127.0.0.1:80");
        assert_eq!(written(|out| out.hex_upper(0xbeef, 2)), "EF");
    }
}
