//! Plays a script with a customer's session; `proto/vectors/exchanges/README.md` says what steps mean.

mod script;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use zuoxi_protocol::change::{OutboxAct, OutboxState, StoredEntry};
use zuoxi_protocol::{Broken, Command, Config, Credential, Input, MemoryDevice, NewAct, Notice, Output, Role, Session};
use zuoxi_wire::Id;
use zuoxi_wire::v1::{
    ActKind, ClientFrame, Entry, EntryKind, Presence, SeqRange, client_frame, gateway_frame, log_in, read_entries,
};

use script::{TALK, id, name, text, words};

/// What is wrong with a step; nothing: it is as it should be.
pub(crate) type Checked = Result<(), String>;

pub(crate) struct Exchange {
    now: u64,
    session: Option<Session>,
    disk: MemoryDevice,
    /// What waits behind a held commit.
    held: Option<VecDeque<Output>>,
    wake: Option<u64>,
    sent: Vec<String>,
    opens: u64,
    closes: u64,
    acked: u64,
    delivered: u64,
    questions: Vec<u32>,
    compare: Option<(u32, Vec<SeqRange>)>,
    log_in: u32,
    wants_open: bool,
    too_late: Vec<String>,
}

impl Exchange {
    pub(crate) fn new() -> Self {
        Self {
            now: 1_000_000,
            session: None,
            disk: MemoryDevice::default(),
            held: None,
            wake: None,
            sent: Vec::new(),
            opens: 0,
            closes: 0,
            acked: 0,
            delivered: 0,
            questions: Vec::new(),
            compare: None,
            log_in: 0,
            wants_open: false,
            too_late: Vec::new(),
        }
    }

    pub(crate) fn step(&mut self, step: &Value) -> Checked {
        let step = step.as_object().unwrap();
        let any_order = step.contains_key("any_order");
        let (name, given) = step.iter().find(|(name, _)| *name != "any_order").unwrap();
        match name.as_str() {
            "start" => self.start(),
            "kill" => (self.session, self.held, self.wants_open, self.wake) = (None, None, false, None),
            "live" => return self.live(given),
            "opened" => self.opened(),
            "hello" => self.tell(0, script::hello(given, self.now)),
            "logged_in" => self.tell(self.log_in, script::logged_in(given, self.now)),
            "cut" => {
                self.wants_open = false;
                self.handle(Input::Disconnected(Broken::Network));
            }
            "write" => self.act(given, ActKind::Message),
            "close" => self.act(given, ActKind::Close),
            "discard" => self.user(Command::Discard { id: id(given) }),
            "send_again" => self.user(Command::SendAgain { id: id(given) }),
            "resend" => self.user(Command::Resend {
                id: id(&given[0]),
                new_id: id(&given[1]),
            }),
            "mark_read" => self.user(Command::MarkRead {
                conversation: TALK,
                seq: given.as_u64().unwrap(),
            }),
            "hold" => self.held = Some(VecDeque::new()),
            "commit" => {
                let held = self.held.take().unwrap_or_default();
                self.perform(held);
            }
            "wait" => self.wait(given.as_u64().unwrap()),
            "sent" => return self.look(given, any_order),
            "opens" => return counted(std::mem::take(&mut self.opens), given),
            "closes" => return counted(std::mem::take(&mut self.closes), given),
            "state" => return self.compare_state(given),
            "page" => {
                let question = given["question"]
                    .as_u64()
                    .map_or(self.questions.len(), |nth| nth as usize);
                let request = question.checked_sub(1).map_or(0, |at| self.questions[at]);
                self.tell(request, script::page(given));
            }
            "compared" => {
                let (request, ranges) = self.compare.clone().unwrap();
                self.tell(request, script::compared(given, &ranges));
            }
            "not_found" => {
                let (request, _) = self.compare.clone().unwrap();
                self.tell(request, script::not_found());
            }
            other => self.tell(0, script::frame(other, given, self.now)),
        }
        Ok(())
    }

    // ---- the client ---------------------------------------------------------------------------------------------

