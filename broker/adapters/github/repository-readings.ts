import type { Identity } from "../../core/identity.ts"
import type { PolicyInput } from "../../core/policy/load.ts"
import { failed, type Refusal } from "../../github/answer.ts"
import type { Clock } from "../../ports/clock.ts"
import { createBoundedCache } from "../memory/bounded-cache.ts"
import type { RepositoryMemory, RepositoryPolicyReader, RepositoryReading } from "./repository-policies.ts"

/** Repositories' own files, from memory while they are fresh. */
export interface RepositoryReadings {
  /** What is known now about the identity's repository. Asks GitHub when memory has no fresh reading. */
  current(identity: Identity): Promise<Standing>
}

/** `refusal`: why GitHub did not confirm the reading again since `confirmedAt` (on `Clock.elapsed()`). */
export type Standing =
  | { readonly outcome: "known"; readonly kept: Kept; readonly confirmedAt: number; readonly refusal: Refusal | null }
  | { readonly outcome: "unknown"; readonly refusal: Refusal }

/** A repository's own files. `files` stays the same array as long as Git's hash stays the same. */
export type Kept =
  | {
      readonly outcome: "files"
      readonly files: readonly PolicyInput[]
      readonly fullName: string
      readonly treeSha: string
    }
  | { readonly outcome: "absent"; readonly fullName: string }

export const FRESH_MS = 60_000
/** Counted from GitHub's last confirmation. */
export const STALE_MS = 10 * 60_000
/** The pause between two attempts while GitHub fails, so that not every job waits for a timeout. */
export const RETRY_MS = 5_000

const MAX_REPOSITORIES = 5_000
/** The limit for all files together: an instance at the edge has 128 MB for everything. */
const MAX_BYTES = 16 * 1024 * 1024
/**
 * Jobs that start together read in parallel, and do not wait for each other. The limit is for a matrix of hundreds of jobs.
 */
const MAX_READINGS = 8
const READING_WINDOW_MS = 10_000

/** Times are on `Clock.elapsed()`: a jump of the wall clock makes no reading count for longer. */
interface Entry {
  /** When the reading began. */
  readonly startedAt: number
  readonly kept: Kept | null
  readonly confirmedAt: number
  readonly memory: RepositoryMemory | null
  readonly refusal: Refusal | null
  /** GitHub is not asked again before this time; 0 after a successful attempt. */
  readonly retryAt: number
}

/** Keeps readings in this instance's memory: one minute, and up to ten minutes while GitHub does not confirm them. */
export function createRepositoryReadings(reader: RepositoryPolicyReader, clock: Clock): RepositoryReadings {
  const entries = createBoundedCache<Entry>(MAX_REPOSITORIES, MAX_BYTES)
  const underWay = createBoundedCache<{ readonly since: number; readonly count: number }>(MAX_REPOSITORIES)

  async function read(key: string, identity: Identity, before: Entry | undefined, now: number): Promise<Entry | null> {
    const others = underWay.get(key)
    const isRecent = others !== undefined && now - others.since < READING_WINDOW_MS
    if (isRecent && others.count >= MAX_READINGS) return null
    // The count never goes down by one, because a request that is cancelled at the edge would not do it. A reading that
    // ends resets it.
    underWay.set(key, isRecent ? { ...others, count: others.count + 1 } : { since: now, count: 1 })
    const reading = await reader.read(identity, before?.memory ?? null)
    // The pause is counted from the end of the attempt, because a timeout alone takes as long as the pause.
    const entry = entryOf(reading, before, now, clock.elapsed() + RETRY_MS)
    underWay.delete(key)
    const meanwhile = entries.get(key)
    // A slow reading that started earlier must not restore what a later one found removed.
    if (meanwhile !== undefined && meanwhile.startedAt > entry.startedAt) return meanwhile
    entries.set(key, entry, weightOf(entry))
    return entry
  }

  return {
    async current(identity) {
      // The key contains the owner: a confirmation for one owner does not count for jobs of the next owner.
      const key = JSON.stringify([identity.issuerUrl, identity.unitId, identity.ownerId])
      const now = clock.elapsed()
      const entry = entries.get(key)
      if (entry && isFresh(entry, now)) return standingOf(entry, now)
      if (entry && now < entry.retryAt) return standingOf(entry, now)
      const next = await read(key, identity, entry, now)
      if (next === null) return { outcome: "unknown", refusal: BUSY }
      return standingOf(next, clock.elapsed())
    },
  }
}

const BUSY = failed("is already being asked about this repository for many jobs")

const isFresh = (entry: Entry, now: number) => entry.kept !== null && now - entry.confirmedAt < FRESH_MS

function entryOf(reading: RepositoryReading, before: Entry | undefined, startedAt: number, retryAt: number): Entry {
  switch (reading.outcome) {
    case "files":
    case "absent": {
      const { memory, ...kept } = reading
      return { startedAt, kept, confirmedAt: startedAt, memory, refusal: null, retryAt: 0 }
    }
    // GitHub answered and refused, so earlier answers no longer count.
    case "no-access":
      return { startedAt, kept: null, confirmedAt: startedAt, memory: null, refusal: reading, retryAt }
    case "rate-limited":
    case "failed": {
      const { kept = null, confirmedAt = startedAt, memory = null } = before ?? {}
      return { startedAt, kept, confirmedAt, memory, refusal: reading, retryAt }
    }
  }
}

function standingOf({ kept, confirmedAt, refusal }: Entry, now: number): Standing {
  if (kept !== null && now - confirmedAt < STALE_MS) return { outcome: "known", kept, confirmedAt, refusal }
  return { outcome: "unknown", refusal: refusal ?? failed("did not confirm its last answer in time") }
}

function weightOf({ kept }: Entry): number {
  return kept?.outcome === "files" ? kept.files.reduce((sum, { bytes }) => sum + bytes.length, 0) : 0
}
