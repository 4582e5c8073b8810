//! What a connection takes that is logged in and says nothing.

use std::path::Path;
use std::time::Duration;

use crate::Outcome;
use crate::dialect::Dialect;
use crate::figures::resident_kb;
use crate::real::Real;
use crate::server::Server;

/// Until what was needed for the log-ins alone is given back.
const SETTLING: Duration = Duration::from_secs(2);

/// Prints the gateway's memory for each of so many visitors.
// It talks to a terminal.
#[allow(clippy::print_stdout)]
pub(crate) async fn measure(program: &Path, folder: &Path, connections: u32) -> Outcome {
    let server = Server::gateway(program, folder, 1, 1)?;
    // What a first visitor needs of code and caches isn't the connections'.
    let mut links = vec![Real::customer(server.address, 0).await?];
    let before = resident_kb(server.process())?;
    for number in 1..=connections {
        links.push(Real::customer(server.address, number).await?);
    }
    tokio::time::sleep(SETTLING).await;
    let each = (resident_kb(server.process())? - before) / f64::from(connections);
    println!("idle {connections} connections, visitors logged in: {each:.1} KB each");
    Ok(())
}
