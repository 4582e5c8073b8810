//! The outbox: acts that aren't settled, in the order of doing, and the lanes that bring them to the gateway.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use zuoxi_wire::Id;
use zuoxi_wire::v1::{ActKind, RefusalCode, Refused};

use crate::change::{Change, OutboxAct, OutboxState};
use crate::lane::{Lane, Sending};
use crate::notice::Notice;
use crate::planted::{self, Fault};
use crate::random::Random;
use crate::turn::Turn;

/// Acts that may stand in an outbox; an act beyond is not taken.
pub(crate) const MOST: usize = 10_000;

/// Where lanes run: a conversation, or a customer's own (`None` as long as nobody needs its id).
pub(crate) type LaneKey = Option<Id>;

#[derive(Debug)]
struct Item {
    act: OutboxAct,
    durable: bool,
}

impl Item {
    fn is_open(&self) -> bool {
        matches!(self.act.state, OutboxState::Waiting | OutboxState::Voided)
    }
}

/// A refusal, or something lost, that isn't committed, and so not shown: what its user does meanwhile comes after it.
#[derive(Debug)]
struct Refusing {
    /// How what stands behind it is parked.
    behind: OutboxState,
    /// It ends the lane.
    stops: bool,
    /// Transactions that carry one.
    commits: u32,
}

/// All acts of a device that aren't settled.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    items: BTreeMap<u64, Item>,
    places: BTreeMap<Id, u64>,
    by_key: BTreeMap<LaneKey, BTreeSet<u64>>,
    last_place: u64,
    lanes: BTreeMap<LaneKey, Lane>,
    refusing: BTreeMap<LaneKey, Refusing>,
    /// A customer's acts all run in one lane.
    one_lane: bool,
    open: usize,
    /// Close and transfer after something that is lost.
    to_park: BTreeSet<Id>,
}

impl Outbox {
    pub(crate) fn load(acts: Vec<OutboxAct>, last_place: u64, one_lane: bool) -> Self {
        let mut outbox = Self {
            last_place,
            one_lane,
            ..Self::default()
        };
        for act in acts {
            outbox.last_place = outbox.last_place.max(act.place);
            outbox.put(act, true);
        }
        outbox
    }

    fn key(&self, conversation: Option<Id>) -> LaneKey {
        if self.one_lane { None } else { conversation }
    }

    fn put(&mut self, act: OutboxAct, durable: bool) {
        self.remove(act.id);
        let key = self.key(act.conversation);
        self.places.insert(act.id, act.place);
        self.by_key.entry(key).or_default().insert(act.place);
        let item = Item { act, durable };
        self.open += usize::from(item.is_open());
        self.items.insert(item.act.place, item);
    }

    /// Takes an act out, for good or to put it back changed.
    pub(crate) fn remove(&mut self, id: Id) -> Option<OutboxAct> {
        let item = self.places.remove(&id).and_then(|place| self.items.remove(&place))?;
        let key = self.key(item.act.conversation);
        if let Some(places) = self.by_key.get_mut(&key) {
            places.remove(&item.act.place);
            if places.is_empty() {
                self.by_key.remove(&key);
            }
        }
        self.open -= usize::from(item.is_open());
        Some(item.act)
    }

    fn update(&mut self, act: OutboxAct, turn: &mut Turn<'_>) {
        let durable = self.items.get(&act.place).is_some_and(|item| item.durable);
        turn.change(Change::Update(act.clone()));
        self.put(act, durable);
    }

    pub(crate) fn get(&self, id: Id) -> Option<&OutboxAct> {
        self.places
            .get(&id)
            .and_then(|place| self.items.get(place))
            .map(|item| &item.act)
    }

