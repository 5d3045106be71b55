//! Parts of a file that lie close are read together.

use bytes::Bytes;
use std::ops::Range;

/// Parts with fewer bytes between them than it takes to ask once more are one read: of a disk in
/// the machine a read costs about as much as copying so many.
const GAP_BYTES: u64 = 16 << 10;

/// Reads the parts by `read`, in the order given.
///
/// # Errors
/// The first of `read`.
pub(crate) fn read_close<E>(
    parts: &[Range<u64>],
    mut read: impl FnMut(Range<u64>) -> Result<Bytes, E>,
) -> Result<Vec<Bytes>, E> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|at| parts[*at].start);
    let mut found = vec![Bytes::new(); parts.len()];
    let mut rest = order.as_slice();
    while let Some((first, others)) = rest.split_first() {
        let mut whole = parts[*first].clone();
        let close = others.iter().take_while(|at| {
            let part = &parts[**at];
            let near = part.start <= whole.end.saturating_add(GAP_BYTES);
            if near {
                whole.end = whole.end.max(part.end);
            }
            near
        });
        let count = 1 + close.count();
        let (together, others) = rest.split_at(count);
        let bytes = read(whole.clone())?;
        for at in together {
            let place = |offset: u64| usize::try_from(offset - whole.start).unwrap_or(usize::MAX);
            let (from, to) = (place(parts[*at].start), place(parts[*at].end));
            found[*at] = bytes.slice(from.min(bytes.len())..to.min(bytes.len()));
        }
        rest = others;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_parts_are_one_read_and_each_gets_its_bytes() {
        let file: Vec<u8> = (0..200_000u32).map(|n| (n * 31 % 251) as u8).collect();
        let parts =
            [90_000..90_010, 5..9, 7..300, 10_000..10_000, 20_000..70_000, 199_990..200_000];
        let mut reads = Vec::new();
        let found = read_close(&parts, |part: Range<u64>| {
            reads.push(part.clone());
            Ok::<_, ()>(Bytes::copy_from_slice(&file[part.start as usize..part.end as usize]))
        });
        let expected: Vec<Bytes> = parts
            .iter()
            .map(|part| Bytes::copy_from_slice(&file[part.start as usize..part.end as usize]))
            .collect();
        assert_eq!(found, Ok(expected));
        assert_eq!(reads, [5..70_000, 90_000..90_010, 199_990..200_000]);
    }
}
