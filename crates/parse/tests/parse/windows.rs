//! Windows events in every shape: names, classes, logsources, attributes, ties, bad input.

use crate::windows_support::{
    fields, has, json as event, logsource, parse, relations, source, values,
};
use serde_json::json;

/// One event as XML: channel, event id, keywords and the inner of `EventData`.
fn xml(channel: &str, provider: &str, id: &str, data: &str) -> String {
    format!(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
         <Provider Name='{provider}' Guid='{{0aa1c2d3-0000-4000-8000-000000000001}}'/>\
         <EventID>{id}</EventID><Version>2</Version><Level>0</Level><Task>12544</Task>\
         <Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords>\
         <TimeCreated SystemTime='2025-03-04T05:06:07.1234567Z'/><EventRecordID>77</EventRecordID>\
         <Correlation/><Execution ProcessID='712' ThreadID='9'/><Channel>{channel}</Channel>\
         <Computer>PC-7.lab.example</Computer><Security/></System><EventData>{data}</EventData></Event>"
    )
}

fn data(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(n, v)| format!("<Data Name=\"{n}\">{v}</Data>")).collect()
}

fn security(id: &str, pairs: &[(&str, &str)]) -> String {
    xml("Security", "Microsoft-Windows-Security-Auditing", id, &data(pairs))
}

fn sysmon(id: &str, pairs: &[(&str, &str)]) -> String {
    xml("Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon", id, &data(pairs))
}

#[test]
fn system_fields_have_windows_names() {
    let batch = parse(
        b"<?xml version='1.0'?>\n<!-- exported --><e:Event xmlns:e='http://schemas.microsoft.com/win/2004/08/events/event'>\n <e:System>\
          <e:Provider Name='P &amp; Q' Guid='{1}' EventSourceName=\"S\"/>\
          <e:EventID Qualifiers='16384'>7036</e:EventID><e:TimeCreated SystemTime='2025-03-04T05:06:07Z'/>\
          <e:Correlation ActivityID='{2}'/><e:Execution ProcessID='5' ThreadID='6'/>\
          <e:Channel>Custom</e:Channel><e:Computer>h</e:Computer><e:Security UserID='S-1-5-18'/></e:System>\
          <e:EventData Name='N'><e:Data>one</e:Data><e:Data><![CDATA[<two>]]></e:Data><e:Data/>\
          <e:Data Name='ProcessID'>4&#x41;</e:Data><e:Data Name='Empty'></e:Data><e:Binary>00FF</e:Binary>\
          </e:EventData><e:RenderingInfo Culture='en-US'><e:Message>It works.</e:Message>\
          <e:Level>Information</e:Level></e:RenderingInfo></e:Event>",
    );
    let expect = [
        ("Binary", "00FF"),
        ("Channel", "Custom"),
        ("Computer", "h"),
        ("Correlation_ActivityID", "{2}"),
        ("Data", ""),
        ("Data", "<two>"),
        ("Data", "one"),
        ("Empty", ""),
        ("EventData_Name", "N"),
        ("EventID", "7036"),
        ("EventID_Qualifiers", "16384"),
        ("Execution_ProcessID", "5"),
        ("Execution_ThreadID", "6"),
        ("Message", "It works."),
        ("ProcessID", "4A"),
        ("Provider_EventSourceName", "S"),
        ("Provider_Guid", "{1}"),
        ("Provider_Name", "P & Q"),
        ("RenderingInfo_Culture", "en-US"),
        ("RenderingInfo_Level", "Information"),
        ("Security_UserID", "S-1-5-18"),
        ("TimeCreated_SystemTime", "2025-03-04T05:06:07Z"),
    ];
    assert_eq!(fields(&batch, 0), expect.map(|(n, v)| (n.to_owned(), v.to_owned())));
    assert_eq!(source(&batch, 0), Some("windows_event"));
    assert_eq!(logsource(&batch, 0), "windows/-/-");
    assert_ne!(batch.events[0].class.0, 0);
}

