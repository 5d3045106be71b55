//! A client of the server under a benchmark: requests over one connection, and the live stream.

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Longest wait for a line of the live stream before [`Live::next`] gives up for the time being.
const LIVE_LOOK: Duration = Duration::from_millis(100);

/// Longest answer, in bytes: a page of findings is far from it.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Where the API listens, and what lets a program in.
#[derive(Clone, Debug)]
pub struct Door {
    /// The listener.
    pub address: SocketAddr,
    /// A token.
    pub token: String,
}

impl Door {
    /// Sends the head of a `GET` over a new connection.
    fn ask(&self, stream: &mut TcpStream, path: &str) -> io::Result<()> {
        let (address, token) = (self.address, &self.token);
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())
    }

    fn connect(&self, wait: Duration) -> anyhow::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(self.address)
            .with_context(|| format!("cannot reach the API on {}", self.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(wait))?;
        Ok(BufReader::new(stream))
    }
}

/// A connection that stays open between requests.
pub struct Client {
    door: Door,
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Where nothing listens.
    pub fn connect(door: &Door) -> anyhow::Result<Self> {
        Ok(Self { door: door.clone(), stream: door.connect(ANSWER_MAX)? })
    }

    /// `GET path`, the answer as JSON.
    ///
    /// # Errors
    /// A connection that breaks, a status other than 200.
    pub fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        self.door.ask(self.stream.get_mut(), path)?;
        let (status, length) = head(&mut self.stream)?;
        let length = length.context("the answer has no length")?;
        ensure!(length <= ANSWER_BYTES_MAX, "an answer of {length} bytes");
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        ensure!(status == 200, "{path}: status {status}: {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body)?)
    }
}

/// Status and length of an answer, the head of which is read.
fn head(stream: &mut BufReader<TcpStream>) -> anyhow::Result<(u16, Option<usize>)> {
    let mut line = String::new();
    ensure!(stream.read_line(&mut line)? > 0, "the server closed the connection");
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.with_context(|| format!("no answer of HTTP: {line:?}"))?;
    let mut length = None;
    loop {
        line.clear();
        ensure!(stream.read_line(&mut line)? > 0, "the answer breaks off");
        let Some((name, value)) = line.trim_end().split_once(':') else {
            return Ok((status, length));
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
}

/// The live stream.
pub struct Live {
    stream: BufReader<TcpStream>,
    /// What there is of a line.
    line: Vec<u8>,
}

impl Live {
    /// Opens the stream.
    ///
    /// # Errors
    /// Where nothing listens, or the stream is refused.
    pub fn open(door: &Door) -> anyhow::Result<Self> {
        let mut stream = door.connect(ANSWER_MAX)?;
        door.ask(stream.get_mut(), "/api/v1/live")?;
        let (status, _) = head(&mut stream)?;
        ensure!(status == 200, "/api/v1/live: status {status}");
        stream.get_ref().set_read_timeout(Some(LIVE_LOOK))?;
        Ok(Self { stream, line: Vec::new() })
    }

    /// The name of the next event; `None` where none came for a moment.
    ///
    /// # Errors
    /// A stream that ends.
    pub fn next(&mut self) -> anyhow::Result<Option<String>> {
        loop {
            // What came of a line before the time was up stays in `line`. The lines between that
            // tell the lengths of chunks, data and heartbeats begin otherwise.
            match self.stream.read_until(b'\n', &mut self.line) {
                Ok(0) => bail!("the live stream ended"),
                Ok(_) => {
                    let line = std::mem::take(&mut self.line);
                    if let Some(name) = line.strip_prefix(b"event:") {
                        let name = String::from_utf8_lossy(name);
                        return Ok(Some(name.trim().to_owned()));
                    }
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::net::TcpListener;

    /// A door behind which a thread reads a request's head and then sends each part.
    fn door(parts: &'static [&'static str]) -> (Door, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while !asked.ends_with("\r\n\r\n") {
                reader.read_line(&mut asked).unwrap();
            }
            for part in parts {
                stream.write_all(part.as_bytes()).unwrap();
                // Longer than `LIVE_LOOK`: parts come as reads of their own.
                std::thread::sleep(Duration::from_millis(150));
            }
            asked
        });
        (Door { address, token: "yagura_t".to_owned() }, thread)
    }

    #[test]
    fn an_answer_is_read_to_its_length_and_a_refusal_is_told() {
        let (to, thread) =
            door(&["HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\"", ": 12}rest"]);
        assert_eq!(Client::connect(&to).unwrap().get("/x").unwrap()["a"], 12);
        let asked = thread.join().unwrap();
        assert!(asked.starts_with("GET /x HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("Authorization: Bearer yagura_t\r\n"), "{asked}");
        let (to, _) = door(&["HTTP/1.1 401 No\r\ncontent-length: 5\r\n\r\nwords"]);
        let error = Client::connect(&to).unwrap().get("/x").unwrap_err().to_string();
        assert!(error.contains("401") && error.contains("words"), "{error}");
    }

    #[test]
    fn names_of_events_are_read_also_in_parts() {
        let (to, _) = door(&[
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "19\r\nevent: over",
            "view\ndata: {}\n\n\r\n3\r\n:\n\n\r\n",
            "19\r\nevent: findings\ndata: {}\n\n\r\n",
        ]);
        let (mut live, mut names) = (Live::open(&to).unwrap(), Vec::new());
        let ended = loop {
            match live.next() {
                Ok(name) => names.extend(name),
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(names, ["overview", "findings"]);
        assert!(ended.contains("ended"), "{ended}");
    }
}
