//! The OCSF classes (1.9.0-dev) that sources map to, with their activities.

/// An OCSF `class_uid`; 0 is the Base Event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ClassUid(pub u32);

impl ClassUid {
    /// The Base Event: a record that no source's definition gave a class.
    pub const BASE: Self = Self(0);

    /// The class's row; the Base Event for a number the table does not hold.
    pub fn class(self) -> &'static Class {
        CLASSES.iter().find(|class| class.uid == self).unwrap_or(&CLASSES[0])
    }
}

/// One OCSF class.
#[derive(Debug)]
pub struct Class {
    /// `class_uid`.
    pub uid: ClassUid,
    /// The schema's name, such as `network_activity`: what source definitions write.
    pub name: &'static str,
    /// `class_name`.
    pub caption: &'static str,
    /// `activity_id` and `activity_name`; 0 and 99 (Unknown, Other) are every class's.
    pub activities: &'static [(i64, &'static str)],
}

impl Class {
    /// The class of a schema name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        CLASSES.iter().find(|class| class.name == name)
    }

    /// `category_uid`: the thousands of the uid without the extension's hundred-thousands.
    pub fn category_uid(&self) -> i64 {
        i64::from(self.uid.0 % 100_000 / 1_000)
    }

    /// `category_name`.
    pub fn category_name(&self) -> &'static str {
        match self.category_uid() {
            1 => "System Activity",
            2 => "Findings",
            3 => "Identity & Access Management",
            4 => "Network Activity",
            5 => "Discovery",
            6 => "Application Activity",
            _ => "Uncategorized",
        }
    }

    /// The `activity_id` of a caption, ASCII case ignored.
    pub fn activity_id(&self, caption: &str) -> Option<i64> {
        self.activities
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(caption))
            .map(|(id, _)| *id)
            .or_else(|| match caption.to_ascii_lowercase().as_str() {
                "unknown" => Some(0),
                "other" => Some(99),
                _ => None,
            })
    }

    /// The caption of an `activity_id`.
    pub fn activity_name(&self, id: i64) -> &'static str {
        self.activities
            .iter()
            .find(|(known, _)| *known == id)
            .map_or(if id == 99 { "Other" } else { "Unknown" }, |(_, name)| name)
    }
}

const CONNECTION: &[(i64, &str)] = &[
    (1, "Open"),
    (2, "Close"),
    (3, "Reset"),
    (4, "Fail"),
    (5, "Refuse"),
    (6, "Traffic"),
    (7, "Listen"),
];

macro_rules! classes {
    ($($uid:literal $name:literal $caption:literal $activities:expr;)*) => {
        /// Every class in use, the Base Event first.
        pub static CLASSES: &[Class] = &[
            $(Class { uid: ClassUid($uid), name: $name, caption: $caption, activities: $activities },)*
        ];
    };
}

