import { z } from "zod";

const units: Readonly<Record<string, number>> = { "": 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** `50MB`, `800 kB`, `1000000`: bytes a second, at least 1 kB. */
export const rate = z.union([z.number(), z.string()]).transform((value, context) => {
  const match = /^([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)$/i.exec(String(value).trim().replace(/\/s$/, ""));
  const unit = units[match?.[2]?.toLowerCase() ?? "?"];
  const bytes = match === null || unit === undefined ? Number.NaN : Number(match[1]) * unit;
  if (bytes >= 1024) return Math.round(bytes);
  context.addIssue({ code: "custom", message: `must be a size like 50MB or 800kB, at least 1kB, not "${value}"` });
  return z.NEVER;
});
