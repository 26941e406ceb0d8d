import type { Session } from "../postgres/session.ts";
import type { CutoverContext, Side } from "./cutover-context.ts";

/** All connections of a cutover, open before the window: a login takes longer than most of its steps. */
export type CutoverSessions = {
  readonly run: { readonly source: Session; readonly target: Session };
  /** Looks at both sides beside the runs. */
  readonly proof: { readonly source: Session; readonly target: Session };
  /** Fence, gates and sequences. */
  readonly from: Session;
  readonly to: Session;
  /** Backends on the side that is left. */
  readonly own: readonly number[];
} & AsyncDisposable;

export async function openSessions({ from, to }: CutoverContext): Promise<CutoverSessions> {
  const opening = [
    from.open("run"),
    to.open("run"),
    from.open("cutover"),
    to.open("cutover"),
    from.open("compare"),
    to.open("compare"),
  ] as const;
  const close = async (): Promise<void> => {
    const opened = await Promise.allSettled(opening);
    await Promise.all(opened.flatMap((one) => (one.status === "fulfilled" ? [one.value.close()] : [])));
  };
  try {
    const [source, target, left, right, here, there] = await Promise.all(opening);
    return {
      run: { source, target },
      proof: { source: here, target: there },
      from: left,
      to: right,
      own: [source.backendPid, left.backendPid, here.backendPid],
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Work on a connection, or on a new one where that is lost. */
export async function onLiving<T>(session: Session, side: Side, work: (session: Session) => Promise<T>): Promise<T> {
  if (!session.lost.aborted) return work(session);
  await using again = await side.open("cutover");
  return await work(again);
}
