/** What the chat's frame and the merchant's page say to each other by `postMessage`. */
export type FromFrame =
  | { zuoxi: 1; say: "ready" }
  | { zuoxi: 1; say: "unread"; count: number; label: string }
  | { zuoxi: 1; say: "minimise" }
  | { zuoxi: 1; say: "identify"; nonce: string };

export type ToFrame =
  | { zuoxi: 1; say: "hello"; url: string; title: string; referrer: string }
  | { zuoxi: 1; say: "open"; open: boolean }
  | { zuoxi: 1; say: "page"; url: string }
  | { zuoxi: 1; say: "identity"; jwt: string }
  | { zuoxi: 1; say: "log_out" };
