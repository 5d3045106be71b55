//! The one declared table of OCSF columns: name, OCSF path, type, observable, doc.
//!
//! The Arrow schema, the nested JSON form and the column documentation derive from it.
//! Columns are only ever added, at the end of a group or as a new group: readers go by name.

use crate::observable::ObservableKind;
use ObservableKind::{CommandLine, Domain, Email, File, Hash, Host, Ip, Mac, Process, Url, User};

/// How a column's values are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// 64-bit integer.
    I64,
    /// 64-bit float.
    F64,
    /// Truth value.
    Bool,
    /// Microseconds since 1970 UTC; milliseconds in JSON.
    Time,
    /// A list of texts; a JSON array of strings in the batch.
    Strings,
    /// A list of `{name, type, value}`; a JSON array of objects in the batch.
    Objects,
}

/// One column of the `events` table.
#[derive(Debug)]
pub struct Column {
    /// Column name, snake case.
    pub name: &'static str,
    /// Dotted OCSF path: the name in JSON, search and source definitions.
    pub path: &'static str,
    /// How values are stored.
    pub kind: ColumnType,
    /// Held in the event's head instead of among its values.
    pub head: bool,
    /// What its values name, if they are worth following.
    pub observable: Option<ObservableKind>,
    /// One line for people.
    pub doc: &'static str,
}

/// Index into [`COLUMNS`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ColumnId(pub u16);

impl ColumnId {
    /// The column's row.
    pub fn column(self) -> &'static Column {
        &COLUMNS[usize::from(self.0)]
    }

    /// The column of a dotted OCSF path or column name.
    pub fn find(path_or_name: &str) -> Option<Self> {
        COLUMNS
            .iter()
            .position(|column| column.path == path_or_name || column.name == path_or_name)
            .map(|at| Self(at as u16))
    }
}

macro_rules! columns {
    (@head head) => { true };
    (@head body) => { false };
    ($($id:ident $name:literal $path:literal $kind:ident $head:ident $observable:expr, $doc:literal;)*) => {
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "counts the columns")]
        enum Index { $($id,)* }

        /// Every column, in schema order.
        pub static COLUMNS: &[Column] = &[
            $(Column {
                name: $name,
                path: $path,
                kind: ColumnType::$kind,
                head: columns!(@head $head),
                observable: $observable,
                doc: $doc,
            },)*
        ];

        impl ColumnId {
            $(#[doc = $doc] pub const $id: Self = Self(Index::$id as u16);)*
        }
    };
}

