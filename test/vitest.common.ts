import { fileURLToPath } from "node:url"
import type { ViteUserConfig } from "vitest/config"
import { LongestFirst } from "./longest-first.ts"

/** Whether every property tries all of its cases: `npm run test:deep`. */
export const DEEP = process.env["DAYPASS_DEEP"] === "1"

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** What both suites have in common. `share` is the part of its cases that a property tries, unless the run is deep. */
export const common = (share: number): NonNullable<ViteUserConfig["test"]> => ({
  root: ".",
  // On every core, and without a new process for each file: starting those takes longer than most files.
  maxWorkers: "100%",
  isolate: false,
  sequence: { sequencer: LongestFirst },
  // Nothing is asserted of time. These only end what hangs, on a machine that is as slow as it likes.
  testTimeout: DEEP ? 3_600_000 : 900_000,
  hookTimeout: 900_000,
  expect: { poll: { timeout: 120_000, interval: 250 } },
  setupFiles: [path("support/laws.ts")],
  provide: { share: DEEP ? 1 : share },
  reporters: [
    "default",
    ...(process.env["GITHUB_ACTIONS"] === "true" ? (["github-actions"] as const) : []),
    [path("support/reporter.ts"), { laws: DEEP }],
  ],
})
