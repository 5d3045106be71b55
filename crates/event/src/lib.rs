//! The data model every crate shares: batches of events, OCSF columns, ids, time, tenants.
//!
//! Nothing here does I/O or reads a clock; the crate stays light so that parsing and
//! detection can depend on it without pulling in an engine.

pub mod batch;
pub mod class;
pub mod column;
pub mod context;
pub mod enums;
pub mod field;
pub mod finding;
pub mod firsts;
pub mod id;
pub mod json;
pub mod logsource;
pub mod observable;
pub mod tenant;
pub mod time;

pub use batch::{Event, EventBatch, EventRef, IssueCode, Scalar, Span, SpanFlags, SpanType};
pub use class::{Class, ClassUid};
pub use column::{Column, ColumnId, ColumnType};
pub use context::{Charset, Context, ContextId, Reference, SourceChoice};
pub use field::{FieldId, FieldTable, FieldTableBuilder};
pub use finding::{Finding, Level, Match, Party, Role, Sample, Seen};
pub use id::{EventId, FindingId, IncidentId, Lsn, MatchId};
pub use logsource::{Dimension, Logsource, LogsourceId, LogsourceTable};
pub use observable::{Observable, ObservableKind, Relation, RelationKind};
pub use tenant::{TenantError, TenantName, TenantScope};
pub use time::{Clock, Micros, SystemClock};
