import type { Benchmark } from "./benchmark.ts";
import { autokick } from "./benchmarks/autokick.ts";
import { bulk } from "./benchmarks/bulk.ts";
import { capture } from "./benchmarks/capture.ts";
import { catchup } from "./benchmarks/catchup.ts";
import { hotkeys } from "./benchmarks/hotkeys.ts";
import { latency } from "./benchmarks/latency.ts";
import { memory } from "./benchmarks/memory.ts";

/** In the order of the report. */
export const all: readonly Benchmark[] = [capture, autokick, bulk, catchup, hotkeys, latency, memory];
