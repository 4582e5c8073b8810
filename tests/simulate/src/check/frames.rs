//! Frames, as they leave and as they come.

use prost::Message as _;
use zuoxi_wire::v1::{
    Ack, Answer, ClientFrame, EntriesPage, Entry, FeedKind, GatewayFrame, Heartbeat, Push, RefusalCode, Standing,
    Watermark, answer, client_frame, gateway_frame::Kind,
};
use zuoxi_wire::{Id, block, limits};

use super::user::Beat;
use super::{Checker, is_hidden};
use crate::world::disk::Content;

/// After a push that tells that some were left out, a heartbeat comes within so many milliseconds.
const BEAT_MS: u64 = 1_500;
/// Heartbeats that are remembered for each device.
const BEATS: usize = 40;

impl Checker {
    /// A frame of the gateway sets out to a device.
    pub fn told(&mut self, n: usize, link: usize, frame: &GatewayFrame) {
        let Some(kind) = &frame.kind else { return };
        let done = match kind {
            Kind::Pushes(pushes) => pushes.pushes.iter().try_for_each(|push| self.pushed(n, link, push)),
            Kind::Answers(answers) => answers
                .answers
                .iter()
                .try_for_each(|answer| self.answered(n, link, answer)),
            Kind::EntriesPage(page) => self.page(n, page),
            Kind::WatchPage(page) => page.page.as_ref().map_or(Ok(()), |page| self.page(n, page)),
            Kind::FeedPage(page) => {
                self.rare.add("page with more to follow", u64::from(page.more));
                let left = page.rows.iter().filter(|row| row.standing() == Standing::Left);
                let left = left.filter_map(|row| Id::try_from(&row.conversation).ok());
                self.users[n].left.extend(left);
                self.wires.entry(link).or_default().lists.push_back(self.now);
                Ok(())
            }
            Kind::Heartbeat(beat) => self.beat(n, link, beat),
            Kind::CustomerState(state) => self.counts(n, &state.conversation, state.head),
            Kind::LoggedIn(told) => {
                self.wires.entry(link).or_default().over = false;
                let state = told.state.as_ref();
                state.map_or(Ok(()), |state| self.counts(n, &state.conversation, state.head))
            }
            Kind::PositionMoves(moves) => {
                let mut done = Ok(());
                for moved in &moves.moves {
                    for position in &moved.positions {
                        let told = position.delivered.max(position.read);
                        done = done.and_then(|()| self.counts(n, &moved.conversation, told));
                    }
                }
                done
            }
            _ => Ok(()),
        };
        if let Err(what) = done {
            let name = &self.users[n].name;
            self.fail(format!("to {name}: {what}"));
        }
    }

    fn length(&self, n: usize, conversation: Id) -> Option<u64> {
        let log = self.truth.logs.get(&conversation)?;
        Some(log.len(self.users[n].is_customer()))
    }

    /// A customer is told no number beyond their own log.
    fn counts(&self, n: usize, conversation: &[u8], told: u64) -> Result<(), String> {
        let Ok(conversation) = Id::try_from(conversation) else {
            return Ok(());
        };
        match self.length(n, conversation) {
            Some(length) if told > length => Err(format!("{told} is told of a log of {length}")),
            _ => Ok(()),
        }
    }

    /// An entry is what stands at its Seq in its reader's log, and one that they may see.
    fn entry(&self, n: usize, conversation: Id, entry: &Entry, sent: bool) -> Result<(), String> {
        let customer = self.users[n].is_customer();
        if customer && is_hidden(entry.kind()) {
            return Err(format!("{:?} at {}", entry.kind(), entry.seq));
        }
        let log = self
            .truth
            .logs
            .get(&conversation)
            .ok_or("an entry of no conversation")?;
        let kept = log
            .at(entry.seq, customer)
            .ok_or_else(|| format!("Seq {} of a log of {}", entry.seq, log.len(customer)))?;
        let same = kept.entry.id.to_bytes() == entry.id
            && kept.entry.author.map(Id::to_bytes).unwrap_or_default() == entry.author
            && (entry.content == kept.entry.content || kept.entry.erased || sent);
        if same {
            Ok(())
        } else {
            Err(format!("another entry at Seq {} than is stored", entry.seq))
        }
    }

