//! What a device holds and what its user sees.

use prost::Message as _;
use zuoxi_protocol::change::{Change, FeedKey, OutboxState, Transaction};
use zuoxi_protocol::session::Backlog;
use zuoxi_protocol::{Notice, Sync};
use zuoxi_wire::v1::{ActKind, Block, Entry, FeedKind, RefusalCode};
use zuoxi_wire::{Id, block};

use super::Checker;
use super::truth::{Kept, Log};
use super::user::{Beat, Seen, User};
use crate::world::device::Device;
use crate::world::disk::Content;

impl Checker {
    /// The session gave its store a transaction.
    pub fn gave(&mut self, n: usize, transaction: &Transaction, disk: &Content) {
        let user = &mut self.users[n];
        user.given.insert(transaction.token);
        user.last_token = transaction.token;
        for change in &transaction.changes {
            if let Change::RowLeft { feed, conversation } = change
                && feed.is_own()
                && let Err(what) = self.lets_go(n, *conversation, disk)
            {
                let name = &self.users[n].name;
                self.fail(format!("{name} {what}"));
            }
        }
    }

    /// What waits in memory stays within bounds, however long the store, the network or the gateway takes.
    pub fn waits(&mut self, n: usize, backlog: Backlog) {
        let most = |kind: &str, waits: usize, most: usize| (waits > most).then(|| format!("{waits} {kind}"));
        // Pushes of a window are a transaction each at worst; what is asked for stops long before that.
        let window = zuoxi_wire::limits::WINDOW_PUSHES as usize;
        let too_many = most("acts", backlog.acts, 10_000)
            .or_else(|| most("transactions", backlog.commits, 2 * window))
            .or_else(|| most("questions", backlog.questions, 64))
            .or_else(|| most("wanted ranges", backlog.wants, 300));
        if let Some(what) = too_many {
            let name = &self.users[n].name;
            self.fail(format!("{name} keeps {what} waiting in memory"));
        }
    }

    /// It could not be stored.
    pub fn not_stored(&mut self, n: usize, token: u64) {
        self.users[n].given.remove(&token);
    }

    /// It is committed.
    pub fn stored(&mut self, n: usize, transaction: &Transaction, disk: &Content) {
        self.users[n].given.remove(&transaction.token);
        for change in &transaction.changes {
            let done = match change {
                Change::Entries(conversation, entries) if disk.epoch == self.truth.epoch => entries
                    .iter()
                    .try_for_each(|entry| self.held(n, *conversation, entry.seq, disk)),
                Change::Block(conversation, stored) if disk.epoch == self.truth.epoch => {
                    (stored.first..=stored.last).try_for_each(|seq| self.held(n, *conversation, seq, disk))
                }
                Change::Log(conversation, state) if disk.epoch == self.truth.epoch && !state.to_compare => {
                    self.log_state(n, *conversation, disk)
                }
                Change::RowLeft { feed, conversation } if feed.is_own() => {
                    self.users[n].missing.retain(|(of, _)| of != conversation);
                    Ok(())
                }
                Change::Settle(id) => self.settles(n, *id),
                _ => Ok(()),
            };
            let done = done.and_then(|()| self.generations(n, change));
            if let Err(what) = done {
                let name = &self.users[n].name;
                self.fail(format!("{name} {what}"));
            }
        }
    }

    /// Within an epoch no block comes in of a lower generation than one that is held.
    fn generations(&mut self, n: usize, change: &Change) -> Result<(), String> {
        let all = &mut self.users[n].generations;
        match change {
            Change::Epoch(_) => all.clear(),
            Change::ForgetFeed(feed) if feed.is_own() => all.clear(),
            Change::RowLeft { feed, conversation } if feed.is_own() => drop(all.remove(conversation)),
            Change::Log(conversation, state) if state.to_compare => drop(all.remove(conversation)),
            Change::Drop(conversation, range) => {
                let kept = |start: u64| block::range_of(start).1 < range.first || start > range.last;
                let held = all.entry(*conversation).or_default();
                held.retain(|start, _| kept(*start));
            }
            Change::Block(conversation, stored) => {
                let generation = Block::decode(stored.bytes.clone()).map_or(0, |block| block.generation);
                let held = all.entry(*conversation).or_default().entry(stored.start).or_default();
                if generation < *held {
                    return Err(format!(
                        "takes generation {generation} of the block at {} of {conversation}, and holds {held}",
                        stored.start
                    ));
                }
                *held = generation;
            }
            _ => {}
        }
        Ok(())
    }

