//! The bare server's sockets.

use std::path::Path;
use std::sync::mpsc;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path as Part, State};
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt;
use bytes::Buf;
use futures_util::SinkExt;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::store::{self, Job, Message as Stored};
use super::{CONFIRM, SEND, Said};
use crate::Outcome;

/// Frames that are written before the socket is read again.
const FRAMES_AT_ONCE: usize = 64;

/// Prints its address and serves until its standard input ends.
#[allow(clippy::print_stdout)]
pub(crate) async fn serve(database: &Path, agents: u32) -> Outcome {
    let (jobs, queue) = mpsc::channel();
    let database = database.to_owned();
    std::thread::spawn(move || store::run(&database, agents, &queue));
    let routes = Router::new()
        .route("/customer/{number}", any(customer))
        .route("/agent/{number}", any(agent))
        .with_state(jobs);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        // A small frame must not wait for the peer's acknowledgement.
        let _ = stream.set_nodelay(true);
    });
    let mut stdin = tokio::io::stdin();
    tokio::select! {
        served = axum::serve(listener, routes) => served?,
        _ = stdin.read_u8() => {}
    }
    Ok(())
}

async fn customer(upgrade: WebSocketUpgrade, Part(_): Part<u32>, State(jobs): State<mpsc::Sender<Job>>) -> Response {
    accept(upgrade, None, jobs)
}

async fn agent(upgrade: WebSocketUpgrade, Part(number): Part<u32>, State(jobs): State<mpsc::Sender<Job>>) -> Response {
    accept(upgrade, Some(number), jobs)
}

fn accept(upgrade: WebSocketUpgrade, agent: Option<u32>, jobs: mpsc::Sender<Job>) -> Response {
    upgrade
        .read_buffer_size(4 * 1024)
        .write_buffer_size(16 * 1024)
        .on_upgrade(move |socket| async move {
            // A connection that breaks ends alone; its client fails the run.
            let _ = talk(socket, agent, jobs).await;
        })
}

async fn talk(mut socket: WebSocket, agent: Option<u32>, jobs: mpsc::Sender<Job>) -> Outcome {
    let (outbox, mut outgoing) = tokio::sync::mpsc::unbounded_channel::<Said>();
    if let Some(number) = agent {
        jobs.send(Job::Attach(number, outbox.clone()))
            .map_err(|_| "the store is gone")?;
    }
    let mut frames = Vec::new();
    loop {
        tokio::select! {
            message = socket.recv() => match message.transpose()? {
                Some(Message::Binary(mut bytes)) => match bytes.try_get_u8()? {
                    SEND => {
                        let mut id = [0; 16];
                        bytes.try_copy_to_slice(&mut id)?;
                        let conversation = bytes.try_get_u32()?;
                        let message = Stored { id, conversation, text: bytes, answer: outbox.clone() };
                        jobs.send(Job::Store(message)).map_err(|_| "the store is gone")?;
                    }
                    CONFIRM => {}
                    kind => return Err(format!("no frame is of kind {kind}").into()),
                },
                Some(_) => {}
                None => return Ok(()),
            },
            _ = outgoing.recv_many(&mut frames, FRAMES_AT_ONCE) => {
                for said in frames.drain(..) {
                    socket.feed(Message::Binary(said.encode())).await?;
                }
                socket.flush().await?;
            }
        }
    }
}
