import type { Browser, BrowserContext, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { afterAll } from "vitest";
import { needsProgram } from "../harness/needs-program.ts";

/** Nothing that looks for hosts of its own. */
const QUIET = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-gpu",
];

let running: Promise<Browser> | null = null;
afterAll(async () => (await running)?.close());

export type Seen = { readonly page: Page; readonly context: BrowserContext; readonly complaints: string[] } & AsyncDisposable;

/**
 * A page of its own in the machine's Chromium, or a skipped test where there is none. `complaints`: errors of scripts and of the console, refused requests,
 * anything asked of another origin. A test ends with none of them, except those it made itself.
 */
export async function openPage(
  test: { skip(reason: string): never },
  url: string,
  { width = 1280, height = 900, dark = false }: { width?: number; height?: number; dark?: boolean } = {},
): Promise<Seen> {
  const executablePath = process.env["BUCARDO_CHROMIUM"] ?? needsProgram(test, "chromium").chromium;
  running ??= chromium.launch({ executablePath, args: QUIET, chromiumSandbox: false });
  const context = await (
    await running
  ).newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    timezoneId: "UTC",
    locale: "en-GB",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // Lost connections are part of the play, and Chromium tells them here.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(url).origin)) complaints.push(`asked of another origin: ${request.url()}`);
  });
  await page.goto(url);
  return { page, context, complaints, [Symbol.asyncDispose]: () => context.close() };
}
