//! What becomes of an act that the device's own disk doesn't take, and of what was done after it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

mod world;

use bytes::Bytes;
use world::{World, words};
use zuoxi_protocol::change::OutboxState;
use zuoxi_protocol::{Command, Input, NewAct, Notice, Output, StoreFailure};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    Act, ActKind, Answer, Answers, GatewayFrame, RefusalCode, Refused, Status, answer, client_frame, gateway_frame,
};

fn write(world: &mut World, device: usize, talk: Id, text: &str) -> (Id, Vec<Output>) {
    let id = world.new_id();
    let new = NewAct {
        id,
        conversation: Some(talk),
        kind: ActKind::Message,
        content: words(text),
        draft: None,
    };
    (id, world.handle(device, Input::User(Command::Act(new))))
}

fn token(out: &[Output]) -> u64 {
    let commit = |output: &Output| match output {
        Output::Commit(transaction) => Some(transaction.token),
        _ => None,
    };
    out.iter().find_map(commit).expect("a transaction")
}

fn sent(out: &[Output]) -> Vec<Act> {
    let acts = |output: &Output| match output {
        Output::Send(frame) => match &frame.kind {
            Some(client_frame::Kind::Acts(acts)) => acts.acts.clone(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    out.iter().flat_map(acts).collect()
}

fn fails(token: u64) -> Input {
    Input::CommitFailed {
        token,
        why: StoreFailure::Full,
    }
}

fn parked(out: &[Output]) -> Vec<Id> {
    let parked = |output: &Output| match output {
        Output::Notice(Notice::ActParked(act)) => Some(act.id),
        _ => None,
    };
    out.iter().filter_map(parked).collect()
}

#[test]
fn an_act_done_behind_a_refusal_that_is_not_stored_leaves_no_parked_one_behind() {
    let (mut world, amy, _, talk) = World::served(1);
    let (first, out) = write(&mut world, amy, talk, "在的");
    let out = world.handle(amy, Input::Committed { token: token(&out) });
    let act = sent(&out).pop().expect("it leaves");
    let refused = Refused {
        code: RefusalCode::Taken.into(),
        ends_lane: true,
        ..Refused::default()
    };
    let answer = Answer {
        conversation: act.conversation.clone(),
        lane: act.lane,
        number: act.number,
        id: act.id.clone(),
        result: Some(answer::Result::Refused(refused)),
    };
    let answers = gateway_frame::Kind::Answers(Answers { answers: vec![answer] });
    let frame = GatewayFrame {
        request: 0,
        kind: Some(answers),
    };
    let refusal = token(&world.handle(amy, Input::Frame(frame)));
    // Nobody has seen the refusal yet: this waits for the user as well, if it is stored.
    let (second, out) = write(&mut world, amy, talk, "还在吗");
    let out = world.handle(amy, fails(token(&out)));
    let gone = |output: &Output| matches!(output, Output::Notice(Notice::ActNotStored { act, .. }) if act.id == second);
    assert!(out.iter().any(gone));
    assert_eq!(parked(&out), []);
    assert_eq!(parked(&world.handle(amy, Input::Committed { token: refusal })), [first]);
    assert!(world.session(amy).outbox().all(|act| act.id != second));
}

#[test]
fn a_close_does_not_overtake_words_that_could_not_be_stored() {
    let (mut world, amy, _, talk) = World::served(2);
    world.devices[amy].disk_full = true;
    world.say(amy, Some(talk), "还有一件事");
    let close = world.act(amy, Some(talk), ActKind::Close, Bytes::new());
    world.run(20_000);
    assert_eq!(world.row(talk).status, Status::Open);
    let waits =
        |act: &&zuoxi_protocol::change::OutboxAct| matches!(act.state, OutboxState::Parked { behind: true, .. });
    let waiting: Vec<Id> = world.session(amy).outbox().filter(waits).map(|act| act.id).collect();
    assert_eq!(waiting, [close]);
    // It is stored so.
    world.kill(amy);
    world.run(20_000);
    assert_eq!(world.row(talk).status, Status::Open);
    let id = world.new_id();
    world.user(amy, Command::Resend { id: close, new_id: id });
    world.run(20_000);
    assert_eq!(world.row(talk).status, Status::Closed);
}

#[test]
fn a_close_that_could_not_be_stored_either_costs_nothing_more() {
    let (mut world, amy, _, talk) = World::served(3);
    let (_, words) = write(&mut world, amy, talk, "还有一件事");
    let new = NewAct {
        id: world.new_id(),
        conversation: Some(talk),
        kind: ActKind::Close,
        content: Bytes::new(),
        draft: None,
    };
    let close = world.handle(amy, Input::User(Command::Act(new)));
    for failed in [words, close] {
        let out = world.handle(amy, fails(token(&failed)));
        let more = |output: &&Output| matches!(output, Output::Commit(_) | Output::Reload | Output::Send(_));
        assert_eq!(out.iter().filter(more).count(), 0, "{out:?}");
    }
    assert_eq!(world.session(amy).outbox().count(), 0);
}

#[test]
fn what_was_done_after_words_that_could_not_be_stored_goes_at_once() {
    let (mut world, amy, _, talk) = World::served(4);
    let (_, first) = write(&mut world, amy, talk, "一");
    let (second, out) = write(&mut world, amy, talk, "二");
    let out = world.handle(amy, Input::Committed { token: token(&out) });
    assert_eq!(sent(&out).len(), 0, "what was done before it isn't stored yet");
    let out = world.handle(amy, fails(token(&first)));
    let ids: Vec<_> = sent(&out).into_iter().map(|act| act.id).collect();
    assert_eq!(ids, [second.to_bytes()]);
}

#[test]
fn a_close_does_not_overtake_what_was_lost_with_the_session_before() {
    let (mut world, amy, _, talk) = World::served(5);
    world.break_connection(amy);
    let close = world.act(amy, Some(talk), ActKind::Close, Bytes::new());
    world.run(50);
    let place = world.session(amy).outbox().next().expect("it is stored").place;
    world.kill(amy);
    let conversation = Some(talk);
    let after = place - 1;
    world.user(amy, Command::ParkClosing { conversation, after });
    world.run(20_000);
    assert_eq!(world.row(talk).status, Status::Open);
    assert_eq!(
        world.session(amy).outbox().map(|act| act.id).collect::<Vec<_>>(),
        [close]
    );
}
