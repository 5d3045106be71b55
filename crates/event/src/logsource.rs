//! Sigma's logsource of an event: what the source says about product, service and category.

/// One dimension of a logsource as a source states it.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub enum Dimension {
    /// The source has no such dimension: a rule that names one does not meet the event.
    #[default]
    None,
    /// The source cannot say: a rule that names one meets the event (fail-open).
    Unknown,
    /// This value, lower case.
    Known(Box<str>),
}

/// Product, service and category of an event (Sigma 2.1, "log source").
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Logsource {
    /// Sigma `product`, such as `windows`.
    pub product: Dimension,
    /// Sigma `service`, such as `sysmon`.
    pub service: Dimension,
    /// Sigma `category`, such as `process_creation`.
    pub category: Dimension,
}

/// Index of a logsource in a [`LogsourceTable`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct LogsourceId(pub u16);

/// The distinct logsources that the loaded sources can produce. Index 0 is always the
/// logsource with every dimension unknown.
#[derive(Clone, Debug)]
pub struct LogsourceTable(Vec<Logsource>);

impl Default for LogsourceTable {
    fn default() -> Self {
        Self(vec![Logsource {
            product: Dimension::Unknown,
            service: Dimension::Unknown,
            category: Dimension::Unknown,
        }])
    }
}

impl LogsourceTable {
    /// The id of `logsource`, new or known. Beyond 65,535 distinct ones the unknown one is given.
    pub fn intern(&mut self, logsource: Logsource) -> LogsourceId {
        if let Some(at) = self.0.iter().position(|known| *known == logsource) {
            return LogsourceId(u16::try_from(at).unwrap_or(0));
        }
        match u16::try_from(self.0.len()) {
            Ok(id) => {
                self.0.push(logsource);
                LogsourceId(id)
            }
            Err(_) => LogsourceId(0),
        }
    }

    /// The logsource of `id`; the unknown one if out of range.
    pub fn get(&self, id: LogsourceId) -> &Logsource {
        self.0.get(usize::from(id.0)).unwrap_or(&self.0[0])
    }

    /// Every logsource, by id.
    pub fn all(&self) -> &[Logsource] {
        &self.0
    }
}
