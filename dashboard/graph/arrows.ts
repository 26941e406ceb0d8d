import { worse, type SyncHealth, type Tone } from "../state/health.ts";

/** All syncs from one database to another, as one arrow. */
export type Flow = {
  readonly from: string;
  readonly to: string;
  readonly syncs: readonly string[];
  readonly tone: Tone;
  /** Of the one furthest behind; null: not known. */
  readonly lag: { readonly deltas: number; readonly ageSeconds: number } | null;
  readonly running: boolean;
};

/** More databases than this in one picture show nobody anything. */
export const MOST_DATABASES = 24;

export function flowsOf(syncs: readonly SyncHealth[]): Flow[] {
  const flows = new Map<string, Flow>();
  for (const { sync, targets, tone } of syncs) {
    // Several sources also feed each other.
    const fed = [...sync.targets, ...(sync.sources.length > 1 ? sync.sources : [])];
    for (const from of sync.sources)
      for (const to of new Set(fed)) {
        if (from === to) continue;
        const target = targets.find((one) => one.target === to);
        const key = `${from}\u0000${to}`;
        const before = flows.get(key);
        flows.set(key, {
          from,
          to,
          syncs: [...(before?.syncs ?? []), sync.name],
          tone: worse(before?.tone ?? "off", targetTone(target, tone)),
          lag: further(before?.lag ?? null, target?.lag ?? null),
          running: (before?.running ?? false) || (target !== undefined && target.running !== null),
        });
      }
  }
  return [...flows.values()];
}

/** A target that stands still is bad although others of its sync run. */
function targetTone(target: SyncHealth["targets"][number] | undefined, tone: Tone): Tone {
  if (target === undefined || tone === "off") return tone;
  if (target.state === "Stopped" || target.state === "Waiting") return "bad";
  if (target.running !== null) return "busy";
  return tone === "bad" || tone === "busy" ? "good" : tone;
}

function further(one: Flow["lag"], other: Flow["lag"]): Flow["lag"] {
  if (one === null || other === null) return one ?? other;
  return other.deltas > one.deltas ? other : one;
}

/** The flows worth drawing, and how many databases were left out: those that need somebody first, then those furthest behind. */
export function choose(flows: readonly Flow[]): { readonly shown: readonly Flow[]; readonly left: number } {
  const all = new Set(flows.flatMap(({ from, to }) => [from, to]));
  if (all.size <= MOST_DATABASES) return { shown: flows, left: 0 };
  const weight = ({ tone, lag }: Flow): number => (tone === "bad" ? 1e18 : tone === "warn" ? 1e17 : 0) + (lag?.deltas ?? 0);
  const names = new Set<string>();
  const shown = flows
    .toSorted((a, b) => weight(b) - weight(a))
    .filter(({ from, to }) => {
      const more = Number(!names.has(from)) + Number(!names.has(to));
      if (names.size + more > MOST_DATABASES) return false;
      names.add(from).add(to);
      return true;
    });
  return { shown, left: all.size - names.size };
}
