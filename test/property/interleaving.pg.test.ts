import { interleavings } from "./interleaving.ts";

interleavings({
  seconds: 35,
  commands: 60,
  pairs: [
    [12, 18],
    [15, 16],
  ],
});