    pub(crate) fn acts(&self) -> impl Iterator<Item = &OutboxAct> {
        self.items.values().map(|item| &item.act)
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Acts that wait for the gateway.
    pub(crate) fn waiting(&self) -> usize {
        self.open
    }

    pub(crate) fn next_place(&mut self) -> u64 {
        self.last_place += 1;
        self.last_place
    }

    /// A new act at the end. It leaves once it is committed.
    pub(crate) fn enqueue(&mut self, act: OutboxAct, turn: &mut Turn<'_>) {
        turn.full();
        turn.acts.push(act.id);
        turn.change(Change::Enqueue(act.clone()));
        if act.state != OutboxState::Waiting {
            turn.after(Notice::ActParked(act.clone()));
        }
        self.put(act, false);
    }

    /// What the server lost waits for the user, at the end.
    pub(crate) fn lose(&mut self, act: OutboxAct, turn: &mut Turn<'_>) {
        turn.change(Change::Enqueue(act.clone()));
        turn.after(Notice::ActLost(act.clone()));
        self.put(act, true);
    }

    /// Its transaction is committed: it may leave.
    pub(crate) fn stored(&mut self, id: Id) -> bool {
        let item = self.places.get(&id).and_then(|place| self.items.get_mut(place));
        item.is_some_and(|item| !std::mem::replace(&mut item.durable, true))
    }

    /// A new connection: everything unsettled is numbered anew.
    pub(crate) fn renumber(&mut self) {
        self.lanes.clear();
        if planted::has(Fault::NewIdOnRetry) {
            for item in self.items.values_mut() {
                self.places.remove(&item.act.id);
                item.act.id.0[15] = item.act.id.0[15].wrapping_add(1);
                self.places.insert(item.act.id, item.act.place);
            }
        }
    }

    /// Keys of lanes in which something may have to be sent.
    pub(crate) fn keys(&self) -> BTreeSet<LaneKey> {
        self.by_key.keys().chain(self.lanes.keys()).copied().collect()
    }

    /// What leaves now in one lane: unanswered numbers first, then what was done next, in order.
    pub(crate) fn leaving(&mut self, key: LaneKey, window: usize, now: u64) -> Vec<Sending> {
        let places = self.by_key.get(&key);
        if places.is_none() && !self.lanes.contains_key(&key) {
            return Vec::new();
        }
        let lane = self.lanes.entry(key).or_default();
        lane.time_out(now);
        if lane.holds_back(now) {
            return Vec::new();
        }
        let mut leaving = Vec::new();
        let mut free = window.saturating_sub(lane.in_flight());
        while free > 0 {
            let Some(sending) = lane.again(now) else { break };
            leaving.push(sending);
            free -= 1;
        }
        let mut before = false;
        for item in places.into_iter().flatten().filter_map(|place| self.items.get(place)) {
            let waits = waits_for_those_before(item.act.kind) && item.act.state == OutboxState::Waiting;
            if free == 0 || (item.is_open() && (!item.durable || (waits && before))) {
                break;
            }
            if item.is_open() {
                before = true;
                if !lane.holds(item.act.id) {
                    leaving.push(lane.number(item.act.clone(), now));
                    free -= 1;
                }
            }
        }
        leaving
    }

    /// The act whose answer this is, as it was frozen.
    pub(crate) fn awaited(&self, conversation: Option<Id>, lane: u32, number: u32, id: Id) -> Option<OutboxAct> {
        self.lanes
            .get(&self.key(conversation))?
            .awaited(lane, number, id)
            .cloned()
    }

    /// Accepted: its number is settled.
    pub(crate) fn accepted(&mut self, conversation: Option<Id>, number: u32) {
        if let Some(lane) = self.lanes.get_mut(&self.key(conversation)) {
            lane.answer(number);
        }
    }

    /// The gateway has the act, by an answer or by its own entry in the log.
    pub(crate) fn settle(&mut self, id: Id, conversation: Option<Id>, seq: u64, time_ms: u64, turn: &mut Turn<'_>) {
        let Some(act) = self.remove(id) else { return };
        if planted::has(Fault::OwnEntryFreesNumber)
            && let Some(lane) = self.lanes.get_mut(&self.key(act.conversation))
        {
            lane.free(id);
        }
        let too_late = act.state == OutboxState::Voided;
        turn.change(Change::Settle(id));
        turn.after(Notice::ActSettled {
            id,
            kind: act.kind,
            conversation: conversation.or(act.conversation),
            seq,
            time_ms,
            too_late,
        });
    }

    /// Refused for now: changes nothing but when it goes again.
    pub(crate) fn later(&mut self, key: Option<Id>, number: u32, retry_ms: u32, now: u64, random: &mut Random) {
        let key = self.key(key);
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.go_back(number, retry_ms, now, random);
        }
    }

