//! A headless desk as a process: the engine as the shell has it, and an agent who writes without pause.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::mpsc;
use zuoxi_engine::net::{Proxies, WebSocketTransport};
use zuoxi_engine::store::Keyring;
use zuoxi_engine::timeline::replay;
use zuoxi_engine::view::{
    DeskEvent, DraftView, InboxTab, InboxView, Mark, RowBody, SyncView, TimelineDelta, TimelineRow, TimelineView,
};
use zuoxi_engine::{Engine, EngineConfig, Surroundings, SystemEvent, WindowId};
use zuoxi_wire::Id;

use crate::Outcome;
use crate::key_file::KeyFiles;
use crate::seen::{self, Fact, Seen};
use crate::status::{Order, Status, Teller};

/// Rows that the desk's one window shows of each conversation: what is unsettled stands at its end.
const ROWS: u32 = 300;

/// How a client process is started.
#[derive(Debug, Clone, clap::Args)]
pub struct Client {
    /// Folder of its data.
    #[arg(long)]
    pub data: PathBuf,
    /// File of what it saw.
    #[arg(long)]
    pub seen: PathBuf,
    /// Address of the gateway.
    #[arg(long)]
    pub gateway: String,
    /// Log-in name of an agent; the brand's key for a customer.
    #[arg(long)]
    pub name: String,
    /// Mean milliseconds between two acts.
    #[arg(long)]
    pub pace_ms: u64,
    /// Own acts that may wait for their answer before it pauses.
    #[arg(long)]
    pub window: usize,
    /// For what it does.
    #[arg(long)]
    pub seed: u64,
    /// Says nothing of its own.
    #[arg(long)]
    pub quiet: bool,
}

/// Lives until it is told to end, or killed.
///
/// # Errors
/// Its data can't be opened.
pub async fn live(client: Client, password: &str) -> Outcome {
    let mut desk = Desk::open(client).await?;
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    let login = desk.log_in(password.to_owned());
    tokio::pin!(login);
    let mut logging_in = true;
    let mut report = tokio::time::interval(Duration::from_millis(50));
    let mut next = tokio::time::Instant::now();
    loop {
        tokio::select! {
            failed = &mut login, if logging_in => {
                logging_in = false;
                failed?;
                desk.engine.observe_inbox(&desk.window, InboxTab::Mine, 0, 200).await?;
            }
            events = desk.incoming.recv() => {
                let Some(events) = events else { return Err("the engine is gone".into()) };
                for event in events {
                    desk.hear(event).await;
                }
                desk.answer_parked().await;
            }
            _ = report.tick() => {
                // A full disk: what was seen is written later.
                let _ = desk.seen.sync();
                desk.teller.tell(desk.status);
            }
            () = tokio::time::sleep_until(next) => {
                next = tokio::time::Instant::now() + desk.pause();
                desk.talk().await;
            }
            line = orders.next_line() => match Order::read(line.ok().flatten().as_deref()) {
                Order::Quiet => desk.client.quiet = true,
                Order::Network => desk.engine.system_event(SystemEvent::NetworkChanged).await,
                Order::End => return Ok(()),
            },
        }
    }
}

/// An own act as far as it is known.
#[derive(Default, Clone, Copy)]
struct Known {
    clock: bool,
    over: bool,
}

struct Desk {
    client: Client,
    engine: Engine,
    window: WindowId,
    incoming: mpsc::Receiver<Vec<DeskEvent>>,
    seen: Seen,
    teller: Teller,
    status: Status,
    random: fastrand::Rng,
    /// The list as it was told last.
    inbox: Option<InboxView>,
    mine: BTreeSet<String>,
    timelines: BTreeMap<String, TimelineView>,
    own: BTreeMap<Id, Known>,
    /// Those of this process that have no answer yet.
    flying: BTreeSet<Id>,
    /// Own messages that have a Seq, for recalls.
    said: Vec<(String, Id)>,
    /// Parked ones to be discarded.
    parked: Vec<(String, String)>,
}

