//! The OpenAPI document, made of the routes themselves.

use crate::error::Problem;
use crate::repeat::{KEY_BYTES_MAX, MAKING};
use crate::routes::documented;
use serde_json::json;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi,
    OpenApiBuilder, Ref, RefOr, Required, ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema, ToSchema};

/// Refusals that any route may answer with.
const REFUSALS: [(&str, &str); 11] = [
    ("400", "the request is wrong"),
    ("401", "nobody is signed in"),
    ("403", "not allowed: another site, another tenant, no CSRF token"),
    ("404", "there is no such thing in the caller's scope"),
    ("405", "the path does not have this method"),
    ("412", "somebody else changed it meanwhile"),
    ("413", "the body is too large"),
    ("415", "the media type is not taken"),
    ("429", "too much at once; come again later"),
    ("500", "something failed on the server"),
    ("503", "not at the moment; come again later"),
];

/// Refusals of the operations that take an `Idempotency-Key` and remember what was asked with it.
const REFUSALS_OF_KEYS: [(&str, &str); 2] = [
    ("409", "a request with this key was carried out, and its answer is not there any more"),
    ("422", "the idempotency key belongs to another request"),
];

/// The document of everything under `/api/v1`.
pub fn document() -> OpenApi {
    let mut doc = base();
    doc.merge(documented());
    for item in doc.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            refuses(operation, &REFUSALS);
        }
    }
    for (path, _) in MAKING {
        let item = doc.paths.paths.get_mut(path);
        if let Some(operation) = item.and_then(|item| item.post.as_mut()) {
            operation.parameters.get_or_insert_default().push(RefOr::T(key_parameter()));
            refuses(operation, &REFUSALS_OF_KEYS);
        }
    }
    doc
}

fn refuses(operation: &mut Operation, refusals: &[(&str, &str)]) {
    for (status, _) in refusals {
        let refusal = RefOr::Ref(Ref::from_response_name(format!("Refusal{status}")));
        operation.responses.responses.entry((*status).to_owned()).or_insert(refusal);
    }
}

fn key_parameter() -> Parameter {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(KEY_BYTES_MAX))
        .build();
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "makes a repeat harmless for 24 hours: it does nothing more and gets the first answer",
        ))
        .schema(Some(text))
        .build()
}

fn base() -> OpenApi {
    let license = LicenseBuilder::new().name("Apache-2.0").build();
    let info = InfoBuilder::new()
        .title("Yagura")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Everything the console shows and does."))
        .license(Some(license))
        .build();
    let cookie = ApiKey::Cookie(ApiKeyValue::new(crate::access::SESSION_COOKIE));
    let mut components = ComponentsBuilder::new()
        .schema(Problem::name(), Problem::schema())
        .security_scheme("session", SecurityScheme::ApiKey(cookie))
        .security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    for (status, description) in REFUSALS.into_iter().chain(REFUSALS_OF_KEYS) {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(Problem::name())))
            .example(Some(json!({ "status": status.parse::<u16>().unwrap_or_default() })))
            .build();
        let response = ResponseBuilder::new()
            .description(description)
            .content("application/problem+json", content)
            .build();
        components = components.response(format!("Refusal{status}"), response);
    }
    let none: [String; 0] = [];
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components.build()))
        .security(Some([
            SecurityRequirement::new("session", none.clone()),
            SecurityRequirement::new("token", none),
        ]))
        .build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use expect_test::expect_file;

    /// `UPDATE_EXPECT=1` writes the file anew; then `npm run api` in `web/`.
    #[test]
    fn the_document_checked_in_is_that_of_the_routes() {
        let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        expect_file!["../openapi.json"].assert_eq(&text);
    }

    #[test]
    fn every_operation_says_who_may_call_it_and_how_it_refuses() {
        let doc = serde_json::to_value(document()).unwrap();
        let paths = doc["paths"].as_object().unwrap();
        assert!(paths.len() > 30, "{}", paths.len());
        let mut open = Vec::new();
        for (path, item) in paths {
            for (method, operation) in item.as_object().unwrap() {
                assert!(!operation["responses"]["401"].is_null(), "{method} {path}");
                if operation.get("security") == Some(&json!([{}])) {
                    open.push(format!("{method} {path}"));
                }
            }
        }
        assert_eq!(open, ["post /api/v1/session"]);
    }

    /// What only reads, however it is asked. Everything else that is a `POST` makes something.
    const READING: [&str; 12] = [
        "/api/v1/events/facets",
        "/api/v1/events/histogram",
        "/api/v1/hunt",
        "/api/v1/query",
        "/api/v1/query/check",
        "/api/v1/query/complete",
        "/api/v1/reparse/cost",
        "/api/v1/rule-hunts/cost",
        "/api/v1/search",
        "/api/v1/search/check",
        // It makes a session, of which there are only so many; who signs in is nobody's caller yet.
        "/api/v1/session",
        "/api/v1/sql",
    ];

    #[test]
    fn whatever_makes_something_takes_an_idempotency_key() {
        let doc = serde_json::to_value(document()).unwrap();
        let (mut taking, mut without) = (Vec::new(), Vec::new());
        for (path, item) in doc["paths"].as_object().unwrap() {
            let Some(operation) = item.get("post") else { continue };
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let named = |one: &serde_json::Value| one["name"] == "Idempotency-Key";
            match parameters.iter().filter(|one| named(one)).count() {
                0 => without.push(path.as_str()),
                1 => taking.push(path.as_str()),
                more => panic!("{path} takes {more}"),
            }
        }
        without.retain(|path| !READING.contains(path));
        assert_eq!(without, [""; 0]);
        for (path, _) in MAKING {
            assert!(taking.contains(&path), "{path} is no path of a POST");
            let responses = &doc["paths"][path]["post"]["responses"];
            assert!(!responses["409"].is_null() && !responses["422"].is_null(), "{path}");
        }
        assert_eq!(taking.len(), MAKING.len() + 2, "{taking:?}");
    }
}