#[test]
fn user_data_leaves_have_local_names_and_attributes() {
    let batch = parse(
        b"<Event><System><Provider Name='Microsoft-Windows-Eventlog'/><EventID>1102</EventID>\
          <TimeCreated SystemTime='2025-03-04T05:06:07Z'/><Channel>Security</Channel><Computer>h</Computer></System>\
          <UserData><LogFileCleared xmlns='u'><SubjectUserName>ann</SubjectUserName>\
          <Chain><Link oid='1.2'/></Chain></LogFileCleared></UserData></Event>",
    );
    assert_eq!(values(&batch, 0, "SubjectUserName"), ["ann"]);
    assert_eq!(values(&batch, 0, "Link_oid"), ["1.2"]);
    let event = event(&batch, 0);
    has(&event, "/class_uid", json!(1008));
    has(&event, "/activity_name", json!("Clear"));
    has(&event, "/actor/user/name", json!("ann"));
}

#[test]
fn remote_logon() {
    let batch = parse(
        security(
            "4624",
            &[
                ("SubjectUserSid", "S-1-0-0"),
                ("SubjectUserName", "-"),
                ("SubjectLogonId", "0x0"),
                ("TargetUserSid", "S-1-5-21-1-2-3-1105"),
                ("TargetUserName", "nina"),
                ("TargetDomainName", "LAB"),
                ("TargetLogonId", "0xabc"),
                ("LogonType", "3"),
                ("LogonProcessName", "NtLmSsp "),
                ("AuthenticationPackageName", "NTLM"),
                ("WorkstationName", "PC-9"),
                ("IpAddress", "::ffff:10.9.8.7"),
                ("IpPort", "50123"),
                ("ProcessId", "0x2c8"),
                ("ProcessName", "C:\\Windows\\System32\\lsass.exe"),
            ],
        )
        .as_bytes(),
    );
    let event = event(&batch, 0);
    assert_eq!(logsource(&batch, 0), "windows/security/-");
    has(&event, "/class_uid", json!(3002));
    has(&event, "/activity_name", json!("Logon"));
    has(&event, "/time_dt", json!("2025-03-04T05:06:07.123456Z"));
    has(&event, "/status_id", json!(1));
    has(&event, "/device/hostname", json!("PC-7.lab.example"));
    has(&event, "/user/name", json!("nina"));
    has(&event, "/user/domain", json!("LAB"));
    has(&event, "/session/uid", json!("0xabc"));
    has(&event, "/src_endpoint/ip", json!("10.9.8.7"));
    has(&event, "/src_endpoint/port", json!(50123));
    has(&event, "/src_endpoint/hostname", json!("PC-9"));
    has(&event, "/logon_type_id", json!(3));
    has(&event, "/auth_protocol_id", json!(1));
    has(&event, "/actor/process/pid", json!(712));
    has(&event, "/is_remote", json!(true));
    assert_eq!(event.pointer("/actor/user/name"), None);
    assert_eq!(relations(&batch, 0), ["logon_from nina -> 10.9.8.7", "session nina -> pc-7"]);
}

#[test]
fn failed_logon() {
    let batch = parse(
        security(
            "4625",
            &[
                ("TargetUserName", "root"),
                ("Status", "0xc000006d"),
                ("FailureReason", "%%2313"),
                ("LogonType", "10"),
                ("IpAddress", "-"),
            ],
        )
        .replace("0x8020", "0x8010")
        .as_bytes(),
    );
    let event = event(&batch, 0);
    has(&event, "/status_id", json!(2));
    has(&event, "/status_code", json!("0xc000006d"));
    assert_eq!(event.pointer("/src_endpoint/ip"), None);
    assert!(relations(&batch, 0).is_empty());
}

