import type { Benchmark } from "./benchmark.ts";
import { autokick } from "./benchmarks/autokick.ts";
import { bulk } from "./benchmarks/bulk.ts";
import { capture } from "./benchmarks/capture.ts";
import { catchup } from "./benchmarks/catchup.ts";
import { copy } from "./benchmarks/copy.ts";
import { downtime } from "./benchmarks/downtime.ts";
import { hotkeys } from "./benchmarks/hotkeys.ts";
import { idle } from "./benchmarks/idle.ts";
import { latency } from "./benchmarks/latency.ts";
import { manytables } from "./benchmarks/manytables.ts";
import { memory } from "./benchmarks/memory.ts";
import { sustained } from "./benchmarks/sustained.ts";

/** In the order of the report. */
export const all: readonly Benchmark[] = [
  capture,
  autokick,
  bulk,
  catchup,
  hotkeys,
  sustained,
  latency,
  downtime,
  idle,
  manytables,
  memory,
  copy,
];
