import { interleavings } from "./interleaving.ts";

interleavings({
  seconds: 300,
  commands: 80,
  pairs: [
    [12, 18],
    [16, 13],
  ],
  crashes: true,
});