#[test]
fn security_process_creation_answers_to_sysmon_names() {
    let batch = parse(
        security(
            "4688",
            &[
                ("SubjectUserSid", "S-1-5-18"),
                ("SubjectUserName", "PC-7$"),
                ("NewProcessId", "0x1ae4"),
                ("NewProcessName", "C:\\Windows\\System32\\whoami.exe"),
                ("ProcessId", "0xef4"),
                ("CommandLine", "whoami /all &gt; &quot;o.txt&quot;"),
                ("TargetUserName", "-"),
                ("ParentProcessName", "C:\\Windows\\System32\\cmd.exe"),
                ("MandatoryLabel", "S-1-16-12288"),
            ],
        )
        .as_bytes(),
    );
    let event = event(&batch, 0);
    assert_eq!(logsource(&batch, 0), "windows/security/process_creation");
    assert_eq!(values(&batch, 0, "Image"), ["C:\\Windows\\System32\\whoami.exe"]);
    assert_eq!(values(&batch, 0, "ParentImage"), ["C:\\Windows\\System32\\cmd.exe"]);
    assert_eq!(values(&batch, 0, "IntegrityLevel"), ["S-1-16-12288"]);
    has(&event, "/class_uid", json!(1007));
    has(&event, "/process/pid", json!(0x1ae4));
    has(&event, "/process/name", json!("whoami.exe"));
    has(&event, "/process/cmd_line", json!("whoami /all > \"o.txt\""));
    has(&event, "/process/parent_process/pid", json!(0xef4));
    has(&event, "/process/user/name", json!("PC-7$"));
    assert_eq!(relations(&batch, 0), ["ran pc-7$ -> C:\\Windows\\System32\\whoami.exe"]);
}

#[test]
fn sysmon_process_network_and_dns() {
    let batch = parse(
        sysmon(
            "1",
            &[
                ("Image", "C:\\a\\b.exe"),
                ("ProcessId", "6884"),
                ("CommandLine", "b.exe -x"),
                ("User", "LAB\\nina"),
                ("Hashes", "MD5=AA,SHA256=BB,IMPHASH=CC"),
                ("ParentImage", "C:\\p.exe"),
            ],
        )
        .as_bytes(),
    );
    let first = event(&batch, 0);
    assert_eq!(logsource(&batch, 0), "windows/sysmon/process_creation");
    has(&first, "/process/user/name", json!("nina"));
    has(&first, "/process/user/domain", json!("LAB"));
    has(&first, "/process/file/hashes/sha256", json!("BB"));
    has(&first, "/actor/process/path", json!("C:\\p.exe"));

    let outbound = |source: &str| {
        parse(
            sysmon(
                "3",
                &[
                    ("Initiated", "true"),
                    ("Protocol", "TCP"),
                    ("SourceIp", source),
                    ("SourcePort", "5000"),
                    ("DestinationIp", "203.0.113.9"),
                    ("DestinationPort", "443"),
                ],
            )
            .as_bytes(),
        )
    };
    let batch = outbound("10.9.8.7");
    assert_eq!(logsource(&batch, 0), "windows/sysmon/network_connection");
    has(&event(&batch, 0), "/connection_info/direction_id", json!(2));
    has(&event(&batch, 0), "/connection_info/protocol_name", json!("tcp"));
    assert_eq!(
        relations(&batch, 0),
        ["connected 10.9.8.7 -> 203.0.113.9", "has_address pc-7 -> 10.9.8.7"]
    );
    assert_eq!(relations(&outbound("127.0.0.1"), 0), ["connected 127.0.0.1 -> 203.0.113.9"]);

    let batch = parse(
        sysmon(
            "22",
            &[
                ("QueryName", "www.lab.example"),
                ("QueryStatus", "0"),
                ("QueryResults", "type:  5 cdn.example;::ffff:203.0.113.9;2001:db8::1;"),
            ],
        )
        .as_bytes(),
    );
    assert_eq!(values(&batch, 0, "ResolvedAddress"), ["203.0.113.9", "2001:db8::1"]);
    assert_eq!(
        relations(&batch, 0),
        ["resolves www.lab.example -> 2001:db8::1", "resolves www.lab.example -> 203.0.113.9"]
    );
}

#[track_caller]
fn check(record: &str, expect_logsource: &str, class: u32, activity: &str) {
    let batch = parse(record.as_bytes());
    assert_eq!(logsource(&batch, 0), expect_logsource, "{record}");
    let event = event(&batch, 0);
    has(&event, "/class_uid", json!(class));
    has(&event, "/activity_name", json!(activity));
}

