//! A real desk in a real window, driven by WebKitWebDriver.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;
use thirtyfour::{Capabilities, TypingData, WebElement};

use crate::process::{Process, by_command_line, free_port, kill_by_command_line, program, until_listening};

/// What can go wrong in a story: told as a sentence.
pub type Told<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long a story waits for what must come.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A desk with its driver.
pub struct Desk {
    /// The session. Never ended in good order: the app is killed, and asking a driver to end it would wait for minutes.
    pub driver: ManuallyDrop<WebDriver>,
    data: PathBuf,
    _webdriver: Process,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = kill_by_command_line(self.data.as_os_str());
    }
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
            driver: ManuallyDrop::new(driver),
            data: data.to_owned(),
            _webdriver: webdriver,
        })
    }

    /// Id of the app's process.
    ///
    /// # Errors
    /// It isn't running.
    pub fn process(&self) -> Told<u32> {
        let found = by_command_line(self.data.as_os_str())?;
        // The oldest: what it started may have its words too.
        found.into_iter().min().ok_or_else(|| "no desk is running".into())
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

    /// Waits for the mark that is proven.
    ///
    /// # Errors
    /// It didn't come in time.
    pub async fn up_to_date(&self) -> Told {
        self.until("return document.querySelector('[data-test=sync]')?.dataset.state === 'up_to_date'")
            .await
            .map(drop)
    }

    /// Waits until everything written has its clock or more, and what is typed was put aside: then a kill loses nothing.
    ///
    /// # Errors
    /// The driver's.
    pub async fn stored_here(&self) -> Told {
        self.until("return document.querySelectorAll('.mk').length > 0").await?;
        // A draft is put aside a moment after the last key.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        Ok(())
    }

    /// Waits until the desk has so many windows.
    ///
    /// # Errors
    /// It didn't come to that in time.
    pub async fn windows(&self, count: usize) -> Told {
        let begun = Instant::now();
        loop {
            let now = self.driver.windows().await?.len();
            if now == count {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("{now} windows instead of {count}").into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Goes on in the window that shows this.
    ///
    /// # Errors
    /// No window does.
    pub async fn switch_to(&self, css: &str) -> Told {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            for window in self.driver.windows().await? {
                // One that closes at this moment is listed and gone.
                if gone(self.driver.switch_to_window(window).await)? {
                    continue;
                }
                if self.driver.find(By::Css(css)).await.is_ok() {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("no window shows {css}").into())
    }

    /// Says yes where the desk asks.
    ///
    /// # Errors
    /// The driver's.
    pub async fn confirm_if_asked(&self) -> Told {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if let Ok(button) = self.driver.find(By::Css("[data-test=confirm-act]")).await {
            button.click().await?;
        }
        Ok(())
    }

    /// kill -9 of the app: no goodbye, nothing flushed.
    ///
    /// # Errors
    /// It wasn't running.
    pub fn kill(self) -> Told {
        match kill_by_command_line(self.data.as_os_str())? {
            0 => Err("no desk was running".into()),
            _ => Ok(()),
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

    /// Types what closes the window that has the focus: it may be gone before the driver can say that all was typed.
    ///
    /// # Errors
    /// The driver's, but for a window that is gone.
    pub async fn keys_that_close(&self, keys: impl Into<TypingData>) -> Told {
        let focus = self.driver.active_element().await?;
        gone(focus.send_keys(keys).await)?;
        Ok(())
    }

    /// Waits until a script answers with something true.
    ///
    /// # Errors
    /// It didn't in time; the last answer is told.
    pub async fn until(&self, script: &str) -> Told<Value> {
        until(&self.driver, script).await
    }
}

/// Whether what was asked for failed because its window is gone.
fn gone(outcome: WebDriverResult<()>) -> Told<bool> {
    match outcome {
        Ok(()) => Ok(false),
        Err(error) if matches!(error.as_inner(), WebDriverErrorInner::NoSuchWindow(_)) => Ok(true),
        Err(error) => Err(error.into()),
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
