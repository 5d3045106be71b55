//! Tests of the XML scanner: tokens, references, hostile documents, the general decoder.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use yagura_event::{EventBatch, FieldTable};

fn list(input: &str) -> Vec<String> {
    let text = |r: &Range<usize>| &input[r.clone()];
    Tokens::new(input.as_bytes(), 0)
        .map(|token| match token {
            Ok(Token::Open { name, attributes, empty }) => {
                format!("<{}|{}|{empty}", text(&name), text(&attributes))
            }
            Ok(Token::Close) => "</".into(),
            Ok(Token::Text(t)) => format!("t:{}", text(&t)),
            Ok(Token::Literal(t)) => format!("c:{}", text(&t)),
            Err(fault) => format!("{fault:?}"),
        })
        .collect()
}

#[test]
fn tokens_of_each_kind() {
    assert_eq!(
        list(
            "<?xml version='1.0'?><!-- a > b --><e:A x=\">\" y='/'><B/>t&lt;<![CDATA[<z>]]></e:A>"
        ),
        ["<e:A| x=\">\" y='/'|false", "<B||true", "t:t&lt;", "c:<z>", "</"]
    );
}

#[test]
fn attributes_in_both_quotes_with_spaces() {
    let input = b" Name = \"a b\"\n Guid='{1}' broken";
    let pairs: Vec<_> =
        attributes(input, 0..input.len()).map(|(n, v)| (&input[n], &input[v])).collect();
    assert_eq!(pairs, [(&b"Name"[..], &b"a b"[..]), (&b"Guid"[..], &b"{1}"[..])]);
    for bad in ["", " ", "=", "a", "a=", "a=b", "a='", "='x'"] {
        assert_eq!(attributes(bad.as_bytes(), 0..bad.len()).count(), 0, "{bad}");
    }
}

#[test]
fn references_decode_and_unknown_ones_stay() {
    let mut out = Vec::new();
    decode_into("&lt;a&amp;b&#233;&#xD;&bogus;&#x0;&#xD800;&#+65;& &".as_bytes(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "<a&b\u{e9}\r&bogus;&#x0;&#xD800;&#+65;& &");
}

#[test]
fn hostile_documents_end_with_a_fault() {
    assert_eq!(list("<a>"), ["<a||false", "Cut(3)"]);
    assert_eq!(list("<a x='"), ["Cut(0)"]);
    assert_eq!(list("<a></b>"), ["<a||false", "Syntax(3)"]);
    assert_eq!(list("</a>"), ["Syntax(0)"]);
    assert_eq!(list("< a>"), ["Syntax(0)"]);
    assert_eq!(list("<!DOCTYPE a [<!ENTITY b 'c'>]>"), ["Doctype(0)"]);
    assert_eq!(list("<!-- "), ["Cut(0)"]);
    let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
    assert_eq!(list(&deep(XML_DEPTH_MAX)).len(), 2 * XML_DEPTH_MAX);
    let at = 3 * XML_DEPTH_MAX;
    assert_eq!(list(&deep(XML_DEPTH_MAX + 1)).last().unwrap(), &format!("TooDeep({at})"));
}

#[test]
fn every_cut_of_a_document_is_read_without_panic() {
    let input = "<?x ?><!-- c --><a b='1'><c d=\"2\"/>x&#x41;<![CDATA[y]]></a>";
    for end in 0..=input.len() {
        let tokens = list(&input[..end]);
        assert!(tokens.len() <= 8, "{tokens:?}");
    }
}

#[test]
fn general_records_become_paths() {
    let mut batch = EventBatch::default();
    let fields = FieldTable::default();
    let record =
        "<r xmlns='u' a='1'>\n <x:b c='&lt;2'>3&amp;<![CDATA[<4>]]></x:b><d/><e><f> 5 </f></e></r>";
    let mut sink = Sink::new(&mut batch, &fields, record.as_bytes());
    Xml.decode(&mut sink, 0..record.len()).unwrap();
    let found: Vec<(String, String)> = sink
        .spans()
        .iter()
        .map(|s| {
            let text = |t| String::from_utf8_lossy(sink.bytes(t)).into_owned();
            (text(s.name), text(s.value))
        })
        .collect();
    let want = [("@a", "1"), ("b.@c", "<2"), ("b", "3&<4>"), ("d", ""), ("e.f", " 5 ")];
    assert_eq!(found, want.map(|(n, v)| (n.to_owned(), v.to_owned())));
}
