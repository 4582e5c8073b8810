//! A real desk in a real window, driven by WebKitWebDriver.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, TypingData, WebElement};

use crate::process::{Process, free_port, kill_by_command_line, program, until_listening};

/// What can go wrong in a story: told as a sentence.
pub type Told<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long a story waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A desk with its driver.
pub struct Desk {
    /// The session.
    pub driver: WebDriver,
    data: PathBuf,
    _webdriver: Process,
}

impl Desk {
    /// Starts a desk on a data folder, at its log-in or with its remembered account.
    ///
    /// # Errors
    /// The driver's.
    pub async fn start(data: &Path, gateway: &str, name: &str, password: &str) -> Told<Self> {
        std::fs::create_dir_all(data)?;
        let port = free_port()?;
        let webdriver = Process::start(
            Command::new("WebKitWebDriver")
                .args([format!("--port={port}"), "--host=127.0.0.1".into()])
                .env("TAURI_WEBVIEW_AUTOMATION", "true")
                .env("ZUOXI_LOGIN_PASSWORD", password),
        )?;
        until_listening(port)?;
        let mut wanted = Capabilities::new();
        let arguments = ["--data", &data.to_string_lossy(), "--gateway", gateway, "--name", name].map(str::to_owned);
        wanted.set(
            "webkitgtk:browserOptions",
            json!({ "binary": program("zuoxi")?, "args": arguments }),
        )?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await?;
        Ok(Self {
            driver,
            data: data.to_owned(),
            _webdriver: webdriver,
        })
    }

    /// Logs in with what the form begins with.
    ///
    /// # Errors
    /// The inbox didn't come.
    pub async fn log_in(&self) -> Told {
        self.click("[data-test=log-in]").await?;
        self.see("[data-test=inbox]").await?;
        Ok(())
    }

    /// kill -9 of the app: no goodbye, nothing flushed.
    ///
    /// # Errors
    /// It wasn't running.
    pub fn kill(self) -> Told {
        let killed = kill_by_command_line(self.data.as_os_str())?;
        // The session is gone with the app; ending it would only wait for it.
        std::mem::forget(self.driver);
        if killed == 0 {
            Err("no desk was running".into())
        } else {
            Ok(())
        }
    }

    /// Waits for an element that can be seen.
    ///
    /// # Errors
    /// It didn't come in time.
    pub async fn see(&self, css: &str) -> Told<WebElement> {
        see(&self.driver, css).await
    }

    /// Waits for an element, and clicks it.
    ///
    /// # Errors
    /// It didn't come in time.
    pub async fn click(&self, css: &str) -> Told {
        Ok(self.see(css).await?.click().await?)
    }

    /// Types into what has the focus.
    ///
    /// # Errors
    /// The driver's.
    pub async fn keys(&self, keys: impl Into<TypingData>) -> Told {
        Ok(self.driver.active_element().await?.send_keys(keys).await?)
    }

    /// Waits until a script answers with something true.
    ///
    /// # Errors
    /// It didn't in time; the last answer is told.
    pub async fn until(&self, script: &str) -> Told<Value> {
        until(&self.driver, script).await
    }
}

/// Waits for an element that can be seen.
///
/// # Errors
/// It didn't come in time.
pub async fn see(driver: &WebDriver, css: &str) -> Told<WebElement> {
    let begun = Instant::now();
    loop {
        if let Ok(element) = driver.find(By::Css(css)).await
            && element.is_displayed().await.unwrap_or(false)
        {
            return Ok(element);
        }
        if begun.elapsed() > PATIENCE {
            let page = driver.execute("return document.body.innerText", vec![]).await?;
            return Err(format!("{css} didn't appear; the page says:\n{}", page.json()).into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until a script answers with something true.
///
/// # Errors
/// It didn't in time; the last answer and the page's words are told.
pub async fn until(driver: &WebDriver, script: &str) -> Told<Value> {
    let begun = Instant::now();
    loop {
        let answer = driver.execute(script, vec![]).await?.json().clone();
        let true_enough =
            !matches!(answer, Value::Null | Value::Bool(false)) && answer != json!(0) && answer != json!("");
        if true_enough {
            return Ok(answer);
        }
        if begun.elapsed() > PATIENCE {
            let page = driver.execute("return document.body.innerText", vec![]).await?;
            return Err(format!("`{script}` stayed {answer}; the page says:\n{}", page.json()).into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
