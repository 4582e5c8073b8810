//! An agent without a screen: the engine as the shell has it, and somebody who answers whoever waits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use zuoxi_engine::net::{Proxies, WebSocketTransport};
use zuoxi_engine::store::{Keyring, MemoryKeyring};
use zuoxi_engine::view::{
    DeskEvent, InboxRow, InboxTab, InboxView, Mark, StatusView, SyncView, TimelineDelta, TimelineRow,
};
use zuoxi_engine::{Engine, EngineConfig, Surroundings, WindowId};

use crate::checker::{self, Cache, Id, Numbers, Seen};
use crate::desk::{PATIENCE, Told};
use crate::gateway::PASSWORD;

/// Between two answers.
const PACE: Duration = Duration::from_millis(150);
/// Every so manieth answer a note goes before it, and a conversation is closed after it.
const NOTE_EVERY: u32 = 5;
const CLOSE_EVERY: u32 = 40;
/// After so long without an event nothing more is about to be told.
const SILENCE: Duration = Duration::from_millis(800);
/// Rows of a timeline that are observed: enough that an own message is seen with its mark.
const ROWS: u32 = 60;

/// What a colleague saw and left behind.
pub(super) struct ColleagueSaw {
    /// Log-in name.
    pub(super) login: String,
    /// Own messages and notes with a tick.
    pub(super) acknowledged: Vec<Seen>,
    /// Those that can't be sent: written after a close that was on its way.
    pub(super) refused: BTreeSet<Id>,
    /// Own messages and notes in all.
    pub(super) written: Vec<Id>,
    data: PathBuf,
    keyring: Arc<dyn Keyring>,
}

impl ColleagueSaw {
    /// Own messages and notes that wore neither a tick nor were refused.
    pub(super) fn without_answer(&self) -> Vec<&Id> {
        let ticked: BTreeSet<&Id> = self.acknowledged.iter().map(|seen| &seen.id).collect();
        let answered = |id: &&Id| ticked.contains(id) || self.refused.contains(*id);
        self.written.iter().filter(|id| !answered(id)).collect()
    }

    /// The cache, read from outside.
    ///
    /// # Errors
    /// The database's.
    pub(super) fn cache(&self) -> Told<Cache> {
        Cache::read(&self.data, &|name| secret(self.keyring.as_ref(), name))
    }
}

/// A cache's key from a keyring.
///
/// # Errors
/// It has none.
pub fn secret(keyring: &dyn Keyring, name: &str) -> Told<Vec<u8>> {
    let key = keyring.read(name)?.ok_or("the keyring has no key of this cache")?;
    Ok(key.to_vec())
}

/// At work.
pub(super) struct Colleague {
    login: String,
    stop: oneshot::Sender<()>,
    working: JoinHandle<Told<ColleagueSaw>>,
}

impl Colleague {
    /// Logs in and begins to answer.
    ///
    /// # Errors
    /// The engine's.
    pub(super) async fn start(data: &Path, gateway: &str, login: &str) -> Told<Self> {
        let mut worker = Worker::log_in(data, gateway, login).await?;
        let (stop, stopped) = oneshot::channel();
        let working = tokio::spawn(async move {
            worker.work(stopped).await?;
            worker.settle().await?;
            worker.engine.stop().await?;
            Ok(worker.saw())
        });
        Ok(Self {
            login: login.to_owned(),
            stop,
            working,
        })
    }

    /// Stops answering, waits until everything is settled and here, and ends.
    ///
    /// # Errors
    /// It didn't come to that.
    pub(super) async fn end(self) -> Told<ColleagueSaw> {
        // One that has failed is heard of below.
        let _ = self.stop.send(());
        let saw = self.working.await?;
        saw.map_err(|error| format!("{}: {error}", self.login).into())
    }
}

struct Worker {
    login: String,
    data: PathBuf,
    keyring: Arc<dyn Keyring>,
    engine: Engine,
    window: WindowId,
    incoming: mpsc::Receiver<Vec<DeskEvent>>,
    /// The list as it was told last.
    inbox: Option<InboxView>,
    /// Its rows, as far as they aren't answered since.
    rows: BTreeMap<String, InboxRow>,
    observed: BTreeSet<String>,
    sync: Option<(SyncView, u32)>,
    acknowledged: BTreeMap<String, (String, u64)>,
    refused: BTreeSet<Id>,
    answers: u32,
    written: Vec<Id>,
    random: fastrand::Rng,
}

impl Worker {
    async fn log_in(data: &Path, gateway: &str, login: &str) -> Told<Self> {
        let keyring: Arc<dyn Keyring> = Arc::new(MemoryKeyring::default());
        let mut surroundings = Surroundings::system(Arc::new(|_| 480));
        surroundings.transport = Arc::new(WebSocketTransport::new(Proxies::none()));
        let engine = Engine::open(EngineConfig {
            data_dir: data.to_owned(),
            software: "headless".into(),
            language: "zh-CN".into(),
            keyring: keyring.clone(),
            surroundings,
        })?;
        let window = WindowId("main".into());
        let incoming = engine.attach(window.clone()).await?;
        engine.log_in(gateway, login, PASSWORD, true).await?;
        engine.observe_inbox(&window, InboxTab::Mine, 0, 500).await?;
        Ok(Self {
            login: login.to_owned(),
            data: data.to_owned(),
            keyring,
            engine,
            window,
            incoming,
            inbox: None,
            rows: BTreeMap::new(),
            observed: BTreeSet::new(),
            sync: None,
            acknowledged: BTreeMap::new(),
            refused: BTreeSet::new(),
            answers: 0,
            written: Vec::new(),
            random: fastrand::Rng::new(),
        })
    }

