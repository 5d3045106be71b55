//! Tenant names and the scope every read or write of customers' data must carry.

use std::fmt;
use std::sync::Arc;

/// Longest tenant name in bytes; it is part of file paths and column values.
pub const TENANT_NAME_BYTES_MAX: usize = 63;

/// A tenant's name: 1 to 63 of `a-z`, `0-9`, `-` and `_`, beginning with a letter or digit.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TenantName(Arc<str>);

/// Why a tenant name was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TenantError {
    /// The name has characters or a length outside the rule of [`TenantName`].
    #[error(
        "tenant name {0:?} must be 1 to 63 characters of a-z, 0-9, '-' and '_', beginning with a letter or digit"
    )]
    Name(String),
}

impl TenantName {
    /// The tenant of installations that have only one.
    pub fn default_tenant() -> Self {
        Self(Arc::from("default"))
    }

    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`TenantError::Name`] if the name breaks the rule above.
    pub fn new(name: &str) -> Result<Self, TenantError> {
        let bytes = name.as_bytes();
        let first = bytes.first().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let rest = bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
        if first && rest && bytes.len() <= TENANT_NAME_BYTES_MAX {
            Ok(Self(Arc::from(name)))
        } else {
            Err(TenantError::Name(name.to_owned()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the caller may see. There is no default: every query states its scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantScope(Scope);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    One(TenantName),
    All,
}

impl TenantScope {
    /// The scope of one tenant.
    pub fn one(tenant: TenantName) -> Self {
        Self(Scope::One(tenant))
    }

    /// Every tenant: for the platform's operator at the data directory, never for a customer.
    pub fn operator() -> Self {
        Self(Scope::All)
    }

    /// Whether data of `tenant` is inside the scope.
    pub fn allows(&self, tenant: &str) -> bool {
        match &self.0 {
            Scope::One(name) => name.as_str() == tenant,
            Scope::All => true,
        }
    }

    /// Whether everything inside `other` is inside this scope.
    pub fn covers(&self, other: &Self) -> bool {
        match &self.0 {
            Scope::One(_) => self == other,
            Scope::All => true,
        }
    }

    /// The one tenant of the scope, or `None` where the scope is all of them.
    pub fn tenant(&self) -> Option<&TenantName> {
        match &self.0 {
            Scope::One(name) => Some(name),
            Scope::All => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_at_both_ends_of_the_limit() {
        assert!(TenantName::new(&"a".repeat(63)).is_ok());
        assert!(TenantName::new(&"a".repeat(64)).is_err());
        assert!(TenantName::new("").is_err());
        assert!(TenantName::new("../up").is_err());
        assert!(TenantName::new("-a").is_err());
    }

    #[test]
    fn a_scope_of_one_sees_no_other() -> Result<(), TenantError> {
        let scope = TenantScope::one(TenantName::new("acme")?);
        assert!(scope.allows("acme"));
        assert!(!scope.allows("acm"));
        assert!(TenantScope::operator().allows("acme"));
        Ok(())
    }
}