#[test]
fn sysmon_categories_and_classes() {
    let registry =
        |id: &str, kind: &str| sysmon(id, &[("EventType", kind), ("TargetObject", "HKLM\\A\\B")]);
    check(&registry("12", "CreateKey"), "windows/sysmon/registry_add", 201_001, "Create");
    check(&registry("12", "DeleteKey"), "windows/sysmon/registry_delete", 201_001, "Delete");
    check(&registry("12", "DeleteValue"), "windows/sysmon/registry_delete", 201_002, "Delete");
    check(&registry("13", "SetValue"), "windows/sysmon/registry_set", 201_002, "Set");
    check(&registry("14", "RenameKey"), "windows/sysmon/registry_rename", 201_001, "Rename");
    let cases = [
        ("2", "file_change", 1001, "Set Attributes"),
        ("5", "process_termination", 1007, "Terminate"),
        ("6", "driver_load", 1002, "Load"),
        ("7", "image_load", 1005, "Load"),
        ("8", "create_remote_thread", 1007, "Inject"),
        ("9", "raw_access_thread", 1001, "Read"),
        ("10", "process_access", 1007, "Open"),
        ("11", "file_event", 1001, "Create"),
        ("15", "create_stream_hash", 1001, "Create"),
        ("16", "sysmon_status", 6002, "Update"),
        ("17", "pipe_created", 1001, "Create"),
        ("18", "pipe_created", 1001, "Open"),
        ("23", "file_delete", 1001, "Delete"),
        ("24", "clipboard_capture", 201_003, "Access"),
        ("25", "process_tampering", 1007, "Inject"),
        ("26", "file_delete", 1001, "Delete"),
        ("27", "file_block_executable", 1001, "Create"),
        ("28", "file_block_shredding", 1001, "Delete"),
        ("29", "file_executable_detected", 1001, "Create"),
        ("255", "sysmon_error", 6002, "Other"),
    ];
    for (id, category, class, activity) in cases {
        check(&sysmon(id, &[]), &format!("windows/sysmon/{category}"), class, activity);
    }
    let wmi = sysmon("19", &[("Operation", "Created")]);
    check(&wmi, "windows/sysmon/wmi_event", 3004, "Create");
}

#[test]
fn security_ids_have_their_class() {
    let cases = [
        ("4634", 3002, "Logoff"),
        ("4648", 3002, "Logon"),
        ("4672", 3003, "Assign Privileges"),
        ("4768", 3002, "Authentication Ticket"),
        ("4769", 3002, "Service Ticket Request"),
        ("4771", 3002, "Preauth"),
        ("4697", 201_004, "Create"),
        ("4698", 1006, "Create"),
        ("4720", 3001, "Create"),
        ("4740", 3001, "Lock"),
        ("4728", 3006, "Add User"),
        ("4670", 201_003, "Access"),
        ("4946", 3004, "Update"),
        ("5145", 4010, "Open"),
        ("5156", 4001, "Open"),
        ("5157", 4001, "Refuse"),
        ("9999", 201_003, "Unknown"),
    ];
    for (id, class, activity) in cases {
        check(&security(id, &[]), "windows/security/-", class, activity);
    }
    let file =
        security("4663", &[("ObjectType", "File"), ("ObjectName", "C:\\x"), ("AccessMask", "0x2")]);
    check(&file, "windows/security/-", 1001, "Open");
    let value = security(
        "4657",
        &[("OperationType", "%%1906"), ("ObjectName", "K"), ("ObjectValueName", "v")],
    );
    check(&value, "windows/security/-", 201_002, "Delete");
}

