import { kickChannel, syncOfKick, type Announcement } from "../control/announce.ts";
import { requestKickByName } from "../control/kick.ts";
import type { Session } from "../postgres/session.ts";
import type { Lease } from "./lease.ts";

export type OutsideKicksContext = {
  readonly use: Lease["use"];
  /** The setting notify_kicks. */
  readonly allowed: () => boolean;
  readonly announce: (event: Announcement) => void;
};

/** Kicks by NOTIFY, as applications of versions 4 and 5 send them. Anyone who may connect can, so that they kick and no more. */
export class OutsideKicks {
  readonly #context: OutsideKicksContext;
  /** Channels that the present session of the control database listens to. */
  readonly #channels = new Set<string>();

  constructor(context: OutsideKicksContext) {
    this.#context = context;
  }

  /** A new session of the control database. */
  async listen(session: Session): Promise<void> {
    this.#channels.clear();
    await session.listen("bucardo", (payload) => {
      const sync = syncOfKick(payload);
      if (sync !== null) this.kick(sync);
    });
  }

  /** Listens to the channels of syncs that came; those of syncs that went say nothing any more. */
  async follow(syncs: readonly { readonly name: string }[]): Promise<void> {
    for (const { name } of syncs) {
      const channel = kickChannel(name);
      if (channel === null || this.#channels.has(channel)) continue;
      await this.#context.use((session) => session.listen(channel, () => this.kick(name)));
      this.#channels.add(channel);
    }
  }

  /** Not waited for; a sync that cannot be kicked is told of. */
  kick(sync: string): void {
    if (!this.#context.allowed()) return;
    const ask = async (): Promise<void> => {
      if (!(await this.#context.use((session) => requestKickByName(session, sync)))) this.#context.announce(`syncerror_${sync}`);
    };
    void ask().catch(() => undefined);
  }
}
