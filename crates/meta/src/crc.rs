//! The checksum of rows that prove something: CRC32C over their columns, length-prefixed.

/// Sums the columns of one row, in the table's order.
#[derive(Default)]
pub(crate) struct RowSum(u32);

impl RowSum {
    /// Adds a text column.
    pub(crate) fn text(mut self, value: &str) -> Self {
        self.0 = crc32c::crc32c_append(self.0, &(value.len() as u64).to_le_bytes());
        self.0 = crc32c::crc32c_append(self.0, value.as_bytes());
        self
    }

    /// Adds an integer column.
    pub(crate) fn int(mut self, value: i64) -> Self {
        self.0 = crc32c::crc32c_append(self.0, &value.to_le_bytes());
        self
    }

    /// Adds a real column by its bits.
    pub(crate) fn real(self, value: f64) -> Self {
        self.int(value.to_bits() as i64)
    }

    /// The sum as SQLite stores it.
    pub(crate) fn finish(self) -> i64 {
        i64::from(self.0)
    }
}