    /// An entry that is held is the log's.
    fn held(&self, n: usize, conversation: Id, seq: u64, disk: &Content) -> Result<(), String> {
        let customer = self.users[n].is_customer();
        let Some(here) = disk.entries.get(&conversation).and_then(|log| log.get(&seq)) else {
            return Ok(());
        };
        let Some(kept) = self.truth.logs.get(&conversation).and_then(|log| log.at(seq, customer)) else {
            return Err(format!("holds Seq {seq} of {conversation}, where nothing stands"));
        };
        let entry = Entry::decode(here.bytes.clone()).map_err(|error| format!("holds what is no entry: {error}"))?;
        let same = kept.entry.id == here.id
            && kept.entry.author == here.author
            && entry.seq == seq
            && entry.kind == i32::from(kept.entry.kind)
            && (entry.erased || kept.entry.erased || entry.content == kept.entry.content || self.collides(here.id));
        if !same {
            return Err(format!(
                "holds another entry at Seq {seq} of {conversation} than the log"
            ));
        }
        if entry.erased && !kept.entry.erased {
            return Err(format!("has erased Seq {seq} of {conversation}, which nobody recalled"));
        }
        Ok(())
    }

    /// What it says that it covers is there, and within the log.
    fn log_state(&self, n: usize, conversation: Id, disk: &Content) -> Result<(), String> {
        let (Some(state), Some(log)) = (disk.logs.get(&conversation), self.truth.logs.get(&conversation)) else {
            return Ok(());
        };
        let length = log.len(self.users[n].is_customer());
        if state.head > length {
            return Err(format!(
                "knows a head of {} of {conversation}, which has {length}",
                state.head
            ));
        }
        let entries = disk.entries.get(&conversation);
        for range in &state.covered {
            let have = entries.map_or(0, |entries| entries.range(range.first..=range.last).count());
            if have as u64 != range.last - range.first + 1 {
                return Err(format!("covers {range:?} of {conversation}, and holds {have} of them"));
            }
        }
        Ok(())
    }

    /// A conversation is let go because it left, not because a list was taken for whole.
    fn lets_go(&mut self, n: usize, conversation: Id, disk: &Content) -> Result<(), String> {
        const A_WHILE_MS: u64 = 3_000;
        let told = self.users[n].left.remove(&conversation);
        let log = self.truth.logs.get(&conversation);
        let theirs = log.is_some_and(|log| {
            self.users[n].agent.is_some_and(|agent| log.holder() == Some(agent))
                && self.users[n].list_ms > log.held_ms.max(self.restored_at) + A_WHILE_MS
        });
        if theirs && !told && disk.epoch == self.truth.epoch {
            Err(format!("lets go of {conversation}, which is theirs"))
        } else {
            Ok(())
        }
    }

    /// An act leaves the outbox since the log has it, or since its user let it go.
    fn settles(&self, n: usize, id: Id) -> Result<(), String> {
        let user = &self.users[n];
        let (Some(act), Some(me)) = (user.acts.get(&id), user.me) else {
            return Ok(());
        };
        if act.dropped || self.ever.contains(&(me, id)) {
            Ok(())
        } else {
            Err(format!("forgets act {id}, which nobody has"))
        }
    }

