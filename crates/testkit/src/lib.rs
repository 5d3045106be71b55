//! What tests, benches and the demo share: a simulated file system, a made-up company's logs,
//! and an operator's logs of any size.

pub mod generate;
pub mod hostile;
pub mod ports;
pub mod rng;
pub mod simfs;
mod simfs_image;
pub mod story;
