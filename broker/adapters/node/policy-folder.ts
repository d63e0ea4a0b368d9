import { BrokerError } from "../../core/errors.ts"
import type { PolicyFault, PolicySet } from "../../core/policy/model.ts"
import { createPolicyLoader, type PolicyLoader } from "../../core/policy/policy-loader.ts"
import type { ProviderSchemaTable } from "../../core/policy/provider-schemas.ts"
import type { Result } from "../../core/result.ts"
import { atOnce } from "../../core/steps.ts"
import type { Clock } from "../../ports/clock.ts"
import type { HealthCheck } from "../../ports/health.ts"
import type { Log } from "../../ports/log.ts"
import type { PolicySource } from "../../ports/policy-source.ts"
import { snapshotOf } from "../memory/policy-source.ts"
import { systemClock } from "../memory/system-clock.ts"
import { createPolicyAge, MAX_STALE_SECONDS } from "./policy-age.ts"
import { createPolicyFolderLog } from "./policy-folder-log.ts"
import { firstSight, isSameSight, isUntouched, type Sight, sightOf } from "./policy-folder-sight.ts"
import { createFolderReader, type FolderReaderOptions } from "./read-policy-folder.ts"
import { inSlices } from "./slices.ts"
import { watchFolder } from "./watch-folder.ts"

type Loaded = Result<PolicySet, readonly PolicyFault[]>

/**
 * How long a changed folder must be still before it is read. Longer than the pauses inside of one change: people who move
 * a `deny` from one file to another save the two about a second apart, and a checkout of 10,000 files writes the next one
 * within milliseconds. Two seconds are also the coarsest resolution of file times (FAT). Shorter than what an operator
 * waits for after an urgent `deny`.
 */
const QUIET_MS = 2_000
/**
 * When the log says that the folder does not come to rest. Its state is not put in force then either: half of a slow copy
 * can lack a `deny`. Writes without a pause cannot postpone an urgent `deny` for ever, because the old set has its own end
 * (`maxStaleSeconds`).
 */
const UNREST_MS = 30_000
const POLL_MS = 10_000

export interface PolicyFolderOptions extends FolderReaderOptions {
  readonly clock?: Clock
  readonly log?: Log
  /** How long a set is used that is older than the folder, in seconds. After that nothing is granted. */
  readonly maxStaleSeconds?: number
  /** Called after every attempt to load a changed folder, successful or not; never for the first load. */
  readonly onReload?: (outcome: Loaded) => void
  /** How long the folder must be still before it is read; 0 for at once. */
  readonly quietMs?: number
  /** How often the folder is checked without a reported change: network file systems report none. */
  readonly pollMs?: number
  /** False when only `pollMs` and `reload` look at the folder. */
  readonly isWatching?: boolean
}

/** The current policies of a folder. */
export interface PolicyFolder extends PolicySource {
  /** Whether the set in force is the folder's, for `/healthz`. */
  readonly health: HealthCheck
  /**
   * Looks at the folder once, after a running look. Returns true when the folder's policies are in force; false when they
   * have faults, or when the folder has not been still for long enough. Requests in the meantime are answered with the last
   * good set.
   */
  reload(): Promise<boolean>
  /** Somebody says that the folder may have changed: it is looked at soon, and not more often than its size allows. */
  notice(): void
  /** Stops watching, and stops a running reload, which then returns false. The loaded set stays usable until its end. */
  close(): void
}

/**
 * Opens a folder of policies and follows its changes.
 *
 * A folder is read as one state: when it has been still for two seconds, or at once when a link to it was swapped. A changed
 * folder is loaded as a whole, and then replaces the old set in one step, so each request sees one set. Only changed files
 * are read and parsed again, in slices between which requests are answered. A folder with any fault changes nothing: the
 * last good set stays in force for `maxStaleSeconds`, and `status()`, `health` and the log report it.
 *
 * The first load waits until the folder is still, too, if its files are as new as that.
 *
 * @throws {BrokerError} `policy_unavailable`, with every fault, when the folder cannot be loaded at all
 */
