//! Which endings of domain names belong to registries, and which to their customers: the public
//! suffix list.
//!
//! The list is code, and a crate that calls it compiles all of it anew. So nothing else is here.

/// The public suffix of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suffix {
    /// Its length in bytes, from the end of the name.
    pub len: usize,
    /// Whether it is in the list; the last label counts as a suffix in any case.
    pub known: bool,
    /// Whether it is that of a provider, who gives names below it to customers.
    pub private: bool,
}

/// The public suffix of a name in lower case, without a dot at its end; `None` for an empty name.
#[inline(never)]
pub fn suffix(name: &str) -> Option<Suffix> {
    let found = psl::suffix(name.as_bytes())?;
    let private = found.typ() == Some(psl::Type::Private);
    Some(Suffix { len: found.as_bytes().len(), known: found.is_known(), private })
}
