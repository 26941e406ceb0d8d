import { interleavings } from "./interleaving.ts";

interleavings({
  seconds: 600,
  commands: 150,
  pairs: [
    [10, 18],
    [11, 14],
    [12, 18],
    [13, 17],
    [14, 10],
    [15, 16],
    [16, 11],
    [17, 13],
    [18, 12],
  ],
});
