//! Syslog over UDP through the real binary: one record a datagram, and the kernel's drops are
//! counted beside the books.

use crate::support::server::{Site, wait_until};
use crate::support::{balanced, count, ndjson, ok, refused};
use std::net::UdpSocket;

fn row(site: &Site) -> (u64, u64, u64) {
    let data = site.data();
    let rows = ndjson(&ok(&["books", "--data", data.to_str().unwrap(), "--format", "ndjson"]));
    let sum = |key: &str| rows.iter().map(|row| row[key].as_u64().unwrap()).sum();
    (sum("received"), sum("rejected"), sum("dropped_by_kernel"))
}

#[test]
fn a_datagram_is_a_record() {
    let mut site = Site::new("");
    site.start();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let longest = format!("<13>1 - long app - - - {}", "x".repeat(60_000));
    let texts = [
        "<38>Jan  5 10:00:00 gate sshd[7]: Failed password for ops from 192.0.2.9 port 40 ssh2\n",
        "<13>1 2026-01-05T10:00:00Z web app - - - one\ntwo\nthree\r\n\0",
        &longest,
        "\n\0",
    ];
    for text in texts {
        sender.send_to(text.as_bytes(), site.udp).unwrap();
    }
    wait_until("four datagrams", || row(&site) == (4, 1, 0));
    let data = site.data();
    wait_until("three records", || count(&data, "select count(*) from events") == "3");
    let sql = "select count(*) from events where raw_data like '%one\ntwo\nthree'";
    assert_eq!(count(&data, sql), "1");
    assert_eq!(count(&data, "select max(length(raw_data)) from events"), longest.len().to_string());
    assert_eq!(count(&data, "select count(*) from events where class_uid = 3002"), "1");
    assert!(site.log().contains("(UDP, buffer of "), "{}", site.log());
    site.stop();
    assert_eq!(balanced(&data).len(), 1);
}

/// A tiny buffer under a flood: what was sent is what was received and what was dropped.
#[test]
fn what_the_kernel_drops_is_counted() {
    let mut site = Site::new("syslog_udp_buffer_bytes = 4096\n");
    site.start();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sent = 100_000u64;
    for n in 0..sent {
        let text = format!("<38>Jan  5 10:00:00 gate app[7]: number {n}");
        sender.send_to(text.as_bytes(), site.udp).unwrap();
    }
    wait_until("all datagrams in the books", || {
        let (received, _, dropped) = row(&site);
        received + dropped == sent
    });
    site.stop();
    let (received, rejected, dropped) = row(&site);
    println!("of {sent} datagrams {received} were received and {dropped} dropped by the kernel");
    assert_eq!((received + dropped, rejected), (sent, 0));
    assert!(dropped > 0 && received > 0);
    let data = site.data();
    balanced(&data);
    assert_eq!(count(&data, "select count(*) from events"), received.to_string());
    let numbers = "select count(distinct split_part(raw_data, 'number ', 2)) from events";
    assert_eq!(count(&data, numbers), received.to_string());
    let table = ok(&["books", "--data", data.to_str().unwrap()]);
    assert!(table.contains("dropped_by_kernel") && table.contains(&dropped.to_string()), "{table}");
}

#[test]
fn only_loopback_and_free_addresses_are_taken() {
    let site = Site::new("");
    let config = site.path("other.toml");
    let data = site.data();
    let up = ["up", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
    std::fs::write(&config, "[listen]\nsyslog_udp = \"192.0.2.1:5514\"\n").unwrap();
    refused(&up, 1, &["listen.syslog_udp = 192.0.2.1:5514 is not a loopback address"]);
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let any = "http = \"127.0.0.1:0\"\nsyslog_tcp = \"127.0.0.1:0\"\n";
    std::fs::write(&config, format!("[listen]\n{any}syslog_udp = \"{address}\"\n")).unwrap();
    refused(&up, 1, &[&address.to_string(), "stop what uses it", "in use"]);
    assert!(!data.exists());
}