    /// A process starts from what is stored.
    pub fn started(&mut self, n: usize, disk: &Content) {
        let user = &mut self.users[n];
        user.given.clear();
        user.last_token = 0;
        let held = disk.logs.iter();
        user.generations = held.map(|(id, state)| (*id, state.generations.clone())).collect();
        let mut gone = Vec::new();
        let mut lost = None;
        for (id, act) in &mut user.acts {
            let there = disk.act(*id);
            match (act.seen, there.map(|act| &act.state)) {
                (Seen::Taken, None) => gone.push(*id),
                (Seen::Stored, None) if !self.ever.contains(&(user.me.unwrap_or_default(), *id)) && !act.dropped => {
                    lost = Some(*id);
                }
                (Seen::Stored, None) => act.seen = if act.dropped { Seen::Gone } else { Seen::Settled },
                (_, Some(OutboxState::Waiting)) if act.seen != Seen::Settled => act.seen = Seen::Stored,
                (_, Some(OutboxState::Voided)) => act.seen = Seen::Voiding,
                (_, Some(OutboxState::Parked { .. })) => act.seen = Seen::Parked,
                (_, Some(OutboxState::Lost)) => act.seen = Seen::Lost,
                _ => {}
            }
        }
        for id in gone {
            user.acts.remove(&id);
        }
        user.missing.retain(|(conversation, id)| {
            let held = disk.entries.get(conversation);
            disk.act(*id).is_some() || held.is_some_and(|log| log.values().any(|entry| entry.id == *id))
        });
        if let Some(id) = lost {
            let name = &self.users[n].name;
            self.fail(format!(
                "{name}: act {id} had its clock mark, and is nowhere after a restart"
            ));
        }
    }

    /// The user sees something.
    pub fn noticed(&mut self, n: usize, notice: &Notice, disk: &Content) {
        let user = &mut self.users[n];
        let set = |user: &mut User, id: &Id, seen: Seen| {
            if let Some(act) = user.acts.get_mut(id) {
                act.seen = seen;
            }
        };
        let done = match notice {
            Notice::LoggedIn(who) => {
                user.me = Id::try_from(&who.me.id).ok();
                Ok(())
            }
            Notice::ActTaken(act) => {
                user.took(act);
                let doers = self.doers.entry(act.id).or_default();
                if !doers.contains(&n) {
                    doers.push(n);
                }
                Ok(())
            }
            Notice::ActStored { id } => {
                set(user, id, Seen::Stored);
                self.clocks += 1;
                if disk.act(*id).is_some() {
                    Ok(())
                } else {
                    Err(format!("shows act {id} as stored, and it isn't"))
                }
            }
            Notice::ActNotStored { act, .. } => {
                user.acts.remove(&act.id);
                Ok(())
            }
            Notice::ActSettled {
                id,
                conversation,
                seq,
                too_late,
                ..
            } => {
                set(user, id, Seen::Settled);
                self.rare.add("void too late", u64::from(*too_late));
                self.accepted(n, *id, *conversation, *seq, disk)
            }
            Notice::ActParked(act) => {
                set(user, &act.id, Seen::Parked);
                let done = user.done;
                // Behind what a restored log lost: nobody refused it, and a copied disk may send it.
                let behind = matches!(act.state, OutboxState::Parked { behind: true, .. });
                let restored = self.restored_at > 0;
                let own = matches!(act.state, OutboxState::Parked { code, behind: false, .. } if stops(code));
                // It says that it can't be known whether it was sent.
                let unknown = i32::from(RefusalCode::Unknown);
                let unknown = matches!(act.state, OutboxState::Parked { code, .. } if code == unknown);
                if let Some(act) = user.acts.get_mut(&act.id) {
                    act.stop = own;
                    act.loose |= (behind && restored) || unknown;
                    if act.parked_after == 0 {
                        act.parked_after = done;
                    }
                }
                self.parked(n, act.id, disk)
            }
            Notice::ActLost(act) => {
                let known = user.acts.contains_key(&act.id);
                if !known {
                    user.took(act);
                    self.doers.entry(act.id).or_default().push(n);
                }
                if let Some(act) = user.acts.get_mut(&act.id) {
                    act.seen = Seen::Lost;
                    act.named = true;
                }
                Ok(())
            }
            Notice::ServerLost { .. } => {
                self.rare.add("server lost, and it was named", 1);
                Ok(())
            }
            Notice::ActGone { id } => {
                let voiding = disk.act(*id).is_some();
                // One that stood behind a stop goes with it: no gateway remembers that, and a copied disk may have it.
                let forgotten = !self.voided.contains(id);
                if let Some(act) = user.acts.get_mut(id) {
                    act.loose |= !voiding && act.seen == Seen::Voiding && forgotten;
                }
                set(user, id, if voiding { Seen::Voiding } else { Seen::Gone });
                Ok(())
            }
            Notice::WatchOpened { .. } => {
                self.rare.add("watch", 1);
                Ok(())
            }
            Notice::Sync(Sync::UpToDate { as_of_ms }) => self.proven(n, *as_of_ms, disk),
            _ => Ok(()),
        };
        if let Err(what) = done {
            let name = &self.users[n].name;
            self.fail(format!("{name} {what}"));
        }
    }

