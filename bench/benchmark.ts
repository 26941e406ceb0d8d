import type { Sample } from "./statistics.ts";
import type { Peer } from "./peers/peer.ts";

/** What is measured of each contender in each round. Ratios are shown of the first metric of a case and of those that say so. */
export type Metric = { readonly name: string; readonly unit: string; readonly ratio?: boolean };

/** Met or missed, by the samples of one case; null when a contender that it needs was not there. */
export type Target = { readonly text: string; readonly judge: (samples: readonly Sample[]) => Judgement | null };
export type Judgement = { readonly met: boolean; readonly measured: string };

/** One comparison between contenders: rows of the same unit, measured on the same servers. */
export type Case = {
  readonly name: string;
  readonly metrics: readonly Metric[];
  readonly contenders: readonly string[];
  /** Whose value is 1.00 in the ratios. */
  readonly reference: string | null;
  /** Contenders that could take part and do not, and why. */
  readonly notShown?: Readonly<Record<string, string>>;
  /** Default number of rounds. */
  readonly rounds: number;
  readonly targets: readonly Target[];
  /** What the reader must know of servers, sizes and load. */
  readonly setting: string;
  readonly open: () => Promise<OpenCase>;
};

/** The servers of a case. */
export type OpenCase = AsyncDisposable & {
  /** One round of one contender; everything that it opens it closes again. */
  readonly measure: (contender: string, round: number) => Promise<Readonly<Record<string, number>>>;
};

export type Benchmark = {
  readonly name: string;
  /** In one line. */
  readonly proves: string;
  readonly begins: string;
  readonly ends: string;
  readonly warmUp: string;
  /** Peers that can take part, ourselves included. */
  readonly peers: readonly string[];
  /** Why it cannot be measured here; null when it can. */
  readonly missing?: () => string | null;
  readonly cases: (context: BenchContext) => readonly Case[];
};

export type BenchContext = {
  readonly quick: boolean;
  readonly signal: AbortSignal;
  /** Of the benchmark's own, those that are here and wanted. */
  readonly peers: readonly Peer[];
  readonly wants: (contender: string) => boolean;
  readonly note: (text: string) => void;
};
