//! The journal over crashes, damage and full disks.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod crash;
mod damage;
mod disk_guard;
mod writer;
