//! Pages of lists: where one begins is a place in the list's order, and what has gone since or came
//! before it moves no other item.

use crate::error::{ApiError, Kind};
use crate::model::List;
use serde::Deserialize;
use utoipa::IntoParams;

/// Items of a page where no `limit` is named, and at most.
pub(crate) const ITEMS_DEFAULT: usize = 1_000;
/// See [`ITEMS_DEFAULT`].
pub(crate) const ITEMS_MAX: usize = 10_000;

/// A page of a list of customers' things.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Only this customer's.
    pub tenant: Option<String>,
    /// Most of them in one page, at most 10,000; 1,000 where absent.
    pub limit: Option<usize>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// A page of a list that is alike for all customers.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CommonPageQuery {
    /// Any request may name a customer.
    #[serde(rename = "tenant")]
    #[param(ignore)]
    _tenant: Option<String>,
    /// Most of them in one page, at most 10,000; 1,000 where absent.
    pub limit: Option<usize>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// The size of a page.
pub(crate) fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(ITEMS_DEFAULT).clamp(1, ITEMS_MAX)
}

/// The page behind `cursor` of a whole list, which is sorted by `place`.
///
/// # Errors
/// `Invalid` for a cursor that is none.
pub(crate) fn page<T>(
    items: Vec<T>,
    asked: Option<usize>,
    cursor: Option<&str>,
    place: impl Fn(&T) -> String,
) -> Result<List<T>, ApiError> {
    let behind = cursor.map(place_of).transpose()?;
    let before = |one: &T| behind.as_ref().is_some_and(|behind| place(one) <= *behind);
    let mut rest = items.into_iter().skip_while(before);
    let items: Vec<T> = rest.by_ref().take(limit(asked)).collect();
    let last = items.last().filter(|_| rest.next().is_some());
    let next_cursor = last.map(|one| cursor_of(&place(one)));
    Ok(List { items, next_cursor })
}

/// Parts of a place, one below the other; a part sorts before whatever it begins.
pub(crate) fn place<const N: usize>(parts: [&str; N]) -> String {
    parts.join("\0")
}

/// A number in a place.
pub(crate) fn rising(number: u64) -> String {
    format!("{number:020}")
}

/// A number in the place of a list that begins with the highest.
pub(crate) fn falling(number: u64) -> String {
    rising(u64::MAX - number)
}

/// A place as a cursor, which needs no escapes in an address.
pub fn cursor_of(place: &str) -> String {
    place.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The place that a cursor stands for.
///
/// # Errors
/// `Invalid` for a cursor that no page has given.
pub fn place_of(cursor: &str) -> Result<String, ApiError> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = cursor.as_bytes().chunks(2).map(byte).collect();
    let place = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    place.ok_or_else(|| ApiError::new(Kind::Invalid, "cursor", "this list has no such place"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// All pages of `limit` items, with `change` made to the list after the first.
    fn walk(mut items: Vec<&str>, limit: usize, change: impl Fn(&mut Vec<&str>)) -> Vec<String> {
        let (mut pages, mut cursor) = (Vec::new(), None);
        loop {
            let found =
                page(items.clone(), Some(limit), cursor.as_deref(), |one| (*one).to_owned());
            let found = found.unwrap();
            pages.push(found.items.join(" "));
            change(&mut items);
            match found.next_cursor {
                Some(next) => cursor = Some(next),
                None => return pages,
            }
        }
    }

    #[test]
    fn pages_hold_every_item_once_whatever_comes_and_goes() {
        let all = || vec!["a", "b", "c", "d", "e"];
        assert_eq!(walk(all(), 2, |_| ()), ["a b", "c d", "e"]);
        assert_eq!(walk(all(), 5, |_| ()), ["a b c d e"]);
        assert_eq!(walk(Vec::new(), 2, |_| ()), [""]);
        // The item that ended a page is gone, and another came before it.
        let change = |items: &mut Vec<&str>| {
            items.retain(|one| *one != "b");
            items.insert(0, "A");
        };
        assert_eq!(walk(all(), 2, change), ["a b", "c d", "e"]);
    }

    #[test]
    fn a_page_has_a_size_within_limits() {
        assert_eq!([None, Some(0), Some(7)].map(limit), [ITEMS_DEFAULT, 1, 7]);
        assert_eq!(limit(Some(ITEMS_MAX + 1)), ITEMS_MAX);
    }

    #[test]
    fn a_cursor_is_a_place_and_nothing_else_is_one() {
        let text = place(["acme", "櫓", &rising(7)]);
        assert_eq!(place_of(&cursor_of(&text)).unwrap(), text);
        for wrong in ["x", "6", "6g", "ff", "+1"] {
            assert_eq!(place_of(wrong).unwrap_err().code, "cursor", "{wrong}");
        }
        assert!(place(["a", "z"]) < place(["a b", "a"]) && rising(9) < rising(10));
        assert!(falling(10) < falling(9) && falling(0).len() == rising(0).len());
    }
}
