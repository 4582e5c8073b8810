//! The real web chat page in a real Chromium.

use std::mem::ManuallyDrop;
use std::process::Command;

use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, WebElement};

use crate::desk::{Told, see, until};
use crate::process::{Process, free_port, kill_by_command_line, until_listening};

/// A customer's browser with the chat page open.
pub struct Chat {
    /// The session; killed, not ended in good order.
    pub driver: ManuallyDrop<WebDriver>,
    profile: tempfile::TempDir,
    _webdriver: Process,
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = kill_by_command_line(self.profile.path().as_os_str());
    }
}

impl Chat {
    /// Opens the page.
    ///
    /// # Errors
    /// The driver's.
    pub async fn open(url: &str) -> Told<Self> {
        let port = free_port()?;
        let profile = tempfile::tempdir()?;
        let profile_argument = format!("--user-data-dir={}", profile.path().display());
        let webdriver = Process::start(
            Command::new("chromedriver")
                .arg(format!("--port={port}"))
                .arg("--silent"),
        )?;
        until_listening(port)?;
        let mut wanted = Capabilities::new();
        wanted.set(
            "goog:chromeOptions",
            json!({ "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--lang=zh-CN",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--window-size=420,720", profile_argument,
            ] }),
        )?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await?;
        driver.goto(url).await?;
        Ok(Self {
            driver: ManuallyDrop::new(driver),
            profile,
            _webdriver: webdriver,
        })
    }

    /// Writes a message and sends it.
    ///
    /// # Errors
    /// The composer isn't there.
    pub async fn write(&self, text: &str) -> Told {
        let composer = self.see("textarea.ch-f").await?;
        composer.send_keys(text).await?;
        composer.send_keys(Key::Enter).await?;
        Ok(())
    }

    /// Waits for an element that can be seen.
    ///
    /// # Errors
    /// It didn't come in time.
    pub async fn see(&self, css: &str) -> Told<WebElement> {
        see(&self.driver, css).await
    }

    /// Waits until a script answers with something true.
    ///
    /// # Errors
    /// It didn't in time.
    pub async fn until(&self, script: &str) -> Told<Value> {
        until(&self.driver, script).await
    }

    /// Waits until the page says this.
    ///
    /// # Errors
    /// It didn't in time.
    pub async fn reads(&self, text: &str) -> Told {
        self.until(&format!("return document.body.innerText.includes({})", json!(text)))
            .await
            .map(drop)
    }
}
