//! The schema and its migrations, counted by `user_version`. A migration is never changed once released, only followed.

use rusqlite::{Connection, TransactionBehavior};

use super::error::StoreError;

/// Marks our files ("zuox"): another app's database is never migrated.
const APPLICATION_ID: i32 = 0x7a75_6f78;

/// Each brings the schema from its index to the next number.
const MIGRATIONS: &[&str] = &[
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
];

/// Brings a database to the newest schema.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as u32;
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if application != APPLICATION_ID && (found > 0 || application != 0) {
        return Err(StoreError::Damaged(format!("application id {application:#x}")));
    }
    for (index, sql) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", index as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}