    /// A page is read after the commit that recalled something: it has the content no more.
    fn bare(&self, n: usize, conversation: Id, entry: &Entry) -> Result<(), String> {
        let log = self.truth.logs.get(&conversation);
        let kept = log.and_then(|log| log.at(entry.seq, self.users[n].is_customer()));
        if kept.is_some_and(|kept| kept.entry.erased) && !(entry.erased && entry.content.is_empty()) {
            return Err(format!("the content of Seq {}, which was recalled", entry.seq));
        }
        Ok(())
    }

    fn seen(&self, n: usize, conversation: Id) -> Result<(), String> {
        let user = &self.users[n];
        let may = match (user.agent, user.me) {
            (Some(agent), _) => self.may_see(agent, conversation),
            (None, Some(me)) => {
                let row = self.truth.logs.get(&conversation).and_then(|log| log.row.as_ref());
                row.is_none_or(|row| row.customer == me)
            }
            _ => true,
        };
        if may || self.several {
            Ok(())
        } else {
            Err(format!("something of {conversation}, which isn't theirs"))
        }
    }

    fn pushed(&mut self, n: usize, link: usize, push: &Push) -> Result<(), String> {
        let wire = self.wires.entry(link).or_default();
        if push.number != wire.last_push + 1 {
            return Err(format!("push {} after {}", push.number, wire.last_push));
        }
        wire.last_push = push.number;
        wire.of.push(Id::try_from(&push.conversation).unwrap_or_default());
        let bytes = push.encoded_len() as u64;
        wire.flying.push_back((push.number, bytes));
        wire.flying_bytes += bytes;
        if wire.flying.len() as u64 > limits::WINDOW_PUSHES || wire.flying_bytes > limits::WINDOW_BYTES {
            return Err(format!(
                "{} pushes of {} bytes in flight",
                wire.flying.len(),
                wire.flying_bytes
            ));
        }
        wire.was_full |= wire.flying.len() as u64 >= limits::WINDOW_PUSHES
            || wire.flying_bytes + limits::TEXT_BYTES * 2 >= limits::WINDOW_BYTES;
        self.push(n, link, push)
    }

    fn push(&mut self, n: usize, link: usize, push: &Push) -> Result<(), String> {
        let Ok(conversation) = Id::try_from(&push.conversation) else {
            return Err("a push of no conversation".into());
        };
        if let Some(feed) = push.feed.as_ref().filter(|feed| feed.kind() == FeedKind::Agent) {
            let owner = Self::feed_owner(feed);
            if owner != self.users[n].agent.map(zuoxi_rules::record::Feed::Agent) {
                return Err("a row of another's feed".into());
            }
            if push.standing() == Standing::Left {
                self.users[n].left.insert(conversation);
            }
            self.revised(link, push);
        }
        if let Some(entry) = &push.entry {
            self.seen(n, conversation)?;
            self.entry(n, conversation, entry, entry.content_as_sent)?;
            if self.users[n].is_customer() && push.head != entry.seq {
                return Err(format!("head {} with Seq {}", push.head, entry.seq));
            }
        }
        self.counts(n, &push.conversation, push.head)
    }

    /// Revisions come one by one, but for those that had no room.
    fn revised(&mut self, link: usize, push: &Push) {
        let wire = self.wires.entry(link).or_default();
        if let Some((epoch, last)) = wire.revision
            && epoch == push.feed_epoch
            && push.revision > last + 1
            && std::mem::take(&mut wire.was_full)
        {
            // When an ACK opens a window from which something was left out, a heartbeat follows at once.
            wire.left_out = !wire.beaten;
            self.rare.add("window overflow", 1);
        }
        wire.beaten = false;
        wire.revision = Some((push.feed_epoch, push.revision));
    }

