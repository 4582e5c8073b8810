//! What a window at a desk shows: the deltas that it was told, replayed by rules of its own, and held against the disk.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message as _;
use zuoxi_protocol::change::StoredEntry;
use zuoxi_timeline::view::{RowBody, TimelineDelta, TimelineRow, TimelineView};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{Entry, EntryKind, MessageContent, NoteContent, message_content::Body};

/// Rows as a page keeps them, by nothing but what it was told.
#[derive(Default)]
pub struct Shown {
    from: u64,
    pub total: u64,
    pub floor: u64,
    read: u64,
    rows: Vec<TimelineRow>,
}

impl Shown {
    pub fn anew(&mut self, view: &TimelineView) {
        (self.from, self.total, self.floor, self.read) = (view.from, view.total, view.floor, view.customer_read);
        self.rows.clone_from(&view.rows);
    }

    /// Changes what is shown; what speaks of rows that aren't here is a fault.
    pub fn apply(&mut self, delta: &TimelineDelta) -> Result<(), String> {
        let (from, len) = (self.from, self.rows.len());
        let at = |index: u64, end: usize| {
            let at = index.checked_sub(from).map(|at| at as usize);
            at.filter(|at| *at < end)
                .ok_or_else(|| format!("row {index} of {from} to {}", from + len as u64))
        };
        match delta {
            TimelineDelta::Reset { view } => self.anew(view),
            TimelineDelta::Insert { index, rows } => {
                let behind = self.rows.split_off(at(*index, len + 1)?);
                self.rows.extend(rows.iter().cloned());
                self.rows.extend(behind);
                self.total += rows.len() as u64;
            }
            TimelineDelta::Update { index, row } => self.rows[at(*index, len)?] = row.clone(),
            TimelineDelta::Move { from: old, to, row } => {
                let (old, to) = (at(*old, len)?, at(*to, len)?);
                self.rows.remove(old);
                self.rows.insert(to, row.clone());
            }
            TimelineDelta::Remove { index, count } => {
                let (first, last) = (at(*index, len)?, at(index + count.saturating_sub(1), len)?);
                self.rows.drain(first..=last);
                self.total = self.total.checked_sub(*count).ok_or("more rows go than there are")?;
            }
            TimelineDelta::Bounds {
                total,
                floor,
                customer_read,
            } => (self.total, self.floor, self.read) = (*total, *floor, *customer_read),
        }
        Ok(())
    }

    /// Whether it is what the timeline holds.
    pub fn is(&self, whole: &TimelineView) -> Result<(), String> {
        let bounds = (self.from, self.total, self.floor, self.read);
        let told = (whole.from, whole.total, whole.floor, whole.customer_read);
        if bounds != told {
            return Err(format!(
                "from, total, floor and read mark {bounds:?} instead of {told:?}"
            ));
        }
        for (index, (row, other)) in (self.from..).zip(self.rows.iter().zip(&whole.rows)) {
            if row != other {
                return Err(format!("row {index} {row:?} instead of {other:?}"));
            }
        }
        if self.rows.len() != whole.rows.len() {
            return Err(format!("{} rows instead of {}", self.rows.len(), whole.rows.len()));
        }
        Ok(())
    }

    /// Whether it is what the disk holds, row for row. `restored`: an older log was compared with by Seq, id and author
    /// alone, so what was stored again there may have another time.
    pub fn stands(&self, me: Id, held: Option<&BTreeMap<u64, StoredEntry>>, restored: bool) -> Result<(), String> {
        let keys: BTreeSet<&str> = self.rows.iter().map(|row| row.key.as_str()).collect();
        if keys.len() != self.rows.len() {
            return Err("one key twice".into());
        }
        if self.from + self.rows.len() as u64 > self.total {
            return Err(format!(
                "{} rows from {} on, of {}",
                self.rows.len(),
                self.from,
                self.total
            ));
        }
        let mut acts = false;
        for (index, row) in (self.from..).zip(&self.rows) {
            let Some(seq) = row.seq else {
                acts = true;
                continue;
            };
            if acts || seq != self.floor + index {
                return Err(format!("Seq {seq} as row {index}, above the floor {}", self.floor));
            }
            if let Some(stored) = held.and_then(|log| log.get(&seq)) {
                same(row, stored, me, restored).map_err(|what| format!("Seq {seq} {what}: {row:?}"))?;
            }
        }
        Ok(())
    }

