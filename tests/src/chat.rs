//! The real web chat page in a real Chromium.

use std::process::Command;

use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, WebElement};

use crate::desk::{Told, see, until};
use crate::process::{Process, free_port, until_listening};

/// A customer's browser with the chat page open.
pub struct Chat {
    /// The session.
    pub driver: WebDriver,
    _webdriver: Process,
}

impl Chat {
    /// Opens the page.
    ///
    /// # Errors
    /// The driver's.
    pub async fn open(url: &str) -> Told<Self> {
        let port = free_port()?;
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
                "--window-size=420,720",
            ] }),
        )?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await?;
        driver.goto(url).await?;
        Ok(Self {
            driver,
            _webdriver: webdriver,
        })
    }

    /// Writes a message and sends it.
    ///
    /// # Errors
    /// The composer isn't there.
    pub async fn write(&self, text: &str) -> Told {
        let composer = self.see("[data-test=chat-composer]").await?;
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
