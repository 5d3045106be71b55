//! Windows events as shippers rename them are the same events under Windows' own names.

use crate::windows_support::{has, json as ocsf, logsource, parse, shared, source, values};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use yagura_event::ColumnId;
use yagura_event::time::parse_rfc3339;

/// One log-on as each shipper writes it.
fn logons() -> Vec<(&'static str, Value)> {
    let own = json!({
        "TargetUserName": "kim", "TargetDomainName": "EXAMPLE", "IpAddress": "192.0.2.7",
        "IpPort": "50000", "LogonType": "3", "TargetLogonId": "0x3e9", "SubjectUserName": "-"
    });
    let mut all = vec![
        (
            "winlogbeat",
            json!({
                "@timestamp": "2024-06-14T09:10:11.500Z", "message": "An account ...",
                "host": {"name": "shipper"}, "log": {"level": "information"},
                "winlog": {"event_id": 4624, "channel": "Security", "record_id": 7,
                    "computer_name": "dc1.example.org", "keywords": ["Audit Success"],
                    "provider_name": "Microsoft-Windows-Security-Auditing", "event_data": own,
                    "process": {"pid": 700, "thread": {"id": 900}}}
            }),
        ),
        (
            "elastic agent",
            json!({
                "@timestamp": "2024-06-14T09:10:11.500Z", "message": "An account ...",
                "event": {"code": "4624", "provider": "Microsoft-Windows-Security-Auditing"},
                "winlog": {"channel": "Security", "record_id": 7, "keywords": ["Audit Success"],
                    "computer_name": "dc1.example.org", "event_data": own,
                    "process": {"pid": 700, "thread": {"id": 900}}}
            }),
        ),
        (
            "winlogbeat 6",
            json!({
                "@timestamp": "2024-06-14T09:10:11.500Z", "message": "An account ...",
                "beat": {"hostname": "shipper"}, "event_id": 4624, "log_name": "Security",
                "computer_name": "dc1.example.org", "record_number": "7", "process.pid": 700,
                "source_name": "Microsoft-Windows-Security-Auditing", "level": "Information",
                "keywords": ["Audit Success"], "event_data": own
            }),
        ),
        (
            "sentinel, JSON",
            json!({
                "TimeGenerated": "2024-06-14T09:10:11.500Z", "EventID": 4624, "EventRecordId": 7,
                "Provider": "Microsoft-Windows-Security-Auditing", "Channel": "Security",
                "Computer": "dc1.example.org", "EventData": own.to_string(),
                "Keywords": "0x8020000000000000"
            }),
        ),
        (
            "EvtxECmd",
            json!({
                "EventId": 4624, "EventRecordId": "7", "Level": "LogAlways", "ProcessId": 700,
                "Provider": "Microsoft-Windows-Security-Auditing", "Channel": "Security",
                "Computer": "dc1.example.org", "TimeCreated": "2024-06-14T09:10:11.5000000+00:00",
                "MapDescription": "Successful logon", "PayloadData1": "Target: EXAMPLE\\kim",
                "Keywords": "Audit success",
                "Payload": json!({"EventData": {"Data": own.as_object().unwrap().iter()
                    .map(|(k, v)| json!({"@Name": k, "#text": v})).collect::<Vec<_>>()}}).to_string()
            }),
        ),
    ];
    let mut nxlog = json!({
        "EventTime": "2024-06-14 11:10:11", "@timestamp": "2024-06-14T09:10:11.500Z",
        "Hostname": "dc1.example.org", "Keywords": -9_214_364_837_600_034_816i64,
        "EventType": "AUDIT_SUCCESS", "SeverityValue": 2, "Severity": "INFO", "EventID": 4624,
        "SourceName": "Microsoft-Windows-Security-Auditing", "RecordNumber": 7, "ProcessID": 700,
        "ThreadID": 900, "Channel": "Security", "Message": "An account ...",
        "SourceModuleName": "in", "SourceModuleType": "im_msvistalog"
    });
    let xml: String = own
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| format!("<Data Name=\"{name}\">{}</Data>", value.as_str().unwrap()))
        .collect();
    for (name, value) in own.as_object().unwrap() {
        nxlog[name] = value.clone();
    }
    all.push(("nxlog", nxlog));
    all.push((
        "sentinel, XML",
        json!({
            "TimeGenerated": "2024-06-14T09:10:11.500Z", "EventID": 4624,
            "EventSourceName": "Microsoft-Windows-Security-Auditing", "Channel": "Security",
            "Computer": "dc1.example.org", "Keywords": "0x8020000000000000",
            "EventData": format!("<EventData xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">\r\n{xml}</EventData>")
        }),
    ));
    all
}

