//! Patterns from text: wildcards, and the modifiers that change what is looked for.

use super::Fault;
use super::value::Mod;
use crate::ir::{DASHES, Piece};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Applies the modifiers that change the text, in the order written.
pub(super) fn encode(
    mods: &[Mod],
    pieces: Vec<Piece>,
    invalid: &dyn Fn(&str) -> Fault,
) -> Result<Vec<Vec<Piece>>, Fault> {
    let mut forms = vec![pieces];
    for modifier in mods {
        let mut next = Vec::with_capacity(forms.len());
        for form in forms {
            match modifier {
                Mod::Utf16Le => next.push(recode(form, utf16le)),
                Mod::Utf16Be => next.push(recode(form, utf16be)),
                // An empty value is its byte order mark.
                Mod::Utf16 if form.is_empty() => next.push(vec![Piece::Lit(vec![0xff, 0xfe])]),
                Mod::Utf16 => next.push(recode(form, |text| {
                    let mut out = vec![0xff, 0xfe];
                    out.extend(utf16le(text));
                    out
                })),
                Mod::Windash => next.push(windash(form)),
                Mod::Base64 => {
                    let bytes = plain(form).ok_or_else(|| invalid("base64 takes no wildcards"))?;
                    next.push(vec![Piece::Lit(STANDARD.encode(bytes).into_bytes())]);
                }
                Mod::Base64Offset => {
                    let bytes =
                        plain(form).ok_or_else(|| invalid("base64offset takes no wildcards"))?;
                    next.extend(
                        (0..3).map(|offset| vec![Piece::Lit(base64_offset(&bytes, offset))]),
                    );
                }
                _ => next.push(form),
            }
        }
        forms = next;
    }
    Ok(forms)
}

/// Reads wildcards: `\` takes the special meaning of `*`, `?` and `\`, and stands for itself
/// before anything else.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut run = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let special = match c {
            '*' => Piece::Any,
            '?' => Piece::One,
            '\\' => {
                run.push(chars.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or('\\'));
                continue;
            }
            c => {
                run.push(c);
                continue;
            }
        };
        if !run.is_empty() {
            out.push(Piece::Lit(std::mem::take(&mut run).into_bytes()));
        }
        out.push(special);
    }
    if !run.is_empty() {
        out.push(Piece::Lit(run.into_bytes()));
    }
    out
}

/// The bytes of a pattern without wildcards.
fn plain(form: Vec<Piece>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for piece in form {
        match piece {
            Piece::Lit(bytes) => out.extend(bytes),
            _ => return None,
        }
    }
    Some(out)
}

fn recode(form: Vec<Piece>, code: impl Fn(&str) -> Vec<u8>) -> Vec<Piece> {
    let recoded = form.into_iter().map(|piece| match piece {
        Piece::Lit(bytes) => Piece::Lit(code(&String::from_utf8_lossy(&bytes))),
        other => other,
    });
    recoded.collect()
}

fn utf16le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// The part of the Base64 text that does not depend on what surrounds `bytes`, where they
/// begin at `offset` (0 to 2) within a group of three.
fn base64_offset(bytes: &[u8], offset: usize) -> Vec<u8> {
    let mut padded = vec![b' '; offset];
    padded.extend_from_slice(bytes);
    let encoded = STANDARD.encode(&padded).into_bytes();
    // The first characters mix in bits of what comes before, the last ones of what follows.
    let start = [0, 2, 3][offset.min(2)];
    let drop = [0, 3, 2][padded.len() % 3];
    let end = encoded.len().saturating_sub(drop).max(start);
    encoded.get(start..end).unwrap_or_default().to_vec()
}

/// Each of the five dashes and slashes stands for any of them (Sigma 2.1, `windash`).
fn windash(form: Vec<Piece>) -> Vec<Piece> {
    let mut out = Vec::new();
    for piece in form {
        let Piece::Lit(bytes) = &piece else {
            out.push(piece);
            continue;
        };
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut run = String::new();
        for c in text.chars() {
            if DASHES.iter().any(|dash| dash.chars().eq([c])) {
                out.push(Piece::Lit(std::mem::take(&mut run).into_bytes()));
                out.push(Piece::Dash);
            } else {
                run.push(c);
            }
        }
        out.push(Piece::Lit(run.into_bytes()));
    }
    out
}
