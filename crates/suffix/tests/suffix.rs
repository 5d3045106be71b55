//! Which ends of names are whose.

use yagura_suffix::suffix;

fn of(name: &str) -> Option<(&str, bool, bool)> {
    suffix(name).map(|found| (&name[name.len() - found.len..], found.known, found.private))
}

#[test]
fn registries_providers_and_what_is_in_no_list_are_told_apart() {
    assert_eq!(of("www.example.co.jp"), Some(("co.jp", true, false)));
    assert_eq!(of("co.jp"), Some(("co.jp", true, false)));
    assert_eq!(of("someone.github.io"), Some(("github.io", true, true)));
    assert_eq!(of("setup.exe"), Some(("exe", false, false)));
    assert_eq!(of(""), None);
}
