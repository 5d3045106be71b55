//! What can go wrong with notifications as a whole; a try that fails is in the outbox.

use yagura_meta::MetaError;

/// Why notifications cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum RespondError {
    /// The configuration is not valid, or names what is not there.
    #[error("{0}")]
    Config(String),
    /// The outbox cannot be read or written.
    #[error(transparent)]
    Store(#[from] MetaError),
    /// A channel's thread cannot be started.
    #[error("cannot start the thread of channel {channel:?}: {source}")]
    Thread {
        /// The channel.
        channel: String,
        /// The system's reason.
        source: std::io::Error,
    },
}
