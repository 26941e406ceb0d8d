import { transfers } from "./transfer.ts";

transfers({
  seconds: 15,
  pairs: [[15, 18]],
});
