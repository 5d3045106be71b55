//! Inputs: what frames records from the outside and hands them to the journal.
//!
//! An input acknowledges a record only when the journal says that it is durable.

pub mod arrivals;
pub mod closed;
pub mod container;
pub mod frame;
pub mod intake;
pub mod syslog;
pub mod syslog_udp;
pub mod watch;

pub use arrivals::{Arrival, Arrivals};
pub use frame::{FRAME_BYTES_MAX, Framer};
pub use intake::{FeedContext, Group, Intake, IntakeError};
