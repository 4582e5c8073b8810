//! One message is followed by its id through the logs of desk and gateway, and no log holds what it said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;
use zuoxi_customers::report::Report;
use zuoxi_customers::{Plan, run};
use zuoxi_engine::store::MemoryKeyring;
use zuoxi_engine::view::{DeskEvent, InboxTab};
use zuoxi_engine::{Engine, EngineConfig, Surroundings, WindowId};
use zuoxi_tests::gateway::{BRAND, Gateway, PASSWORD};

const MESSAGE: &str = "0190b5a0-0000-7000-8000-00000000000a";
const WORDS: &str = "马上给您看看";

/// The desk's log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What a line says: the gateway writes the words beside the span, the desk within the event's fields.
fn words(line: &serde_json::Value) -> &str {
    let fields = line.get("fields").unwrap_or(line);
    fields["message"].as_str().unwrap_or_default()
}

/// What a log says of a message, in order.
fn said(log: &str, message: &str) -> Vec<String> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines
        .filter(|line| line["span"]["message"] == message)
        .map(|line| words(&line).to_owned())
        .collect()
}

async fn conversation(engine: &Engine) -> String {
    let window = WindowId("main".into());
    let mut events = engine.attach(window.clone()).await.unwrap();
    engine.observe_inbox(&window, InboxTab::Mine, 0, 10).await.unwrap();
    let mut inbox = None;
    loop {
        for event in events.recv().await.expect("the engine lives") {
            if let DeskEvent::Inbox { delta } = event {
                inbox = delta.onto(inbox.as_ref());
                if let Some(row) = inbox.as_ref().and_then(|view| view.rows.first()) {
                    return row.conversation.clone();
                }
            }
        }
    }
}

async fn until(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}");
}

#[tokio::test]
async fn a_message_is_found_by_its_id_in_both_logs_and_its_words_in_none() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let data = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&data.path().join("gateway"), &[("lin", "小林")]).unwrap();
    let plan = Plan {
        gateway: format!("http://{}", gateway.address()),
        brand: BRAND.to_owned(),
        customers: 1,
        rate: 1.0,
        seed: 7,
        seconds: None,
        steady: true,
    };
    let customers = tokio::spawn(async move { run(&plan, Arc::new(Report::new(None))).await.map(|_| ()) });
    let engine = Engine::open(EngineConfig {
        data_dir: data.path().join("desk"),
        software: "Zuoxi test".into(),
        language: "zh-CN".into(),
        keyring: Arc::new(MemoryKeyring::default()),
        surroundings: Surroundings::system(Arc::new(|_| 480)),
    })
    .unwrap();
    engine
        .log_in(&format!("http://{}", gateway.address()), "lin", PASSWORD, false)
        .await
        .unwrap();
    let conversation = conversation(&engine).await;
    engine.send_message(&conversation, MESSAGE, WORDS.into()).await.unwrap();

    let desk = || String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let there = || std::fs::read_to_string(gateway.data().join("logs/gateway.jsonl")).unwrap_or_default();
    until("the message is settled", || {
        said(&desk(), MESSAGE).contains(&"settled".to_owned())
    })
    .await;
    until("the gateway pushed it", || {
        said(&there(), MESSAGE).contains(&"pushed".to_owned())
    })
    .await;
    customers.abort();
    let here: Vec<String> = said(&desk(), MESSAGE)
        .into_iter()
        .filter(|step| step != "came")
        .collect();
    assert_eq!(here, ["taken", "stored", "sent", "settled"]);
    // Answer and push leave on two connections at once.
    let mut there_too = said(&there(), MESSAGE);
    there_too.sort();
    assert_eq!(there_too, ["answered", "came in", "pushed"]);

    // And the other way: what the customer wrote is pushed there, and comes here.
    let pushed = there();
    let came = pushed
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let theirs = came
        .filter(|line| words(line) == "pushed" && line["span"]["message"] != MESSAGE)
        .filter_map(|line| line["span"]["message"].as_str().map(str::to_owned))
        .any(|id| said(&desk(), &id).contains(&"came".to_owned()));
    assert!(theirs, "a push of the customer's words is found at both ends");
    assert!(!desk().contains(WORDS) && !there().contains(WORDS));
}
