//! Framing of every form, at record limits, with headers and in UTF-16.
#![allow(clippy::unwrap_used)]
use super::*;

/// A reader that gives few bytes at a time, so that records span reads.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(self.0.len()).min(out.len());
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

type Frames = Vec<(u64, Vec<u8>)>;

fn frames(text: &[u8], step: usize) -> (Option<Form>, Frames, u64) {
    let mut framer = Framer::new(Slow(text, step), &SourceChoice::Auto);
    let mut all = Vec::new();
    while let Some(frame) = framer.next_frame().unwrap() {
        assert_eq!(frame.number, all.len() as u64 + 1);
        all.push((frame.position, frame.bytes.to_vec()));
    }
    (framer.form(), all, framer.skipped_bytes())
}

#[track_caller]
fn check(text: &str, form: Form, expect: &[(u64, &str)]) {
    let expect: Vec<_> = expect.iter().map(|(at, t)| (*at, t.as_bytes().to_vec())).collect();
    for step in [1, 7, 100_000] {
        let (got, all, _) = frames(text.as_bytes(), step);
        assert_eq!((got, &all), (Some(form), &expect), "step {step}: {text}");
    }
}

#[test]
fn lines_lose_their_ends_and_blank_ones_are_none() {
    check("a b\r\n\n c\nd", Form::Lines, &[(0, "a b"), (6, " c"), (9, "d")]);
    check("", Form::Lines, &[]);
}

#[test]
fn xml_events_between_wrappers() {
    check(
        "<?xml version='1.0'?>\n<Events>\n<Event x='1'>a</Event>\n<Event>b</Event>junk\n</Events>\n",
        Form::Xml,
        &[(31, "<Event x='1'>a</Event>"), (54, "<Event>b</Event>"), (70, "junk")],
    );
    check(
        "<Event>a<Event>b</Event><Event>c",
        Form::Xml,
        &[(0, "<Event>a"), (8, "<Event>b</Event>"), (24, "<Event>c")],
    );
}

#[test]
fn json_in_every_arrangement() {
    check(
        "{\"a\":1}\n{\"b\n{\"c\":2}\n",
        Form::Lines,
        &[(0, "{\"a\":1}"), (8, "{\"b"), (12, "{\"c\":2}")],
    );
    check(
        "[{\"a\":\"}\"},\n {\"b\":[1]}]",
        Form::Json,
        &[(1, "{\"a\":\"}\"}"), (13, "{\"b\":[1]}")],
    );
    check(
        "{\n \"a\": 1\n}\n{\n \"b\": 2\n}\n",
        Form::Json,
        &[(0, "{\n \"a\": 1\n}"), (12, "{\n \"b\": 2\n}")],
    );
    check("{\"a\":1}{\"b\":2}", Form::Json, &[(0, "{\"a\":1}"), (7, "{\"b\":2}")]);
    check(
        "{\n \"a\": 1\n{\n \"b\": 2\n}",
        Form::Json,
        &[(0, "{\n \"a\": 1"), (10, "{\n \"b\": 2\n}")],
    );
}

#[test]
fn records_of_a_container_are_records() {
    check(
        "{\"Records\":[{\"a\":1},{\"b\":[2]}]}",
        Form::Json,
        &[(12, "{\"a\":1}"), (20, "{\"b\":[2]}")],
    );
    check(
        "{ \"Records\" : [\n {\"a\":1} ] }\n{\"Records\":[{\"c\":3}]}\n",
        Form::Json,
        &[(17, "{\"a\":1}"), (41, "{\"c\":3}")],
    );
    // What stands beside the records is kept.
    check(
        "{\"Events\":[{\"a\":1}],\"NextToken\":5}",
        Form::Json,
        &[(11, "{\"a\":1}"), (20, "\"NextToken\":5}")],
    );
    // Other arrays, and arrays of other than objects, are parts of their object.
    check("{\"items\":[{\"a\":1}]}", Form::Lines, &[(0, "{\"items\":[{\"a\":1}]}")]);
    check("{\"Records\":[1]}", Form::Lines, &[(0, "{\"Records\":[1]}")]);
    check("{\"Recordsx\":[{}]}", Form::Lines, &[(0, "{\"Recordsx\":[{}]}")]);
    check("{\"Rec", Form::Lines, &[(0, "{\"Rec")]);
}

#[test]
fn history_keeps_commands_of_several_lines_together() {
    check(
        "#1715689172\nfor x in a\ndo y\ndone\n#1715689209\nls # 1\n",
        Form::History,
        &[(0, "#1715689172\nfor x in a\ndo y\ndone"), (33, "#1715689209\nls # 1")],
    );
}

