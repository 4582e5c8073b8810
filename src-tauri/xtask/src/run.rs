//! The main job: from a fresh machine to a desk in which customers talk.

use std::process::Child;

use crate::arguments::Arguments;
use crate::demo::Demo;
use crate::machine::{self, Purpose};
use crate::stage::{cargo, see, stage, target};
use crate::{Outcome, node};

/// Installs what is missing, builds, starts gateway, customers and desk, and ends them all when the desk is closed.
/// Ctrl-C reaches all of them, since they share this terminal's process group.
///
/// # Errors
/// What stopped it, with what to do.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let release = arguments.has("release");
    stage("what the machine needs", || {
        machine::prepare(Purpose::Run, arguments.has("yes"))
    })?;
    stage("user interface: packages", node::packages)?;
    stage("user interface: build", || {
        see(&mut node::npm(&["run", "--silent", "build"])?)
    })?;
    stage(
        "gateway, customers and desk: build (the first time takes some minutes)",
        || {
            let mut build = cargo(["build", "-p", "zuoxi", "-p", "zuoxi-gateway", "-p", "zuoxi-customers"]);
            if release {
                build.arg("--release");
            }
            see(&mut build)
        },
    )?;
    let demo = Demo {
        programs: target().join(if release { "release" } else { "debug" }),
        data: std::path::absolute(arguments.text("data").map_or_else(|| target().join("demo"), Into::into))
            .map_err(|error| error.to_string())?,
        agents: within("agents", arguments.number("agents", 3)?, 1, 20)?,
        customers: within("customers", arguments.number("customers", 12)?, 1, 500)?,
        rate: arguments.number("rate", 2.0)?,
    };
    let gateway = demo.start_gateway()?;
    let mut started = Started(vec![gateway.process]);
    println!("\nWeb chat:  {}", gateway.chat_page);
    println!(
        "Log-in:    server {}, name {}, password {}\n",
        gateway.address,
        Demo::AGENT,
        Demo::PASSWORD
    );
    if !arguments.has("no-demo") {
        started.0.push(demo.start_customers(&gateway.address)?);
    }
    let mut desk = demo.start_desk(&gateway.address)?;
    let ended = desk.wait().map_err(|error| error.to_string())?;
    if ended.success() {
        Ok(())
    } else {
        Err(format!("the desk ended with {ended}"))
    }
}

/// What was started, ended with this.
struct Started(Vec<Child>);

impl Drop for Started {
    fn drop(&mut self) {
        for process in self.0.iter_mut().rev() {
            // Both survive a kill by design; there is nothing to do about one that is gone.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn within(name: &str, number: u32, least: u32, most: u32) -> Outcome<u32> {
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("--{name} takes {least} to {most}"))
    }
}
