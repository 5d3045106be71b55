//! How shippers rename the fields of Windows events in JSON, and back to Windows' own names.
//!
//! | shape | told by |
//! |---|---|
//! | Winlogbeat and Elastic Agent | `winlog` |
//! | Winlogbeat before 7 | `event_data` or `computer_name` beside `event_id` |
//! | NXLog | `SourceModuleType` or `SourceModuleName` |
//! | HELK | `event_id` and `log_name` |
//! | EvtxECmd | `PayloadData1` or `MapDescription` |
//!
//! Anything else keeps its names but for `Provider` and `EventSourceName`.

use crate::decode::windows_json;
use crate::sink::Sink;
use memchr::memmem::find;
use yagura_event::{FieldId, SpanFlags, SpanType};

/// Bytes of a record looked at to tell its shape; the telling names may stand anywhere.
const SHAPE_BYTES_MAX: usize = 256 * 1024;

/// Whose names an object's fields have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Windows' own.
    Plain,
    /// `winlog.event_data.X`.
    Winlogbeat,
    /// `event_data.X`.
    Beat6,
    /// Flat, the writer's process among the event's own fields.
    Nxlog,
    /// Flat, in snake case.
    Helk,
    /// Flat, the event's own fields as text in `Payload`.
    EvtxEcmd,
}

impl Shape {
    /// The shape of the object in `text`.
    pub(super) fn of(text: &[u8]) -> Self {
        let text = text.get(..SHAPE_BYTES_MAX).unwrap_or(text);
        let has = |name: &[u8]| find(text, name).is_some();
        if has(b"\"winlog") {
            Self::Winlogbeat
        } else if has(b"\"event_id\"") {
            if has(b"\"event_data") || has(b"\"computer_name\"") { Self::Beat6 } else { Self::Helk }
        } else if has(b"\"SourceModule") {
            Self::Nxlog
        } else if has(b"\"EventId\"") && (has(b"\"PayloadData") || has(b"\"MapDescription\"")) {
            Self::EvtxEcmd
        } else {
            Self::Plain
        }
    }

    /// Windows' name for the field at a dotted path, where it is another.
    pub(super) fn name(self, path: &[u8]) -> Option<&[u8]> {
        let path = path.strip_prefix(b"_source.").unwrap_or(path);
        match self {
            Self::Plain => listed(PLAIN, path),
            Self::Winlogbeat => {
                if path == b"message" {
                    return Some(b"Message");
                }
                let inner = path.strip_prefix(b"winlog.")?;
                own(inner).or_else(|| listed(BEAT, inner)).or(Some(path))
            }
            Self::Beat6 => own(path).or_else(|| listed(BEAT, path)),
            Self::Nxlog => listed(NXLOG, path),
            Self::Helk => listed(BEAT, path).or_else(|| listed(HELK, path)),
            Self::EvtxEcmd => listed(EVTX_ECMD, path),
        }
    }
}

/// The event's own field, which kept its name below `event_data` or `user_data`.
fn own(path: &[u8]) -> Option<&[u8]> {
    if let Some(name) = path.strip_prefix(b"event_data.") {
        return Some(name);
    }
    let name = path.strip_prefix(b"user_data.").filter(|name| *name != b"xml_name")?;
    Some(memchr::memrchr(b'.', name).map_or(name, |dot| &name[dot + 1..]))
}

type Renames = &'static [(&'static [u8], &'static [u8])];

fn listed(table: Renames, path: &[u8]) -> Option<&'static [u8]> {
    table.iter().find(|(from, _)| *from == path).map(|(_, to)| *to)
}

const PLAIN: Renames = &[(b"Provider", b"Provider_Name"), (b"EventSourceName", b"Provider_Name")];

/// Beats, below `winlog` or, in old ones, at the top.
const BEAT: Renames = &[
    (b"event_id", b"EventID"),
    (b"channel", b"Channel"),
    (b"log_name", b"Channel"),
    (b"computer_name", b"Computer"),
    (b"provider_name", b"Provider_Name"),
    (b"source_name", b"Provider_Name"),
    (b"provider_guid", b"Provider_Guid"),
    (b"record_id", b"EventRecordID"),
    (b"record_number", b"EventRecordID"),
    (b"process.pid", b"Execution_ProcessID"),
    (b"process.thread.id", b"Execution_ThreadID"),
    (b"thread_id", b"Execution_ThreadID"),
    (b"keywords", b"Keywords"),
    (b"level", b"Level"),
    (b"task", b"Task"),
    (b"opcode", b"Opcode"),
    (b"version", b"Version"),
    (b"activity_id", b"Correlation_ActivityID"),
    (b"related_activity_id", b"Correlation_RelatedActivityID"),
    (b"time_created", b"TimeCreated_SystemTime"),
    (b"user.identifier", b"Security_UserID"),
    (b"message", b"Message"),
    (b"event_message", b"Message"),
];