#[test]
fn records_at_the_limit_are_cut_and_the_rest_is_counted() {
    let line = |n: usize| vec![b'x'; n];
    let text = [line(RECORD_BYTES_MAX - 1), line(RECORD_BYTES_MAX), line(3 * RECORD_BYTES_MAX + 5)]
        .join(&b'\n');
    let (_, all, skipped) = frames(&[text, b"end".to_vec()].join(&b'\n'), 1 << 16);
    let lengths: Vec<_> = all.iter().map(|(_, bytes)| bytes.len()).collect();
    assert_eq!(lengths, [RECORD_BYTES_MAX - 1, RECORD_BYTES_MAX, RECORD_BYTES_MAX, 3]);
    assert_eq!(skipped, 2 * RECORD_BYTES_MAX as u64 + 5);
}

#[test]
fn no_newline_stays_within_memory() {
    let mut framer = Framer::new(io::repeat(b'x').take(5 << 20), &SourceChoice::Auto);
    assert_eq!(framer.next_frame().unwrap().unwrap().bytes.len(), RECORD_BYTES_MAX);
    assert!(framer.next_frame().unwrap().is_none());
    assert!(framer.buffer.capacity() <= 4 * RECORD_BYTES_MAX);
}

type Sections = Vec<(u32, Vec<String>, String)>;

fn sections(text: &[u8], step: usize, reads: bool) -> Sections {
    let mut framer = Framer::new(Slow(text, step), &SourceChoice::Auto).with_headers(reads);
    let mut all = Vec::new();
    while let Some(frame) = framer.next_frame().unwrap() {
        let record = String::from_utf8_lossy(frame.bytes).into_owned();
        all.push((frame.section, frame.headers.to_vec(), record));
    }
    all
}

#[track_caller]
fn check_sections(text: &str, expect: &[(u32, &[&str], &str)]) {
    let owned = |list: &[&str]| list.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>();
    let expect: Sections =
        expect.iter().map(|(n, list, record)| (*n, owned(list), (*record).to_owned())).collect();
    for step in [1, 7, 100_000] {
        assert_eq!(sections(text.as_bytes(), step, true), expect, "step {step}: {text}");
    }
}

#[test]
fn headers_come_with_their_records_and_change_in_mid_file() {
    check_sections(
        "#Software: x\r\n#Fields: a b\r\n1 2\r\n#Date: d\r\n3 4\n#Fields: c\n#Version: 1\n5\n",
        &[
            (1, &["#Software: x", "#Fields: a b"], "1 2"),
            (2, &["#Software: x", "#Fields: a b", "#Date: d"], "3 4"),
            (3, &["#Fields: c", "#Version: 1"], "5"),
        ],
    );
    check_sections(
        "### note\n#separator \\x09\n#fields\ta\n1\n#close\tx\n",
        &[(1, &["### note", "#separator \\x09", "#fields\ta"], "1")],
    );
    check_sections(
        "\u{feff}#Fields: a b\n1 2\n\u{feff}#Fields: c d\n3 4\n",
        &[(1, &["#Fields: a b"], "1 2"), (2, &["#Fields: c d"], "3 4")],
    );
}

#[test]
fn the_same_header_again_changes_nothing() {
    let header: &[&str] = &["#Software: x", "#Fields: a b"];
    let block = "#Software: x\n#Fields: a b\n";
    check_sections(&format!("{block}1 2\n{block}3 4\n"), &[(1, header, "1 2"), (1, header, "3 4")]);
}

#[test]
fn remarks_are_records_and_so_is_all_where_no_header_is_read() {
    check_sections(
        "# a remark\nx\n#!/bin/sh\n",
        &[(0, &[], "# a remark"), (0, &[], "x"), (0, &[], "#!/bin/sh")],
    );
    let records: Vec<_> =
        sections(b"#Fields: a b\n1 2\n", 3, false).into_iter().map(|s| s.2).collect();
    assert_eq!(records, ["#Fields: a b", "1 2"]);
}

#[test]
fn lines_behind_the_last_record_are_in_force_at_the_end() {
    let text = b"#separator \\x09\n#fields\ta\n1\n#close\tx";
    let mut framer = Framer::new(&text[..], &SourceChoice::Auto);
    while framer.next_frame().unwrap().is_some() {}
    let (headers, section) = framer.headers();
    assert_eq!((headers.last().map(String::as_str), section), (Some("#close\tx"), 2));
    assert_eq!(framer.tail(), Tail::Header);
}

