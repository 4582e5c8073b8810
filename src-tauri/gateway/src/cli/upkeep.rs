//! `backup`, `restore`, `check`

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use zuoxi_gateway::store::{SqliteStore, upkeep};

use super::{Failure, Place};

pub(crate) fn backup(place: &Place, file: &Path) -> Result<(), Failure> {
    upkeep::backup(&place.folder.database(), file)?;
    let line = format!(
        "The copy is {}. What a recall takes away from now on stays in it.",
        file.display()
    );
    Ok(place.output.tell(&line, &json!({"backup": file}))?)
}

pub(crate) fn restore(place: &Place, file: &Path) -> Result<(), Failure> {
    let _lock = place.folder.lock()?;
    let restored = upkeep::restore(file, &place.folder.database())?;
    let mut line = "Restored, with a new epoch: each desk compares what it has when it connects.".to_owned();
    if let Some(kept) = &restored.kept {
        line.push_str("\nThe database that was there is kept as ");
        line.push_str(&kept.to_string_lossy());
    }
    let value = json!({"epoch": format!("{:016x}", restored.epoch), "kept": restored.kept});
    Ok(place.output.tell(&line, &value)?)
}

pub(crate) fn check(place: &Place) -> Result<ExitCode, Failure> {
    let store = SqliteStore::open_existing(&place.folder.database())?;
    let (wrong, size) = (upkeep::check(&store)?, upkeep::size(&store)?);
    let mut line = format!("{} conversations, {} entries: ", size.conversations, size.entries);
    if wrong.is_empty() {
        line.push_str("consistent");
    } else {
        line.push_str("NOT consistent; stop the gateway and restore a backup\n");
        line.push_str(&wrong.join("\n"));
    }
    let value = json!({"conversations": size.conversations, "entries": size.entries, "wrong": wrong});
    place.output.tell(&line, &value)?;
    Ok(if wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
