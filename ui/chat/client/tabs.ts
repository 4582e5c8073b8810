/** Which tab sends. Where the browser has Web Locks, the holder of one; else the tab that came last. */
export interface Leadership {
  /** Another tab writes as the sender: give way, and wait for the next turn. */
  giveWay(): void;
  end(): void;
}

export const lead = (name: string, become: () => void): Leadership => {
  if (!("locks" in navigator)) return leadWithoutLocks(become);
  let release: (() => void) | null = null;
  const gone = new AbortController();
  const wait = () => {
    const held = navigator.locks.request(name, { signal: gone.signal }, () => {
      become();
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    held.catch(() => undefined);
  };
  wait();
  return {
    giveWay: () => {
      release?.();
      wait();
    },
    end: () => {
      release?.();
      gone.abort();
    },
  };
};

/** The sender number in the store keeps a former sender from writing; a tab that is shown again takes over. */
const leadWithoutLocks = (become: () => void): Leadership => {
  let leads = true;
  const shown = () => {
    if (leads || document.visibilityState !== "visible") return;
    leads = true;
    become();
  };
  document.addEventListener("visibilitychange", shown);
  queueMicrotask(become);
  return {
    giveWay: () => {
      leads = false;
    },
    end: () => document.removeEventListener("visibilitychange", shown),
  };
};