export async function openPolicyFolder(
  folder: string,
  providers: ProviderSchemaTable,
  options: PolicyFolderOptions = {},
): Promise<PolicyFolder> {
  const { onReload, log = () => {}, clock = systemClock, maxStaleSeconds = MAX_STALE_SECONDS } = options
  const { quietMs = QUIET_MS, pollMs = POLL_MS, isWatching = true } = options
  const reader = createFolderReader(folder, options)
  const loader = createPolicyLoader(providers)
  const age = createPolicyAge(clock, maxStaleSeconds)
  const say = createPolicyFolderLog(log, age)

  const openedAt = clock.elapsed()
  const opened = await firstSight(folder, reader, { quietMs, unrestMs: UNREST_MS })
  const first = loadSight(opened, loader)
  if (!opened.ok || !first.ok) throw new BrokerError("policy_unavailable", faultsAsText(folder, first))
  age.confirm(openedAt)

  let snapshot = snapshotOf(first.value)
  let status = statusOf(first.value, clock)
  let { place } = opened.value
  /** What the last look found. */
  let seen: Sight = opened
  /** The last state that was put in force or refused, and the result, so that the same result is not reported again. */
  let settled: Settled = { sight: opened, outcome: first, key: outcomeKey(first) }
  /** A state that differs from the settled one, until it has been still for long enough. */
  let pending: Pending | null = null
  let closed = false
  const isClosed = () => closed

  /** Puts a state in force, or refuses it. `at` is when the look at it began. */
  async function settle(sight: Sight, at: number): Promise<boolean> {
    const outcome = sight.ok ? await inSlices(loader.steps(sight.value.files), isClosed) : sight
    if (outcome === null || closed) return false
    pending = null
    const key = outcomeKey(outcome)
    const isNew = key !== settled.key
    settled = { sight, outcome, key }
    judge(at)
    if (!isNew) return outcome.ok
    if (outcome.ok) {
      snapshot = snapshotOf(outcome.value)
      status = statusOf(outcome.value, clock)
    }
    say.reloaded(outcome)
    onReload?.(outcome)
    return outcome.ok
  }

  /** The folder is in the settled state: its set is in force, or it has faults. */
  function judge(at: number): boolean {
    const { outcome } = settled
    if (outcome.ok) age.confirm(at)
    else age.fallBehind({ why: "refused", faults: outcome.fault.length })
    return outcome.ok
  }

  async function look(): Promise<boolean> {
    const at = clock.elapsed()
    const sight = await inSlices(sightOf(folder, reader), isClosed)
    if (sight === null || closed) return false
    const isUnchanged = isUntouched(seen, sight)
    const isSwapped = sight.ok && sight.value.place !== place
    if (sight.ok) place = sight.value.place
    seen = sight
    // Somebody put the new folder in place as a whole.
    if (isSwapped) return settle(sight, at)
    if (isSameSight(settled.sight, sight)) {
      pending = null
      return judge(at)
    }
    const now = clock.elapsed()
    if (pending === null) pending = { since: now, stillFrom: now, isSaid: false }
    else if (!isUnchanged) pending.stillFrom = now
    const isChanging = !sight.ok && sight.isChanging
    if (!isChanging && (quietMs === 0 || at - pending.stillFrom >= quietMs)) return settle(sight, at)
    age.fallBehind({ why: "changing" })
    if (!pending.isSaid && now - pending.since >= UNREST_MS) {
      pending.isSaid = true
      say.unsettled(now - pending.since)
    }
    return false
  }

  let previous: Promise<unknown> = Promise.resolve()
  let waiting: Promise<boolean> | null = null
  // One look at a time. A call during a running look gets the next one, because the running one may have passed the change.
  const reload = (): Promise<boolean> => {
    if (waiting !== null) return waiting
    const next = previous.then(() => {
      waiting = null
      return look().finally(say.standing)
    })
    waiting = next
    previous = next.catch(() => {})
    return next
  }

  const watching = watchFolder(folder, {
    pollMs,
    isWatching,
    pulse: say.standing,
    async look() {
      await reload()
      return pending === null ? null : Math.max(1, quietMs - (clock.elapsed() - pending.stillFrom))
    },
  })
  return {
    async snapshot() {
      // The machine slept: the set is only as old as the last look, and one look tells whether it is the folder's.
      if (age.isOver() && age.isCurrent()) await reload()
      age.requireUsable()
      return snapshot
    },
    status: () => ({ ...status, ...age.stale() }),
    health: age,
    reload,
    notice: watching.noticed,
    close() {
      closed = true
      watching.close()
    },
  }
}

interface Settled {
  readonly sight: Sight
  readonly outcome: Loaded
  readonly key: string
}

/** Times on `Clock.elapsed()`. */
interface Pending {
  readonly since: number
  /** The end of the last look that found something written. */
  stillFrom: number
  /** Whether the log says that the folder does not come to rest. */
  isSaid: boolean
}

/** Loads a folder once. An unreadable file or folder is a fault like any other. */
export function loadFolder(folder: string, providers: ProviderSchemaTable): Loaded {
  return loadSight(atOnce(sightOf(folder, createFolderReader(folder))), createPolicyLoader(providers))
}

const loadSight = (sight: Sight, loader: PolicyLoader): Loaded => (sight.ok ? loader.load(sight.value.files) : sight)

const statusOf = (set: PolicySet, clock: Clock) => ({
  version: set.version,
  policies: set.policyCount,
  loaded_at: clock.now().toISOString(),
})

function outcomeKey(outcome: Loaded): string {
  return outcome.ok ? outcome.value.version : JSON.stringify(outcome.fault)
}

function faultsAsText(folder: string, loaded: Loaded): string {
  const faults = loaded.ok ? [] : loaded.fault
  const lines = faults.map(({ file, line, column, message }) => `  ${file}:${line}:${column}: ${message}`)
  return [`The policies in ${folder} cannot be loaded:`, ...lines].join("\n")
}