#[test]
fn a_logon_is_the_same_from_every_shipper() {
    for (shipper, record) in logons() {
        let batch = parse(record.to_string().as_bytes());
        println!("{shipper}");
        assert_eq!(source(&batch, 0), Some("windows_event"));
        assert_eq!(logsource(&batch, 0), "windows/security/-");
        for (name, value) in [
            ("EventID", "4624"),
            ("Channel", "Security"),
            ("Provider_Name", "Microsoft-Windows-Security-Auditing"),
            ("TargetUserName", "kim"),
            ("LogonType", "3"),
        ] {
            assert_eq!(values(&batch, 0, name), [value], "{shipper}: {name}");
        }
        let seen = ocsf(&batch, 0);
        has(&seen, "/class_uid", json!(3002));
        has(&seen, "/time_dt", json!("2024-06-14T09:10:11.500000Z"));
        has(&seen, "/device/hostname", json!("dc1.example.org"));
        has(&seen, "/user/name", json!("kim"));
        has(&seen, "/src_endpoint/ip", json!("192.0.2.7"));
        has(&seen, "/status_id", json!(1));
        // The process that wrote the event is not the one it is about.
        assert_eq!(seen.pointer("/actor/process/pid"), None, "{shipper}");
    }
}

#[test]
fn helks_names_are_sysmons() {
    let record = json!({
        "@timestamp": "2024-06-14T09:10:11.500Z", "event_id": 1, "host_name": "pc1.example.org",
        "log_name": "Microsoft-Windows-Sysmon/Operational", "process_id": 44,
        "source_name": "Microsoft-Windows-Sysmon", "process_path": "C:\\Windows\\System32\\cmd.exe",
        "process_command_line": "cmd /c whoami", "process_parent_path": "C:\\a.exe",
        "user_account": "EXAMPLE\\kim", "hash": "MD5=AA"
    });
    let batch = parse(record.to_string().as_bytes());
    assert_eq!(logsource(&batch, 0), "windows/sysmon/process_creation");
    assert_eq!(values(&batch, 0, "Image"), ["C:\\Windows\\System32\\cmd.exe"]);
    assert_eq!(values(&batch, 0, "ParentImage"), ["C:\\a.exe"]);
    let seen = ocsf(&batch, 0);
    has(&seen, "/process/cmd_line", json!("cmd /c whoami"));
    has(&seen, "/process/user/name", json!("kim"));
    has(&seen, "/device/hostname", json!("pc1.example.org"));
}

#[test]
fn sysmon_for_linux_is_of_linux() {
    let batch = parse(b"<Event><System><Provider Name=\"Linux-Sysmon\"/><EventID>1</EventID><Channel>Linux-Sysmon/Operational</Channel><Computer>web1</Computer></System><EventData><Data Name=\"UtcTime\">2024-06-14 09:10:11.500</Data><Data Name=\"Image\">/usr/bin/id</Data><Data Name=\"CommandLine\">id</Data></EventData></Event>");
    assert_eq!(logsource(&batch, 0), "linux/sysmon/process_creation");
    has(&ocsf(&batch, 0), "/device/os/name", json!("Linux"));
    has(&ocsf(&batch, 0), "/time_dt", json!("2024-06-14T09:10:11.500000Z"));
}

fn archives(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            archives(&path, all);
        } else if path.to_string_lossy().ends_with(".jsonl.zst") {
            all.push(path);
        }
    }
}

/// Checks one event of a shared set; the number of what is amiss.
fn amiss(record: &Value) -> usize {
    let text = record.to_string();
    let batch = parse(text.as_bytes());
    let event = batch.event(0).unwrap();
    let same = |column, names: &[&str]| {
        let wanted = names.iter().find_map(|name| record.get(*name));
        let wanted = wanted.map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
        event.column_text(column).map(str::to_owned) == wanted
    };
    // Within a millisecond of a time that the record gives, be it in the string of its own data.
    let given = ["TimeCreated", "@timestamp", "TimeGenerated"]
        .iter()
        .filter_map(|name| record.get(*name).and_then(Value::as_str).map(str::to_owned))
        .chain(values(&batch, 0, "UtcTime"));
    let near = given
        .map(|value| format!("{}Z", value.replace(' ', "T").trim_end_matches('Z')))
        .filter_map(|value| parse_rfc3339(&value))
        .any(|time| (time - event.event().time).abs() < 1_000);
    let checks = [
        batch.events.len() == 1 && source(&batch, 0) == Some("windows_event"),
        event.event().class.0 != 0,
        same(ColumnId::METADATA_EVENT_CODE, &["EventID"]),
        same(ColumnId::METADATA_LOG_NAME, &["Channel"]),
        same(ColumnId::DEVICE_HOSTNAME, &["Hostname", "Computer"]),
        near,
        event.raw() == text.as_bytes(),
    ];
    let count = checks.iter().filter(|held| !**held).count();
    if count > 0 {
        println!("{checks:?} {}", &text[..text.len().min(300)]);
    }
    count
}

#[test]
fn mordors_events_are_read_in_full() {
    let Some(dir) = shared("windows/mordor") else { return };
    let mut all = Vec::new();
    archives(&dir, &mut all);
    let (mut events, mut faults) = (0, 0);
    for path in all {
        let name = path.to_string_lossy().into_owned();
        let windows = name.contains("/atomic/windows/")
            || name.contains("LSASS")
            || name.contains("securityauditing")
            || name.contains("/sysmon_");
        if !windows {
            continue;
        }
        let text = Command::new("zstd").arg("-dcq").arg(&path).output().unwrap().stdout;
        let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        for line in lines {
            events += 1;
            faults += amiss(&serde_json::from_slice(line).unwrap());
        }
    }
    println!("{events} events, {faults} faults");
    assert_eq!((events, faults), (69_638, 0));
}
