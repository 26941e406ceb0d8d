import { bucardo5 } from "./bucardo5.ts";
import { londiste } from "./londiste.ts";
import { native } from "./native.ts";
import { ours } from "./ours.ts";
import type { Peer } from "./peer.ts";
import { pglogical } from "./pglogical.ts";
import { slony } from "./slony.ts";

export const allPeers: readonly Peer[] = [ours, native, pglogical, slony, londiste, bucardo5];
