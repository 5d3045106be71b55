//! The page of the pipe language is what the words say, and its examples answer as it says.

use crate::common::*;
use crate::pipe_lake::{ask, lake};
use std::path::Path;
use yagura_lake::output;
use yagura_lake::pipe::docs;

#[test]
fn the_page_is_made_from_the_words_and_every_example_answers_so() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let page = docs::page(|query| -> Result<String, String> {
        let result = ask(&view, only("acme"), query)?;
        assert!(result.rows() > 0, "{query} shows nothing");
        let mut out = Vec::new();
        output::write_table(&result, &mut out).map_err(|error| error.to_string())?;
        String::from_utf8(out).map_err(|error| error.to_string())
    });
    let page = page.unwrap_or_else(|why| panic!("{why}"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pipe.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/pipe.md is out of date: run with UPDATE_GOLDEN=1");
}