    fn answered(&mut self, n: usize, link: usize, answer: &Answer) -> Result<(), String> {
        match &answer.result {
            Some(answer::Result::Accepted(accepted)) => {
                let (Ok(conversation), Ok(id)) = (Id::try_from(&answer.conversation), Id::try_from(&answer.id)) else {
                    return Err("an answer about nothing".into());
                };
                let customer = self.users[n].is_customer();
                let kept = self
                    .truth
                    .logs
                    .get(&conversation)
                    .and_then(|log| log.at(accepted.seq, customer));
                // Retention took the entry: then its customer isn't told where it stood.
                let gone = accepted.seq == 0 && customer && self.floor(n, conversation) > 1;
                if !gone && kept.is_none_or(|kept| kept.entry.id != id) {
                    return Err(format!(
                        "act {id} is told accepted as {}, where it doesn't stand",
                        accepted.seq
                    ));
                }
                if let Some(push) = &accepted.push {
                    self.push(n, link, push)?;
                }
            }
            Some(answer::Result::Refused(refused)) => {
                if refused.code() == RefusalCode::Void {
                    self.voided.extend(Id::try_from(&answer.id).ok());
                }
                let what = match refused.code() {
                    _ if refused.for_now && refused.code() == RefusalCode::Behind => "behind",
                    _ if refused.for_now => "refused for now",
                    RefusalCode::Stale => "stale",
                    RefusalCode::Taken => "taken away",
                    RefusalCode::Void => "void",
                    RefusalCode::Reused => "reused id",
                    RefusalCode::LaneEnded => "lane ended",
                    // An honest device never asks for what these answer.
                    code @ (RefusalCode::Base | RefusalCode::Malformed) => {
                        return Err(format!("{code:?} to an honest device"));
                    }
                    _ => "refused otherwise",
                };
                self.rare.add(what, 1);
            }
            None => return Err("an answer that says nothing".into()),
        }
        Ok(())
    }

    fn page(&self, n: usize, page: &EntriesPage) -> Result<(), String> {
        let Ok(conversation) = Id::try_from(&page.conversation) else {
            return Err("a page of nothing".into());
        };
        self.seen(n, conversation)?;
        self.counts(n, &page.conversation, page.head)?;
        for packed in &page.blocks {
            let entries = block::decode(packed).map_err(|error| error.to_string())?;
            for (entry, _) in &entries {
                self.entry(n, conversation, entry, false)?;
                self.bare(n, conversation, entry)?;
            }
        }
        Ok(())
    }

    fn beat(&mut self, n: usize, link: usize, beat: &Heartbeat) -> Result<(), String> {
        let wire = self.wires.entry(link).or_default();
        (wire.owes, wire.left_out, wire.beaten) = (0, false, true);
        let commit = self.commit - u64::from(self.several);
        let teams = beat
            .feeds
            .iter()
            .filter_map(|point| point.feed.as_ref())
            .filter(|feed| feed.kind() == FeedKind::Team)
            .filter_map(|feed| Id::try_from(&feed.id).ok())
            .collect();
        let beats = &mut self.users[n].beats;
        beats.push(Beat {
            time_ms: beat.time_ms,
            commit,
            epoch: beat.epoch,
            teams,
        });
        if beats.len() > BEATS {
            beats.remove(0);
        }
        if let Some(own) = &beat.own
            && let Ok(conversation) = Id::try_from(&own.conversation)
            && let Some(length) = self.length(n, conversation)
            && (own.head > length || (own.head < length && !self.several))
        {
            return Err(format!("head {} of a log of {length}", own.head));
        }
        Ok(())
    }

    // ---- the other way -----------------------------------------------------------------------------------------

