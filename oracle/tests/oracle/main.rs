//! The oracle over the shared events, over every modifier, and over seeded variations.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod modifiers;
mod shared;
mod speed;
mod variations;
