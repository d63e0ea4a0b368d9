import { CONCURRENCY, type LoadFigures, type Shot } from "./load.ts"
import { type CpuTime, cpuTimeOf, flushesDuring } from "./processes.ts"
import type { ArmFigures, Bench } from "./section.ts"

const ROUNDS = 5
const SHOTS = 500

/** One way to serve a request. */
export interface Arm {
  readonly url: string
  /** The processes that serve it. Their processor time and their flushes of the disk are counted. */
  readonly pids: readonly number[]
  readonly shots: (count: number) => readonly Shot[] | Promise<readonly Shot[]>
  /** Called before each round of this arm. */
  readonly ready?: () => void
}

export interface RaceOptions {
  /** Rounds that count; one more warms up. */
  readonly rounds?: number
  readonly shots?: number
  readonly concurrency?: number
  readonly countFlushes?: boolean
}

export interface Round extends LoadFigures {
  readonly cpu: CpuTime | null
}

/** Each arm's rounds. The rounds of one index ran within seconds of each other. */
export interface Race<Name extends string> {
  readonly rounds: Readonly<Record<Name, readonly Round[]>>
  readonly fsyncs: Readonly<Record<Name, number | null>>
}

/**
 * Fires at all arms in turns, round by round, so that whatever else the machine does falls on all of them. The first round
 * warms up. A last one counts flushes.
 */
export async function race<Name extends string>(
  { load }: Pick<Bench, "load">,
  arms: Readonly<Record<Name, Arm>>,
  options: RaceOptions = {},
): Promise<Race<Name>> {
  const { rounds = ROUNDS, shots = SHOTS, concurrency = CONCURRENCY, countFlushes = true } = options
  const names = Object.keys(arms) as Name[]
  const done = Object.fromEntries(names.map((name) => [name, [] as Round[]])) as Record<Name, Round[]>
  const fsyncs = Object.fromEntries(names.map((name) => [name, null])) as Record<Name, number | null>
  /** Everything that costs time is done when it resolves. */
  const prepared = async (name: Name) => {
    const { url, shots: prepare, ready } = arms[name]
    const all = await prepare(shots)
    ready?.()
    return () => load.fire(url, all, concurrency)
  }
  for (let turn = 0; turn <= rounds; turn++) {
    for (const name of names) {
      const { pids } = arms[name]
      const run = await prepared(name)
      const before = cpuTimeOf(pids)
      const figures = await run()
      if (turn > 0) done[name].push({ ...figures, cpu: spent(before, cpuTimeOf(pids), shots) })
    }
  }
  for (const name of countFlushes ? names : []) {
    const flushes = await flushesDuring(arms[name].pids, await prepared(name))
    fsyncs[name] = flushes === null ? null : flushes / shots
  }
  return { rounds: done, fsyncs }
}

/** The rate of `one` over the rate of `other`: the median over rounds. */
export function ratioOf<Name extends string>({ rounds }: Race<Name>, one: Name, other: Name): number {
  return median(
    rounds[one].map((round, turn) => round.requests_per_second / (rounds[other][turn]?.requests_per_second ?? 0)),
  )
}

export function figuresOf<Name extends string>({ rounds, fsyncs }: Race<Name>): Record<Name, ArmFigures> {
  const figures = (name: Name): ArmFigures => {
    const of = (pick: (round: Round) => number) => median(rounds[name].map(pick))
    const cpu = rounds[name].flatMap((round) => round.cpu ?? [])
    return {
      requests_per_second: of((round) => round.requests_per_second),
      p50_ms: of((round) => round.p50_ms),
      p99_ms: of((round) => round.p99_ms),
      cpu_ms: cpu.length > 0 ? median(cpu.map(({ all }) => all)) : null,
      main_cpu_ms: cpu.length > 0 ? median(cpu.map(({ main }) => main)) : null,
      fsyncs: fsyncs[name],
    }
  }
  return Object.fromEntries(Object.keys(rounds).map((name) => [name, figures(name as Name)])) as Record<
    Name,
    ArmFigures
  >
}

function spent(before: CpuTime | null, after: CpuTime | null, shots: number): CpuTime | null {
  if (!before || !after) return null
  return { main: (after.main - before.main) / shots, all: (after.all - before.all) / shots }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