    /// Rows that have their place in the log, with whose words they are.
    pub fn settled(&self) -> impl Iterator<Item = (u64, &str)> {
        let known = self.rows.iter().filter(|row| row.body != RowBody::Loading);
        known.filter_map(|row| Some((row.seq?, row.key.as_str())))
    }
}

/// A row shows what is stored.
fn same(row: &TimelineRow, stored: &StoredEntry, me: Id, restored: bool) -> Result<(), String> {
    let id = stored.id.to_string();
    if row.body == RowBody::Loading {
        return Err(format!("as being loaded, though {id} is stored"));
    }
    if row.key != id && row.key != format!("seq:{}", stored.seq) {
        return Err(format!("instead of {id}"));
    }
    if row.mine != (stored.author == Some(me)) || (row.time_ms != stored.time_ms && !restored) {
        return Err("with another's author or time".into());
    }
    let entry = Entry::decode(stored.bytes.clone()).map_err(|error| error.to_string())?;
    let right = match (entry.kind(), &row.body) {
        (EntryKind::Message | EntryKind::Note, RowBody::Recalled { note, .. }) => {
            entry.erased && *note == (entry.kind() == EntryKind::Note)
        }
        (EntryKind::Message, RowBody::Message { text, .. }) => {
            let said = MessageContent::decode(entry.content.clone()).map_err(|error| error.to_string())?;
            !entry.erased && said.body == Some(Body::Text(text.clone()))
        }
        (EntryKind::Note, RowBody::Note { text }) => {
            let said = NoteContent::decode(entry.content.clone()).map_err(|error| error.to_string())?;
            !entry.erased && said.text == *text
        }
        (EntryKind::Message | EntryKind::Note, _) => false,
        (_, body) => !matches!(body, RowBody::Message { .. } | RowBody::Note { .. }),
    };
    if right {
        Ok(())
    } else {
        Err(format!("with other words than are stored (erased: {})", entry.erased))
    }
}

#[cfg(test)]
mod tests {
    use zuoxi_timeline::view::AuthorView;

    use super::*;

    fn row(key: &str) -> TimelineRow {
        TimelineRow {
            key: key.into(),
            message: None,
            seq: None,
            body: RowBody::Nothing,
            author: AuthorView::Gateway,
            author_name: String::new(),
            agent: String::new(),
            mine: false,
            time_ms: 0,
            mark: None,
            refusal: None,
            new_day: false,
            joined: false,
            first_unread: false,
            too_late: false,
        }
    }

    #[test]
    fn deltas_change_what_is_shown_and_those_of_rows_that_are_not_here_are_refused() {
        let mut shown = Shown {
            from: 5,
            total: 7,
            rows: vec![row("a"), row("b")],
            ..Shown::default()
        };
        let keys = |shown: &Shown| shown.rows.iter().map(|row| row.key.clone()).collect::<String>();
        let rows = vec![row("c")];
        shown.apply(&TimelineDelta::Insert { index: 6, rows }).unwrap();
        assert_eq!((keys(&shown), shown.total), ("acb".into(), 8));
        let (from, to, row) = (7, 5, row("b"));
        shown
            .apply(&TimelineDelta::Move {
                from,
                to,
                row: row.clone(),
            })
            .unwrap();
        assert_eq!(keys(&shown), "bac");
        shown.apply(&TimelineDelta::Remove { index: 6, count: 2 }).unwrap();
        assert_eq!((keys(&shown), shown.total), ("b".into(), 6));
        for delta in [
            TimelineDelta::Insert { index: 7, rows: vec![] },
            TimelineDelta::Update {
                index: 4,
                row: row.clone(),
            },
            TimelineDelta::Remove { index: 5, count: 2 },
            TimelineDelta::Move { from: 5, to: 6, row },
        ] {
            assert!(shown.apply(&delta).is_err(), "{delta:?}");
        }
    }
}
