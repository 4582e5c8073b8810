// Two soft notes made here, so that no file has to be shipped or fetched.

let context: AudioContext | null = null;
let lastAt = 0;

/** A knock for a new conversation or an unseen message; a second one within two seconds is left out. */
export function playKnock(): void {
  if (typeof AudioContext === "undefined" || performance.now() - lastAt < 2000) return;
  lastAt = performance.now();
  const audio = (context ??= new AudioContext());
  void audio.resume().catch(() => undefined);
  const start = audio.currentTime + 0.01;
  note(audio, 660, start);
  const last = note(audio, 880, start + 0.12);
  // One that isn't suspended is rendered for ever, which takes 7 % of a processor core in WebKitGTK.
  last.addEventListener("ended", () => void audio.suspend().catch(() => undefined));
}

function note(audio: AudioContext, frequency: number, at: number): OscillatorNode {
  const tone = audio.createOscillator();
  const loudness = audio.createGain();
  tone.type = "sine";
  tone.frequency.value = frequency;
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(0.12, at + 0.015);
  loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.32);
  tone.connect(loudness).connect(audio.destination);
  tone.start(at);
  tone.stop(at + 0.34);
  return tone;
}
