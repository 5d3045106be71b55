//! Parts of a file that lie close are read together.

use bytes::Bytes;
use std::ops::Range;

/// Parts with fewer bytes between them than it takes to ask once more are one read: of a disk in
/// the machine a read costs about as much as copying so many.
const GAP_BYTES: u64 = 16 << 10;

/// Reads the parts, in the order given. `read` is handed parts that lie apart, ascending, and gives
/// the bytes of each.
///
/// # Errors
/// That of `read`.
pub(crate) fn read_close<E>(
    parts: &[Range<u64>],
    read: impl FnOnce(&[Range<u64>]) -> Result<Vec<Vec<u8>>, E>,
) -> Result<Vec<Bytes>, E> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|at| parts[*at].start);
    let mut apart: Vec<Range<u64>> = Vec::new();
    // By part, the number of the one that it is in.
    let mut within = vec![0; parts.len()];
    for at in order {
        let part = &parts[at];
        match apart.last_mut() {
            Some(last) if part.start <= last.end.saturating_add(GAP_BYTES) => {
                last.end = last.end.max(part.end);
            }
            _ => apart.push(part.clone()),
        }
        within[at] = apart.len() - 1;
    }
    let read: Vec<Bytes> = read(&apart)?.into_iter().map(Bytes::from).collect();
    let slice = |(part, number): (&Range<u64>, usize)| {
        let (Some(bytes), Some(whole)) = (read.get(number), apart.get(number)) else {
            return Bytes::new();
        };
        let place = |offset: u64| usize::try_from(offset - whole.start).unwrap_or(usize::MAX);
        let (from, to) = (place(part.start), place(part.end));
        bytes.slice(from.min(bytes.len())..to.min(bytes.len()))
    };
    Ok(parts.iter().zip(within).map(slice).collect())
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
        let found = read_close(&parts, |apart: &[Range<u64>]| {
            reads = apart.to_vec();
            let bytes = |part: &Range<u64>| file[part.start as usize..part.end as usize].to_vec();
            Ok::<_, ()>(apart.iter().map(bytes).collect())
        });
        let expected: Vec<Bytes> = parts
            .iter()
            .map(|part| Bytes::copy_from_slice(&file[part.start as usize..part.end as usize]))
            .collect();
        assert_eq!(found, Ok(expected));
        assert_eq!(reads, [5..70_000, 90_000..90_010, 199_990..200_000]);
    }
}
