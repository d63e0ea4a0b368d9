import type { Identity } from "../../core/identity.ts"
import type { PolicyInput } from "../../core/policy/load.ts"
import { failed, type Refusal } from "../../github/answer.ts"
import type { Clock } from "../../ports/clock.ts"
import { createBoundedCache } from "../memory/bounded-cache.ts"
import type { RepositoryMemory, RepositoryPolicyReader, RepositoryReading } from "./repository-policies.ts"

/** What repositories keep, from memory while that is fresh. */
export interface RepositoryReadings {
  /** What is known of the identity's repository now. Asks GitHub when nothing fresh is at hand. */
  current(identity: Identity): Promise<Standing>
}

/** `refusal`: why GitHub has not confirmed again what was confirmed at `confirmedAt` (Unix milliseconds). */
export type Standing =
  | { readonly outcome: "known"; readonly kept: Kept; readonly confirmedAt: number; readonly refusal: Refusal | null }
  | { readonly outcome: "unknown"; readonly refusal: Refusal }

/** What a repository keeps. The same `files` are the same array for as long as Git names them the same. */
export type Kept =
  | {
      readonly outcome: "files"
      readonly files: readonly PolicyInput[]
      readonly fullName: string
      readonly treeSha: string
    }
  | { readonly outcome: "absent"; readonly fullName: string }

export const FRESH_MS = 60_000
/** Counted from the last time that GitHub confirmed it. */
export const STALE_MS = 10 * 60_000
/** Between two attempts at a GitHub that fails, so that not every job waits for its time-outs. */
export const RETRY_MS = 5_000

const MAX_REPOSITORIES = 5_000
/** All files together: an instance at the edge has 128 MB for everything. */
const MAX_BYTES = 16 * 1024 * 1024
/** Jobs that start together read side by side, none waiting for another's request; but not all of a matrix of hundreds. */
const MAX_READINGS = 8
const READING_WINDOW_MS = 10_000

interface Entry {
  /** When the reading began that this is of. */
  readonly startedAt: number
  readonly kept: Kept | null
  readonly confirmedAt: number
  readonly memory: RepositoryMemory | null
  readonly refusal: Refusal | null
  /** Until then nothing is asked again; 0 when the last attempt was good. */
  readonly retryAt: number
}

/** Keeps readings in this instance's memory: a minute as they are, and up to ten while GitHub confirms nothing. */
export function createRepositoryReadings(reader: RepositoryPolicyReader, clock: Clock): RepositoryReadings {
  const entries = createBoundedCache<Entry>(MAX_REPOSITORIES, MAX_BYTES)
  const underWay = createBoundedCache<{ readonly since: number; readonly count: number }>(MAX_REPOSITORIES)

  async function read(key: string, identity: Identity, before: Entry | undefined, now: number): Promise<Entry | null> {
    const others = underWay.get(key)
    const isRecent = others !== undefined && now - others.since < READING_WINDOW_MS
    if (isRecent && others.count >= MAX_READINGS) return null
    // Not counted down when a reading ends: a request that is cancelled at the edge never would. One that ends clears all.
    underWay.set(key, isRecent ? { ...others, count: others.count + 1 } : { since: now, count: 1 })
    const reading = await reader.read(identity, before?.memory ?? null)
    // Counted from the end: a time-out alone takes as long as the pause after it.
    const entry = entryOf(reading, before, now, clock.now().getTime() + RETRY_MS)
    underWay.delete(key)
    const meanwhile = entries.get(key)
    // A slow reading that began earlier must not bring back what a later one found gone.
    if (meanwhile !== undefined && meanwhile.startedAt > entry.startedAt) return meanwhile
    entries.set(key, entry, weightOf(entry))
    return entry
  }

  return {
    async current(identity) {
      // By its owner, too: what was confirmed for one owner says nothing of the next one's jobs.
      const key = JSON.stringify([identity.issuerUrl, identity.repositoryId, identity.ownerId])
      const now = clock.now().getTime()
      const entry = entries.get(key)
      if (entry && isFresh(entry, now)) return standingOf(entry, now)
      if (entry && now < entry.retryAt) return standingOf(entry, now)
      const next = await read(key, identity, entry, now)
      if (next === null) return { outcome: "unknown", refusal: BUSY }
      return standingOf(next, clock.now().getTime())
    },
  }
}

const BUSY = failed("is being asked about this repository for many jobs at once")

const isFresh = (entry: Entry, now: number) => entry.kept !== null && now - entry.confirmedAt < FRESH_MS

function entryOf(reading: RepositoryReading, before: Entry | undefined, startedAt: number, retryAt: number): Entry {
  switch (reading.outcome) {
    case "files":
    case "absent": {
      const { memory, ...kept } = reading
      return { startedAt, kept, confirmedAt: startedAt, memory, refusal: null, retryAt: 0 }
    }
    // GitHub is there and says no: what it said before counts no longer.
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
  return { outcome: "unknown", refusal: refusal ?? failed("did not confirm in time what it had said") }
}

function weightOf({ kept }: Entry): number {
  return kept?.outcome === "files" ? kept.files.reduce((sum, { bytes }) => sum + bytes.length, 0) : 0
}
