//! Every source's own samples give the expected events, from source `auto` and by name.
//!
//! `sources/<name>/samples/*.log` are inputs; `UPDATE_GOLDEN=1` rewrites the expectations
//! beside them (`*.expected.ndjson`).
use std::path::{Path, PathBuf};
use yagura_event::json::event_json;
use yagura_event::time::parse_rfc3339;
use yagura_event::{Context, EventBatch, EventId, Reference, SourceChoice};
use yagura_parse::{Contexts, Framer, Parser, RecordHeader};

fn contexts(source: SourceChoice) -> Contexts {
    let reference = Reference::At(parse_rfc3339("2024-06-30T00:00:00Z").unwrap());
    let mut context = Context::new("default", "samples", source, reference);
    context.host = Some("feed-host".into());
    context.user = Some("feed-user".into());
    Contexts::new(context)
}

fn events(parser: &Parser, path: &Path, source: &SourceChoice) -> EventBatch {
    let mut contexts = contexts(source.clone());
    let headers = parser.sources().reads_headers(source);
    let file = std::fs::File::open(path).unwrap();
    let mut framer = Framer::new(file, source).with_headers(headers);
    let mut out = EventBatch::default();
    while let Some(frame) = framer.next_frame().unwrap() {
        let head = RecordHeader {
            id: EventId::content(0, frame.number),
            received_time: parse_rfc3339("2024-06-30T00:00:00Z").unwrap(),
            stream: 0,
            batch: 0,
            peer: "",
            position: frame.position,
        };
        parser.parse(contexts.of(&frame), &head, frame.bytes, &mut out);
    }
    out
}

fn inputs() -> Vec<(String, PathBuf)> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../sources"));
    let mut all = Vec::new();
    for folder in std::fs::read_dir(root).unwrap() {
        let folder = folder.unwrap();
        let Ok(samples) = std::fs::read_dir(folder.path().join("samples")) else { continue };
        for sample in samples {
            let path = sample.unwrap().path();
            if path.extension().is_some_and(|ext| ext == "log") {
                all.push((folder.file_name().to_string_lossy().into_owned(), path));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn samples_give_the_expected_events() {
    let parser = Parser::builtin().unwrap_or_else(|error| panic!("{error}"));
    let inputs = inputs();
    assert!(inputs.len() >= 9, "samples are missing: {inputs:?}");
    for (name, path) in inputs {
        let batch = events(&parser, &path, &SourceChoice::Auto);
        let mut text = String::new();
        for event in batch.iter() {
            let source = parser.sources().name(event.event().source);
            assert_eq!(source, Some(name.as_str()), "{}", String::from_utf8_lossy(event.raw()));
            text += &event_json(event, parser.fields(), source).to_string();
            text.push('\n');
        }
        let named = events(&parser, &path, &SourceChoice::Named(name.clone()));
        for (auto, named) in batch.iter().zip(named.iter()) {
            assert_eq!(auto.values().len(), named.values().len(), "{name}");
            assert_eq!(auto.event().class, named.event().class, "{name}");
        }
        let golden = path.with_extension("expected.ndjson");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        for (at, (got, want)) in text.lines().zip(expected.lines()).enumerate() {
            assert_eq!(got, want, "{}:{}", golden.display(), at + 1);
        }
        assert_eq!(text.lines().count(), expected.lines().count(), "{}", golden.display());
    }
}
