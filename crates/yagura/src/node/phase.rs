//! How far work in the background is.

/// A phase; the last four are ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Others come first.
    Waiting,
    /// It works.
    Running,
    /// It has come to its end.
    Done,
    /// It has ended before, with as much as may be held.
    Full,
    /// It could not go on.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl Phase {
    /// The word for people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Full => "full",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it has ended.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Waiting | Self::Running)
    }
}
