/** A run at a time: whoever asks while one goes on waits for the one after it, together with all others who ask meanwhile. Each waits for a run that begins after its call. */
export function shareRuns(run: () => Promise<unknown>): () => Promise<unknown> {
  let current: Promise<unknown> | null = null;
  let next: Promise<unknown> | null = null;
  const start = (): Promise<unknown> => {
    next = null;
    const mine = run().finally(() => {
      if (current === mine) current = null;
    });
    return (current = mine);
  };
  return () => {
    if (next !== null) return next;
    if (current === null) return start();
    return (next = current.then(start, start));
  };
}
