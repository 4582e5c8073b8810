import type { Status } from "./status";

/** Whom a merchant's token speaks of; empty: it can't be read, and the gateway will say so. */
export const subjectOf = (jwt: string): string => {
  try {
    const text = atob((jwt.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    const claims: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0))));
    const subject = (claims as { sub?: unknown } | null)?.sub;
    return typeof subject === "string" ? subject : "";
  } catch {
    return "";
  }
};

/** What the merchant says about who this is. A token is offered, asked about once, and proven or refused. */
export class Identity {
  private state: Status["identity"] = "none";
  private jwt = "";
  private subject = "";
  /** The token speaks of somebody else than who is logged in here. */
  private another = false;

  /** `known`: who is logged in here by an earlier proof, which needs no other. */
  offer(jwt: string, known: string): void {
    this.subject = subjectOf(jwt);
    this.another = known !== "" && this.subject !== known;
    this.jwt = this.subject === known ? "" : jwt;
  }

  /** Somebody else: what is here goes first, after a question about what is unsent. */
  isAnother(): boolean {
    return this.another;
  }

  /** The customer stays who they are. */
  withdraw(): void {
    this.jwt = "";
    this.another = false;
  }

  take(): { jwt: string; subject: string } | null {
    if (!this.jwt || this.another) return null;
    const offered = { jwt: this.jwt, subject: this.subject };
    this.jwt = "";
    this.state = "asked";
    return offered;
  }

  accepted(): void {
    this.state = "proven";
  }

  /** Proven by an earlier connection. */
  known(): void {
    if (this.state === "none") this.state = "known";
  }

  refused(): void {
    this.state = "refused";
  }

  /** A token is good for one connection's nonce. */
  lose(): void {
    if (this.state === "asked") this.state = "none";
    if (!this.another) this.jwt = "";
  }

  forget(): void {
    this.state = "none";
    this.withdraw();
  }

  shown(): Status["identity"] {
    return this.state;
  }
}
