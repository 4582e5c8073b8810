//! A desk as a busy agent has it: six tiles and two windows of their own, a conversation in each.

use std::path::Path;

use serde_json::{Value, json};
use thirtyfour::WindowHandle;
use thirtyfour::prelude::*;

use crate::desk::{Desk, Told};
use crate::gateway::PASSWORD;

/// Tiles of the main window.
pub const TILES: usize = 6;
/// Windows of their own.
pub const WINDOWS: usize = 2;
/// Conversations that are open at once.
pub const PLACES: usize = TILES + WINDOWS;

/// Remembers every mark that each own message wore on this page, in order.
const WITNESS: &str = r"
if (window.__marks) return true;
const marks = (window.__marks = {});
const note = (bubble) => {
  const { bubble: id, mark } = bubble.dataset;
  if (!id || !mark) return;
  const worn = (marks[id] ??= []);
  if (worn.at(-1) !== mark) worn.push(mark);
};
const look = (node) => {
  if (node.nodeType !== 1) return;
  if (node.matches('[data-bubble]')) note(node);
  node.querySelectorAll('[data-bubble]').forEach(note);
};
new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === 'attributes') note(change.target);
    else change.addedNodes.forEach(look);
  }
}).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-mark'] });
look(document.body);
return true;";

/// A desk with all its places filled.
pub struct FullDesk {
    /// The desk.
    pub desk: Desk,
    main: WindowHandle,
    popped: Vec<WindowHandle>,
    /// Conversations by place: tiles first, then the windows of their own.
    pub conversations: Vec<String>,
}

impl FullDesk {
    /// Starts one on a data folder, wide enough for six tiles, and logs in.
    ///
    /// # Errors
    /// The driver's.
    pub async fn start(data: &Path, gateway: &str, login: &str) -> Told<Self> {
        wide(data)?;
        let desk = Desk::start(data, gateway, login, PASSWORD).await?;
        desk.log_in().await?;
        desk.up_to_date().await?;
        let main = desk.driver.window().await?;
        Ok(Self {
            desk,
            main,
            popped: Vec::new(),
            conversations: Vec::new(),
        })
    }

    /// Goes on with one that was started again: its tiles and windows come back by themselves.
    ///
    /// # Errors
    /// They don't.
    pub async fn come_back(desk: Desk, conversations: Vec<String>) -> Told<Self> {
        desk.windows(1 + WINDOWS).await?;
        desk.switch_to("[data-test=inbox]").await?;
        let main = desk.driver.window().await?;
        let mut full = Self {
            desk,
            main,
            popped: Vec::new(),
            conversations,
        };
        for place in TILES..PLACES {
            let of = full.conversations.get(place).cloned().unwrap_or_default();
            let window = full.window_of(&of).await?;
            full.popped.push(window);
        }
        full.watch_marks().await?;
        Ok(full)
    }

    /// Opens the first eight conversations of the inbox.
    ///
    /// # Errors
    /// There are fewer, or a window didn't open.
    pub async fn fill(&mut self) -> Told {
        self.fill_tiles().await?;
        self.pop_out().await
    }

    /// Opens the first six of them in tiles.
    ///
    /// # Errors
    /// There are fewer.
    pub async fn fill_tiles(&mut self) -> Told {
        let rows = "[...document.querySelectorAll('[data-test=inbox-row]')].map((row) => row.dataset.conversation)";
        let script = format!("const rows = {rows}; return rows.length >= {PLACES} ? rows.slice(0, {PLACES}) : null");
        self.conversations = serde_json::from_value(self.desk.until(&script).await?)?;
        self.desk.keys(Key::Control + Key::Alt + "6").await?;
        for place in 0..TILES {
            self.open(place, place).await?;
        }
        self.watch_marks().await
    }

    /// Opens the other two in windows of their own.
    ///
    /// # Errors
    /// A window didn't open.
    pub async fn pop_out(&mut self) -> Told {
        for (nth, place) in (TILES..PLACES).enumerate() {
            self.open(0, place).await?;
            self.desk.keys(Key::Control + "o").await?;
            self.desk.windows(2 + nth).await?;
            let conversation = self.conversations.get(place).cloned().unwrap_or_default();
            let window = self.window_of(&conversation).await?;
            self.popped.push(window);
            self.desk.driver.switch_to_window(self.main.clone()).await?;
        }
        self.open(0, 0).await?;
        self.watch_marks().await
    }

