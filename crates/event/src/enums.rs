//! Captions of OCSF's enumerated attributes, as source definitions and searches write them.

use crate::class::Class;
use crate::column::ColumnId;

/// Numbers and captions of one enumeration.
pub type Captions = &'static [(i64, &'static str)];

const SEVERITY: Captions = &[
    (0, "Unknown"),
    (1, "Informational"),
    (2, "Low"),
    (3, "Medium"),
    (4, "High"),
    (5, "Critical"),
    (6, "Fatal"),
    (99, "Other"),
];

const STATUS: Captions = &[(0, "Unknown"), (1, "Success"), (2, "Failure"), (99, "Other")];

const ACTION: Captions = &[
    (0, "Unknown"),
    (1, "Allowed"),
    (2, "Denied"),
    (3, "Observed"),
    (4, "Modified"),
    (99, "Other"),
];

const DISPOSITION: Captions = &[
    (0, "Unknown"),
    (1, "Allowed"),
    (2, "Blocked"),
    (3, "Quarantined"),
    (4, "Isolated"),
    (5, "Deleted"),
    (6, "Dropped"),
    (7, "Custom Action"),
    (8, "Approved"),
    (9, "Restored"),
    (10, "Exonerated"),
    (11, "Corrected"),
    (12, "Partially Corrected"),
    (13, "Uncorrected"),
    (14, "Delayed"),
    (15, "Detected"),
    (16, "No Action"),
    (17, "Logged"),
    (18, "Tagged"),
    (19, "Alert"),
    (20, "Count"),
    (21, "Reset"),
    (22, "Captcha"),
    (23, "Challenge"),
    (24, "Access Revoked"),
    (25, "Rejected"),
    (26, "Unauthorized"),
    (27, "Error"),
    (99, "Other"),
];

const CONFIDENCE: Captions =
    &[(0, "Unknown"), (1, "Low"), (2, "Medium"), (3, "High"), (99, "Other")];

const RISK_LEVEL: Captions =
    &[(0, "Info"), (1, "Low"), (2, "Medium"), (3, "High"), (4, "Critical"), (99, "Other")];

const LOGON_TYPE: Captions = &[
    (0, "System"),
    (2, "Interactive"),
    (3, "Network"),
    (4, "Batch"),
    (5, "OS Service"),
    (7, "Unlock"),
    (8, "Network Cleartext"),
    (9, "New Credentials"),
    (10, "Remote Interactive"),
    (11, "Cached Interactive"),
    (12, "Cached Remote Interactive"),
    (13, "Cached Unlock"),
    (99, "Other"),
];

const AUTH_PROTOCOL: Captions = &[
    (0, "Unknown"),
    (1, "NTLM"),
    (2, "Kerberos"),
    (3, "Digest"),
    (4, "OpenID"),
    (5, "SAML"),
    (6, "OAUTH 2.0"),
    (7, "PAP"),
    (8, "CHAP"),
    (9, "EAP"),
    (10, "RADIUS"),
    (11, "Basic Authentication"),
    (12, "LDAP"),
    (99, "Other"),
];

const CONNECTION_DIRECTION: Captions =
    &[(0, "Unknown"), (1, "Inbound"), (2, "Outbound"), (3, "Lateral"), (4, "Local"), (99, "Other")];

/// The captions of `column`'s values, or `None` if it is not an enumeration. `activity_id`
/// is the class's own: see [`id_of`].
pub fn captions(column: ColumnId) -> Option<Captions> {
    Some(match column {
        ColumnId::SEVERITY_ID => SEVERITY,
        ColumnId::STATUS_ID => STATUS,
        ColumnId::ACTION_ID => ACTION,
        ColumnId::DISPOSITION_ID => DISPOSITION,
        ColumnId::CONFIDENCE_ID => CONFIDENCE,
        ColumnId::RISK_LEVEL_ID => RISK_LEVEL,
        ColumnId::LOGON_TYPE_ID => LOGON_TYPE,
        ColumnId::AUTH_PROTOCOL_ID => AUTH_PROTOCOL,
        ColumnId::CONNECTION_DIRECTION_ID => CONNECTION_DIRECTION,
        _ => return None,
    })
}

/// The text column that holds an enumeration's caption, such as `status` for `status_id`.
pub fn text_of(column: ColumnId) -> Option<ColumnId> {
    Some(match column {
        ColumnId::SEVERITY_ID => ColumnId::SEVERITY,
        ColumnId::STATUS_ID => ColumnId::STATUS,
        ColumnId::ACTION_ID => ColumnId::ACTION,
        ColumnId::DISPOSITION_ID => ColumnId::DISPOSITION,
        ColumnId::LOGON_TYPE_ID => ColumnId::LOGON_TYPE,
        ColumnId::AUTH_PROTOCOL_ID => ColumnId::AUTH_PROTOCOL,
        ColumnId::CONNECTION_DIRECTION_ID => ColumnId::CONNECTION_DIRECTION,
        ColumnId::DNS_RCODE_ID => ColumnId::DNS_RCODE,
        _ => return None,
    })
}

/// The enumeration whose caption a text column holds.
pub fn id_column_of(text: ColumnId) -> Option<ColumnId> {
    [
        ColumnId::SEVERITY_ID,
        ColumnId::STATUS_ID,
        ColumnId::ACTION_ID,
        ColumnId::DISPOSITION_ID,
        ColumnId::LOGON_TYPE_ID,
        ColumnId::AUTH_PROTOCOL_ID,
        ColumnId::CONNECTION_DIRECTION_ID,
    ]
    .into_iter()
    .find(|id| text_of(*id) == Some(text))
}

/// The number of a caption, ASCII case ignored; activities are those of `class`.
pub fn id_of(column: ColumnId, class: &Class, caption: &str) -> Option<i64> {
    if column == ColumnId::ACTIVITY_ID {
        return class.activity_id(caption);
    }
    captions(column)?
        .iter()
        .find(|(_, known)| known.eq_ignore_ascii_case(caption))
        .map(|(id, _)| *id)
}

/// Every caption, for messages.
pub fn list(column: ColumnId, class: &Class) -> String {
    let all = if column == ColumnId::ACTIVITY_ID {
        class.activities
    } else {
        captions(column).unwrap_or_default()
    };
    all.iter().map(|(_, caption)| *caption).collect::<Vec<_>>().join(", ")
}