classes! {
    0 "base_event" "Base Event" &[];
    1001 "file_activity" "File System Activity" &[
        (1, "Create"), (2, "Read"), (3, "Update"), (4, "Delete"), (5, "Rename"),
        (6, "Set Attributes"), (7, "Set Security"), (8, "Get Attributes"), (9, "Get Security"),
        (10, "Encrypt"), (11, "Decrypt"), (12, "Mount"), (13, "Unmount"), (14, "Open"),
    ];
    1002 "kernel_extension_activity" "Kernel Extension Activity" &[(1, "Load"), (2, "Unload")];
    1003 "kernel_activity" "Kernel Activity" &[
        (1, "Create"), (2, "Read"), (3, "Delete"), (4, "Invoke"),
    ];
    1004 "memory_activity" "Memory Activity" &[
        (1, "Allocate Page"), (2, "Modify Page"), (3, "Delete Page"), (4, "Buffer Overflow"),
        (5, "Disable DEP"), (6, "Enable DEP"), (7, "Read"), (8, "Write"), (9, "Map View"),
    ];
    1005 "module_activity" "Module Activity" &[(1, "Load"), (2, "Unload"), (3, "Invoke")];
    1006 "scheduled_job_activity" "Scheduled Job Activity" &[
        (1, "Create"), (2, "Update"), (3, "Delete"), (4, "Enable"), (5, "Disable"), (6, "Start"),
    ];
    1007 "process_activity" "Process Activity" &[
        (1, "Launch"), (2, "Terminate"), (3, "Open"), (4, "Inject"), (5, "Set User ID"),
    ];
    1008 "event_log_actvity" "Event Log Activity" &[
        (1, "Clear"), (2, "Delete"), (3, "Export"), (4, "Archive"), (5, "Rotate"), (6, "Start"),
        (7, "Stop"), (8, "Restart"), (9, "Enable"), (10, "Disable"),
    ];
    1009 "script_activity" "Script Activity" &[(1, "Execute")];
    201001 "registry_key_activity" "Registry Key Activity" &[
        (1, "Create"), (2, "Read"), (3, "Modify"), (4, "Delete"), (5, "Rename"), (6, "Set Security"),
        (7, "Restore"), (8, "Import"), (9, "Export"),
    ];
    201002 "registry_value_activity" "Registry Value Activity" &[
        (1, "Get"), (2, "Set"), (3, "Modify"), (4, "Delete"),
    ];
    201003 "windows_resource_activity" "Windows Resource Activity" &[
        (1, "Access"),
    ];
    201004 "windows_service_activity" "Windows Service Activity" &[
        (1, "Create"), (2, "Reconfigure"), (3, "Start"), (4, "Stop"), (5, "Pause"), (6, "Continue"),
        (7, "Delete"),
    ];
    2004 "detection_finding" "Detection Finding" &[(1, "Create"), (2, "Update"), (3, "Close")];
    2005 "incident_finding" "Incident Finding" &[(1, "Create"), (2, "Update"), (3, "Close")];
    3001 "account_change" "Account Change" &[
        (1, "Create"), (2, "Enable"), (3, "Password Change"), (4, "Password Reset"), (5, "Disable"),
        (6, "Delete"), (7, "Attach Policy"), (8, "Detach Policy"), (9, "Lock"),
        (10, "MFA Factor Enable"), (11, "MFA Factor Disable"), (12, "Unlock"),
    ];
    3002 "authentication" "Authentication" &[
        (1, "Logon"), (2, "Logoff"), (3, "Authentication Ticket"), (4, "Service Ticket Request"),
        (5, "Service Ticket Renew"), (6, "Preauth"), (7, "Account Switch"),
    ];
    3003 "authorize_session" "Authorize Session" &[
        (1, "Assign Privileges"), (2, "Assign Groups"), (3, "Assign Roles"),
    ];
    3004 "entity_management" "Entity Management" &[
        (1, "Create"), (2, "Read"), (3, "Update"), (4, "Delete"), (5, "Move"), (6, "Enroll"),
        (7, "Unenroll"), (8, "Enable"), (9, "Disable"), (10, "Activate"), (11, "Deactivate"),
        (12, "Suspend"), (13, "Resume"),
    ];
    3005 "user_access" "User Access Management" &[
        (1, "Assign Privileges"), (2, "Revoke Privileges"), (3, "Assign Role"), (4, "Remove Role"),
    ];
    3006 "group_management" "Group Management" &[
        (1, "Assign Privileges"), (2, "Revoke Privileges"), (3, "Add User"), (4, "Remove User"),
        (5, "Delete"), (6, "Create"), (7, "Add Subgroup"), (8, "Remove Subgroup"), (9, "Update"),
        (10, "Attach Policies"), (11, "Detach Policies"), (12, "Assign Roles"),
        (13, "Remove Roles"),
    ];
    4001 "network_activity" "Network Activity" CONNECTION;
    4002 "http_activity" "HTTP Activity" &[
        (1, "Connect"), (2, "Delete"), (3, "Get"), (4, "Head"), (5, "Options"), (6, "Post"),
        (7, "Put"), (8, "Trace"), (9, "Patch"), (10, "ACL"), (28, "Property Find"), (33, "Search"),
    ];
    4003 "dns_activity" "DNS Activity" &[(1, "Query"), (2, "Response"), (6, "Traffic")];
    4004 "dhcp_activity" "DHCP Activity" &[
        (1, "Discover"), (2, "Offer"), (3, "Request"), (4, "Decline"), (5, "Ack"), (6, "Nak"),
        (7, "Release"), (8, "Inform"), (9, "Expire"),
    ];
    4005 "rdp_activity" "RDP Activity" &[
        (1, "Initial Request"), (2, "Initial Response"), (3, "Connect Request"),
        (4, "Connect Response"), (5, "TLS Handshake"), (6, "Traffic"), (7, "Disconnect"),
        (8, "Reconnect"),
    ];
    4006 "smb_activity" "SMB Activity" &[
        (1, "File Supersede"), (2, "File Open"), (3, "File Create"), (4, "File Open If"),
        (5, "File Overwrite"), (6, "File Overwrite If"),
    ];
    4007 "ssh_activity" "SSH Activity" CONNECTION;
    4008 "ftp_activity" "FTP Activity" &[
        (1, "Put"), (2, "Get"), (3, "Poll"), (4, "Delete"), (5, "Rename"), (6, "List"),
    ];
    4009 "email_activity" "Email Activity" &[
        (1, "Send"), (2, "Receive"), (3, "Scan"), (4, "Trace"), (5, "MTA Relay"),
    ];
    4010 "network_file_activity" "Network File Activity" &[
        (1, "Upload"), (2, "Download"), (3, "Update"), (4, "Delete"), (5, "Rename"), (6, "Copy"),
        (7, "Move"), (8, "Restore"), (9, "Preview"), (10, "Lock"), (11, "Unlock"), (12, "Share"),
        (13, "Unshare"), (14, "Open"), (15, "Sync"), (16, "Unsync"),
    ];
    4013 "ntp_activity" "NTP Activity" &[
        (1, "Symmetric Active Exchange"), (2, "Symmetric Passive Response"),
        (3, "Client Synchronization"), (4, "Server Response"), (5, "Broadcast"), (6, "Control"),
        (7, "Private Use Case"),
    ];
    4014 "tunnel_activity" "Tunnel Activity" &[(1, "Open"), (2, "Close"), (3, "Renew")];
    6002 "application_lifecycle" "Application Lifecycle" &[
        (1, "Install"), (2, "Remove"), (3, "Start"), (4, "Stop"), (5, "Restart"), (6, "Enable"),
        (7, "Disable"), (8, "Update"),
    ];
    6003 "api_activity" "API Activity" &[
        (1, "Create"), (2, "Read"), (3, "Update"), (4, "Delete"),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_uids_are_distinct() {
        for (at, class) in CLASSES.iter().enumerate() {
            for other in &CLASSES[at + 1..] {
                assert_ne!(class.uid, other.uid);
                assert_ne!(class.name, other.name);
            }
        }
    }

    #[test]
    fn categories_follow_from_uids_also_in_extensions() {
        assert_eq!(ClassUid(201_002).class().category_name(), "System Activity");
        assert_eq!(ClassUid(3002).class().activity_id("logon"), Some(1));
        assert_eq!(ClassUid(3002).class().activity_name(99), "Other");
    }
}
