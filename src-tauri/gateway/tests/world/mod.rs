//! A real gateway as a process, and small devices that speak the wire to it.
#![allow(dead_code, unreachable_pub)]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use zuoxi_wire::Id;
use zuoxi_wire::frame::{decode_gateway, encode_client};
use zuoxi_wire::v1::client_frame::Kind as Asked;
use zuoxi_wire::v1::gateway_frame::Kind as Told;
use zuoxi_wire::v1::{
    Act, ActKind, Acts, AgentPassword, Answer, ClientFrame, Entry, GatewayFrame, Hello, LogIn, LoggedIn,
    MessageContent, ReadEntries, SeqRange, Visitor, answer, log_in, message_content, read_entries,
};

pub const PASSWORD: &str = "correct horse battery";
pub const BRAND: &str = "qinghe";
/// Longer than anything here takes: only a hang reaches it.
pub const HANG: Duration = Duration::from_secs(30);

pub struct World {
    pub folder: tempfile::TempDir,
    child: Option<Child>,
    pub address: String,
    pub set: Vec<String>,
    /// Blocks of 512 bytes that a file of the gateway may have at most.
    pub file_blocks: Option<u32>,
}

impl World {
    /// Team, the agents `shen` and `wang`, and a brand; not started.
    pub fn new() -> Self {
        Self::on(tempfile::tempdir().unwrap())
    }

    /// The same in this folder.
    pub fn on(folder: tempfile::TempDir) -> Self {
        let world = Self {
            folder,
            child: None,
            address: String::new(),
            set: Vec::new(),
            file_blocks: None,
        };
        world.done(&["team", "add", "售前"]);
        for (login, name) in [("shen", "沈佳宁"), ("wang", "王珊")] {
            world.done(&["agent", "add", login, "--name", name, "--team", "售前"]);
        }
        world.done(&["brand", "add", BRAND, "--name", "青禾家居", "--team", "售前"]);
        world
    }

    pub fn started() -> Self {
        Self::started_with(&[])
    }