    /// The tick: the entry stands there, with what its user wrote.
    fn accepted(&self, n: usize, id: Id, conversation: Option<Id>, seq: u64, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        let Some(conversation) = conversation.filter(|_| disk.epoch == self.truth.epoch) else {
            return Ok(());
        };
        let stood = user.me.is_some_and(|me| self.ever.contains(&(me, id)));
        // Retention took the entry, and with it what the customer's Seq was.
        if seq == 0 && user.is_customer() && stood && self.floor(n, conversation) > 1 {
            return Ok(());
        }
        let kept = self
            .truth
            .logs
            .get(&conversation)
            .and_then(|log| log.at(seq, user.is_customer()));
        let Some(kept) = kept.filter(|kept| kept.entry.id == id && kept.entry.author == user.me) else {
            return Err(format!(
                "shows act {id} as accepted with Seq {seq}, where it doesn't stand"
            ));
        };
        let said = user
            .acts
            .get(&id)
            .filter(|act| act.seen == Seen::Settled && !act.dropped);
        let words = |kind: ActKind| matches!(kind, ActKind::Message | ActKind::Note | ActKind::Recall);
        if said.is_some_and(|act| words(act.kind) && act.content != kept.entry.content) && !kept.entry.erased {
            return Err(format!(
                "shows act {id} as accepted, and other words stand at Seq {seq}"
            ));
        }
        Ok(())
    }

    /// Refused for good, as its user is told: then it isn't stored.
    fn parked(&self, n: usize, id: Id, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        let (Some(act), Some(me)) = (user.acts.get(&id), user.me) else {
            return Ok(());
        };
        if act.loose || disk.epoch != self.truth.epoch || self.is_reused(n, id) {
            return Ok(());
        }
        let found = self
            .truth
            .logs
            .iter()
            .find_map(|(of, log)| Some((of, log.find(me, id)?)));
        // Of what retention removed nobody knows whether it was stored, whoever may not see the log any more.
        let is_there = |conversation: &Id, kept: &Kept| {
            let row = self.truth.logs.get(conversation).and_then(|log| log.row.as_ref());
            row.is_none_or(|row| kept.entry.seq >= row.floor)
        };
        if found.is_some_and(|(conversation, kept)| is_there(conversation, kept)) {
            Err(format!("is told that act {id} was refused, and it is stored"))
        } else {
            Ok(())
        }
    }

    /// A copied machine made the same id for something else.
    pub(super) fn is_reused(&self, n: usize, id: Id) -> bool {
        let mine = self.users[n].acts.get(&id).map(|act| (&act.content, act.kind));
        let doers = self.doers.get(&id).into_iter().flatten();
        doers
            .filter(|other| **other != n)
            .filter_map(|other| self.users[*other].acts.get(&id))
            .any(|act| mine.is_some_and(|mine| mine != (&act.content, act.kind)))
    }

    /// Copied machines made this id for several things, and a log was restored: by Seq, id and author they look alike.
    fn collides(&self, id: Id) -> bool {
        let doers = self.doers.get(&id).into_iter().flatten();
        let mut acts = doers
            .filter_map(|n| self.users[*n].acts.get(&id))
            .map(|act| &act.content);
        let first = acts.next();
        self.restored_at > 0 && acts.any(|content| Some(content) != first)
    }

    /// "Up to date as of t": what was committed before that heartbeat is here, committed.
    fn proven(&self, n: usize, as_of_ms: u64, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        let beat = user.beats.iter().rev().find(|beat| beat.time_ms == as_of_ms);
        let Some(beat) = beat else {
            return Err(format!("shows up to date as of {as_of_ms}, which no heartbeat told"));
        };
        if beat.epoch != self.truth.epoch {
            return Ok(()); // of a log that is no more
        }
        if disk.epoch != beat.epoch {
            return Err("shows up to date with a log of another epoch".into());
        }
        let waits = |state: &OutboxState| matches!(state, OutboxState::Waiting | OutboxState::Voided);
        if let Some(act) = disk.outbox.values().find(|act| waits(&act.state)) {
            return Err(format!("shows up to date while act {} waits", act.id));
        }
        for (conversation, log) in &self.truth.logs {
            let Some(row) = &log.row else { continue };
            let mine = if user.is_customer() {
                Some(row.customer) == user.me
            } else {
                row.holder == user.agent
            };
            if !user.is_customer() && log.held_since > beat.commit {
                continue;
            }
            if mine {
                self.is_whole(n, *conversation, log, beat, disk)?;
            } else if disk.logs.contains_key(conversation) && !user.is_customer() {
                return Err(format!("shows up to date and keeps {conversation}, which left before"));
            }
            if !user.is_customer() && log.listed_since <= beat.commit {
                self.is_listed(*conversation, log, beat, disk)?;
            }
        }
        Ok(())
    }

