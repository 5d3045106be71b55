//! Converted values between the conversion, which borrows the arena, and their place in it.

use crate::convert::Value;
use crate::sink::Sink;
use yagura_event::Scalar;
use yagura_event::batch::Text;

/// A converted value without a borrow of the arena.
pub enum Located {
    /// A part of what is there.
    Text(Text),
    /// New text.
    Owned(Vec<u8>),
    /// No text.
    Scalar(Scalar),
}

impl Located {
    /// Puts it into the batch.
    pub fn place(self, sink: &mut Sink<'_, '_>) -> Scalar {
        match self {
            Self::Text(text) => Scalar::Text(text),
            Self::Owned(bytes) => Scalar::Text(sink.text(&bytes)),
            Self::Scalar(scalar) => scalar,
        }
    }
}

/// Tells where in the arena a value converted from `whole`, which is `text` there, stands.
pub fn located(value: Value<'_>, whole: &[u8], text: Text) -> Located {
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
