//! Whose data a request is about: what the caller may see, narrowed to the tenant it names.

use crate::access::Caller;
use crate::error::{ApiError, Kind};
use serde::Deserialize;
use utoipa::IntoParams;
use yagura_event::{TenantName, TenantScope};

/// The parameter that narrows a request.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TenantQuery {
    /// Only this customer's.
    pub tenant: Option<String>,
}

impl TenantQuery {
    /// See [`scope`].
    ///
    /// # Errors
    /// As there.
    pub fn scope(&self, caller: &Caller) -> Result<TenantScope, ApiError> {
        scope(caller, self.tenant.as_deref())
    }
}

/// The caller's scope, narrowed to a tenant where one is named.
///
/// # Errors
/// `Invalid` for what is no tenant's name, `Forbidden` for a tenant outside the caller's scope.
pub fn scope(caller: &Caller, tenant: Option<&str>) -> Result<TenantScope, ApiError> {
    let Some(name) = tenant else { return Ok(caller.scope.clone()) };
    let asked = TenantScope::one(named(name)?);
    if !caller.scope.covers(&asked) {
        let text = "this tenant is not the caller's";
        return Err(ApiError::new(Kind::Forbidden, "tenant_not_allowed", text));
    }
    Ok(asked)
}

/// A tenant's name.
///
/// # Errors
/// `Invalid`.
pub fn named(name: &str) -> Result<TenantName, ApiError> {
    TenantName::new(name)
        .map_err(|error| ApiError::new(Kind::Invalid, "tenant_name", error.to_string()))
}

/// Refuses a caller who does not see all tenants: what it asks for is all tenants' alike.
///
/// # Errors
/// `Forbidden`.
pub fn all_tenants(caller: &Caller) -> Result<(), ApiError> {
    if caller.scope.covers(&TenantScope::operator()) {
        return Ok(());
    }
    let text = "this concerns all tenants; it takes a caller who sees all of them";
    Err(ApiError::new(Kind::Forbidden, "tenants_not_all", text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_all_tenants_alike_takes_a_caller_of_all() {
        let owner = Caller::owner();
        assert!(all_tenants(&owner).is_ok());
        let one = TenantScope::one(TenantName::new("acme").unwrap());
        let error = all_tenants(&Caller { scope: one, ..owner }).unwrap_err();
        assert_eq!((error.kind, error.code), (Kind::Forbidden, "tenants_not_all"));
    }
}
