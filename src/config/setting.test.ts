import { expect, test } from "vitest";
import { isSettingName, legacySettings, parseSetting, resolveSettings, settings } from "./setting.ts";

test("every default is a value of its own setting", () => {
  const values = resolveSettings({});
  expect(Object.keys(values)).toEqual(Object.keys(settings));
  expect(values).toMatchObject({ idle_close: 300_000, delta_quota: null, max_connections: 20, log_showpid: true });
});

test("what this process was told counts before what is stored, and that before the default", () => {
  const values = resolveSettings({ idle_close: "10", max_connections: "7", vac_sleep: "3", unknown: "x" }, { max_connections: "8" });
  expect(values).toMatchObject({ idle_close: 10_000, max_connections: 8, lag_interval: resolveSettings({}).lag_interval });
});

test("a bad value is told with its name and what it is for", () => {
  expect(() => parseSetting("max_connections", "many")).toThrow("max_connections must be a whole number from 2 to 10000");
  expect(() => parseSetting("delta_quota_policy", "ignore")).toThrow("one of warn, pause, release");
});

test("no name has two meanings", () => {
  expect(legacySettings.filter(isSettingName)).toEqual([]);
  expect(new Set(legacySettings).size).toBe(legacySettings.length);
  expect(isSettingName("constructor")).toBe(false);
});
