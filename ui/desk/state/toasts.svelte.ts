// Short words at the lower right: three at most, the oldest goes. Never for what could be lost.

export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "bad";
  action: { label: string; combo: string | null; run: () => void } | null;
}

const most = 3;
const plainMs = 5000;
const badMs = 12_000;

export class Toasts {
  shown: Toast[] = $state([]);
  #next = 1;

  show(text: string, tone: Toast["tone"] = "plain", action: Toast["action"] = null): void {
    const id = this.#next++;
    this.shown = [...this.shown.filter((toast) => toast.text !== text), { id, text, tone, action }].slice(-most);
    setTimeout(() => this.dismiss(id), tone === "bad" ? badMs : plainMs);
  }

  dismiss(id: number): void {
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }
}
