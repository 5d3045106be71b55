//! Faults of definitions are named with file, line and what is expected; overlays win.
use yagura_parse::{SourceText, Sources};

fn compile(text: &str) -> Result<Sources, yagura_parse::SourceError> {
    Sources::compile(vec![SourceText {
        name: "x".into(),
        source: ("x/source.toml".into(), text.into()),
        messages: None,
    }])
}

#[track_caller]
fn check(text: &str, line: usize, words: &str) {
    let error = compile(text).expect_err(text);
    assert_eq!(error.line, line, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn faults_name_line_and_expectation() {
    check("name = \"x\"\nfoo = 1", 2, "unknown key `foo`");
    check(
        "name = \"x\"\n[[event]]\nclass = \"nope\"",
        3,
        "no OCSF class `nope`; known: base_event",
    );
    check("name = \"x\"\n[defaults.map]\n\"src.ip\" = \"a\"", 3, "no column `src.ip`");
    check(
        "name = \"x\"\n[defaults.map]\n\"src_endpoint.port\" = { field = \"a\", as = \"ipp\" }",
        3,
        "no conversion `ipp`",
    );
    check(
        "name = \"x\"\n[defaults.map]\n\"src_endpoint.port\" = { field = \"a\", as = \"ip\" }",
        3,
        "is I64",
    );
    check(
        "name = \"x\"\n[[event]]\nclass = \"network_activity\"\nset = { activity_id = \"Opn\" }",
        4,
        "no caption `Opn`",
    );
    check("name = \"x\"\n[[event]]\n[[event]]\nwhen = { a = 1 }", 2, "put it last");
    let or =
        "name = \"x\"\n[[event]]\nor = [{ a = { exists = true } }]\n[[event]]\nwhen = { b = 1 }";
    assert!(compile(or).is_ok());
    check("name = \"x\"\n[[event]]\nor = [{ a = { is = 1 } }]", 3, "unknown key `is`");
    check(
        "name = \"x\"\n[defaults]\nrelate = [{ kind = \"nat\", from = \"a\", to = \"ip:b\" }]",
        3,
        "expected a column",
    );
    check(
        "name = \"x\"\n[defaults]\ntime = { field = \"a\", formats = [\"%Q\"] }",
        3,
        "no time word `%Q`",
    );
    check("name = \"x\"\ndecode = \"yaml\"", 2, "no decoder `yaml`");
    check("name = \"x\"\ndecode = \"regex\"\n[regex]\npattern = \"(\"", 4, "unclosed group");
    let layouts =
        |names: &str| format!("name = \"x\"\ndecode = \"w3c\"\n[w3c]\nlayouts = [\"{names}\"]");
    assert!(compile(&layouts("a? b? c? d? e? f? g? h? i? j? z")).is_ok());
    check(&layouts("a? b? c? d? e? f? g? h? i? j? k? z"), 4, "more than 1024 layouts");
    check("name = ", 1, "x/source.toml:1");
    assert!(compile("name = \"y\"").expect_err("name").to_string().contains("the folder is `x`"));
}

#[test]
fn a_definition_in_a_data_directory_wins_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("shell_history");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("source.toml"), "name = \"shell_history\"\nproducts = [\"mine\"]")
        .unwrap();
    let (builtin, merged) = (Sources::builtin().unwrap(), Sources::load(dir.path()).unwrap());
    assert_eq!(merged.list().count(), builtin.list().count());
    let mine = merged.list().find(|source| source.name == "shell_history").unwrap();
    assert_eq!(mine.products, ["mine"]);
    assert_ne!(merged.hash(), builtin.hash());
    assert_eq!(builtin.hash(), Sources::load(&dir.path().join("absent")).unwrap().hash());
}

#[test]
fn sources_are_sorted_and_name_their_classes() {
    let sources = Sources::builtin().unwrap();
    let names: Vec<_> = sources.list().map(|source| source.name.to_owned()).collect();
    assert!(names.is_sorted(), "{names:?}");
    for name in [
        "apache_error",
        "cef",
        "cisco_asa",
        "cisco_ios",
        "ecar",
        "exchange_tracking",
        "fortigate",
        "iis",
        "iptables",
        "key_value",
        "leef",
        "linux_syslog",
        "nginx_error",
        "paloalto",
        "proxy_access",
        "shell_history",
        "snort_fast",
        "suricata",
        "w3c",
        "w3c_proxy",
        "web_access",
        "zeek",
    ] {
        let info = sources.list().find(|source| source.name == name).unwrap();
        assert!(!info.classes.is_empty() && !info.products.is_empty(), "{name}");
    }
}
