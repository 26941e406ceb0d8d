/** A database in the picture. */
export type Place = { readonly name: string; readonly x: number; readonly y: number; readonly height: number };
export type Arrow = { readonly from: string; readonly to: string };
/** The curve of an arrow, and where its label ends: just before what it leads to. */
export type Curve = { readonly path: string; readonly labelX: number; readonly labelY: number; readonly anchor: "start" | "end" };

export type Layout = {
  readonly width: number;
  readonly height: number;
  readonly places: readonly Place[];
  readonly curves: readonly Curve[];
};

export type Sizes = {
  readonly boxWidth: number;
  /** Of a box with few arrows; it grows by `port` for each more. */
  readonly boxHeight: number;
  /** Between two layers, where the arrows and their labels are, and between brothers. */
  readonly layerGap: number;
  readonly gap: number;
  /** Between two arrows that meet at a box: room for a label. */
  readonly port: number;
};

/**
 * Databases in layers, left to right, from those that feed to those that are fed. Each arrow has a place of its own at both ends, so that labels do not
 * hide each other. The same input always gives the same picture. Pure.
 */
export function layOut(names: readonly string[], arrows: readonly Arrow[], sizes: Sizes): Layout {
  const layers = ordered(layersOf(names, arrows), arrows);
  const depth = new Map(layers.flatMap((layer, index) => layer.map((name) => [name, index] as const)));
  const heights = new Map(names.map((name) => [name, heightOf(name, arrows, depth, sizes)]));
  const extent = (layer: readonly string[]): number => layer.reduce((sum, name) => sum + (heights.get(name) ?? 0) + sizes.gap, -sizes.gap);
  const height = Math.max(0, ...layers.map(extent));
  const places = layers.flatMap((layer, index) => {
    let y = (height - extent(layer)) / 2;
    return layer.map((name): Place => {
      const own = heights.get(name) ?? sizes.boxHeight;
      const place = { name, x: index * (sizes.boxWidth + sizes.layerGap), y, height: own };
      y += own + sizes.gap;
      return place;
    });
  });
  const at = new Map(places.map((place) => [place.name, place]));
  const ports = portsOf(arrows, at, sizes.port);
  const curves = arrows.map((arrow, index) => curveOf(at.get(arrow.from), at.get(arrow.to), ports[index] ?? [0, 0], sizes));
  return { width: layers.length * (sizes.boxWidth + sizes.layerGap) - sizes.layerGap, height, places, curves };
}

/** Which side of a box an arrow leaves or enters: one that leads back does so on the other side. */
function sideOf(arrow: Arrow, end: "from" | "to", depth: ReadonlyMap<string, number>): "left" | "right" {
  const ahead = (depth.get(arrow.to) ?? 0) > (depth.get(arrow.from) ?? 0);
  return (end === "from") === ahead ? "right" : "left";
}

function heightOf(name: string, arrows: readonly Arrow[], depth: ReadonlyMap<string, number>, { boxHeight, port }: Sizes): number {
  const sides = { left: 0, right: 0 };
  for (const arrow of arrows) {
    if (arrow.from === name) sides[sideOf(arrow, "from", depth)]++;
    if (arrow.to === name) sides[sideOf(arrow, "to", depth)]++;
  }
  return Math.max(boxHeight, Math.max(sides.left, sides.right) * port);
}

/** Heights at which each arrow leaves and arrives: on each side of a box in the order of where they come from or go to. */
function portsOf(arrows: readonly Arrow[], at: ReadonlyMap<string, Place>, port: number): (readonly [number, number])[] {
  const ports = arrows.map((): [number, number] => [0, 0]);
  const sides = new Map<string, { readonly index: number; readonly end: 0 | 1; readonly other: Place | undefined }[]>();
  for (const [index, arrow] of arrows.entries()) {
    const [from, to] = [at.get(arrow.from), at.get(arrow.to)];
    const ahead = (to?.x ?? 0) > (from?.x ?? 0);
    const add = (name: string, side: string, end: 0 | 1, other: Place | undefined): void => {
      const key = `${name}\u0000${side}`;
      sides.set(key, [...(sides.get(key) ?? []), { index, end, other }]);
    };
    add(arrow.from, ahead ? "right" : "left", 0, to);
    add(arrow.to, ahead ? "left" : "right", 1, from);
  }
  for (const [key, ends] of sides) {
    const place = at.get(key.split("\u0000")[0] ?? "");
    if (place === undefined) continue;
    const sorted = ends.toSorted((a, b) => (a.other?.y ?? 0) - (b.other?.y ?? 0) || a.index - b.index);
    const top = place.y + place.height / 2 - ((sorted.length - 1) * port) / 2;
    for (const [position, { index, end }] of sorted.entries()) (ports[index] ?? [0, 0])[end] = top + position * port;
  }
  return ports;
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

function curveOf(from: Place | undefined, to: Place | undefined, [y1, y2]: readonly [number, number], { boxWidth }: Sizes): Curve {
  if (from === undefined || to === undefined) return { path: "", labelX: 0, labelY: 0, anchor: "end" };
  const ahead = to.x > from.x;
  const [x1, x2] = [ahead ? from.x + boxWidth : from.x, ahead ? to.x : to.x + boxWidth];
  const bend = Math.max(30, Math.abs(x2 - x1) / 3) * (ahead ? 1 : -1);
  const path = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  return { path, labelX: x2 + (ahead ? -14 : 14), labelY: y2, anchor: ahead ? "end" : "start" };
}