    fn is_whole(&self, n: usize, conversation: Id, log: &Log, beat: &Beat, disk: &Content) -> Result<(), String> {
        let customer = self.users[n].is_customer();
        let first = log.entries.first().map_or(u64::MAX, |kept| kept.at);
        let Some(state) = disk.logs.get(&conversation) else {
            return if first <= beat.commit {
                Err(format!("shows up to date without {conversation}"))
            } else {
                Ok(())
            };
        };
        let here = disk.entries.get(&conversation);
        let floor = self.floor(n, conversation);
        if log.cut_at <= beat.commit
            && let Some(seq) = here.and_then(|here| here.keys().find(|seq| **seq < floor))
        {
            return Err(format!(
                "shows up to date and keeps Seq {seq} of {conversation}, where history begins at {floor}"
            ));
        }
        for seq in state.floor..=log.len(customer) {
            let Some(kept) = log.at(seq, customer).filter(|kept| kept.at <= beat.commit) else {
                break;
            };
            let held = here.and_then(|here| here.get(&seq));
            if held.is_none_or(|held| held.id != kept.entry.id) {
                return Err(format!("shows up to date without Seq {seq} of {conversation}"));
            }
            self.is_erased(conversation, seq, kept, beat.commit, disk)?;
        }
        Ok(())
    }

    /// What was recalled has no content.
    fn is_erased(&self, conversation: Id, seq: u64, kept: &Kept, commit: u64, disk: &Content) -> Result<(), String> {
        if kept.erased_at == 0 || kept.erased_at > commit {
            return Ok(());
        }
        let held = disk.entries.get(&conversation).and_then(|here| here.get(&seq));
        let entry = held.and_then(|held| Entry::decode(held.bytes.clone()).ok());
        if entry.is_some_and(|entry| !entry.erased || !entry.content.is_empty()) {
            return Err(format!(
                "keeps the content of Seq {seq} of {conversation}, which was recalled"
            ));
        }
        Ok(())
    }

    /// The team's list shows it as it is.
    fn is_listed(&self, conversation: Id, log: &Log, beat: &Beat, disk: &Content) -> Result<(), String> {
        let Some(row) = &log.row else { return Ok(()) };
        let closed = row.status == zuoxi_wire::v1::Status::Closed;
        for team in &beat.teams {
            let key = FeedKey {
                kind: FeedKind::Team.into(),
                id: *team,
            };
            let shown = disk.rows.get(&(key, conversation)).map(|(summary, _)| summary);
            let right = match shown {
                None => closed || row.team != *team,
                Some(shown) => {
                    !closed
                        && row.team == *team
                        && shown.status() == row.status
                        && shown.assignee == row.assignee().map(Id::to_bytes).unwrap_or_default()
                        && shown.preview == row.preview
                }
            };
            if !right {
                return Err(format!(
                    "shows up to date, and {conversation} otherwise than it is: {shown:?}, and not {row:?}"
                ));
            }
        }
        Ok(())
    }

    // ---- the end -----------------------------------------------------------------------------------------------

    /// What of a device hasn't converged yet.
    pub fn unsettled(&self, n: usize, device: &Device) -> Option<String> {
        let name = &self.users[n].name;
        let Some(session) = &device.session else {
            return Some(format!("{name} doesn't run"));
        };
        let open = |state: &OutboxState| matches!(state, OutboxState::Waiting | OutboxState::Voided);
        if let Some(act) = session.outbox().find(|act| open(&act.state)) {
            return Some(format!("{name} waits with act {} ({:?})", act.id, act.state));
        }
        if !matches!(session.sync(), Sync::UpToDate { .. }) || device.disk.waiting() > 0 {
            return Some(format!("{name} stays {:?}", session.proof()));
        }
        // Nothing may have happened since.
        let beat = self.users[n].beats.last().cloned()?;
        let beat = Beat {
            commit: self.commit,
            ..beat
        };
        self.everything(n, &beat, &device.disk.now)
            .err()
            .map(|what| format!("{name} {what}"))
    }

