//! What a decoder makes of a text, for the decoders' tests.

use super::{Decoder, Malformed};
use crate::sink::Sink;
use yagura_event::{EventBatch, FieldTable};

/// The fields that `decoder` reads from `text`, as `name=value`; or why it does not read it.
pub fn fields_of(decoder: &dyn Decoder, text: &str) -> Result<Vec<String>, Malformed> {
    let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
    let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
    decoder.decode(&mut sink, 0..text.len())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = |span: &yagura_event::Span| {
        format!("{}={}", text(batch.bytes(span.name)), text(batch.bytes(span.value)))
    };
    Ok(batch.spans.iter().map(shown).collect())
}