const NXLOG: Renames = &[
    (b"ProcessID", b"Execution_ProcessID"),
    (b"ExecutionProcessID", b"Execution_ProcessID"),
    (b"ThreadID", b"Execution_ThreadID"),
    (b"ExecutionThreadID", b"Execution_ThreadID"),
    (b"ProviderGuid", b"Provider_Guid"),
    (b"ActivityID", b"Correlation_ActivityID"),
    (b"UserID", b"Security_UserID"),
];

const EVTX_ECMD: Renames = &[
    (b"EventId", b"EventID"),
    (b"EventRecordId", b"EventRecordID"),
    (b"Provider", b"Provider_Name"),
    (b"ProcessId", b"Execution_ProcessID"),
    (b"ThreadId", b"Execution_ThreadID"),
    (b"UserId", b"Security_UserID"),
];

/// HELK's pipeline gives the names of its common information model.
const HELK: Renames = &[
    (b"host_name", b"Computer"),
    (b"event_original_time", b"UtcTime"),
    (b"etl_processed_agent_hostname", b"Forwarder"),
    (b"process_path", b"Image"),
    (b"process_command_line", b"CommandLine"),
    (b"process_guid", b"ProcessGuid"),
    (b"process_id", b"ProcessId"),
    (b"process_current_directory", b"CurrentDirectory"),
    (b"process_integrity_level", b"IntegrityLevel"),
    (b"process_parent_path", b"ParentImage"),
    (b"process_parent_command_line", b"ParentCommandLine"),
    (b"process_parent_guid", b"ParentProcessGuid"),
    (b"process_parent_id", b"ParentProcessId"),
    (b"process_target_path", b"TargetImage"),
    (b"process_target_guid", b"TargetProcessGuid"),
    (b"process_target_id", b"TargetProcessId"),
    (b"target_process_path", b"TargetImage"),
    (b"target_process_guid", b"TargetProcessGuid"),
    (b"target_process_id", b"TargetProcessId"),
    (b"process_granted_access", b"GrantedAccess"),
    (b"process_call_trace", b"CallTrace"),
    (b"thread_new_id", b"NewThreadId"),
    (b"thread_start_address", b"StartAddress"),
    (b"thread_start_module", b"StartModule"),
    (b"thread_start_function", b"StartFunction"),
    (b"user_account", b"User"),
    (b"user_name", b"SubjectUserName"),
    (b"user_domain", b"SubjectDomainName"),
    (b"user_sid", b"SubjectUserSid"),
    (b"user_logon_id", b"SubjectLogonId"),
    (b"user_reporter_name", b"SubjectUserName"),
    (b"user_reporter_domain", b"SubjectDomainName"),
    (b"user_reporter_sid", b"SubjectUserSid"),
    (b"user_reporter_id", b"SubjectLogonId"),
    (b"target_user_name", b"TargetUserName"),
    (b"target_user_domain", b"TargetDomainName"),
    (b"target_user_sid", b"TargetUserSid"),
    (b"target_user_logon_id", b"TargetLogonId"),
    (b"logon_type", b"LogonType"),
    (b"logon_process_name", b"LogonProcessName"),
    (b"logon_authentication_package", b"AuthenticationPackageName"),
    (b"hash", b"Hashes"),
    (b"file_name", b"TargetFilename"),
    (b"file_path", b"TargetFilename"),
    (b"file_creation_time", b"CreationUtcTime"),
    (b"file_company", b"Company"),
    (b"file_description", b"Description"),
    (b"file_product", b"Product"),
    (b"file_version", b"FileVersion"),
    (b"module_loaded", b"ImageLoaded"),
    (b"image_loaded", b"ImageLoaded"),
    (b"driver_loaded", b"ImageLoaded"),
    (b"module_is_signed", b"Signed"),
    (b"signature", b"Signature"),
    (b"signature_status", b"SignatureStatus"),
    (b"registry_key_path", b"TargetObject"),
    (b"registry_key_value", b"Details"),
    (b"registry_event_type", b"EventType"),
    (b"pipe_name", b"PipeName"),
    (b"dns_query_name", b"QueryName"),
    (b"dns_query_status", b"QueryStatus"),
    (b"dns_query_results", b"QueryResults"),
    (b"network_protocol", b"Protocol"),
    (b"network_connection_initiated", b"Initiated"),
    (b"src_ip_addr", b"SourceIp"),
    (b"src_port", b"SourcePort"),
    (b"src_host_name", b"SourceHostname"),
    (b"dst_ip_addr", b"DestinationIp"),
    (b"dst_port", b"DestinationPort"),
    (b"dst_host_name", b"DestinationHostname"),
    (b"dst_port_name", b"DestinationPortName"),
    (b"service_name", b"ServiceName"),
    (b"service_image_path", b"ImagePath"),
    (b"share_name", b"ShareName"),
    (b"share_relative_target_name", b"RelativeTargetName"),
    (b"object_name", b"ObjectName"),
    (b"object_type", b"ObjectType"),
    (b"object_server", b"ObjectServer"),
    (b"object_access_mask_requested", b"AccessMask"),
    (b"powershell.scriptblock.text", b"ScriptBlockText"),
    (b"powershell_scriptblock_text", b"ScriptBlockText"),
    (b"scriptblock_text", b"ScriptBlockText"),
    (b"task_name", b"TaskName"),
    (b"rule_name", b"RuleName"),
];

