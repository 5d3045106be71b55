//! Partitions that are to be parsed again, on their way to the lake's thread.

use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use yagura_lake::{Partition, Reparser};

/// A partition that is to be parsed again.
pub struct Order {
    /// Which.
    pub partition: Partition,
    /// Parses its records.
    pub with: Box<dyn Reparser>,
    /// Is told once it is done, or why it is not.
    pub done: Sender<Result<(), String>>,
}

/// The order that waits; there is one at a time.
#[derive(Default)]
pub struct Orders(Mutex<Option<Order>>);

impl Orders {
    /// Hands an order in; one that waited is dropped.
    pub fn put(&self, order: Order) {
        *self.slot() = Some(order);
    }

    /// Takes the order that waits.
    pub fn take(&self) -> Option<Order> {
        self.slot().take()
    }

    /// Whether one waits.
    pub fn is_waiting(&self) -> bool {
        self.slot().is_some()
    }

    fn slot(&self) -> MutexGuard<'_, Option<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
