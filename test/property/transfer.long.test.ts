import { transfers } from "./transfer.ts";

transfers({
  seconds: 120,
  pairs: [
    [10, 18],
    [12, 18],
    [18, 12],
  ],
});
