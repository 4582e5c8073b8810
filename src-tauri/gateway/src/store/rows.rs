//! From SQLite's values to the rules' types and back.

use rusqlite::Row;
use rusqlite::types::{FromSql, Type};
use zuoxi_rules::StoreError;
use zuoxi_rules::record::Who;
use zuoxi_rules::store::Stored;
use zuoxi_wire::Id;

/// SQLite's error as the rules know it.
// By value, so that it stands in `map_err`.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::Broken(error.to_string()),
    }
}

/// As SQLite's integer; what is larger is as good as endless.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn uint(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|number| number as u64)
}

pub(super) fn id(row: &Row<'_>, column: &str) -> rusqlite::Result<Id> {
    row.get(column).map(Id)
}

pub(super) fn optional_id(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Id>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(Id))
}

/// An enum of the wire by its number.
pub(super) fn number<E: TryFrom<i32>>(row: &Row<'_>, column: &str) -> rusqlite::Result<E> {
    enum_of(row.get(column)?)
}

pub(super) fn enum_of<E: TryFrom<i32>>(number: i32) -> rusqlite::Result<E> {
    E::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, i64::from(number)))
}

pub(super) fn list(row: &Row<'_>, column: &str) -> rusqlite::Result<Vec<String>> {
    list_of(&row.get::<_, String>(column)?)
}

fn list_of(text: &str) -> rusqlite::Result<Vec<String>> {
    serde_json::from_str(text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into()))
}

pub(super) fn json(list: &[String]) -> Stored<String> {
    serde_json::to_string(list).map_err(|error| StoreError::Broken(error.to_string()))
}

/// Role and id of somebody, as two columns. Agents first, as [`Who`] orders them.
pub(super) fn member(who: Who) -> (i64, [u8; 16]) {
    match who {
        Who::Agent(id) => (0, id.0),
        Who::Customer(id) => (1, id.0),
    }
}

pub(super) fn who(row: &Row<'_>) -> rusqlite::Result<Who> {
    let id = id(row, "member")?;
    Ok(if row.get::<_, i64>("role")? == 0 {
        Who::Agent(id)
    } else {
        Who::Customer(id)
    })
}

/// Columns of a row one after the other, as the statement names them: a name is looked up by comparing it with all
/// others, and a message reads and writes some fifty columns.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn of(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn get<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let at = self.next;
        self.next += 1;
        self.row.get(at)
    }

    pub(super) fn uint(&mut self) -> rusqlite::Result<u64> {
        self.get::<i64>().map(|number| number as u64)
    }

    pub(super) fn id(&mut self) -> rusqlite::Result<Id> {
        self.get().map(Id)
    }

    pub(super) fn optional_id(&mut self) -> rusqlite::Result<Option<Id>> {
        Ok(self.get::<Option<[u8; 16]>>()?.map(Id))
    }

    /// An enum of the wire by its number.
    pub(super) fn number<E: TryFrom<i32>>(&mut self) -> rusqlite::Result<E> {
        enum_of(self.get()?)
    }

    pub(super) fn list(&mut self) -> rusqlite::Result<Vec<String>> {
        list_of(&self.get::<String>()?)
    }
}