    /// Answers until it is told to stop.
    async fn work(&mut self, mut stopped: oneshot::Receiver<()>) -> Told {
        let mut pace = tokio::time::interval(PACE);
        loop {
            tokio::select! {
                _ = &mut stopped => return Ok(()),
                events = self.incoming.recv() => self.hear(events.ok_or("the engine is gone")?)?,
                _ = pace.tick() => self.answer().await?,
            }
        }
    }

    async fn answer(&mut self) -> Told {
        let unobserved: Vec<String> = self
            .rows
            .keys()
            .filter(|row| !self.observed.contains(*row))
            .cloned()
            .collect();
        for conversation in unobserved {
            self.engine
                .observe_timeline(&self.window, &conversation, -1, ROWS)
                .await?;
            self.observed.insert(conversation);
        }
        let waiting = self
            .rows
            .values()
            .filter(|row| row.status == StatusView::Open && row.mine);
        let longest = waiting
            .filter_map(|row| Some((row.waiting?.since_ms, row.conversation.clone())))
            .min();
        let Some((_, conversation)) = longest else {
            return Ok(());
        };
        self.answers += 1;
        let turn = self.answers;
        if turn.is_multiple_of(NOTE_EVERY) {
            let note = format!("备注 {turn}");
            let id = self.fresh_id();
            self.engine.write_note(&conversation, &id, note).await?;
        }
        let id = self.fresh_id();
        self.engine
            .send_message(&conversation, &id, format!("第 {turn} 次回复：好的，马上处理。"))
            .await?;
        if turn.is_multiple_of(CLOSE_EVERY) {
            self.engine.close(&conversation).await?;
        }
        // Until its row comes anew, nobody waits there.
        if let Some(row) = self.rows.get_mut(&conversation) {
            row.waiting = None;
        }
        Ok(())
    }

    fn fresh_id(&mut self) -> String {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        let mut random = [0; 10];
        self.random.fill(&mut random);
        let id = zuoxi_wire::Id::v7(now.as_millis() as u64, random).to_string();
        self.written.push(checker::id(&id));
        id
    }

    fn hear(&mut self, events: Vec<DeskEvent>) -> Told {
        for event in events {
            match event {
                DeskEvent::Inbox { delta } => {
                    let view = delta
                        .onto(self.inbox.as_ref())
                        .ok_or("a list speaks of a row that wasn't told")?;
                    self.rows = view
                        .rows
                        .iter()
                        .map(|row| (row.conversation.clone(), row.clone()))
                        .collect();
                    self.inbox = Some(view);
                }
                DeskEvent::Sync { sync, waiting, .. } => self.sync = Some((sync, waiting)),
                DeskEvent::Timeline { conversation, deltas } => {
                    for delta in &deltas {
                        self.look(&conversation, delta);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn look(&mut self, conversation: &str, delta: &TimelineDelta) {
        let rows: &[TimelineRow] = match delta {
            TimelineDelta::Reset { view } => &view.rows,
            TimelineDelta::Insert { rows, .. } => rows,
            TimelineDelta::Update { row, .. } | TimelineDelta::Move { row, .. } => std::slice::from_ref(row),
            TimelineDelta::Remove { .. } | TimelineDelta::Bounds { .. } => &[],
        };
        for row in rows.iter().filter(|row| row.mine) {
            if let (Some(Mark::Sent | Mark::Delivered | Mark::Read), Some(seq)) = (row.mark, row.seq) {
                self.acknowledged
                    .insert(row.key.clone(), (conversation.to_owned(), seq));
            } else if row.mark == Some(Mark::NotSent) {
                self.refused.extend(row.message.as_deref().map(checker::id));
            }
        }
    }

    /// Until a heartbeat from now on proves that everything is here, and nothing waits for the gateway.
    async fn settle(&mut self) -> Told {
        let told = |sync: &Option<(SyncView, u32)>| match sync {
            Some((SyncView::UpToDate { as_of_ms }, 0)) => Some(*as_of_ms),
            _ => None,
        };
        let before = told(&self.sync);
        self.engine.check_now().await?;
        let settled = async {
            while told(&self.sync).is_none_or(|as_of| before.is_some_and(|before| as_of <= before)) {
                let events = self.incoming.recv().await.ok_or("the engine is gone")?;
                self.hear(events)?;
            }
            Told::Ok(())
        };
        let Ok(settled) = tokio::time::timeout(PATIENCE, settled).await else {
            return Err(format!("never up to date: {:?}", self.engine.proof().await).into());
        };
        settled?;
        // What is told of timelines may come in a batch after the mark's.
        while let Ok(Some(events)) = tokio::time::timeout(SILENCE, self.incoming.recv()).await {
            self.hear(events)?;
        }
        Ok(())
    }

    fn saw(&self) -> ColleagueSaw {
        let acknowledged = self.acknowledged.iter().map(|(id, (conversation, seq))| Seen {
            by: self.login.clone(),
            id: checker::id(id),
            conversation: Some(checker::id(conversation)),
            seq: Some(*seq),
            numbers: Numbers::Agents,
            time_ms: None,
        });
        ColleagueSaw {
            login: self.login.clone(),
            acknowledged: acknowledged.collect(),
            refused: self.refused.clone(),
            written: self.written.clone(),
            data: self.data.clone(),
            keyring: self.keyring.clone(),
        }
    }
}
