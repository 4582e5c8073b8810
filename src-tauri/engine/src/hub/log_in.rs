//! Logging in with a password: a short connection that only buys a session's token. The account's own connection is
//! then made with the token, as at every later start, so there is one way in and not two.

use std::time::Duration;

use bytes::Bytes;
use zuoxi_wire::v1::{
    AgentPassword, BlockCodec, ClientFrame, GatewayFrame, Hello, LogIn, LoggedIn, client_frame, gateway_frame, log_in,
};
use zuoxi_wire::{Id, frame};

use super::problem;
use crate::net::{Connection, GatewayAddress, NetError, Transport};
use crate::view::CallError;

/// For each frame of the gateway: it checks a password in 0.1 s, and may be busy.
const ANSWER: Duration = Duration::from_secs(15);

/// Who asks, for people to read at the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Software {
    pub(crate) device: Id,
    pub(crate) version: String,
    pub(crate) language: String,
}

/// What a log-in gave.
pub(crate) struct Bought {
    /// The session's token: a secret.
    pub(crate) token: Bytes,
}

/// Buys a session with a password.
pub(crate) async fn buy_session(
    transport: &dyn Transport,
    gateway: &GatewayAddress,
    software: &Software,
    name: &str,
    password: &str,
) -> Result<Bought, CallError> {
    let credential = log_in::Credential::Agent(AgentPassword {
        name: name.to_owned(),
        password: password.to_owned(),
    });
    let logged_in = greet(transport, gateway, software, credential).await?;
    if logged_in.session.is_empty() {
        return Err(CallError::new("not_a_gateway"));
    }
    Ok(Bought {
        token: logged_in.session,
    })
}

/// How long a gateway takes from the first packet to its greeting, in milliseconds.
pub(crate) async fn knock(transport: &dyn Transport, gateway: &GatewayAddress) -> Result<u32, CallError> {
    let begun = tokio::time::Instant::now();
    let mut connection = transport.connect(gateway).await.map_err(|error| net_error(&error))?;
    hello(&mut connection).await?;
    Ok(u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX))
}

async fn greet(
    transport: &dyn Transport,
    gateway: &GatewayAddress,
    software: &Software,
    credential: log_in::Credential,
) -> Result<LoggedIn, CallError> {
    let mut connection = transport.connect(gateway).await.map_err(|error| net_error(&error))?;
    hello(&mut connection).await?;
    let log_in = LogIn {
        version: zuoxi_wire::VERSION,
        device: software.device.to_bytes(),
        software: software.version.chars().take(100).collect(),
        language: software.language.clone(),
        codecs: vec![BlockCodec::Zstd as u32, BlockCodec::Plain as u32],
        credential: Some(credential),
        ..LogIn::default()
    };
    let first = ClientFrame {
        request: 1,
        ack: None,
        kind: Some(client_frame::Kind::LogIn(log_in)),
    };
    // A gateway that closes already may have said why: that is read below.
    let _ = connection.out.send(frame::encode_client(&first)).await;
    loop {
        match receive(&mut connection).await?.kind {
            Some(gateway_frame::Kind::LoggedIn(logged_in)) => return Ok(logged_in),
            Some(gateway_frame::Kind::Problem(problem)) => return Err(problem::call_error(&problem)),
            Some(gateway_frame::Kind::GoingAway(away)) => {
                return Err(CallError::later("crowded", u64::from(away.come_back_ms)));
            }
            _ => {}
        }
    }
}

async fn hello(connection: &mut Connection) -> Result<Hello, CallError> {
    match receive(connection).await?.kind {
        Some(gateway_frame::Kind::Hello(hello)) => {
            if (hello.version_min..=hello.version_max).contains(&zuoxi_wire::VERSION) {
                Ok(hello)
            } else {
                Err(CallError::new("version"))
            }
        }
        Some(gateway_frame::Kind::Problem(problem)) => Err(problem::call_error(&problem)),
        Some(gateway_frame::Kind::GoingAway(away)) => Err(CallError::later("crowded", u64::from(away.come_back_ms))),
        _ => Err(CallError::new("not_a_gateway")),
    }
}

async fn receive(connection: &mut Connection) -> Result<GatewayFrame, CallError> {
    match tokio::time::timeout(ANSWER, connection.incoming.recv()).await {
        Ok(Some(Ok(bytes))) => frame::decode_gateway(bytes).map_err(|_| CallError::new("not_a_gateway")),
        Ok(Some(Err(error))) => Err(net_error(&error)),
        Ok(None) | Err(_) => Err(CallError::network()),
    }
}

pub(crate) fn net_error(error: &NetError) -> CallError {
    tracing::info!(%error, "no connection");
    CallError::new(error.code())
}
