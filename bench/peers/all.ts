import { native } from "./native.ts";
import { ours } from "./ours.ts";
import type { Peer } from "./peer.ts";

export const allPeers: readonly Peer[] = [ours, native];
