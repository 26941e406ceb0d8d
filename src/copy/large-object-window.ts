import type { ObjectPair } from "./large-object-list.ts";

/** Bytes that are compared, and travel, together: many of the server's pages of 2 KiB. */
export const SEGMENT = 1024 * 1024;
const MOST_SEGMENTS = 1000;
const MOST_BYTES = 64 * 1024 * 1024;

/** A part of an object of the source, from byte `part` x SEGMENT on. An empty object has one. */
export type Segment = { readonly oid: number; readonly part: number; readonly pair: ObjectPair };

/** Segments of all these objects, in portions that fit into a transaction and into memory, however large one object is. Pure. */
export function* windowsOf(pairs: readonly ObjectPair[]): Generator<Segment[]> {
  let window: Segment[] = [];
  let bytes = 0;
  for (const pair of pairs) {
    const size = pair.source ?? 0;
    for (let part = 0; part === 0 || part * SEGMENT < size; part++) {
      window.push({ oid: pair.oid, part, pair });
      bytes += Math.min(SEGMENT, size - part * SEGMENT);
      if (window.length < MOST_SEGMENTS && bytes < MOST_BYTES) continue;
      yield window;
      [window, bytes] = [[], 0];
    }
  }
  if (window.length > 0) yield window;
}
