//! What tests and the demo share: a simulated file system and a made-up company's logs.

pub mod rng;
pub mod simfs;
mod simfs_image;
pub mod story;
