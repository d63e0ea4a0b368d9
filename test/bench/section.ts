/**
 * What a section of `npm run bench` is given and what it returns. One section measures one subject, in a file of its own:
 *
 *     export async function measureSweep(bench: Bench): Promise<Section> {
 *       const raced = await race(bench, { bare: { url, pids, shots }, ours: { ... } })
 *       return {
 *         rows: [atLeast("exchange against a bare route", ratioOf(raced, "ours", "bare"), 0.9)],
 *         arms: figuresOf(raced),
 *       }
 *     }
 *
 * and one line of `SECTIONS` in bench.ts names it. A section starts its own servers and registers their ends with
 * `bench.ends`. Whatever it cannot measure on this machine it says in `unmeasured`, with the reason; it never guesses.
 */

import type { LoadGenerator } from "./load.ts"
import type { LoadIssuer } from "./tokens.ts"

export interface Bench {
  /** Closed after the section, last first. */
  readonly ends: AsyncDisposableStack
  /** Scratch space of this section on the disk, removed afterwards. */
  readonly folder: string
  readonly issuer: LoadIssuer
  /** The flow suite's policies for `issuer`: grant `vault` of `acme/shop` in `production`, with limits that load does not reach. */
  readonly policies: string
  /** Sends requests from a process of its own. */
  readonly load: LoadGenerator
  /** `--long`: minutes are allowed, not seconds. */
  readonly long: boolean
}

export interface Section {
  /** Budgets. One that is exceeded ends the bench with 1. */
  readonly rows?: readonly Row[]
  /** Ways to serve a request, under load. */
  readonly arms?: Readonly<Record<string, ArmFigures>>
  /** Other numbers; a name says its unit: `open_ms`, `rss_mb`. */
  readonly figures?: Readonly<Record<string, number>>
  /** What becomes a picture with `--pictures`. */
  readonly curves?: readonly Curve[]
  /** What could not be measured, and why: "OpenBao: no program `bao`; npm run test:interop -- --install gets it". */
  readonly unmeasured?: readonly string[]
}

/** A ratio of two measurements of one run. */
export interface Row {
  readonly name: string
  readonly ratio: number
  readonly bound: "at least" | "at most"
  readonly budget: number
}

export const atLeast = (name: string, ratio: number, budget: number): Row => ({
  name,
  ratio,
  bound: "at least",
  budget,
})
export const atMost = (name: string, ratio: number, budget: number): Row => ({ name, ratio, bound: "at most", budget })

/** Fails for a ratio that is not a number, too. */
export const isKept = ({ ratio, bound, budget }: Row): boolean =>
  bound === "at least" ? ratio >= budget : ratio <= budget

/** Medians over rounds. */
export interface ArmFigures {
  readonly requests_per_second: number
  readonly p50_ms: number
  readonly p99_ms: number
  /** Processor time of a request, of all threads of the arm's processes; null: not counted. */
  readonly cpu_ms: number | null
  /** The part of it on the main threads. */
  readonly main_cpu_ms: number | null
  /** Calls of fsync and fdatasync a request; null: not counted. */
  readonly fsyncs: number | null
}

/** A picture: lines over one axis. */
export interface Curve {
  /** The name of its file in `docs/images`, without `.svg`. */
  readonly file: string
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[]
}

export interface Axis {
  readonly label: string
  /** `log`: from the least power of two or ten that holds all. Default: linear from 0. */
  readonly scale?: "log2" | "log10"
}
