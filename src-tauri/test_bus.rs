//! A bus of their own for tests of what the desk hears on the system's.
#![allow(clippy::expect_used, reason = "made for tests alone: where it fails, the test does")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use zbus::Connection;
use zbus::connection::Builder;

/// A bus daemon; ends with it.
pub(crate) struct TestBus {
    daemon: Child,
    address: String,
}

impl TestBus {
    pub(crate) fn start() -> Self {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon (Debian: dbus-daemon)");
        let mut address = String::new();
        let told = daemon.stdout.take().expect("its output");
        BufReader::new(told).read_line(&mut address).expect("its address");
        Self {
            daemon,
            address: address.trim().to_owned(),
        }
    }

    pub(crate) async fn connect(&self) -> Connection {
        let builder = Builder::address(self.address.as_str()).expect("an address");
        builder.build().await.expect("a connection")
    }

    /// What was sent is delivered, and nothing more comes.
    pub(crate) async fn end(self, sender: &Connection) {
        let names = zbus::fdo::DBusProxy::new(sender).await.expect("the bus");
        names.get_id().await.expect("an answer");
        drop(self);
    }
}

impl Drop for TestBus {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