    fn start(&mut self) {
        let config = Config {
            role: Role::Customer,
            device: Id([3; 16]),
            software: "exchange".into(),
            language: "en".into(),
            codecs: Vec::new(),
            visit: None,
            presence: Presence::Unspecified,
            seed: 7,
        };
        let loaded = self.disk.load();
        let known = loaded.values.contains_key("session");
        self.session = Some(Session::load(config, loaded, self.now));
        if known {
            self.handle(Input::Tick);
        } else {
            let credential = Credential::Visitor { brand: "b".into() };
            self.user(Command::LogIn {
                credential,
                remember: true,
            });
        }
    }

    fn user(&mut self, command: Command) {
        self.handle(Input::User(command));
    }

    fn act(&mut self, given: &Value, kind: ActKind) {
        let content = match kind {
            ActKind::Message => words(given.as_str().unwrap()),
            _ => bytes::Bytes::new(),
        };
        self.user(Command::Act(NewAct {
            id: id(given),
            conversation: None,
            kind,
            content,
            draft: None,
        }));
    }

    fn handle(&mut self, input: Input) {
        let doing = self.outputs(input);
        self.perform(doing);
    }

    fn outputs(&mut self, input: Input) -> VecDeque<Output> {
        let mut out = Vec::new();
        if let Some(session) = &mut self.session {
            session.handle(self.now, input, &mut out);
        }
        out.into()
    }

    /// In order; a commit's consequences come after what was asked for beside it.
    fn perform(&mut self, mut queue: VecDeque<Output>) {
        while let Some(output) = queue.pop_front() {
            match (output, &mut self.held) {
                (output @ (Output::Read { .. } | Output::Commit(_)), Some(held)) => held.push_back(output),
                (Output::Read { ticket, question }, None) => {
                    let answer = Some(self.disk.answer(&question));
                    queue.extend(self.outputs(Input::Read { ticket, answer }));
                }
                (Output::Commit(transaction), None) => {
                    let token = transaction.token;
                    self.disk.commit(transaction);
                    queue.extend(self.outputs(Input::Committed { token }));
                }
                (output, _) => self.output(output),
            }
        }
    }

    fn output(&mut self, output: Output) {
        match output {
            Output::Connect => (self.opens, self.wants_open) = (self.opens + 1, true),
            Output::Close => self.closes += 1,
            Output::Send(frame) => self.leave(frame),
            Output::WakeAt(at) => self.wake = Some(at),
            Output::Notice(Notice::ActSettled { id, too_late: true, .. }) => self.too_late.push(name(&id.0)),
            _ => {}
        }
    }

    fn wait(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some(at) = self.wake.filter(|at| *at <= end) {
            self.wake = None;
            self.now = self.now.max(at);
            self.handle(Input::Tick);
        }
        self.now = end;
    }

    // ---- what leaves --------------------------------------------------------------------------------------------

    fn leave(&mut self, frame: ClientFrame) {
        if let Some(ack) = &frame.ack {
            self.acked = self.acked.max(ack.push);
            for watermark in &ack.watermarks {
                self.delivered = self.delivered.max(watermark.seq);
            }
        }
        match frame.kind {
            Some(client_frame::Kind::LogIn(told)) => {
                self.log_in = frame.request;
                let credential = match told.credential {
                    Some(log_in::Credential::Session(_)) => "session",
                    Some(log_in::Credential::Visitor(_)) => "visitor",
                    _ => "something else",
                };
                self.sent.push(format!("log_in {credential}"));
            }
            Some(client_frame::Kind::Acts(acts)) => {
                for act in acts.acts {
                    let what = match act.kind() {
                        ActKind::Void => " void",
                        ActKind::Close => " close",
                        _ => "",
                    };
                    let (lane, number) = (act.lane, act.number);
                    self.sent.push(format!("act {} {lane}/{number}{what}", name(&act.id)));
                }
            }
            Some(client_frame::Kind::ReadEntries(read)) => {
                self.questions.push(frame.request);
                self.sent.push(match read.what {
                    Some(read_entries::What::Range(range)) => format!("read {}-{}", range.first, range.last),
                    _ => "read newest".into(),
                });
            }
            Some(client_frame::Kind::Compare(compare)) => {
                self.compare = Some((frame.request, compare.ranges));
                self.sent.push("compare".into());
            }
            Some(client_frame::Kind::MovePosition(moved)) => self.sent.push(format!("position {}", moved.read)),
            _ => {}
        }
    }