    /// Refused for good. A stop parks what was done after it in the same transaction and opens the next lane.
    pub(crate) fn refused(&mut self, act: &OutboxAct, number: u32, refused: &Refused, turn: &mut Turn<'_>) {
        let key = self.key(act.conversation);
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.answer(number);
        }
        let parked = OutboxState::Parked {
            code: refused.code,
            behind: false,
            stale_seqs: refused.stale_seqs.iter().take(20).copied().collect(),
            assignee_name: refused.assignee_name.clone(),
        };
        self.park(act.id, parked, turn);
        let behind = OutboxState::Parked {
            code: refused.code,
            behind: true,
            stale_seqs: Vec::new(),
            assignee_name: refused.assignee_name.clone(),
        };
        turn.refusals.push(key);
        let refusing = self.refusing(key, &behind);
        refusing.commits += 1;
        refusing.stops |= refused.ends_lane;
        if refused.ends_lane {
            self.park_after(key, act.place, &behind, |_| true, turn);
            if let Some(lane) = self.lanes.get_mut(&key) {
                lane.end();
            }
        } else {
            self.park_after(key, act.place, &behind, waits_for_those_before, turn);
        }
    }

    fn refusing(&mut self, key: LaneKey, behind: &OutboxState) -> &mut Refusing {
        self.refusing.entry(key).or_insert_with(|| Refusing {
            behind: behind.clone(),
            stops: false,
            commits: 0,
        })
    }

    /// The refusal is committed: what is done from now on is done knowing it.
    pub(crate) fn refusal_stored(&mut self, key: LaneKey) {
        if let Some(refusing) = self.refusing.get_mut(&key) {
            refusing.commits = refusing.commits.saturating_sub(1);
            if refusing.commits == 0 {
                self.refusing.remove(&key);
            }
        }
    }

    /// How an act begins that is done now: waiting, or parked with what stands behind a refusal that isn't shown yet.
    pub(crate) fn beginning(&self, key: LaneKey, kind: ActKind) -> OutboxState {
        match self.refusing.get(&key) {
            Some(refusing) if refusing.stops || waits_for_those_before(kind) => refusing.behind.clone(),
            _ if waits_for_those_before(kind) && self.is_to_park(key) => behind_what_is_lost(),
            _ => OutboxState::Waiting,
        }
    }

    /// Its own transaction failed: it is gone, and what must not overtake it waits for the user.
    pub(crate) fn not_stored(&mut self, id: Id, turn: &mut Turn<'_>) -> Option<OutboxAct> {
        let act = self.remove(id)?;
        self.park_closing(self.key(act.conversation), act.place, turn);
        Some(act)
    }

    /// Something done at this place, or at an unknown one (0), is lost: close and transfer after it wait for the user.
    pub(crate) fn park_closing(&mut self, key: LaneKey, place: u64, turn: &mut Turn<'_>) {
        let closing = self.open_after(key, place, waits_for_those_before);
        self.to_park.extend(closing);
        self.park_durable(turn);
    }

    /// Parks what waits for that, but for what isn't durable itself: its own transaction may fail as well.
    pub(crate) fn park_durable(&mut self, turn: &mut Turn<'_>) {
        for id in std::mem::take(&mut self.to_park) {
            let item = self.places.get(&id).and_then(|place| self.items.get(place));
            match item {
                Some(item) if item.durable => {
                    // No answer brings this again.
                    turn.full();
                    let key = self.key(item.act.conversation);
                    self.park(id, behind_what_is_lost(), turn);
                    turn.refusals.push(key);
                    self.refusing(key, &behind_what_is_lost()).commits += 1;
                }
                Some(_) => {
                    self.to_park.insert(id);
                }
                None => {}
            }
        }
    }

    /// Something in this lane is to be parked, and nobody was told yet.
    fn is_to_park(&self, key: LaneKey) -> bool {
        let mut acts = self.to_park.iter().filter_map(|id| self.get(*id));
        acts.any(|act| self.key(act.conversation) == key)
    }

    fn park_after(
        &mut self,
        key: LaneKey,
        place: u64,
        state: &OutboxState,
        which: impl Fn(ActKind) -> bool,
        turn: &mut Turn<'_>,
    ) {
        for id in self.open_after(key, place, which) {
            self.park(id, state.clone(), turn);
        }
    }

    /// Acts of these kinds in a lane that were done after this place and wait for the gateway, in order.
    fn open_after(&self, key: LaneKey, place: u64, which: impl Fn(ActKind) -> bool) -> Vec<Id> {
        let places = self.by_key.get(&key).into_iter();
        let after = places.flat_map(|places| places.range(place + 1..));
        after
            .filter_map(|place| self.items.get(place))
            .filter(|item| item.is_open() && which(item.act.kind))
            .map(|item| item.act.id)
            .collect()
    }

    /// Waits for the user from now on; what was discarded is gone.
    fn park(&mut self, id: Id, state: OutboxState, turn: &mut Turn<'_>) {
        let Some(act) = self.get(id) else { return };
        match act.state {
            OutboxState::Voided => {
                self.remove(id);
                turn.change(Change::Settle(id));
                turn.after(Notice::ActGone { id });
            }
            OutboxState::Waiting => {
                let act = OutboxAct { state, ..act.clone() };
                turn.after(Notice::ActParked(act.clone()));
                self.update(act, turn);
            }
            OutboxState::Parked { .. } | OutboxState::Lost => {}
        }
    }

    /// The user discards: what may have left becomes a void, the rest goes without trace.
    pub(crate) fn discard(&mut self, id: Id, turn: &mut Turn<'_>) {
        let Some(act) = self.get(id).cloned() else { return };
        turn.full();
        if act.state == OutboxState::Waiting {
            let act = OutboxAct {
                state: OutboxState::Voided,
                content: Bytes::new(),
                ..act
            };
            turn.after(Notice::ActGone { id });
            self.update(act.clone(), turn);
            let key = self.key(act.conversation);
            if let Some(lane) = self.lanes.get_mut(&key) {
                lane.void(&act);
            }
        } else if act.state != OutboxState::Voided {
            self.remove(id);
            turn.change(Change::Settle(id));
            turn.after(Notice::ActGone { id });
        }
    }

    /// What the server lost goes again: same id, the last place, its age begun anew.
    pub(crate) fn send_again(&mut self, id: Id, now: u64, turn: &mut Turn<'_>) {
        let lost = self.get(id).filter(|act| act.state == OutboxState::Lost).cloned();
        let Some(act) = lost else { return };
        self.remove(id);
        let act = OutboxAct {
            place: self.next_place(),
            done_ms: now,
            state: self.beginning(self.key(act.conversation), act.kind),
            ..act
        };
        turn.full();
        turn.acts.push(id);
        turn.change(Change::Update(act.clone()));
        turn.tell(Notice::ActTaken(act.clone()));
        if act.state != OutboxState::Waiting {
            turn.after(Notice::ActParked(act.clone()));
        }
        self.put(act, false);
    }

    /// A restored log: bases of what waits or was lost are lowered to what both logs share.
    pub(crate) fn lower_bases(&mut self, which: impl Fn(&OutboxAct) -> bool, shared: u64, turn: &mut Turn<'_>) {
        if planted::has(Fault::BaseNotLowered) {
            return;
        }
        let lowered: Vec<OutboxAct> = self
            .acts()
            .filter(|act| act.base > shared && which(act) && !matches!(act.state, OutboxState::Parked { .. }))
            .map(|act| OutboxAct {
                base: shared,
                ..act.clone()
            })
            .collect();
        for act in lowered {
            self.update(act, turn);
        }
    }

    /// When something must be done if nothing happens.
    pub(crate) fn wake(&self) -> Option<u64> {
        self.lanes.values().filter_map(Lane::wake).min()
    }
}