columns! {
    // identity and time (held in the event's head).
    EVENT_ID "event_id" "metadata.uid" Text head None, "The event's id, 32 hexadecimal digits";
    TENANT "tenant" "metadata.tenant_uid" Text head None, "The tenant that owns the event";
    FEED "feed" "metadata.loggers" Text head None, "The feed the record came in by";
    SOURCE "source" "metadata.log_format" Text head None, "The source that read the record";
    TIME "time" "time" Time head None, "When the event happened";
    RECEIVED_TIME "received_time" "metadata.logged_time" Time head None, "When the record was received";
    CLASS_UID "class_uid" "class_uid" I64 head None, "The class";
    RAW_DATA "raw_data" "raw_data" Text head None, "The record as received";
    // classification.
    ACTIVITY_ID "activity_id" "activity_id" I64 body None, "The activity within the class";
    SEVERITY_ID "severity_id" "severity_id" I64 body None, "Severity, 1 informational to 6 fatal";
    SEVERITY "severity" "severity" Text body None, "Severity as the source words it";
    STATUS_ID "status_id" "status_id" I64 body None, "1 success, 2 failure";
    STATUS "status" "status" Text body None, "Success or Failure";
    STATUS_CODE "status_code" "status_code" Text body None, "The source's own result code";
    STATUS_DETAIL "status_detail" "status_detail" Text body None, "Why; also what was wrong with the record";
    MESSAGE "message" "message" Text body None, "The source's own sentence";
    COUNT "count" "count" I64 body None, "How many like this one the record stands for";
    DURATION "duration" "duration" I64 body None, "Milliseconds the activity lasted";
    START_TIME "start_time" "start_time" Time body None, "When the activity began";
    END_TIME "end_time" "end_time" Time body None, "When the activity ended";
    TIMEZONE_OFFSET "timezone_offset" "timezone_offset" I64 body None, "Minutes from UTC of the record's own stamp";
    ACTION_ID "action_id" "action_id" I64 body None, "1 allowed, 2 denied";
    ACTION "action" "action" Text body None, "What the control did, as it words it";
    DISPOSITION_ID "disposition_id" "disposition_id" I64 body None, "The outcome of the control";
    DISPOSITION "disposition" "disposition" Text body None, "The outcome as the control words it";
    IS_ALERT "is_alert" "is_alert" Bool body None, "Whether the record is an alert";
    CONFIDENCE_ID "confidence_id" "confidence_id" I64 body None, "Confidence of the alert";
    RISK_LEVEL_ID "risk_level_id" "risk_level_id" I64 body None, "Risk level of the alert";
    // metadata.
    METADATA_EVENT_CODE "metadata_event_code" "metadata.event_code" Text body None, "The source's own kind of event";
    METADATA_TYPE "metadata_type" "metadata.type" Text body None, "The source's class of its events";
    METADATA_LOG_NAME "metadata_log_name" "metadata.log_name" Text body None, "The log, channel or facility";
    METADATA_LOG_PROVIDER "metadata_log_provider" "metadata.log_provider" Text body None, "The program or provider that wrote the record";
    METADATA_LOG_LEVEL "metadata_log_level" "metadata.log_level" Text body None, "The level the source gave";
    METADATA_ORIGINAL_TIME "metadata_original_time" "metadata.original_time" Text body None, "The record's own stamp as written";
    METADATA_SEQUENCE "metadata_sequence" "metadata.sequence" I64 body None, "The source's own record number";
    METADATA_CORRELATION_UID "metadata_correlation_uid" "metadata.correlation_uid" Text body None, "The source's id for related records";
    METADATA_ORIGINAL_EVENT_UID "metadata_original_event_uid" "metadata.original_event_uid" Text body None, "The source's id of this record";
    METADATA_PRODUCT_NAME "metadata_product_name" "metadata.product.name" Text body None, "The product";
    METADATA_PRODUCT_VENDOR_NAME "metadata_product_vendor_name" "metadata.product.vendor_name" Text body None, "Its vendor";
    METADATA_PRODUCT_VERSION "metadata_product_version" "metadata.product.version" Text body None, "Its version";
    // the device the event happened on, or that observed it.
    DEVICE_HOSTNAME "device_hostname" "device.hostname" Text body Some(Host), "Name of the host";
    DEVICE_IP "device_ip" "device.ip" Text body Some(Ip), "Its address";
    DEVICE_MAC "device_mac" "device.mac" Text body Some(Mac), "Its MAC address";
    DEVICE_DOMAIN "device_domain" "device.domain" Text body None, "Its domain";
    DEVICE_UID "device_uid" "device.uid" Text body None, "Its id";
    DEVICE_OS_NAME "device_os_name" "device.os.name" Text body None, "Its operating system";
    OBSERVER_HOSTNAME "observer_hostname" "metadata.reporter.hostname" Text body None, "The sensor, firewall or relay that saw it";
    OBSERVER_IP "observer_ip" "metadata.reporter.ip" Text body Some(Ip), "Its address";
    OBSERVER_UID "observer_uid" "metadata.reporter.uid" Text body None, "Its serial number or id";
    // who did it.
    ACTOR_USER_NAME "actor_user_name" "actor.user.name" Text body Some(User), "The user that acted";
    ACTOR_USER_UID "actor_user_uid" "actor.user.uid" Text body None, "The user's SID or uid";
    ACTOR_USER_DOMAIN "actor_user_domain" "actor.user.domain" Text body None, "The user's domain";
    ACTOR_SESSION_UID "actor_session_uid" "actor.session.uid" Text body None, "The session that acted";
    ACTOR_SESSION_TERMINAL "actor_session_terminal" "actor.session.terminal" Text body None, "Its terminal";
    ACTOR_PROCESS_NAME "actor_process_name" "actor.process.name" Text body None, "Name of the process that acted";
    ACTOR_PROCESS_PATH "actor_process_path" "actor.process.path" Text body Some(Process), "Its executable's path";
    ACTOR_PROCESS_PID "actor_process_pid" "actor.process.pid" I64 body None, "Its process id";
    ACTOR_PROCESS_UID "actor_process_uid" "actor.process.uid" Text body None, "Its unique id";
    ACTOR_PROCESS_CMD_LINE "actor_process_cmd_line" "actor.process.cmd_line" Text body Some(CommandLine), "Its command line";
    ACTOR_PROCESS_TID "actor_process_tid" "actor.process.tid" I64 body None, "Its thread id";
    ACTOR_APP_NAME "actor_app_name" "actor.app_name" Text body None, "The application that acted";
    // whom it was done to.
    USER_NAME "user_name" "user.name" Text body Some(User), "The user acted on or logged on";
    USER_UID "user_uid" "user.uid" Text body None, "The user's SID or uid";
    USER_DOMAIN "user_domain" "user.domain" Text body None, "The user's domain";
    USER_EMAIL_ADDR "user_email_addr" "user.email_addr" Text body Some(Email), "The user's mail address";
    USER_TYPE "user_type" "user.type" Text body None, "Kind of account";
    GROUP_NAME "group_name" "group.name" Text body None, "The group";
    GROUP_UID "group_uid" "group.uid" Text body None, "The group's SID or gid";
    // authentication.
    LOGON_TYPE_ID "logon_type_id" "logon_type_id" I64 body None, "Kind of log-on";
    LOGON_TYPE "logon_type" "logon_type" Text body None, "Kind of log-on as the source words it";
    AUTH_PROTOCOL_ID "auth_protocol_id" "auth_protocol_id" I64 body None, "Authentication protocol";
    AUTH_PROTOCOL "auth_protocol" "auth_protocol" Text body None, "Authentication protocol as the source words it";
    IS_REMOTE "is_remote" "is_remote" Bool body None, "Whether the log-on is remote";
    IS_MFA "is_mfa" "is_mfa" Bool body None, "Whether more than one factor was used";
    LOGON_PROCESS_NAME "logon_process_name" "logon_process.name" Text body None, "The log-on process";
    SESSION_UID "session_uid" "session.uid" Text body None, "The session";
    SESSION_TERMINAL "session_terminal" "session.terminal" Text body None, "Its terminal";
    SERVICE_NAME "service_name" "service.name" Text body None, "The service";
    PRIVILEGES "privileges" "privileges" Objects body None, "The privileges";
    // processes.
    PROCESS_NAME "process_name" "process.name" Text body None, "Name of the process";
    PROCESS_PATH "process_path" "process.path" Text body Some(Process), "Its executable's path";
    PROCESS_PID "process_pid" "process.pid" I64 body None, "Its process id";
    PROCESS_UID "process_uid" "process.uid" Text body None, "Its unique id";
    PROCESS_CMD_LINE "process_cmd_line" "process.cmd_line" Text body Some(CommandLine), "Its command line";
    PROCESS_WORKING_DIRECTORY "process_working_directory" "process.working_directory" Text body None, "Its working directory";
    PROCESS_INTEGRITY "process_integrity" "process.integrity" Text body None, "Its integrity level";
    PROCESS_USER_NAME "process_user_name" "process.user.name" Text body Some(User), "The user it runs as";
    PROCESS_USER_UID "process_user_uid" "process.user.uid" Text body None, "That user's SID or uid";
    PROCESS_USER_DOMAIN "process_user_domain" "process.user.domain" Text body None, "That user's domain";
    PROCESS_SESSION_UID "process_session_uid" "process.session.uid" Text body None, "Its session";
    PROCESS_TID "process_tid" "process.tid" I64 body None, "Its thread id";
    PROCESS_FILE_NAME "process_file_name" "process.file.name" Text body None, "Its executable's own name";
    PROCESS_FILE_INTERNAL_NAME "process_file_internal_name" "process.file.internal_name" Text body None, "The name the executable was built under";
    PROCESS_FILE_COMPANY_NAME "process_file_company_name" "process.file.company_name" Text body None, "Who made it";
    PROCESS_FILE_DESC "process_file_desc" "process.file.desc" Text body None, "What it says it is";
    PROCESS_FILE_VERSION "process_file_version" "process.file.version" Text body None, "Its version";
    PROCESS_HASH_MD5 "process_hash_md5" "process.file.hashes.md5" Text body Some(Hash), "MD5 of its executable";
    PROCESS_HASH_SHA1 "process_hash_sha1" "process.file.hashes.sha1" Text body Some(Hash), "SHA-1 of its executable";
    PROCESS_HASH_SHA256 "process_hash_sha256" "process.file.hashes.sha256" Text body Some(Hash), "SHA-256 of its executable";
    PROCESS_HASH_IMPHASH "process_hash_imphash" "process.file.hashes.imphash" Text body None, "Import hash of its executable";
    PARENT_PROCESS_NAME "parent_process_name" "process.parent_process.name" Text body None, "Name of the parent";
    PARENT_PROCESS_PATH "parent_process_path" "process.parent_process.path" Text body Some(Process), "The parent's executable";
    PARENT_PROCESS_PID "parent_process_pid" "process.parent_process.pid" I64 body None, "The parent's process id";
    PARENT_PROCESS_UID "parent_process_uid" "process.parent_process.uid" Text body None, "The parent's unique id";
    PARENT_PROCESS_CMD_LINE "parent_process_cmd_line" "process.parent_process.cmd_line" Text body Some(CommandLine), "The parent's command line";
    PARENT_PROCESS_USER_NAME "parent_process_user_name" "process.parent_process.user.name" Text body Some(User), "The user the parent runs as";
    EXIT_CODE "exit_code" "exit_code" I64 body None, "How the process ended";
    ACTUAL_PERMISSIONS "actual_permissions" "actual_permissions" I64 body None, "Access the handle has";
    REQUESTED_PERMISSIONS "requested_permissions" "requested_permissions" I64 body None, "Access asked for";
    INJECTION_TYPE "injection_type" "injection_type" Text body None, "How code was injected";
    // files, modules, registry, scripts, jobs, services.
    FILE_NAME "file_name" "file.name" Text body None, "File name";
    FILE_PATH "file_path" "file.path" Text body Some(File), "File path";
    FILE_SIZE "file_size" "file.size" I64 body None, "Bytes";
    FILE_MIME_TYPE "file_mime_type" "file.mime_type" Text body None, "MIME type";
    FILE_UID "file_uid" "file.uid" Text body None, "The source's id of the file";
    FILE_HASH_MD5 "file_hash_md5" "file.hashes.md5" Text body Some(Hash), "MD5 of the file";
    FILE_HASH_SHA1 "file_hash_sha1" "file.hashes.sha1" Text body Some(Hash), "SHA-1 of the file";
    FILE_HASH_SHA256 "file_hash_sha256" "file.hashes.sha256" Text body Some(Hash), "SHA-256 of the file";
    FILE_CREATED_TIME "file_created_time" "file.created_time" Time body None, "When the file was created";
    FILE_MODIFIED_TIME "file_modified_time" "file.modified_time" Time body None, "When the file was last written";
    FILE_ACCESSED_TIME "file_accessed_time" "file.accessed_time" Time body None, "When the file was last read";
    FILE_RESULT_PATH "file_result_path" "file_result.path" Text body Some(File), "The path after the change";
    MODULE_PATH "module_path" "module.file.path" Text body Some(File), "The module's file";
    MODULE_NAME "module_name" "module.file.name" Text body None, "The module's file name";
    MODULE_HASH_SHA256 "module_hash_sha256" "module.file.hashes.sha256" Text body Some(Hash), "SHA-256 of the module";
    MODULE_HASH_MD5 "module_hash_md5" "module.file.hashes.md5" Text body Some(Hash), "MD5 of the module";
    MODULE_HASH_SHA1 "module_hash_sha1" "module.file.hashes.sha1" Text body Some(Hash), "SHA-1 of the module";
    MODULE_FUNCTION_NAME "module_function_name" "module.function_name" Text body None, "The function called";
    MODULE_START_ADDRESS "module_start_address" "module.start_address" Text body None, "Where it starts";
    REG_KEY_PATH "reg_key_path" "reg_key.path" Text body None, "Registry key";
    REG_VALUE_PATH "reg_value_path" "reg_value.path" Text body None, "Registry key and value";
    REG_VALUE_NAME "reg_value_name" "reg_value.name" Text body None, "Registry value";
    REG_VALUE_DATA "reg_value_data" "reg_value.data" Text body None, "What it is set to";
    SCRIPT_CONTENT "script_content" "script.script_content" Text body None, "The script's text";
    SCRIPT_UID "script_uid" "script.uid" Text body None, "The script block's id";
    SCRIPT_PATH "script_path" "script.file.path" Text body Some(File), "The script's file";
    JOB_NAME "job_name" "job.name" Text body None, "The scheduled job";
    JOB_CMD_LINE "job_cmd_line" "job.cmd_line" Text body Some(CommandLine), "What it runs";
    WIN_SERVICE_NAME "win_service_name" "win_service.name" Text body None, "The Windows service";
    WIN_SERVICE_CMD_LINE "win_service_cmd_line" "win_service.cmd_line" Text body Some(CommandLine), "What it runs";
    WIN_SERVICE_START_TYPE "win_service_start_type" "win_service.service_start_type" Text body None, "How it starts";
    WIN_RESOURCE_NAME "win_resource_name" "win_resource.name" Text body None, "The object accessed";
    WIN_RESOURCE_TYPE "win_resource_type" "win_resource.type" Text body None, "Its type";
    SHARE "share" "share" Text body None, "The file share";
    ACCESS_MASK "access_mask" "access_mask" I64 body None, "Rights asked for";
    // network.
    SRC_IP "src_ip" "src_endpoint.ip" Text body Some(Ip), "Source address";
    SRC_PORT "src_port" "src_endpoint.port" I64 body None, "Source port";
    SRC_HOSTNAME "src_hostname" "src_endpoint.hostname" Text body Some(Host), "Source host";
    SRC_MAC "src_mac" "src_endpoint.mac" Text body Some(Mac), "Source MAC address";
    SRC_INTERFACE_NAME "src_interface_name" "src_endpoint.interface_name" Text body None, "Interface or zone the traffic came in by";
    SRC_ZONE "src_zone" "src_endpoint.zone" Text body None, "Zone of the source";
    SRC_NAT_IP "src_nat_ip" "src_endpoint.proxy_endpoint.ip" Text body Some(Ip), "Source address after translation";
    SRC_NAT_PORT "src_nat_port" "src_endpoint.proxy_endpoint.port" I64 body None, "Source port after translation";
    SRC_OWNER_NAME "src_owner_name" "src_endpoint.owner.name" Text body Some(User), "User at the source";
    SRC_OWNER_DOMAIN "src_owner_domain" "src_endpoint.owner.domain" Text body None, "That user's domain";
    DST_IP "dst_ip" "dst_endpoint.ip" Text body Some(Ip), "Destination address";
    DST_PORT "dst_port" "dst_endpoint.port" I64 body None, "Destination port";
    DST_HOSTNAME "dst_hostname" "dst_endpoint.hostname" Text body Some(Domain), "Destination host or domain";
    DST_MAC "dst_mac" "dst_endpoint.mac" Text body Some(Mac), "Destination MAC address";
    DST_SVC_NAME "dst_svc_name" "dst_endpoint.svc_name" Text body None, "Destination service";
    DST_INTERFACE_NAME "dst_interface_name" "dst_endpoint.interface_name" Text body None, "Interface or zone the traffic left by";
    DST_ZONE "dst_zone" "dst_endpoint.zone" Text body None, "Zone of the destination";
    DST_NAT_IP "dst_nat_ip" "dst_endpoint.proxy_endpoint.ip" Text body Some(Ip), "Destination address after translation";
    DST_NAT_PORT "dst_nat_port" "dst_endpoint.proxy_endpoint.port" I64 body None, "Destination port after translation";
    DST_OWNER_NAME "dst_owner_name" "dst_endpoint.owner.name" Text body Some(User), "User at the destination";
    DST_OWNER_DOMAIN "dst_owner_domain" "dst_endpoint.owner.domain" Text body None, "That user's domain";
    CONNECTION_PROTOCOL_NAME "connection_protocol_name" "connection_info.protocol_name" Text body None, "Transport protocol, lower case";
    CONNECTION_PROTOCOL_NUM "connection_protocol_num" "connection_info.protocol_num" I64 body None, "IANA protocol number";
    CONNECTION_DIRECTION_ID "connection_direction_id" "connection_info.direction_id" I64 body None, "1 inbound, 2 outbound";
    CONNECTION_DIRECTION "connection_direction" "connection_info.direction" Text body None, "Direction as the source words it";
    CONNECTION_UID "connection_uid" "connection_info.uid" Text body None, "The source's id of the connection";
    CONNECTION_TCP_FLAGS "connection_tcp_flags" "connection_info.flag_history" Text body None, "TCP flags or history";
    APP_PROTOCOL_NAME "app_protocol_name" "app_protocol_name" Text body None, "Application protocol";
    APP_NAME "app_name" "app_name" Text body None, "Application";
    BYTES "bytes" "traffic.bytes" I64 body None, "Bytes both ways";
    BYTES_IN "bytes_in" "traffic.bytes_in" I64 body None, "Bytes from destination to source";
    BYTES_OUT "bytes_out" "traffic.bytes_out" I64 body None, "Bytes from source to destination";
    PACKETS "packets" "traffic.packets" I64 body None, "Packets both ways";
    PACKETS_IN "packets_in" "traffic.packets_in" I64 body None, "Packets from destination to source";
    PACKETS_OUT "packets_out" "traffic.packets_out" I64 body None, "Packets from source to destination";
    FIREWALL_RULE_NAME "firewall_rule_name" "firewall_rule.name" Text body None, "The rule that decided";
    FIREWALL_RULE_UID "firewall_rule_uid" "firewall_rule.uid" Text body None, "Its id";
    POLICY_NAME "policy_name" "policy.name" Text body None, "The policy that decided";
    TUNNEL_INTERFACE_NAME "tunnel_interface_name" "tunnel_interface.name" Text body None, "The tunnel";
    TUNNEL_INTERFACE_IP "tunnel_interface_ip" "tunnel_interface.ip" Text body Some(Ip), "Address given to the tunnel's client";
    // HTTP.
    HTTP_METHOD "http_method" "http_request.http_method" Text body None, "Method";
    HTTP_USER_AGENT "http_user_agent" "http_request.user_agent" Text body None, "User agent";
    HTTP_REFERRER "http_referrer" "http_request.referrer" Text body Some(Url), "Referrer";
    HTTP_VERSION "http_version" "http_request.version" Text body None, "Protocol version";
    HTTP_REQUEST_LENGTH "http_request_length" "http_request.length" I64 body None, "Bytes of the request";
    HTTP_X_FORWARDED_FOR "http_x_forwarded_for" "http_request.x_forwarded_for" Strings body None, "Addresses forwarded for";
    HTTP_STATUS "http_status" "http_response.code" I64 body None, "Status code";
    HTTP_STATUS_MESSAGE "http_status_message" "http_response.message" Text body None, "Reason phrase";
    HTTP_RESPONSE_LENGTH "http_response_length" "http_response.length" I64 body None, "Bytes of the response";
    HTTP_CONTENT_TYPE "http_content_type" "http_response.content_type" Text body None, "Content type";
    URL_STRING "url_string" "http_request.url.url_string" Text body Some(Url), "The URL as requested";
    URL_HOSTNAME "url_hostname" "http_request.url.hostname" Text body Some(Domain), "Its host";
    URL_PATH "url_path" "http_request.url.path" Text body None, "Its path";
    URL_QUERY "url_query" "http_request.url.query_string" Text body None, "Its query";
    URL_PORT "url_port" "http_request.url.port" I64 body None, "Its port";
    URL_SCHEME "url_scheme" "http_request.url.scheme" Text body None, "Its scheme";
    URL_CATEGORIES "url_categories" "http_request.url.categories" Strings body None, "Categories the control puts it in";
    // DNS.
    DNS_QUERY_HOSTNAME "dns_query_hostname" "query.hostname" Text body Some(Domain), "The name asked for";
    DNS_QUERY_TYPE "dns_query_type" "query.type" Text body None, "The record type asked for";
    DNS_QUERY_CLASS "dns_query_class" "query.class" Text body None, "The class asked for";
    DNS_RCODE "dns_rcode" "rcode" Text body None, "The response code";
    DNS_RCODE_ID "dns_rcode_id" "rcode_id" I64 body None, "The response code's number";
    DNS_ANSWERS "dns_answers" "answers" Objects body None, "The answers";
    // TLS and certificates.
    TLS_VERSION "tls_version" "tls.version" Text body None, "TLS version";
    TLS_CIPHER "tls_cipher" "tls.cipher" Text body None, "Cipher suite";
    TLS_SNI "tls_sni" "tls.sni" Text body Some(Domain), "Server name asked for";
    TLS_JA3 "tls_ja3" "tls.ja3_hash.value" Text body Some(Hash), "JA3 of the client";
    TLS_JA3S "tls_ja3s" "tls.ja3s_hash.value" Text body Some(Hash), "JA3S of the server";
    CERTIFICATE_SUBJECT "certificate_subject" "tls.certificate.subject" Text body None, "Certificate subject";
    CERTIFICATE_ISSUER "certificate_issuer" "tls.certificate.issuer" Text body None, "Certificate issuer";
    CERTIFICATE_SERIAL_NUMBER "certificate_serial_number" "tls.certificate.serial_number" Text body None, "Certificate serial number";
    CERTIFICATE_CREATED_TIME "certificate_created_time" "tls.certificate.created_time" Time body None, "Valid from";
    CERTIFICATE_EXPIRATION_TIME "certificate_expiration_time" "tls.certificate.expiration_time" Time body None, "Valid until";
    CERTIFICATE_FINGERPRINT "certificate_fingerprint" "tls.certificate.fingerprints.sha1" Text body Some(Hash), "Certificate fingerprint";
    CERTIFICATE_SANS "certificate_sans" "tls.certificate.sans" Objects body None, "Alternative names of the certificate's subject";
    // DHCP.
    LEASE_DUR "lease_dur" "lease_dur" I64 body None, "Seconds of the lease";
    // alerts of other sensors.
    FINDING_TITLE "finding_title" "finding_info.title" Text body None, "What the sensor says it saw";
    FINDING_UID "finding_uid" "finding_info.uid" Text body None, "The sensor's id of the alert";
    FINDING_DESC "finding_desc" "finding_info.desc" Text body None, "The sensor's description";
    FINDING_TYPES "finding_types" "finding_info.types" Strings body None, "The sensor's classes of alert";
    ANALYTIC_UID "analytic_uid" "finding_info.analytic.uid" Text body None, "The sensor's signature id";
    ANALYTIC_NAME "analytic_name" "finding_info.analytic.name" Text body None, "The sensor's signature";
    ANALYTIC_VERSION "analytic_version" "finding_info.analytic.version" Text body None, "The signature's revision";
    MALWARE_NAME "malware_name" "malware.name" Text body None, "Malware named by the sensor";
    // mail and cloud.
    EMAIL_FROM "email_from" "email.from" Text body Some(Email), "Sender";
    EMAIL_TO "email_to" "email.to" Strings body None, "Recipients";
    EMAIL_SUBJECT "email_subject" "email.subject" Text body None, "Subject";
    EMAIL_MESSAGE_UID "email_message_uid" "email.message_uid" Text body None, "Message id";
    EMAIL_UID "email_uid" "email.uid" Text body None, "The server's own id of the message";
    EMAIL_RETURN_PATH "email_return_path" "email.return_path" Text body Some(Email), "Where failures go: the envelope's sender";
    DIRECTION "direction" "direction" Text body None, "Direction of the message as the source words it";
    API_OPERATION "api_operation" "api.operation" Text body None, "API call";
    API_SERVICE_NAME "api_service_name" "api.service.name" Text body None, "API service";
    CLOUD_REGION "cloud_region" "cloud.region" Text body None, "Cloud region";
    CLOUD_ACCOUNT_UID "cloud_account_uid" "cloud.account.uid" Text body None, "Cloud account";
    // servers: mail transfer, API calls.
    EMAIL_SIZE "email_size" "email.size" I64 body None, "Bytes of the message";
    SMTP_HELLO "smtp_hello" "smtp_hello" Text body None, "What the client called itself (HELO)";
    ACTOR_USER_UID_ALT "actor_user_uid_alt" "actor.user.uid_alt" Text body None, "The user's other id, such as the one that logged on";
    ACTOR_USER_TYPE "actor_user_type" "actor.user.type" Text body None, "Kind of account that acted";
    ACTOR_USER_CREDENTIAL_UID "actor_user_credential_uid" "actor.user.credential_uid" Text body None, "The key it acted with";
    ACTOR_SESSION_ISSUER "actor_session_issuer" "actor.session.issuer" Text body None, "Who issued the session";
    ACTOR_INVOKED_BY "actor_invoked_by" "actor.invoked_by" Text body None, "The service that acted for it";
    API_REQUEST_UID "api_request_uid" "api.request.uid" Text body None, "The API's id of the request";
    API_RESPONSE_ERROR "api_response_error" "api.response.error" Text body None, "The API's error code";
    API_RESPONSE_ERROR_MESSAGE "api_response_error_message" "api.response.error_message" Text body None, "The API's error in words";
    CLOUD_PROVIDER "cloud_provider" "cloud.provider" Text body None, "Cloud provider";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_distinct_and_indexes_agree() {
        for (at, column) in COLUMNS.iter().enumerate() {
            assert_eq!(ColumnId::find(column.path), Some(ColumnId(at as u16)), "{}", column.path);
            assert_eq!(ColumnId::find(column.name), Some(ColumnId(at as u16)), "{}", column.name);
        }
        assert_eq!(ColumnId::SRC_IP.column().path, "src_endpoint.ip");
    }

    #[test]
    fn no_path_is_both_a_value_and_an_object() {
        for a in COLUMNS {
            let prefix = format!("{}.", a.path);
            assert!(COLUMNS.iter().all(|b| !b.path.starts_with(&prefix)), "{}", a.path);
        }
    }
}