    fn everything(&self, n: usize, beat: &Beat, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        for (conversation, log) in &self.truth.logs {
            let Some(row) = &log.row else { continue };
            let mine = if user.is_customer() {
                Some(row.customer) == user.me
            } else {
                row.holder == user.agent
            };
            if mine {
                self.is_whole(n, *conversation, log, beat, disk)?;
            }
            if mine != disk.logs.contains_key(conversation) {
                return Err(format!("keeps {conversation}: {}, theirs: {mine}", !mine));
            }
            if !user.is_customer() {
                self.is_listed(*conversation, log, beat, disk)?;
            }
        }
        Ok(())
    }

    /// All have converged: every cache is what the log is, and every act's end is known.
    pub fn end(&mut self, n: usize, device: &Device) {
        let held = device.disk.now.entries.values();
        self.compared += held.map(|log| log.len() as u64).sum::<u64>();
        if let Err(what) = self.ends(n, &device.disk.now) {
            let name = &self.users[n].name;
            self.fail(format!("in the end {name} {what}"));
        }
    }

    /// Below it history is gone on purpose, in the reader's own Seqs.
    pub(super) fn floor(&self, n: usize, conversation: Id) -> u64 {
        let row = self.truth.logs.get(&conversation).and_then(|log| log.row.as_ref());
        let floor = |row: &zuoxi_rules::record::Conversation| {
            if self.users[n].is_customer() {
                row.public_floor
            } else {
                row.floor
            }
        };
        row.map_or(1, floor)
    }

    fn ends(&self, n: usize, disk: &Content) -> Result<(), String> {
        let user = &self.users[n];
        for (conversation, state) in &disk.logs {
            let length = self
                .truth
                .logs
                .get(conversation)
                .map_or(0, |log| log.len(user.is_customer()));
            if state.head != length || state.to_compare {
                return Err(format!("knows {state:?} of {conversation}, which has {length}"));
            }
            self.log_state(n, *conversation, disk)?;
            for seq in disk
                .entries
                .get(conversation)
                .into_iter()
                .flat_map(std::collections::BTreeMap::keys)
            {
                self.held(n, *conversation, *seq, disk)?;
            }
        }
        for (conversation, id) in &user.missing {
            let again = self
                .truth
                .logs
                .values()
                .any(|log| log.find(user.me.unwrap_or_default(), *id).is_some());
            // Where a power loss undid that it was settled, it waits again, or was refused, or discarded.
            let named = user.acts.get(id).is_some_and(|act| act.named || act.dropped) || disk.act(*id).is_some();
            // What is older than is kept was dropped before it could be compared.
            let cut = self.floor(n, *conversation) > 1;
            if !again && !named && !cut && disk.logs.contains_key(conversation) {
                return Err(format!("wasn't told that the server lost act {id}"));
            }
        }
        for (id, act) in &user.acts {
            let there = disk.act(*id).is_some();
            let stands = self.ever.contains(&(user.me.unwrap_or_default(), *id));
            let right = match act.seen {
                Seen::Parked => there || act.dropped,
                // Where a power loss undid that it was told, it may have been sent again from elsewhere.
                Seen::Lost => there || act.dropped || stands,
                Seen::Settled => stands,
                Seen::Gone => !there,
                Seen::Taken | Seen::Stored | Seen::Voiding => act.dropped,
            };
            if !right {
                return Err(format!("has act {id} as {:?}", act.seen));
            }
        }
        Ok(())
    }
}

/// Refusals that speak of the conversation, and so end the lane.
fn stops(code: i32) -> bool {
    let codes = [
        RefusalCode::Taken,
        RefusalCode::Stale,
        RefusalCode::Closed,
        RefusalCode::Linked,
    ];
    codes.iter().any(|stop| i32::from(*stop) == code)
}