/// Nobody refused it.
fn behind_what_is_lost() -> OutboxState {
    OutboxState::Parked {
        code: RefusalCode::Unspecified.into(),
        behind: true,
        stale_seqs: Vec::new(),
        assignee_name: String::new(),
    }
}

/// Close and transfer are sent when all before them is settled, and are parked if one of those was refused or lost.
fn waits_for_those_before(kind: ActKind) -> bool {
    matches!(kind, ActKind::Close | ActKind::Transfer) && !planted::has(Fault::CloseOvertakes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(place: u64) -> OutboxAct {
        OutboxAct {
            place,
            id: Id([place as u8; 16]),
            conversation: Some(Id([9; 16])),
            kind: ActKind::Message,
            content: Bytes::new(),
            base: 0,
            done_ms: 0,
            left: true,
            state: OutboxState::Waiting,
        }
    }

    #[test]
    fn what_was_done_in_a_pause_leaves_when_it_ends_though_nothing_else_happens() {
        let key = Some(Id([9; 16]));
        let mut outbox = Outbox::load(vec![act(1), act(2)], 2, false);
        assert_eq!(outbox.leaving(key, 1, 1_000).len(), 1);
        outbox.later(key, 1, 500, 1_010, &mut Random::new(1));
        // Stored all the same: the answer to another sending of it comes before the pause ends.
        outbox.accepted(key, 1);
        outbox.remove(act(1).id);
        assert!(outbox.leaving(key, 1, 1_020).is_empty());
        let wake = outbox.wake().expect("the pause's end is waited for");
        assert_eq!(outbox.leaving(key, 1, wake)[0].act.id, act(2).id);
    }
}
