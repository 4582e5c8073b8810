import { getContext, setContext } from "svelte";

/** Where agents' pictures are. */
export interface Pictures {
  /** The address of an agent's picture by their id; empty: none can be asked for. */
  of(agent: string): string;
  /** There is a connection; reactive. What was missing before is asked for again once it comes. */
  online(): boolean;
}

const key = Symbol("pictures of agents");

/** For all avatars below the component that calls it while it is made. */
export const offerPictures = (pictures: Pictures) => setContext(key, pictures);

export const picturesOffered = () => getContext<Pictures | undefined>(key);
