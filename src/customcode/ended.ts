/** Custom code asked for the run to end here (`endsync`): nothing of it stays on the target, and nothing is wrong. */
export class RunEndedByCode extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`custom code "${code}" ended the run`);
    this.code = code;
  }
}
