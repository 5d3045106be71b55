//! Why an entry of a list is not taken.

/// A reason, counted per list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// Nothing in it.
    Empty,
    /// No kind of indicator.
    Unrecognised,
    /// Private, loopback, link-local, multicast or otherwise not of one owner in the world.
    Reserved,
    /// A network that covers a large part of the world.
    TooWide,
    /// A top-level domain or a name under which anyone registers (publicsuffix.org).
    PublicSuffix,
    /// A hash of no known length.
    HashLength,
    /// The hash of an empty file, or of zeros: it is everywhere.
    EmptyHash,
    /// Cut off by whoever printed the list (`...`).
    CutOff,
    /// Longer than what is looked at.
    TooLong,
    /// Withdrawn by its author (STIX `revoked`, MISP `deleted`).
    Revoked,
    /// Its author says that it is not for detection (MISP `to_ids` false).
    NotForDetection,
    /// A type that is not looked for (file names, mutexes, YARA ...).
    TypeUnsupported,
    /// A STIX pattern that asks for several things at once.
    PatternAnd,
    /// A STIX pattern over several observations or with a qualifier of time.
    PatternQualifier,
    /// A STIX comparison other than `=`, `IN` and `ISSUBSET`.
    PatternOperator,
    /// A STIX object path that is not looked for.
    PatternObject,
    /// A pattern that is not STIX or cannot be read.
    PatternSyntax,
}

impl Refusal {
    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unrecognised => "unrecognised",
            Self::Reserved => "private_or_reserved",
            Self::TooWide => "too_wide",
            Self::PublicSuffix => "public_suffix",
            Self::HashLength => "hash_length",
            Self::EmptyHash => "empty_file_hash",
            Self::CutOff => "cut_off",
            Self::TooLong => "too_long",
            Self::Revoked => "revoked",
            Self::NotForDetection => "not_for_detection",
            Self::TypeUnsupported => "type_unsupported",
            Self::PatternAnd => "pattern_and",
            Self::PatternQualifier => "pattern_qualifier",
            Self::PatternOperator => "pattern_operator",
            Self::PatternObject => "pattern_object",
            Self::PatternSyntax => "pattern_syntax",
        }
    }

    /// The reason in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::Empty => "there is nothing in it",
            Self::Unrecognised => "it is no address, network, domain, URL, hash or mail address",
            Self::Reserved => "it is private, reserved or of no one owner",
            Self::TooWide => "the network covers a large part of the world",
            Self::PublicSuffix => "anyone registers names under it",
            Self::HashLength => "no known hash is of this length",
            Self::EmptyHash => "it is the hash of an empty file or of zeros",
            Self::CutOff => "whoever printed it has cut it off",
            Self::TooLong => "it is longer than what is looked at",
            Self::Revoked => "its author has withdrawn it",
            Self::NotForDetection => "its author says that it is not for detection",
            Self::TypeUnsupported => "things of this type are not looked for",
            Self::PatternAnd => "the pattern asks for several things at once",
            Self::PatternQualifier => "the pattern is over several observations or a span of time",
            Self::PatternOperator => "the pattern compares by other than =, IN and ISSUBSET",
            Self::PatternObject => "the pattern is about an object that is not looked for",
            Self::PatternSyntax => "the pattern is not STIX or cannot be read",
        }
    }
}