    pub fn started_with(set: &[&str]) -> Self {
        let mut world = Self::new();
        world.set = set.iter().map(|pair| (*pair).to_owned()).collect();
        world.start();
        world
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn command(&self, words: &[&str]) -> Output {
        self.program()
            .args(words)
            .env("ZUOXI_AGENT_PASSWORD", PASSWORD)
            .output()
            .unwrap()
    }

    pub fn done(&self, words: &[&str]) -> String {
        let output = self.command(words);
        assert!(
            output.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn refused(&self, words: &[&str]) -> String {
        let output = self.command(words);
        assert!(!output.status.success(), "{words:?} was done");
        String::from_utf8(output.stderr).unwrap()
    }

    pub fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zuoxi-gateway"));
        command.arg("--data").arg(self.data());
        command
    }

    pub fn start(&mut self) {
        let mut command = self.program();
        if let Some(blocks) = self.file_blocks {
            // A write beyond it fails, instead of ending the process.
            let bounded = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
            let program = command.get_program().to_owned();
            let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
            command = Command::new("sh");
            command.arg("-c").arg(bounded).arg(program).args(arguments);
        }
        for pair in &self.set {
            command.arg("--set").arg(pair);
        }
        let mut child = command
            .args(["--json", "serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        told["listening"].as_str().unwrap().clone_into(&mut self.address);
        self.child = Some(child);
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// kill -9
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and whether it ended well.
    pub fn stop(&mut self) -> bool {
        let mut child = self.child.take().unwrap();
        let id = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        child.wait().unwrap().success()
    }

    /// One HTTP request, as text.
    pub fn http(&self, path: &str) -> String {
        self.http_with(path, "")
    }

    /// The same with more header lines, each with its end.
    pub fn http_with(&self, path: &str, more: &str) -> String {
        use std::io::Read;
        let mut stream = std::net::TcpStream::connect(&self.address).unwrap();
        let address = &self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A figure of /metrics.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.http("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
    }

    pub async fn device(&self) -> Device {
        Device::open(&self.address, None).await
    }

    pub async fn agent(&self, login: &str) -> Device {
        let mut device = self.device().await;
        device.log_in_agent(login, PASSWORD).await.unwrap();
        device
    }

    pub async fn customer(&self) -> Device {
        let mut device = self.device().await;
        device.log_in(visitor()).await.unwrap();
        device
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub fn visitor() -> log_in::Credential {
    log_in::Credential::Visitor(Visitor { brand: BRAND.into() })
}

pub fn text(words: &str) -> bytes::Bytes {
    use prost::Message as _;
    MessageContent {
        language: String::new(),
        body: Some(message_content::Body::Text(words.into())),
    }
    .encode_to_vec()
    .into()
}

pub fn words(entry: &Entry) -> String {
    use prost::Message as _;
    match MessageContent::decode(entry.content.clone()).unwrap().body {
        Some(message_content::Body::Text(text)) => text,
        None => String::new(),
    }
}

/// A customer's own conversation, whatever its id.
pub const OWN: Id = Id([0; 16]);

/// Unlike any other.
pub fn fresh_id() -> Id {
    Id(*uuid::Uuid::from_u64_pair(fastrand::u64(..), fastrand::u64(..)).as_bytes())
}

pub struct Device {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub hello: Hello,
    pub me: LoggedIn,
    /// What came and wasn't looked at.
    pub waiting: Vec<GatewayFrame>,
    pub pushed: u64,
    /// The conversation that the last accepted act stands in.
    own: Option<Id>,
    request: u32,
    numbers: std::collections::BTreeMap<Id, u32>,
}

impl Device {
    /// Opens a socket and reads the hello.
    pub async fn open(address: &str, origin: Option<&str>) -> Self {
        let mut device = Self::silent(address, origin).await;
        let frame = device.next().await.expect("a hello");
        let Some(Told::Hello(hello)) = frame.kind else {
            panic!("the gateway speaks first: {frame:?}");
        };
        device.hello = hello;
        device
    }

    pub async fn silent(address: &str, origin: Option<&str>) -> Self {
        let mut request = format!("ws://{address}/v1/ws").into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("Origin", origin.parse().unwrap());
        }
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        Self {
            socket,
            hello: Hello::default(),
            me: LoggedIn::default(),
            waiting: Vec::new(),
            pushed: 0,
            own: None,
            request: 0,
            numbers: std::collections::BTreeMap::new(),
        }
    }

    /// The next frame; none: the connection is closed.
    pub async fn next(&mut self) -> Option<GatewayFrame> {
        loop {
            let message = tokio::time::timeout(HANG, self.socket.next())
                .await
                .expect("a frame or a close");
            match message {
                Some(Ok(Message::Binary(bytes))) => return Some(decode_gateway(bytes).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The first frame, among those that wait or are still to come, of which this finds something.
    pub async fn find<T>(&mut self, mut what: impl FnMut(&GatewayFrame) -> Option<T>) -> T {
        if let Some(at) = self.waiting.iter().position(|frame| what(frame).is_some()) {
            return what(&self.waiting.remove(at)).unwrap();
        }
        loop {
            let frame = self.next().await.expect("the connection was closed");
            if let Some(Told::Pushes(pushes)) = &frame.kind {
                self.pushed = pushes.pushes.last().map_or(self.pushed, |push| push.number);
            }
            match what(&frame) {
                Some(found) => return found,
                None => self.waiting.push(frame),
            }
        }
    }

    pub async fn send(&mut self, frame: &ClientFrame) {
        let _ = self.socket.send(Message::Binary(encode_client(frame))).await;
    }

    pub async fn send_bytes(&mut self, bytes: Vec<u8>) {
        let _ = self.socket.send(Message::Binary(bytes.into())).await;
    }

    /// Asks, and gives the answer.
    pub async fn ask(&mut self, kind: Asked) -> Told {
        self.request += 1;
        let request = self.request;
        let frame = ClientFrame {
            request,
            ack: None,
            kind: Some(kind),
        };
        self.send(&frame).await;
        self.find(|frame| {
            if frame.request == request {
                frame.kind.clone()
            } else {
                None
            }
        })
        .await
    }

    pub async fn log_in(&mut self, credential: log_in::Credential) -> Result<LoggedIn, zuoxi_wire::v1::Problem> {
        self.log_in_with(LogIn {
            version: 1,
            device: fresh_id().to_bytes(),
            software: "test".into(),
            language: "zh-CN".into(),
            credential: Some(credential),
            ..LogIn::default()
        })
        .await
    }

    pub async fn log_in_with(&mut self, log_in: LogIn) -> Result<LoggedIn, zuoxi_wire::v1::Problem> {
        match self.ask(Asked::LogIn(log_in)).await {
            Told::LoggedIn(logged_in) => {
                self.me = logged_in.clone();
                Ok(logged_in)
            }
            Told::Problem(problem) => Err(problem),
            other => panic!("{other:?}"),
        }
    }

    pub async fn log_in_agent(&mut self, name: &str, password: &str) -> Result<LoggedIn, zuoxi_wire::v1::Problem> {
        self.log_in(log_in::Credential::Agent(AgentPassword {
            name: name.into(),
            password: password.into(),
        }))
        .await
    }

    /// An act with the next number of lane 1.
    pub fn act(&mut self, conversation: Id, kind: ActKind, content: bytes::Bytes) -> Act {
        let number = self.numbers.entry(conversation).or_default();
        *number += 1;
        Act {
            id: fresh_id().to_bytes(),
            conversation: if conversation == OWN {
                bytes::Bytes::new()
            } else {
                conversation.to_bytes()
            },
            lane: 1,
            number: *number,
            base: 0,
            age_ms: 0,
            kind: kind.into(),
            content,
        }
    }

    pub async fn send_act(&mut self, act: Act) {
        let frame = ClientFrame {
            request: 0,
            ack: None,
            kind: Some(Asked::Acts(Acts { acts: vec![act] })),
        };
        self.send(&frame).await;
    }

    /// Does it, and gives the answer.
    pub async fn do_act(&mut self, act: Act) -> Answer {
        let id = act.id.clone();
        self.send_act(act).await;
        let answer = self.answer(&id).await;
        if matches!(answer.result, Some(answer::Result::Accepted(_))) {
            self.own = Id::try_from(&answer.conversation).ok();
        }
        answer
    }

    pub async fn answer(&mut self, id: &[u8]) -> Answer {
        self.find(|frame| match &frame.kind {
            Some(Told::Answers(answers)) => answers.answers.iter().find(|answer| answer.id == id).cloned(),
            _ => None,
        })
        .await
    }

    pub async fn say(&mut self, conversation: Id, words: &str) -> Answer {
        let act = self.act(conversation, ActKind::Message, text(words));
        self.do_act(act).await
    }

    /// The next pushed entry with these words.
    pub async fn hear(&mut self, wanted: &str) -> (Id, Entry) {
        self.find(|frame| match &frame.kind {
            Some(Told::Pushes(pushes)) => pushes.pushes.iter().find_map(|push| {
                let entry = push
                    .entry
                    .as_ref()
                    .filter(|entry| entry.kind == 1 && words(entry) == wanted)?;
                Some((Id::try_from(&push.conversation).unwrap(), entry.clone()))
            }),
            _ => None,
        })
        .await
    }

    /// A customer's own conversation, as an answer or a state named it.
    pub async fn own_told(&mut self) -> Id {
        if let Some(own) = self.own {
            return own;
        }
        let state = self
            .find(|frame| match &frame.kind {
                Some(Told::CustomerState(state)) if !state.conversation.is_empty() => Some(state.clone()),
                _ => None,
            })
            .await;
        Id::try_from(&state.conversation).unwrap()
    }

    /// The same, where an answer came already.
    pub fn own_or_told(&self) -> Id {
        self.own.expect("an answer names the conversation")
    }

    /// All entries of a conversation, as this reader gets them.
    pub async fn entries(&mut self, conversation: Id) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut what = read_entries::What::Newest(500);
        loop {
            let asked = ReadEntries {
                conversation: conversation.to_bytes(),
                what: Some(what),
            };
            let page = match self.ask(Asked::ReadEntries(asked)).await {
                Told::EntriesPage(page) => page,
                other => panic!("{other:?}"),
            };
            let blocks = page
                .blocks
                .iter()
                .flat_map(|block| zuoxi_wire::block::decode(block).unwrap());
            entries.extend(blocks.map(|(entry, _)| entry));
            entries.sort_by_key(|entry| entry.seq);
            let first = entries.first().map_or(page.floor, |entry| entry.seq);
            let Some(covers) = page.covers.filter(|_| first > page.floor) else {
                return entries;
            };
            // A page may begin at `first` and stop before `last`: what is missing lies below or above it.
            let below = SeqRange {
                first: page.floor,
                last: first - 1,
            };
            let gap = entries.windows(2).find(|two| two[0].seq + 1 < two[1].seq);
            what = read_entries::What::Range(match gap {
                Some(two) => SeqRange {
                    first: two[0].seq + 1,
                    last: two[1].seq - 1,
                },
                None if covers.first > page.floor => below,
                None => return entries,
            });
        }
    }
}