#[test]
fn changes_of_the_header_at_the_limit_and_beyond() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for n in 0..=HEADER_CHANGES_MAX + 1 {
        writeln!(text, "#Fields: a b{n}\n{n} x").unwrap();
    }
    let all = sections(text.as_bytes(), 1 << 20, true);
    let last = HEADER_CHANGES_MAX as usize - 1;
    assert_eq!((all[last].0, all[last].2.as_str()), (HEADER_CHANGES_MAX, "4095 x"));
    let beyond: Vec<_> = all[last + 1..].iter().map(|s| (s.1.len(), s.2.as_str())).collect();
    assert_eq!(
        beyond,
        [(0, "#Fields: a b4096"), (0, "4096 x"), (0, "#Fields: a b4097"), (0, "4097 x")]
    );
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = text.encode_utf16();
    units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
}

#[test]
fn utf16_is_cut_at_its_own_line_ends_and_gives_its_own_bytes() {
    for big in [false, true] {
        let mark = utf16("\u{feff}", big);
        let (one, two) = (utf16("日本 one ✓ 𠮷", big), utf16("two", big));
        let text = [&mark[..], &one, &utf16("\r\n\n", big), &two, &utf16("\n", big)].concat();
        for step in [1, 7, 100_000] {
            let (form, all, _) = frames(&text, step);
            assert_eq!(form, Some(Form::Lines));
            let second = (2 + one.len() + 6) as u64;
            assert_eq!(all, [(2, one.clone()), (second, two.clone())]);
        }
    }
}

#[test]
fn utf16_documents_headers_and_broken_ends() {
    let xml = utf16(
        "\u{feff}<?xml version='1.0'?><Events><Event>a</Event>\n<Event>b</Event></Events>",
        false,
    );
    let (form, all, _) = frames(&xml, 5);
    assert_eq!(form, Some(Form::Xml));
    let records: Vec<_> = all.into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(records, [utf16("<Event>a</Event>", false), utf16("<Event>b</Event>", false)]);

    let mut text = utf16("\u{feff}#Fields: a b\n1 2\n3 4", true);
    text.extend([0xD8, 0x00, 0x41]);
    let mut framer = Framer::new(&text[..], &SourceChoice::Auto);
    let first = framer.next_frame().unwrap().unwrap();
    assert_eq!((first.bytes, first.charset), (&utf16("1 2", true)[..], Charset::Utf16be));
    assert_eq!(first.headers, ["#Fields: a b"]);
    let last = framer.next_frame().unwrap().unwrap();
    assert_eq!(last.bytes, [&utf16("3 4", true)[..], &[0xD8, 0x00, 0x41]].concat());
    assert!(framer.next_frame().unwrap().is_none());
    assert_eq!(framer.tail(), Tail::Open);
}

#[test]
fn utf16_records_at_the_limit_are_cut_in_their_own_bytes() {
    let line = |units: usize| utf16(&"x".repeat(units), false);
    let max = RECORD_BYTES_MAX / 2;
    let end = utf16("\n", false);
    let text =
        [&[0xFF, 0xFE][..], &line(max - 1), &end, &line(max), &end, &line(max * 2), &end, &line(1)]
            .concat();
    let (_, all, _) = frames(&text, 1 << 16);
    let lengths: Vec<_> = all.iter().map(|(_, bytes)| bytes.len()).collect();
    assert_eq!(lengths, [RECORD_BYTES_MAX - 2, RECORD_BYTES_MAX, RECORD_BYTES_MAX, 2]);
}

#[test]
fn a_configured_charset_is_the_frames_and_a_head_may_tell_it() {
    let charset = |bytes: &[u8], configured| {
        let mut framer = Framer::new(bytes, &SourceChoice::Auto).with_charset(configured);
        framer.next_frame().unwrap().unwrap().charset
    };
    assert_eq!(charset(b"x\n", Charset::EucJp), Charset::EucJp);
    assert_eq!(charset(b"x\0\n\0", Charset::Utf16le), Charset::Utf16le);
    assert_eq!(charset(b"x\n", Charset::Auto), Charset::Auto);
    let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode("ログイン失敗\nx\n");
    assert_eq!(charset(&sjis, Charset::Auto), Charset::ShiftJis);
    assert_eq!(charset(&utf16("\u{feff}x\n", true), Charset::ShiftJis), Charset::Utf16be);
}
