import { resolveSettings, type Settings } from "../config/setting.ts";
import type { Definitions } from "./definitions.ts";

/** The settings as they are now: of the installation, and of syncs that have some of their own. */
export class SettingsBook {
  readonly #overrides: Readonly<Record<string, string>>;
  #general: Settings = resolveSettings({});
  #ofSyncs: ReadonlyMap<string, Settings> = new Map();

  /** `overrides`: what this process was told to use instead of what is stored. */
  constructor(overrides: Readonly<Record<string, string>>) {
    this.#overrides = overrides;
  }

  /** Without an id: of the installation. */
  of(syncId?: string): Settings {
    return (syncId === undefined ? undefined : this.#ofSyncs.get(syncId)) ?? this.#general;
  }

  read({ settings, ofSyncs }: Pick<Definitions, "settings" | "ofSyncs">): void {
    const stored = { ...settings, ...this.#overrides };
    this.#general = resolveSettings(stored);
    this.#ofSyncs = new Map([...ofSyncs].map(([id, own]) => [id, resolveSettings({ ...stored, ...own })]));
  }
}
