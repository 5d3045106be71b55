//! Free text: the whole body as one field.

use super::{Decoder, Malformed};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// The body as the field `message`.
#[derive(Clone, Copy, Debug)]
pub struct Whole;

impl Decoder for Whole {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        sink.plain(b"message", body, SpanType::String);
        Ok(())
    }
}
