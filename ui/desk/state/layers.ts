// What lies over the desk, in the order of opening: Esc closes the topmost alone.

type Close = () => void;

const open: Close[] = [];

/** Puts a layer on top; answers with the way to take it off when it was closed otherwise. */
export function pushLayer(close: Close): () => void {
  open.push(close);
  return () => {
    const at = open.lastIndexOf(close);
    if (at >= 0) open.splice(at, 1);
  };
}

/** True if there was one. */
export function closeTopLayer(): boolean {
  const close = open.at(-1);
  close?.();
  return close !== undefined;
}

export function anyLayer(): boolean {
  return open.length > 0;
}