impl Desk {
    async fn open(client: Client) -> Outcome<Self> {
        let mut own: BTreeMap<Id, Known> = BTreeMap::new();
        let facts = seen::read(&client.seen)?;
        // Another start does other things.
        let random = fastrand::Rng::with_seed(client.seed ^ facts.len() as u64);
        for fact in facts {
            match fact {
                Fact::Do { id, .. } => drop(own.entry(id).or_default()),
                Fact::Clock(id) => own.entry(id).or_default().clock = true,
                Fact::Tick { id, .. } | Fact::Parked { id, .. } | Fact::Back(id) | Fact::Lost(id) => {
                    own.entry(id).or_default().over = true;
                }
                Fact::Start => {}
            }
        }
        let mut seen = Seen::open(&client.seen)?;
        seen.tell(&Fact::Start);
        let _ = seen.sync();
        let mut surroundings = Surroundings::system(Arc::new(|_| 480));
        surroundings.transport = Arc::new(WebSocketTransport::new(Proxies::none()));
        let keyring: Arc<dyn Keyring> = Arc::new(KeyFiles::new(&client.data.join("keys"))?);
        let engine = Engine::open(EngineConfig {
            data_dir: client.data.clone(),
            software: "torture".into(),
            language: "zh-CN".into(),
            keyring,
            surroundings,
        })?;
        let window = WindowId("main".into());
        let incoming = engine.attach(window.clone()).await?;
        Ok(Self {
            random,
            client,
            engine,
            window,
            incoming,
            seen,
            teller: Teller::default(),
            status: Status::default(),
            inbox: None,
            mine: BTreeSet::new(),
            timelines: BTreeMap::new(),
            own,
            flying: BTreeSet::new(),
            said: Vec::new(),
            parked: Vec::new(),
        })
    }

