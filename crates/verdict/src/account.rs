//! Which account names stand for a person or service, and which for the machine itself.

/// Accounts of the operating system: never an entity.
const BUILTIN: [&str; 22] = [
    "system",
    "local system",
    "localsystem",
    "local service",
    "localservice",
    "network service",
    "networkservice",
    "anonymous logon",
    "anonymous",
    "iusr",
    "s-1-5-18",
    "s-1-5-19",
    "s-1-5-20",
    "s-1-0-0",
    "window manager",
    "font driver host",
    "n/a",
    "none",
    "unknown",
    "(unknown)",
    "unset",
    "null",
];

/// Names that exist on many machines without being the same account.
const LOCAL: [&str; 22] = [
    "root",
    "administrator",
    "admin",
    "guest",
    "www-data",
    "apache",
    "nginx",
    "httpd",
    "nobody",
    "daemon",
    "postgres",
    "mysql",
    "git",
    "backup",
    "sshd",
    "ubuntu",
    "debian",
    "ec2-user",
    "vagrant",
    "pi",
    "test",
    "user",
];

/// Whether a normalised user name is an account of the operating system, a machine account
/// (`host$`), or no name at all.
pub fn is_builtin(user: &str) -> bool {
    BUILTIN.contains(&user)
        || user.ends_with('$')
        || user.starts_with("dwm-")
        || user.starts_with("umfd-")
        || user.starts_with("nt service")
        || user.is_empty()
}

/// Whether a normalised user name means a different account on every machine, so that it ties
/// nothing across hosts.
pub fn is_local(user: &str) -> bool {
    LOCAL.contains(&user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_not_people() {
        for name in ["system", "dwm-3", "umfd-0", "fs01$", "anonymous logon", "network service"] {
            assert!(is_builtin(name), "{name}");
        }
        assert!(!is_builtin("nina"));
        assert!(is_local("root") && !is_builtin("root"));
    }
}
