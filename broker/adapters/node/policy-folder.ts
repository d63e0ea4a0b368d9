import { type FSWatcher, watch } from "node:fs"
import { BrokerError } from "../../core/errors.ts"
import { FILE_START, fault } from "../../core/policy/faults.ts"
import type { PolicyFault, PolicySet } from "../../core/policy/model.ts"
import { createPolicyLoader, type PolicyLoader } from "../../core/policy/policy-loader.ts"
import type { ProviderSchemaTable } from "../../core/policy/provider-schemas.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { atOnce, type Steps } from "../../core/steps.ts"
import type { PolicySource, PolicyStatus } from "../../ports/policy-source.ts"
import { snapshotOf } from "../memory/policy-source.ts"
import {
  createFolderReader,
  type FolderLook,
  type FolderReader,
  type FolderReaderOptions,
} from "./read-policy-folder.ts"
import { inSlices } from "./slices.ts"

type Loaded = Result<PolicySet, readonly PolicyFault[]>

export interface PolicyFolderOptions extends FolderReaderOptions {
  /** Called after every attempt to load a changed folder, successful or not; never for the first load. */
  readonly onReload?: (outcome: Loaded) => void
  /** How long the folder must be unchanged before it is read: a checkout writes one file after another. */
  readonly quietMs?: number
  /** How often the folder is checked without a reported change: network file systems report none. */
  readonly pollMs?: number
}

/** The current policies of a folder. */
export interface PolicyFolder extends PolicySource {
  /**
   * Checks the folder again, after a running reload. Returns true when the folder's policies are in force. Requests in the
   * meantime are answered with the last good set.
   */
  reload(): Promise<boolean>
  /** Stops watching, and stops a running reload, which then returns false. The loaded set stays usable. */
  close(): void
}

/**
 * Opens a folder of policies and follows its changes.
 *
 * A changed folder is loaded as a whole, and then replaces the old set in one step, so each request sees one set. Only
 * changed files are read and parsed again, in slices between which requests are answered. A folder with any fault changes
 * nothing: the last good set stays in force, and `status()` and `onReload` report it.
 *
 * @throws {BrokerError} `policy_unavailable`, with every fault, when the folder cannot be loaded at all
 */
export async function openPolicyFolder(
  folder: string,
  providers: ProviderSchemaTable,
  options: PolicyFolderOptions = {},
): Promise<PolicyFolder> {
  const { onReload, quietMs = 200, pollMs = 10_000 } = options
  const reader = createFolderReader(folder, options)
  const loader = createPolicyLoader(providers)
  const first = loadFolder(folder, providers, reader, loader)
  if (!first.ok) throw new BrokerError("policy_unavailable", faultsAsText(folder, first.fault))

  let snapshot = snapshotOf(first.value)
  let status = statusOf(first.value)
  // The result of the last attempt, so that an attempt with the same result is not reported again.
  let last = { ok: true, key: outcomeKey(first) }
  let closed = false

  const attempt = async (): Promise<boolean> => {
    const outcome = await inSlices(reloading(folder, reader, loader), () => closed)
    if (closed) return false
    const key = outcome === null ? last.key : outcomeKey(outcome)
    if (outcome === null || key === last.key) return last.ok
    last = { ok: outcome.ok, key }
    if (outcome.ok) {
      snapshot = snapshotOf(outcome.value)
      status = statusOf(outcome.value)
    } else {
      const since = status.stale?.since ?? new Date().toISOString()
      status = { ...status, stale: { since, faults: outcome.fault.length } }
    }
    onReload?.(outcome)
    return outcome.ok
  }

  let previous: Promise<unknown> = Promise.resolve()
  let waiting: Promise<boolean> | null = null
  // One reload at a time. A call during a running reload gets the next one, because the running one may have passed the
  // change.
  const reload = (): Promise<boolean> => {
    if (waiting !== null) return waiting
    const next = previous.then(() => {
      waiting = null
      return attempt()
    })
    waiting = next
    previous = next.catch(() => {})
    return next
  }

  const following = follow(folder, () => void reload(), quietMs, pollMs)
  return {
    snapshot: async () => snapshot,
    status: () => status,
    reload,
    close() {
      closed = true
      following.close()
    },
  }
}

/** Loads a folder once. An unreadable file or folder is a fault like any other. */
export function loadFolder(
  folder: string,
  providers: ProviderSchemaTable,
  reader: FolderReader = createFolderReader(folder),
  loader: PolicyLoader = createPolicyLoader(providers),
): Loaded {
  const look = atOnce(looking(folder, reader))
  return look.ok ? loader.load(look.value.files) : look
}

/** Loads the folder again; null when it has not changed since the last look. */
function* reloading(folder: string, reader: FolderReader, loader: PolicyLoader): Steps<Loaded | null> {
  const look = yield* looking(folder, reader)
  if (!look.ok) return look
  return look.value.changed ? yield* loader.steps(look.value.files) : null
}

function* looking(folder: string, reader: FolderReader): Steps<Result<FolderLook, readonly PolicyFault[]>> {
  try {
    return ok(yield* reader.look())
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error"
    const path = error instanceof Error && "path" in error ? String(error.path) : folder
    const message = `This cannot be read (${code}): check that it exists and is readable.`
    return fail([fault(path, FILE_START, "folder_unreadable", message)])
  }
}

/** Calls `changed` after a reported change, as soon as the folder is quiet, and also every `pollMs`. */
function follow(folder: string, changed: () => void, quietMs: number, pollMs: number): { close(): void } {
  let quiet: NodeJS.Timeout | undefined
  const soon = () => {
    clearTimeout(quiet)
    quiet = setTimeout(changed, quietMs).unref()
  }
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(folder, { recursive: true, persistent: false }, soon)
    // When the watcher fails, because of missing inotify handles or a replaced folder, polling continues.
    watcher.on("error", () => watcher?.close())
  } catch {
    watcher = undefined
  }
  const poll = setInterval(changed, pollMs).unref()
  return {
    close() {
      clearTimeout(quiet)
      clearInterval(poll)
      watcher?.close()
    },
  }
}

function statusOf(set: PolicySet): PolicyStatus {
  return { version: set.version, policies: set.policyCount, loaded_at: new Date().toISOString() }
}

function outcomeKey(outcome: Loaded): string {
  return outcome.ok ? outcome.value.version : JSON.stringify(outcome.fault)
}

function faultsAsText(folder: string, faults: readonly PolicyFault[]): string {
  const lines = faults.map(({ file, line, column, message }) => `  ${file}:${line}:${column}: ${message}`)
  return [`The policies in ${folder} cannot be loaded:`, ...lines].join("\n")
}