#[test]
fn other_channels_have_their_service() {
    let cases = [
        ("System", "system", 6002),
        ("Application", "application", 6002),
        ("Windows PowerShell", "powershell-classic", 1009),
        ("Microsoft-Windows-PowerShell/Operational", "powershell", 1009),
        ("PowerShellCore/Operational", "powershell", 1009),
        ("Microsoft-Windows-TaskScheduler/Operational", "taskscheduler", 1006),
        ("Microsoft-Windows-WMI-Activity/Operational", "wmi", 6003),
        ("Microsoft-Windows-AppLocker/EXE and DLL", "applocker", 1007),
        ("Microsoft-Windows-AppLocker/MSI and Script", "applocker", 1007),
        ("Microsoft-Windows-Bits-Client/Operational", "bits-client", 4010),
        ("DNS Server", "dns-server", 4003),
        ("Microsoft-Windows-DNS-Server/Analytical", "dns-server-analytic", 4003),
        ("Microsoft-Windows-DriverFrameworks-UserMode/Operational", "driver-framework", 1002),
        ("Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", "firewall-as", 3004),
        ("Microsoft-Windows-NTLM/Operational", "ntlm", 3002),
        ("Microsoft-Windows-PrintService/Admin", "printservice-admin", 6002),
        ("Microsoft-Windows-PrintService/Operational", "printservice-operational", 6002),
        ("Microsoft-Windows-SmbClient/Security", "smbclient-security", 4006),
        ("Microsoft-Windows-SMBServer/Connectivity", "smbserver-connectivity", 4006),
        ("Microsoft-Windows-CodeIntegrity/Operational", "codeintegrity-operational", 1005),
        ("Microsoft-Windows-Windows Defender/Operational", "windefend", 6002),
        ("OpenSSH/Operational", "openssh", 4007),
        ("MSExchange Management", "msexchange-management", 6003),
    ];
    for (channel, service, class) in cases {
        let batch = parse(xml(channel, "Any", "1", "<Data>a</Data>").as_bytes());
        assert_eq!(logsource(&batch, 0), format!("windows/{service}/-"), "{channel}");
        assert_eq!(batch.events[0].class.0, class, "{channel}");
    }
    let system =
        |id, pairs: &[(&str, &str)]| xml("System", "Service Control Manager", id, &data(pairs));
    check(
        &system("7045", &[("ServiceName", "s"), ("ImagePath", "c:\\s.exe")]),
        "windows/system/-",
        201_004,
        "Create",
    );
    check(
        &system("7036", &[("param1", "s"), ("param2", "stopped")]),
        "windows/system/-",
        201_004,
        "Stop",
    );
    let classic =
        xml("Windows PowerShell", "PowerShell", "400", "<Data>a</Data><Data>HostName=x</Data>");
    check(&classic, "windows/powershell-classic/ps_classic_start", 1009, "Execute");
    let script = xml(
        "Microsoft-Windows-PowerShell/Operational",
        "P",
        "4104",
        &data(&[("ScriptBlockText", "iex")]),
    );
    check(&script, "windows/powershell/ps_script", 1009, "Execute");
}

