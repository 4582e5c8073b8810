import type { Status } from "./status";

const read = (claim: unknown): string => (typeof claim === "string" ? claim : "");

/** What a merchant's token says of itself; empty where it can't be read: the gateway judges it. */
const claimsOf = (jwt: string): { subject: string; nonce: string } => {
  try {
    const text = atob((jwt.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    const claims: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0))));
    const { sub, nonce } = claims as { sub?: unknown; nonce?: unknown };
    return { subject: read(sub), nonce: read(nonce) };
  } catch {
    return { subject: "", nonce: "" };
  }
};

/** What the merchant says about who this is. A token is offered, asked about once, and proven or refused. */
export class Identity {
  private state: Status["identity"] = "none";
  private jwt = "";
  private subject = "";
  /** The token speaks of somebody else than who is logged in here. */
  private another = false;

  /**
   * `known`: who is logged in here by an earlier proof, which needs no other. `nonce`: of this connection; a token for an
   * earlier one is worth nothing, and the merchant is asked anew.
   */
  offer(jwt: string, known: string, nonce: string): void {
    const claims = claimsOf(jwt);
    this.subject = claims.subject;
    this.another = known !== "" && this.subject !== known;
    const late = claims.nonce !== "" && claims.nonce !== nonce;
    this.jwt = this.subject === known || late ? "" : jwt;
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