    /// A device sends a frame.
    pub fn asked(&mut self, n: usize, link: usize, frame: &ClientFrame, disk: &Content) {
        if let Some(ack) = &frame.ack
            && let Err(what) = self.acknowledges(n, link, ack, disk)
        {
            let name = &self.users[n].name;
            self.fail(format!("{name} acknowledges {what}"));
        }
        if let Some(client_frame::Kind::Acts(acts)) = &frame.kind {
            let wire = self.wires.entry(link).or_default();
            let mut most = 0;
            for act in &acts.acts {
                let lane = wire.lanes.entry(act.conversation.to_vec()).or_default();
                if lane.0 < act.lane {
                    *lane = (act.lane, std::collections::BTreeSet::new());
                }
                lane.1.insert(act.number);
                most = most.max(lane.1.len() as u64);
            }
            if most > limits::WINDOW_ACTS {
                self.fail(format!("{most} acts in flight in one lane"));
            }
        }
    }

    fn acknowledges(&mut self, n: usize, link: usize, ack: &Ack, disk: &Content) -> Result<(), String> {
        let oldest = self.users[n].given.first().copied().unwrap_or(u64::MAX);
        let wire = self.wires.entry(link).or_default();
        if wire.handling > 0 && ack.push >= wire.handling {
            return Err(format!("push {} while it handles it", ack.push));
        }
        while let Some((number, token)) = wire.arrived.front().copied().filter(|(number, _)| *number <= ack.push) {
            if token >= oldest {
                return Err(format!("push {number} before it is committed"));
            }
            wire.arrived.pop_front();
        }
        for mark in &ack.watermarks {
            let Some(conversation) = self.wires.get(&link).and_then(|wire| wire.marked(ack, mark)) else {
                return Err("a watermark of nothing".into());
            };
            let (Some(state), Some(entries)) = (disk.logs.get(&conversation), disk.entries.get(&conversation)) else {
                continue; // it left since
            };
            let from = state.floor.max(mark.seq.saturating_sub(20));
            if let Some(hole) = (from..=mark.seq).find(|seq| !entries.contains_key(seq)) {
                return Err(format!("Seq {}, and has no {hole}", mark.seq));
            }
        }
        Ok(())
    }

    /// The conversation that a watermark on this connection speaks of.
    pub fn marked(&self, link: usize, ack: &Ack, mark: &Watermark) -> Option<Id> {
        self.wires.get(&link)?.marked(ack, mark)
    }

    /// The ACK reached the gateway.
    pub fn acknowledged(&mut self, link: usize, ack: &Ack) {
        let wire = self.wires.entry(link).or_default();
        while let Some((_, bytes)) = wire.flying.front().copied().filter(|(number, _)| *number <= ack.push) {
            wire.flying.pop_front();
            wire.flying_bytes -= bytes;
        }
        if std::mem::take(&mut wire.left_out) {
            wire.owes = self.now + BEAT_MS;
        }
    }

    /// A frame reaches its device.
    pub fn comes(&mut self, n: usize, link: usize, frame: &GatewayFrame) {
        let last = self.users[n].last_token;
        let wire = self.wires.entry(link).or_default();
        wire.before = last;
        match &frame.kind {
            Some(Kind::Pushes(pushes)) => {
                wire.handling = pushes.pushes.first().map_or(0, |push| push.number);
                wire.arrived
                    .extend(pushes.pushes.iter().map(|push| (push.number, u64::MAX)));
            }
            Some(Kind::FeedPage(_)) => self.users[n].list_ms = wire.lists.pop_front().unwrap_or(self.now),
            Some(Kind::Answers(answers)) => {
                for answer in &answers.answers {
                    for conversation in [answer.conversation.to_vec(), Vec::new()] {
                        if let Some(lane) = wire.lanes.get_mut(&conversation).filter(|lane| lane.0 == answer.lane) {
                            lane.1.remove(&answer.number);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// The device has handled it.
    pub fn took(&mut self, n: usize, link: usize) {
        let last = self.users[n].last_token;
        let wire = self.wires.entry(link).or_default();
        wire.handling = 0;
        if last > wire.before && wire.arrived.back().is_some_and(|(_, token)| *token == u64::MAX) {
            wire.covering = last;
        }
        let last = wire.covering;
        for (_, token) in wire.arrived.iter_mut().filter(|(_, token)| *token == u64::MAX) {
            *token = last;
        }
    }
}
