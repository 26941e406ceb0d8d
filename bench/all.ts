import type { Benchmark } from "./benchmark.ts";
import { capture } from "./benchmarks/capture.ts";
import { catchup } from "./benchmarks/catchup.ts";
import { latency } from "./benchmarks/latency.ts";

/** In the order of the report. */
export const all: readonly Benchmark[] = [capture, catchup, latency];
