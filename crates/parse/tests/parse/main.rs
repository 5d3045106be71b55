//! The parser over written, shared and hostile records.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod definitions;
mod elastic;
mod envelopes;
mod headers_shared;
mod hostile;
mod samples;
mod scenarios;
mod windows;
mod windows_shapes;
mod windows_shared;
mod windows_support;
mod zeek_json;