    /// Logs in where no session is remembered. Apart from the desk, so that it goes on hearing meanwhile.
    fn log_in(&self, password: String) -> impl Future<Output = Outcome> + use<> {
        let (engine, client) = (self.engine.clone(), self.client.clone());
        async move {
            let start = engine.start().await?;
            if let Some(trouble) = start.trouble {
                return Err(format!("the account can't be opened: {}", trouble.error).into());
            }
            if start.me.is_some() {
                return Ok(());
            }
            while let Err(error) = engine.log_in(&client.gateway, &client.name, &password, true).await {
                match error.code.as_str() {
                    "network" | "not_a_gateway" | "crowded" => {}
                    _ => return Err(format!("no log-in: {error}").into()),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(())
        }
    }

    fn pause(&mut self) -> Duration {
        let mean = self.client.pace_ms.max(1);
        Duration::from_millis(self.random.u64(mean / 2..=mean + mean / 2))
    }

    async fn talk(&mut self) {
        let waiting = self.flying.len().max(self.status.waiting as usize);
        if self.client.quiet || waiting >= self.client.window || self.mine.is_empty() {
            return;
        }
        let Some(conversation) = self.random.choice(self.mine.iter()).cloned() else {
            return;
        };
        let draw = self.random.u32(..1_000);
        match draw {
            0..30 if !self.said.is_empty() => {
                let at = self.random.usize(..self.said.len());
                let (conversation, message) = self.said.swap_remove(at);
                // One that isn't there any more isn't recalled.
                let _ = self.engine.recall(&conversation, &message.to_string()).await;
            }
            30..33 => {
                let _ = self.engine.close(&conversation).await;
            }
            _ => self.write(&conversation, draw >= 850).await,
        }
    }

    async fn write(&mut self, conversation: &str, note: bool) {
        let Ok(place) = conversation.parse() else { return };
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        let id = Id::v7(now_ms(), mix(bytes, now_ms()));
        self.seen.tell(&Fact::Do {
            id,
            conversation: Some(place),
        });
        if self.seen.sync().is_err() {
            return;
        }
        self.own.insert(id, Known::default());
        self.flying.insert(id);
        let text = format!("好的，马上帮您看 {id}");
        let done = if note {
            self.engine.write_note(conversation, &id.to_string(), text).await
        } else {
            self.engine.send_message(conversation, &id.to_string(), text).await
        };
        if done.is_err() {
            self.flying.remove(&id);
        }
    }

    async fn hear(&mut self, event: DeskEvent) {
        match event {
            DeskEvent::Inbox { delta } => {
                let Some(view) = delta.onto(self.inbox.as_ref()) else {
                    eprintln!("a list speaks of a row that wasn't told");
                    std::process::exit(3);
                };
                self.see_inbox(&view).await;
                self.inbox = Some(view);
            }
            DeskEvent::Timeline { conversation, deltas } => {
                for delta in deltas {
                    self.see_rows(&conversation, &delta);
                    let view = self.timelines.entry(conversation.clone()).or_insert_with(nothing);
                    replay(view, &delta);
                }
                self.follow(&conversation).await;
            }
            DeskEvent::Sync {
                sync, waiting, parked, ..
            } => {
                self.status = Status {
                    online: !matches!(sync, SyncView::Offline { .. }),
                    up_to_date: matches!(sync, SyncView::UpToDate { .. }),
                    waiting,
                    parked,
                };
            }
            DeskEvent::PutBack { conversation, text, .. } => {
                if let Some(id) = text.rsplit(' ').next().and_then(|id| id.parse().ok()) {
                    self.own.entry(id).or_default().over = true;
                    self.flying.remove(&id);
                    self.seen.tell(&Fact::Back(id));
                }
                // Nobody types here: the composer is emptied, so that the next one put back stands alone.
                let empty = DraftView::default();
                let _ = self.engine.save_draft(&self.window, &conversation, empty).await;
            }
            DeskEvent::SessionEnded { reason } => {
                eprintln!("the session ended: {reason}");
                std::process::exit(3);
            }
            _ => {}
        }
    }

    async fn see_inbox(&mut self, view: &InboxView) {
        let mine: BTreeSet<String> = view.rows.iter().map(|row| row.conversation.clone()).collect();
        for gone in self.mine.difference(&mine) {
            let _ = self.engine.unobserve_timeline(&self.window, gone).await;
            self.timelines.remove(gone);
        }
        for new in mine.difference(&self.mine) {
            let _ = self.engine.observe_timeline(&self.window, new, -1, ROWS).await;
        }
        self.mine = mine;
    }

    /// The window stays at the end, and what came is read.
    async fn follow(&mut self, conversation: &str) {
        let Some(view) = self.timelines.get(conversation) else {
            return;
        };
        let shown = view.from + u64::from(ROWS);
        let last = view.rows.iter().rev().find_map(|row| row.seq);
        if view.total + 40 > shown {
            let from = view.total.saturating_sub(u64::from(ROWS) / 2) as i64;
            let _ = self
                .engine
                .observe_timeline(&self.window, conversation, from, ROWS)
                .await;
        }
        if let Some(last) = last
            && self.random.u32(..20) == 0
        {
            let _ = self.engine.mark_read(conversation, last).await;
        }
    }

    fn see_rows(&mut self, conversation: &str, delta: &TimelineDelta) {
        match delta {
            TimelineDelta::Reset { view } => view.rows.iter().for_each(|row| self.see_row(conversation, row)),
            TimelineDelta::Insert { rows, .. } => rows.iter().for_each(|row| self.see_row(conversation, row)),
            TimelineDelta::Update { row, .. } | TimelineDelta::Move { row, .. } => self.see_row(conversation, row),
            TimelineDelta::Remove { .. } | TimelineDelta::Bounds { .. } => {}
        }
    }

    fn see_row(&mut self, conversation: &str, row: &TimelineRow) {
        let words = matches!(
            row.body,
            RowBody::Message { .. } | RowBody::Note { .. } | RowBody::Recalled { .. }
        );
        let (true, true, Ok(id)) = (row.mine, words, row.key.parse::<Id>()) else {
            return;
        };
        let Some(mark) = row.mark else { return };
        // Another desk of the same agent wrote it, if this one doesn't know it: it isn't this one's to tell of.
        let Some(known) = self.own.get_mut(&id) else { return };
        let before = *known;
        if mark != Mark::Writing && !before.clock {
            known.clock = true;
            self.seen.tell(&Fact::Clock(id));
        }
        if mark == Mark::NotSent {
            self.parked.push((conversation.to_owned(), row.key.clone()));
        }
        if before.over {
            return;
        }
        let fact = match mark {
            Mark::Writing | Mark::Sending | Mark::WaitingForNetwork | Mark::Overdue => return,
            Mark::Sent | Mark::Delivered | Mark::Read => {
                let Some(seq) = row.seq else { return };
                self.said.push((conversation.to_owned(), id));
                Fact::Tick { id, seq }
            }
            Mark::NotSent => {
                let code = row.refusal.as_ref().map_or("none", |refusal| &refusal.code);
                Fact::Parked {
                    id,
                    code: code.to_owned(),
                }
            }
            Mark::Lost => Fact::Lost(id),
        };
        known.over = true;
        self.flying.remove(&id);
        self.seen.tell(&fact);
    }

    /// The agent lets go what was refused.
    async fn answer_parked(&mut self) {
        for (conversation, message) in std::mem::take(&mut self.parked) {
            // What was seen stands on disk before the row goes.
            let _ = self.seen.sync();
            let _ = self.engine.discard(&conversation, &message).await;
        }
    }
}

fn nothing() -> TimelineView {
    TimelineView {
        conversation: String::new(),
        total: 0,
        floor: 1,
        from: 0,
        rows: Vec::new(),
        first_unread: None,
        customer_read: 0,
        watched: false,
    }
}

/// Milliseconds UTC.
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_millis() as u64
}

/// Random bytes that another start of the same seed doesn't draw again.
pub(crate) fn mix(mut bytes: [u8; 10], salt: u64) -> [u8; 10] {
    let salt = salt ^ u64::from(std::process::id()) << 40;
    for (byte, more) in bytes.iter_mut().zip(salt.to_be_bytes()) {
        *byte ^= more;
    }
    bytes
}