/// What is told only when all fields are there: the id by its other name, the event's own fields
/// as text in one of the envelope's, unnamed data.
pub(super) fn finish(sink: &mut Sink<'_, '_>) {
    for (name, other) in
        [(&b"EventID"[..], &b"event.code"[..]), (b"Provider_Name", b"event.provider")]
    {
        let at = |name: &[u8]| sink.spans().iter().position(|span| sink.name(span) == name);
        if at(name).is_none()
            && let Some(at) = at(other)
        {
            sink.rename(at, name);
        }
    }
    for name in [&b"EventData"[..], b"Payload"] {
        within(sink, name);
    }
    // Winlogbeat numbers what has no name in the event.
    let numbered: Vec<_> = sink
        .spans()
        .iter()
        .filter(|span| {
            let number = sink.name(span).strip_prefix(b"param");
            number.is_some_and(|n| !n.is_empty() && n.iter().all(u8::is_ascii_digit))
        })
        .copied()
        .collect();
    let data = sink.fields().get(b"Data");
    if data != FieldId::UNKNOWN {
        for mut span in numbered {
            (span.field, span.flags) = (data, SpanFlags(SpanFlags::ALIAS));
            sink.push_span(span);
        }
    }
}

/// Reads the event's own fields where they stand as XML or JSON in a string.
fn within(sink: &mut Sink<'_, '_>, name: &[u8]) {
    let Some(at) = sink.spans().iter().position(|span| {
        span.kind == SpanType::String && sink.name(span) == name && span.value.len > 2
    }) else {
        return;
    };
    let Some(span) = sink.spans().get(at).copied() else { return };
    let value = sink.bytes(span.value).trim_ascii();
    let text = if value.starts_with(b"<EventData") || value.starts_with(b"<UserData") {
        [b"<Event>", value, b"</Event>"].concat()
    } else if value.starts_with(b"<Data") {
        [&b"<Event><EventData>"[..], value, b"</EventData></Event>"].concat()
    } else if value.starts_with(b"{\"EventData\"") || value.starts_with(b"{\"UserData\"") {
        value.to_vec()
    } else if value.starts_with(b"{") {
        [b"{\"EventData\":", value, b"}"].concat()
    } else {
        return;
    };
    let mark = sink.mark();
    let place = sink.text(&text);
    let mut inner = sink.inside(&text, place, Some(span.raw));
    let whole = 0..text.len();
    let read = match text.first() {
        Some(b'<') => super::windows::xml(&mut inner, whole),
        _ => windows_json::decode(&mut inner, whole),
    };
    match (read, sink.span_at(at)) {
        // Its fields say it.
        (Ok(()), Some(span)) => span.flags.0 |= SpanFlags::MAPPED,
        _ => sink.rollback(mark),
    }
}
