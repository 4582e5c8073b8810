//! From a key, or from the gateway, to the screen: told by the page in a task after the frame that shows it. The task is a
//! timer's: a message of a `MessageChannel`, which `shared/ui-bench` takes, goes through WebKit's network process and comes
//! back after the next frame, if something asks for one. Empty frames (one pixel changed) are told in the same way.

use std::collections::BTreeMap;

use thirtyfour::prelude::*;

use crate::desk::{Desk, Told};
use crate::sample::Sample;

/// The page's side. What is changed while frames are made is on the screen after this frame, anything else after the
/// next one.
const EYE: &str = r"
if (window.__eye) return true;
const now = () => performance.timeOrigin + performance.now();
const task = (then) => setTimeout(then, 0);
let framing = false;
const frame = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (work) =>
  frame((time) => {
    framing = true;
    try {
      work(time);
    } finally {
      queueMicrotask(() => (framing = false));
    }
  });
const shown = (then) => {
  if (framing) return task(() => then(now(), now()));
  frame(() => {
    const framed = now();
    task(() => then(now(), framed));
  });
};
const eye = (window.__eye = { empty: [], own: [], drawn: [], framed: [], arrived: {}, came: {}, typed: null });
const pixel = document.createElement('div');
pixel.style.position = 'fixed';
pixel.style.width = pixel.style.height = '1px';
document.body.append(pixel);
let on = false;
eye.blink = (done) => {
  const began = now();
  on = !on;
  pixel.style.backgroundColor = on ? '#777' : '#888';
  shown((at) => {
    eye.empty.push(at - began);
    done(true);
  });
};
addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && document.activeElement?.value) {
    eye.typed = { began: now(), text: document.activeElement.value };
  }
}, true);
new MutationObserver((changes) => {
  const fresh = [];
  for (const { addedNodes } of changes) {
    for (const node of addedNodes) {
      if (node.nodeType === 1) fresh.push(...(node.matches('[data-bubble]') ? [node] : node.querySelectorAll('[data-bubble]')));
    }
  }
  for (const bubble of fresh) {
    const { typed } = eye;
    if (typed && bubble.classList.contains('out') && bubble.textContent.includes(typed.text)) {
      eye.typed = null;
      eye.drawn.push(now() - typed.began);
      shown((at, framed) => {
        eye.framed.push(framed - typed.began);
        eye.own.push(at - typed.began);
      });
    } else if (bubble.classList.contains('in')) {
      const id = bubble.dataset.bubble;
      if (!(id in eye.arrived)) {
        eye.arrived[id] = now();
        shown((at) => (eye.came[id] = at));
      }
    }
  }
}).observe(document.body, { subtree: true, childList: true });
return true;";

/// Looks at one page.
pub(super) struct Eye<'a> {
    desk: &'a Desk,
    typed: u32,
}

impl<'a> Eye<'a> {
    /// Begins to look at the page where the driver is.
    ///
    /// # Errors
    /// The driver's.
    pub(super) async fn open(desk: &'a Desk) -> Told<Self> {
        desk.driver.execute(EYE, vec![]).await?;
        Ok(Self { desk, typed: 0 })
    }

    /// One empty frame.
    ///
    /// # Errors
    /// The driver's.
    pub(super) async fn blink(&self) -> Told {
        self.desk
            .driver
            .execute_async("window.__eye.blink(arguments[0])", vec![])
            .await?;
        Ok(())
    }

    /// Types a message into a composer and sends it; returns when it is on the screen.
    ///
    /// # Errors
    /// It never was.
    pub(super) async fn type_one(&mut self, composer: &str) -> Told {
        self.typed += 1;
        let before = self.count("own").await?;
        let field = self.desk.driver.find(By::Css(composer)).await?;
        field
            .send_keys(format!("m{}{}", self.typed, Key::Enter.value()))
            .await?;
        self.desk
            .until(&format!("return window.__eye.own.length > {before}"))
            .await
            .map(drop)
    }

    async fn count(&self, of: &str) -> Told<u64> {
        let count = self
            .desk
            .driver
            .execute(&format!("return window.__eye.{of}.length"), vec![])
            .await?;
        count.json().as_u64().ok_or_else(|| "the eye is gone".into())
    }

    /// What was told since the last time: `empty` frames or `own` messages, milliseconds.
    ///
    /// # Errors
    /// The driver's.
    pub(super) async fn take(&self, of: &str) -> Told<Sample> {
        let script = format!("return window.__eye.{of}.splice(0)");
        let told = self.desk.driver.execute(&script, vec![]).await?;
        Ok(Sample(serde_json::from_value(told.json().clone())?))
    }

    /// When each message of customers was in the page (`arrived`) or on the screen (`came`), milliseconds UTC, by id.
    ///
    /// # Errors
    /// The driver's.
    pub(super) async fn moments(&self, of: &str) -> Told<BTreeMap<String, f64>> {
        let script = format!("return window.__eye.{of}");
        let told = self.desk.driver.execute(&script, vec![]).await?;
        let all: BTreeMap<String, f64> = serde_json::from_value(told.json().clone())?;
        Ok(all.into_iter().map(|(id, at)| (crate::checker::id(&id), at)).collect())
    }
}
