/** A database in the picture. */
export type Place = { readonly name: string; readonly x: number; readonly y: number };
export type Arrow = { readonly from: string; readonly to: string };
/** The curve of an arrow, and where its label stands. */
export type Curve = { readonly path: string; readonly labelX: number; readonly labelY: number };

export type Layout = {
  readonly width: number;
  readonly height: number;
  readonly places: readonly Place[];
  readonly curves: readonly Curve[];
};

export type Sizes = {
  /** across: sources left, targets right. down: sources on top. */
  readonly direction: "across" | "down";
  readonly boxWidth: number;
  readonly boxHeight: number;
  /** Between two layers, where the arrows and their labels are, and between brothers. */
  readonly layerGap: number;
  readonly gap: number;
};

/** Databases in layers from those that feed to those that are fed; the same input always gives the same picture. Pure. */
export function layOut(names: readonly string[], arrows: readonly Arrow[], sizes: Sizes): Layout {
  const layers = ordered(layersOf(names, arrows), arrows);
  const across = sizes.direction === "across";
  const [along, side] = across ? [sizes.boxWidth, sizes.boxHeight] : [sizes.boxHeight, sizes.boxWidth];
  const extent = (layer: readonly string[]): number => layer.length * (side + sizes.gap) - sizes.gap;
  const longest = Math.max(0, ...layers.map(extent));
  const places = layers.flatMap((layer, depth) => {
    const begin = (longest - extent(layer)) / 2;
    return layer.map((name, index) => {
      const [far, near] = [depth * (along + sizes.layerGap), begin + index * (side + sizes.gap)];
      return across ? { name, x: far, y: near } : { name, x: near, y: far };
    });
  });
  const reach = layers.length * (along + sizes.layerGap) - sizes.layerGap;
  const [width, height] = across ? [reach, longest] : [longest, reach];
  const at = new Map(places.map((place) => [place.name, place]));
  const curves = arrows.map((arrow) => curveOf(at.get(arrow.from), at.get(arrow.to), sizes));
  return { width, height, places, curves };
}

/** A layer for each name: one more than the deepest of those that feed it. Arrows that close a circle do not count. */
function layersOf(names: readonly string[], arrows: readonly Arrow[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of arrows) if (from !== to) next.set(from, [...(next.get(from) ?? []), to]);
  const fed = new Set(arrows.filter(({ from, to }) => from !== to).map(({ to }) => to));
  const state = new Map<string, "open" | "done">();
  const sorted: string[] = [];
  const forward = new Set<string>();
  // Depth first without recursion; a way back to something still open closes a circle.
  const visit = (root: string): void => {
    const stack = [{ name: root, index: 0 }];
    state.set(root, "open");
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const to = next.get(top.name)?.[top.index++];
      if (to === undefined) {
        state.set(top.name, "done");
        sorted.push(top.name);
        stack.pop();
      } else if (state.get(to) !== "open") {
        forward.add(`${top.name}\u0000${to}`);
        if (!state.has(to)) {
          state.set(to, "open");
          stack.push({ name: to, index: 0 });
        }
      }
    }
  };
  for (const name of names) if (!fed.has(name) && !state.has(name)) visit(name);
  for (const name of names) if (!state.has(name)) visit(name);
  const depth = new Map<string, number>();
  for (const name of sorted.toReversed()) {
    const own = depth.get(name) ?? 0;
    depth.set(name, own);
    for (const to of next.get(name) ?? []) if (forward.has(`${name}\u0000${to}`)) depth.set(to, Math.max(depth.get(to) ?? 0, own + 1));
  }
  const layers: string[][] = [];
  for (const name of names) (layers[depth.get(name) ?? 0] ??= []).push(name);
  return layers.filter((layer) => layer !== undefined);
}

/** Each layer in the order of the middle of its neighbours, a few times back and forth: fewer arrows cross. */
function ordered(layers: string[][], arrows: readonly Arrow[]): string[][] {
  const neighbours = new Map<string, string[]>();
  for (const { from, to } of arrows) {
    neighbours.set(from, [...(neighbours.get(from) ?? []), to]);
    neighbours.set(to, [...(neighbours.get(to) ?? []), from]);
  }
  let sorted = layers;
  for (let round = 0; round < 4; round++) {
    const spot = new Map(sorted.flatMap((layer) => layer.map((name, index) => [name, (index + 0.5) / layer.length] as const)));
    const middle = (name: string): number => {
      const around = neighbours.get(name) ?? [];
      return around.length === 0 ? (spot.get(name) ?? 0) : around.reduce((sum, one) => sum + (spot.get(one) ?? 0), 0) / around.length;
    };
    sorted = sorted.map((layer, depth) => (depth % 2 === round % 2 ? layer : layer.toSorted((a, b) => middle(a) - middle(b))));
  }
  return sorted;
}

function curveOf(from: Place | undefined, to: Place | undefined, sizes: Sizes): Curve {
  if (from === undefined || to === undefined) return { path: "", labelX: 0, labelY: 0 };
  const { boxWidth: w, boxHeight: h, direction } = sizes;
  const across = direction === "across";
  const ahead = across ? to.x > from.x : to.y > from.y;
  // Two that feed each other stand in different layers too: the way back goes below, so that both can be seen.
  const shift = ahead ? 0 : 10;
  const [x1, y1] = across ? [ahead ? from.x + w : from.x, from.y + h / 2 + shift] : [from.x + w / 2 + shift, ahead ? from.y + h : from.y];
  const [x2, y2] = across ? [ahead ? to.x : to.x + w, to.y + h / 2 + shift] : [to.x + w / 2 + shift, ahead ? to.y : to.y + h];
  const bend = Math.max(30, (across ? Math.abs(x2 - x1) : Math.abs(y2 - y1)) / 2) * (ahead ? 1 : -1);
  const bow = ahead ? 0 : 36;
  const [c1, c2] = across
    ? [`${x1 + bend} ${y1 + bow}`, `${x2 - bend} ${y2 + bow}`]
    : [`${x1 + bow} ${y1 + bend}`, `${x2 + bow} ${y2 - bend}`];
  const [labelX, labelY] = across ? [(x1 + x2) / 2, (y1 + y2) / 2 + bow * 0.75] : [(x1 + x2) / 2 + bow * 0.75, (y1 + y2) / 2];
  return { path: `M${x1} ${y1}C${c1} ${c2} ${x2} ${y2}`, labelX, labelY };
}
