import type { Shape } from "../capture/shape.ts";

/** Columns that have another name than at the checkpoint: a column keeps its number. Pure. */
export function renamedColumns(before: Shape | null, now: Shape): { readonly from: string; readonly to: string }[] {
  const names = new Map((before?.marks ?? []).map(([name, number]) => [number, name]));
  return now.marks.flatMap(([to, number]) => {
    const from = names.get(number);
    return from === undefined || from === to ? [] : [{ from, to }];
  });
}
