//! The product as its users meet it: the real binary, real senders and receivers, and the whole data
//! plane in simulation. One program, since each links the query engine.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api;
mod archives;
mod backup;
mod bad_input;
mod bench;
mod bit_flips;
mod check;
mod erase;
mod forward;
mod full_disk;
mod generate;
mod headers;
mod hunt;
mod hunting;
mod ingest;
mod intel;
mod live;
mod notify;
mod parse_scenarios;
mod planted;
mod poison;
mod queries;
mod readers;
mod regression;
mod reparse;
mod repeats;
mod replay;
mod retention;
mod retrospect;
mod rule_states;
mod rules;
mod scenarios;
mod search;
mod simulation;
mod spine;
mod support;
mod syslog_udp;
mod watch;
