//! Migrations, forward only, by `user_version`; each in one transaction.

use rusqlite::Connection;

use super::OpenError;

const MIGRATIONS: [&str; 5] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
    include_str!("schema_5.sql"),
];
/// "ZXGW": tells `file` and us what this database is.
const APPLICATION: i32 = 0x5A58_4757;

/// The version that this build writes.
pub const VERSION: u32 = MIGRATIONS.len() as u32;

/// The version of a database; 0: empty.
pub(super) fn version(db: &Connection) -> Result<u32, OpenError> {
    Ok(db.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// Refuses what isn't ours or is newer; brings what is older up to date.
pub(super) fn migrate(db: &mut Connection) -> Result<(), OpenError> {
    let found = version(db)?;
    if found > VERSION {
        return Err(OpenError::Newer { found, known: VERSION });
    }
    let application: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION {
        return Err(OpenError::Foreign);
    }
    for (step, sql) in (1u32..).zip(MIGRATIONS).filter(|(step, _)| *step > found) {
        let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have done it while we waited for the lock.
        if version(&transaction)? < step {
            transaction.execute_batch(sql)?;
            if step == 1 {
                transaction.execute(
                    "INSERT INTO log (one, epoch) VALUES (1, ?1)",
                    [super::random_epoch()? as i64],
                )?;
            }
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", step)?;
        }
        transaction.commit()?;
    }
    Ok(())
}