    fn look(&mut self, expected: &Value, any_order: bool) -> Checked {
        let mut sent = std::mem::take(&mut self.sent);
        let mut expected: Vec<String> = serde_json::from_value(expected.clone()).unwrap();
        if any_order {
            sent.sort();
            expected.sort();
        }
        same(&json!(sent), &json!(expected))
    }

    // ---- what is committed --------------------------------------------------------------------------------------

    fn compare_state(&self, expected: &Value) -> Checked {
        let expected = expected.as_object().unwrap();
        let loaded = self.disk.load();
        let log = loaded.logs.get(&TALK).cloned().unwrap_or_default();
        let covered = |seq: u64| {
            log.covered
                .iter()
                .any(|range| (range.first..=range.last).contains(&seq))
        };
        let stored: Vec<&StoredEntry> = self.disk.entries(TALK).collect();
        let entries: BTreeMap<String, Option<String>> = stored
            .iter()
            .filter(|entry| covered(entry.seq))
            .map(|entry| (entry.seq.to_string(), said(entry)))
            .collect();
        let named = |acts: &[OutboxAct], value: &dyn Fn(&OutboxAct) -> Value| -> Value {
            let named = acts.iter().map(|act| (name(&act.id.0), value(act)));
            Value::Object(named.collect())
        };
        let mut bases = named(&loaded.outbox, &|act| json!(act.base));
        if let (Some(wanted), Some(bases)) = (expected.get("bases"), bases.as_object_mut()) {
            bases.retain(|name, _| wanted.get(name).is_some());
        }
        let ends = (
            stored.first().map(|entry| entry.seq),
            stored.last().map(|entry| entry.seq),
        );
        let state = json!({
            "covered": log.covered.iter().map(|range| [range.first, range.last]).collect::<Vec<_>>(),
            "head": log.head,
            "floor": log.floor,
            "entries": entries,
            "stored": ends,
            "outbox": named(&loaded.outbox, &|act| json!(standing(&act.state))),
            "bases": bases,
            "too_late": self.too_late,
            "read": log.read,
            "acked": self.acked,
            "delivered": self.delivered,
        });
        for (name, wanted) in expected {
            same(&state[name], wanted).map_err(|wrong| format!("{name}: {wrong}"))?;
        }
        Ok(())
    }

    // ---- the gateway --------------------------------------------------------------------------------------------

    fn tell(&mut self, request: u32, kind: gateway_frame::Kind) {
        let kind = Some(kind);
        self.handle(Input::Frame(zuoxi_wire::v1::GatewayFrame { request, kind }));
    }

    fn live(&mut self, told: &Value) -> Checked {
        if self.session.is_none() {
            self.start();
        }
        let mut waited = 0;
        while !self.wants_open && waited < 60_000 {
            self.wait(100);
            waited += 100;
        }
        if !self.wants_open {
            return Err("it doesn't open a connection".into());
        }
        self.opened();
        self.tell(0, script::hello(told, self.now));
        self.sent.retain(|frame| !frame.starts_with("log_in"));
        self.tell(self.log_in, script::logged_in(told, self.now));
        Ok(())
    }

    fn opened(&mut self) {
        self.wants_open = false;
        (self.acked, self.delivered) = (0, 0);
        self.questions.clear();
        self.handle(Input::Connected);
    }
}

fn said(stored: &StoredEntry) -> Option<String> {
    let entry: Entry = prost::Message::decode(stored.bytes.clone()).unwrap();
    (entry.kind() == EntryKind::Message && !entry.erased).then(|| text(&entry.content))
}

fn standing(state: &OutboxState) -> &'static str {
    match state {
        OutboxState::Waiting => "waiting",
        OutboxState::Voided => "voided",
        OutboxState::Parked { behind: true, .. } => "parked behind",
        OutboxState::Parked { .. } => "parked",
        OutboxState::Lost => "lost",
    }
}

fn counted(found: u64, expected: &Value) -> Checked {
    if expected == "some" && found > 0 {
        return Ok(());
    }
    same(&json!(found), expected)
}

fn same(found: &Value, expected: &Value) -> Checked {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found} instead of {expected}"))
    }
}