#[test]
fn every_json_shape_has_the_fields_of_the_xml() {
    let from_xml = parse(
        security("4625", &[("TargetUserName", "a\"b"), ("LogonType", "3"), ("Empty", "")])
            .as_bytes(),
    );
    let system = r##""System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing","Guid":"{0aa1c2d3-0000-4000-8000-000000000001}"}},
        "EventID":{"#text":4625},"Version":2,"Level":0,"Task":12544,"Opcode":0,"Keywords":"0x8020000000000000",
        "TimeCreated":{"#attributes":{"SystemTime":"2025-03-04T05:06:07.1234567Z"}},"EventRecordID":77,"Correlation":null,
        "Execution":{"#attributes":{"ProcessID":712,"ThreadID":9}},"Channel":"Security","Computer":"PC-7.lab.example","Security":null}"##;
    let named = r##""EventData":{"TargetUserName":"a\"b","LogonType":3,"Empty":""}"##;
    let listed = r##""EventData":{"Data":[{"@Name":"TargetUserName","#text":"a\"b"},{"#text":"3","@Name":"LogonType"},{"@Name":"Empty"}]}"##;
    let dumped = format!(r##"{{"Event":{{"#attributes":{{"xmlns":"x"}},{system},{named}}}}}"##);
    let bare = format!("{{{system},{named}}}");
    let separate = dumped
        .replace(r##""Provider":{"#attributes":"##, r##""Provider_attributes":"##)
        .replace(r##"000000000001}"}},"##, r##"000000000001}"},"##);
    let at = format!(r##"{{"Event":{{"@xmlns":"x",{system},{listed}}}}}"##)
        .replace(r##"{"#attributes":{"Name""##, r##"{"@Name""##)
        .replace(r##""Guid""##, r##""@Guid""##)
        .replace(r##"000000000001}"}},"##, r##"000000000001}"},"##);
    for shape in [dumped, bare, separate, at] {
        let batch = parse(shape.as_bytes());
        assert_eq!(fields(&batch, 0), fields(&from_xml, 0), "{shape}");
        assert_eq!(batch.events[0].class, from_xml.events[0].class);
        assert_eq!(logsource(&batch, 0), "windows/security/-");
        has(&event(&batch, 0), "/logon_type_id", json!(3));
    }
}

#[test]
fn unnamed_data_repeats_in_json_and_xml_alike() {
    let batch = parse(
        xml("Application", "App", "7", "<Data>x</Data><Data>y</Data><Binary>0A</Binary>")
            .as_bytes(),
    );
    let json = br##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"App"}},"EventID":7,"Channel":"Application"},"EventData":{"Data":{"#text":["x","y"]},"Binary":"0A"}}}"##;
    let other = parse(json);
    for name in ["Data", "Binary"] {
        assert_eq!(values(&batch, 0, name), values(&other, 0, name));
    }
    assert_eq!(values(&other, 0, "Data"), ["x", "y"]);
}

#[test]
fn flat_exports_are_recognised() {
    let batch = parse(
        br#"{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Hostname":"pc1","@timestamp":"2025-03-04T05:06:07.1Z","Image":"C:\\a.exe","CommandLine":"a.exe","User":"LAB\\nina"}"#,
    );
    let event = event(&batch, 0);
    assert_eq!(source(&batch, 0), Some("windows_event"));
    assert_eq!(logsource(&batch, 0), "windows/sysmon/process_creation");
    has(&event, "/device/hostname", json!("pc1"));
    has(&event, "/process/cmd_line", json!("a.exe"));
    has(&event, "/time_dt", json!("2025-03-04T05:06:07.100000Z"));
}

#[test]
fn a_syslog_header_is_peeled_off() {
    let good = security("4634", &[("TargetUserName", "nina")]);
    for record in [
        format!("<134>Mar  4 05:06:08 relay winlog: {good}"),
        format!("<134>1 2025-03-04T05:06:08Z relay winlog - - - {good}"),
    ] {
        let batch = parse(record.as_bytes());
        assert_eq!(source(&batch, 0), Some("windows_event"), "{record}");
        has(&event(&batch, 0), "/user/name", json!("nina"));
        has(&event(&batch, 0), "/device/hostname", json!("PC-7.lab.example"));
        has(&event(&batch, 0), "/time_dt", json!("2025-03-04T05:06:07.123456Z"));
    }
}

#[test]
fn bad_records_stay_events() {
    let good = security("4624", &[("TargetUserName", "a"), ("LogonType", "3")]);
    for end in 0..good.len() {
        let batch = parse(&good.as_bytes()[..end]);
        assert_eq!(batch.events.len(), 1);
        assert_eq!(batch.events[0].class.0, 0, "{end}");
    }
    let entities = good.replace("<Event ", "<!DOCTYPE x [<!ENTITY a 'b'>]><Event ");
    assert_eq!(parse(entities.as_bytes()).events[0].class.0, 0);
    let deep = good.replace("<Data Name=\"LogonType\">3</Data>", &"<Data>".repeat(100));
    assert_eq!(parse(deep.as_bytes()).events[0].class.0, 0);
    let wide =
        good.replace("</EventData>", &format!("{}</EventData>", "<Data>1</Data>".repeat(3_000)));
    let batch = parse(wide.as_bytes());
    assert_eq!(batch.events[0].class.0, 3002);
    assert!(event(&batch, 0)["status_detail"].as_str().unwrap().contains("too_many_fields"));
    let mut bytes = good.clone().into_bytes();
    let at = good.find(">a<").unwrap() + 1;
    bytes[at] = 0xff;
    assert_eq!(values(&parse(&bytes), 0, "TargetUserName"), ["\u{fffd}"]);
}