    /// Opens a place's conversation in a tile, as a click on its row does.
    async fn open(&self, tile: usize, place: usize) -> Told {
        let conversation = self.conversations.get(place).cloned().unwrap_or_default();
        self.desk.keys(Key::Control + (tile + 1).to_string().as_str()).await?;
        let row = format!("document.querySelector('[data-conversation=\"{conversation}\"]')");
        self.desk.until(&format!("return {row} !== null")).await?;
        self.desk.driver.execute(&format!("{row}.click()"), vec![]).await?;
        self.desk
            .until(&format!(
                "return {row}.querySelector('.tno')?.textContent === '{}'",
                tile + 1
            ))
            .await?;
        self.desk.see(&field(tile)).await?;
        Ok(())
    }

    /// The window that a conversation has of its own; the driver is there then.
    async fn window_of(&self, conversation: &str) -> Told<WindowHandle> {
        let begun = std::time::Instant::now();
        while begun.elapsed() < crate::desk::PATIENCE {
            for window in self.desk.driver.windows().await? {
                if window == self.main || self.popped.contains(&window) {
                    continue;
                }
                self.desk.driver.switch_to_window(window.clone()).await?;
                let its = format!("[data-conversation=\"{conversation}\"][data-test=popped-out] textarea");
                if self.desk.driver.find(By::Css(its)).await.is_ok() {
                    return Ok(window);
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(format!("{conversation} has no window of its own").into())
    }

    /// From now on each window remembers the marks that own messages wear.
    async fn watch_marks(&self) -> Told {
        self.in_every_window(WITNESS).await.map(drop)
    }

    /// Marks that own messages wore, by message id, over all windows, in the order in which each wore them.
    ///
    /// # Errors
    /// The driver's.
    pub async fn marks(&self) -> Told<Vec<(String, Vec<String>)>> {
        let mut all = Vec::new();
        for told in self.in_every_window("return Object.entries(window.__marks)").await? {
            let marks: Vec<(String, Vec<String>)> = serde_json::from_value(told)?;
            all.extend(marks);
        }
        Ok(all)
    }

    /// Runs a script in the main window and each of the others; ends in the main one.
    ///
    /// # Errors
    /// The driver's.
    pub async fn in_every_window(&self, script: &str) -> Told<Vec<Value>> {
        let mut answers = Vec::new();
        for window in self.popped.iter().chain([&self.main]) {
            self.desk.driver.switch_to_window(window.clone()).await?;
            answers.push(self.desk.driver.execute(script, vec![]).await?.json().clone());
        }
        Ok(answers)
    }

    /// Goes on in the window of a place.
    ///
    /// # Errors
    /// The driver's.
    pub async fn turn_to(&self, place: usize) -> Told {
        let window = place.checked_sub(TILES).and_then(|nth| self.popped.get(nth));
        Ok(self
            .desk
            .driver
            .switch_to_window(window.unwrap_or(&self.main).clone())
            .await?)
    }

    /// Types words into the composer of a place and sends them, in the window where the driver is.
    ///
    /// # Errors
    /// The driver's.
    pub async fn write(&self, place: usize, text: &str) -> Told {
        self.put(place, &format!("{text}{}", Key::Enter.value())).await
    }

    /// Types into the composer of a place.
    ///
    /// # Errors
    /// The driver's.
    pub async fn put(&self, place: usize, keys: &str) -> Told {
        let css = if place < TILES {
            field(place)
        } else {
            "textarea".to_owned()
        };
        let composer = self.desk.driver.find(By::Css(css)).await?;
        composer.send_keys(keys).await?;
        Ok(())
    }
}

/// Makes the main window of a desk that has never run wide enough for six tiles: as the shell keeps where windows stand.
///
/// # Errors
/// The disk's.
pub fn wide(data: &Path) -> Told {
    std::fs::create_dir_all(data)?;
    let places = json!({ "places": { "main": [0, 0, 2480, 1340] } });
    Ok(std::fs::write(data.join("shell.json"), places.to_string())?)
}

/// Composer of a tile.
fn field(tile: usize) -> String {
    format!(".tiles > :nth-child({}) textarea", tile + 1)
}
