//! Converted values by their place in a batch's arena.

use crate::convert::Value;
use crate::sink::Sink;
use yagura_event::Scalar;
use yagura_event::batch::Text;

/// A converted value without a borrow of the arena.
pub(crate) enum Located {
    /// A part of the arena.
    Text(Text),
    /// New text.
    Owned(Vec<u8>),
    /// Anything but text.
    Scalar(Scalar),
}

impl Located {
    /// The column's value; new text goes to the arena.
    pub(crate) fn place(self, sink: &mut Sink<'_, '_>) -> Scalar {
        match self {
            Self::Text(text) => Scalar::Text(text),
            Self::Owned(bytes) => Scalar::Text(sink.text(&bytes)),
            Self::Scalar(scalar) => scalar,
        }
    }
}

/// A value converted from `whole`, which stands at `text` in the arena.
pub(crate) fn located(value: Value<'_>, whole: &[u8], text: Text) -> Located {
    match value {
        Value::Part(part) => {
            // A part is a slice of `whole`, so the distance is its offset in it.
            let skip = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize) as u32;
            Located::Text(Text { off: text.off + skip.min(text.len), len: part.len() as u32 })
        }
        Value::Owned(bytes) => Located::Owned(bytes),
        Value::I64(number) => Located::Scalar(Scalar::I64(number)),
        Value::F64(number) => Located::Scalar(Scalar::F64(number)),
        Value::Bool(truth) => Located::Scalar(Scalar::Bool(truth)),
    }
}
