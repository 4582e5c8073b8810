/** Ids are 16 bytes; hexadecimal where they are keys. */
export const hex = (bytes: Uint8Array): string => {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
};

export const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** A UUIDv7 (RFC 9562) from milliseconds UTC and 10 random bytes. */
export const uuidV7 = (now: number, random: Uint8Array): string => {
  const bytes = new Uint8Array(16);
  let ms = now;
  for (let at = 5; at >= 0; at -= 1) {
    bytes[at] = ms % 256;
    ms = Math.floor(ms / 256);
  }
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return hex(bytes);
};

export const sameBytes = (one: Uint8Array, two: Uint8Array): boolean =>
  one.length === two.length && one.every((byte, at) => byte === two[at]);

export const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));
