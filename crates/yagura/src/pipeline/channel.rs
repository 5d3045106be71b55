//! A channel bounded in bytes instead of items.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Items with their sizes; senders wait while the sizes exceed the limit.
///
/// One item is always admitted into an empty channel, so that an item larger than the limit
/// passes alone instead of never.
#[derive(Debug)]
pub struct ByteChannel<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    bytes_max: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    closed: bool,
}

impl<T> ByteChannel<T> {
    /// An empty channel that holds about `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        let state = State { items: VecDeque::new(), bytes: 0, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), bytes_max }
    }

    /// Waits for room and adds an item; gives it back if the channel is closed.
    ///
    /// # Errors
    /// The item, once the channel is closed.
    pub fn send(&self, item: T, bytes: usize) -> Result<(), T> {
        let mut state = self.lock();
        while !state.closed && !state.items.is_empty() && state.bytes + bytes > self.bytes_max {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return Err(item);
        }
        state.bytes += bytes;
        state.items.push_back((item, bytes));
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits for an item; `None` once the channel is closed and empty.
    pub fn receive(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some((item, bytes)) = state.items.pop_front() {
                state.bytes -= bytes;
                drop(state);
                self.changed.notify_all();
                return Some(item);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// As [`Self::receive`], giving up after `timeout`.
    pub fn receive_timeout(&self, timeout: std::time::Duration) -> Received<T> {
        let state = self.lock();
        let waiting = |s: &mut State<T>| s.items.is_empty() && !s.closed;
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, timeout, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        match state.items.pop_front() {
            Some((item, bytes)) => {
                state.bytes -= bytes;
                drop(state);
                self.changed.notify_all();
                Received::Item(item)
            }
            None if state.closed => Received::Closed,
            None => Received::Nothing,
        }
    }

    /// Refuses further items; what is in the channel can still be received.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Bytes waiting.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`ByteChannel::receive_timeout`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<T> {
    /// The next item.
    Item(T),
    /// Nothing came in time.
    Nothing,
    /// The channel is closed and empty.
    Closed,
}

/// Credit in bytes for records between journal and consumers, reserved in journal order
/// before dispatch: the next expected work always has its credit already, so putting
/// results back in order cannot wait for memory that later work holds.
#[derive(Debug)]
pub struct Credit {
    used: Mutex<usize>,
    freed: Condvar,
    max: usize,
}

impl Credit {
    /// Credit of `max` bytes.
    pub fn new(max: usize) -> Self {
        Self { used: Mutex::new(0), freed: Condvar::new(), max }
    }

    /// Waits for `bytes` of credit. A demand beyond the whole is granted alone.
    pub fn reserve(&self, bytes: usize) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while *used > 0 && *used + bytes > self.max {
            used = self.freed.wait(used).unwrap_or_else(PoisonError::into_inner);
        }
        *used += bytes;
    }

    /// Gives credit back.
    pub fn release(&self, bytes: usize) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = used.saturating_sub(bytes);
        self.freed.notify_all();
    }

    /// Bytes there are.
    pub fn max(&self) -> usize {
        self.max
    }

    /// Bytes in use, for the memory ledger.
    pub fn used(&self) -> usize {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Arc;

    #[test]
    fn order_is_kept_and_closing_drains() {
        let channel = Arc::new(ByteChannel::new(10));
        let sender = Arc::clone(&channel);
        let thread = std::thread::spawn(move || {
            for n in 0..100 {
                sender.send(n, 4).unwrap();
            }
            sender.close();
        });
        let got: Vec<i32> = std::iter::from_fn(|| channel.receive()).collect();
        thread.join().unwrap();
        assert_eq!(got, (0..100).collect::<Vec<_>>());
        assert_eq!(channel.send(1, 1), Err(1));
    }

    #[test]
    fn an_item_larger_than_the_limit_passes_alone() {
        let channel = ByteChannel::new(10);
        channel.send('a', 1_000).unwrap();
        assert_eq!(channel.bytes(), 1_000);
        assert_eq!(channel.receive(), Some('a'));
        let credit = Credit::new(10);
        credit.reserve(1_000);
        credit.release(1_000);
        assert_eq!(credit.used(), 0);
    }
}
