//! Errors as one line for people.

/// The error and its causes, each said once: many messages name their cause themselves.
pub fn of(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_named_once() {
        let cause = std::io::Error::other("no room");
        let told = anyhow::Error::new(cause).context("cannot write x: no room").context("saving");
        assert_eq!(of(&told), "saving: cannot write x: no room");
        let untold = anyhow::Error::new(std::io::Error::other("no room")).context("saving");
        assert_eq!(of(&untold), "saving: no room");
    }
}
