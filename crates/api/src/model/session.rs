//! Sessions and tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What signs in.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Password {
    /// The administrator's password.
    pub password: String,
}

/// Somebody signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Session {
    /// The account's name.
    pub user: String,
    /// What it may do.
    pub role: String,
    /// What requests that change something send in the header `yagura-csrf`.
    pub csrf_token: String,
    /// When the session ends if it is not used, RFC 3339.
    pub expires_time_dt: String,
}

/// A token to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenName {
    /// What it is for, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// A program's token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Who made it.
    pub by: String,
    /// When, RFC 3339.
    pub time_dt: String,
}

/// A token with its secret, which is told once.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NewToken {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The secret: to be sent as `Authorization: Bearer`.
    pub token: String,
    /// When it was made, RFC 3339.
    pub time_dt: String,
}
