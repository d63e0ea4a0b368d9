import { type FSWatcher, watch } from "node:fs"
import { BrokerError } from "../../core/errors.ts"
import { FILE_START, fault } from "../../core/policy/faults.ts"
import { loadPolicySet } from "../../core/policy/load.ts"
import type { PolicyFault, PolicySet } from "../../core/policy/model.ts"
import type { ProviderSchemaTable } from "../../core/policy/provider-schemas.ts"
import { parseYaml } from "../../core/policy/yaml.ts"
import { fail, type Result } from "../../core/result.ts"
import type { PolicySource, PolicyStatus } from "../../ports/policy-source.ts"
import { snapshotOf } from "../memory/policy-source.ts"
import { fingerprintPolicyFolder, readPolicyFolder } from "./read-policy-folder.ts"

export interface PolicyFolderOptions {
  /** Called after every attempt to load a changed folder, good or not; never for the first. */
  readonly onReload?: (outcome: Result<PolicySet, readonly PolicyFault[]>) => void
  /** How long the folder must be quiet before it is read: a checkout writes file after file. */
  readonly quietMs?: number
  /** How often the folder is read even if no change was reported: network file systems report none. */
  readonly pollMs?: number
}

/** Policies from a folder, as they stand in it now. */
export interface PolicyFolder extends PolicySource {
  /** Reads the folder now; true when what it holds is in force. */
  reload(): boolean
  /** Stops watching. What was loaded stays usable. */
  close(): void
}

/**
 * Opens a folder of policies and follows its changes.
 *
 * A changed folder is loaded as a whole and then takes the place of the old set in one step; one request sees one set.
 * A folder with any fault changes nothing: the last good set stays in force, and `status()` and `onReload` say so.
 *
 * @throws {BrokerError} `policy_unavailable`, with every fault, when the folder cannot be loaded at all
 */
export async function openPolicyFolder(
  folder: string,
  providers: ProviderSchemaTable,
  options: PolicyFolderOptions = {},
): Promise<PolicyFolder> {
  const { onReload, quietMs = 200, pollMs = 10_000 } = options
  // Taken before the files are read: a change between the two is then seen as one.
  let lastSeen = fingerprintOf(folder)
  const parse = rememberingParser()
  const first = loadFolder(folder, providers, parse)
  if (!first.ok) throw new BrokerError("policy_unavailable", faultsAsText(folder, first.fault))

  let set = first.value
  let snapshot = snapshotOf(set)
  let status = statusOf(set)
  // What the last attempt found, so that a poll that finds the same says nothing.
  let lastOutcome = outcomeKey(first)

  const reload = (): boolean => {
    const outcome = loadFolder(folder, providers, parse)
    const key = outcomeKey(outcome)
    if (key === lastOutcome) return outcome.ok
    lastOutcome = key
    if (outcome.ok) {
      set = outcome.value
      snapshot = snapshotOf(set)
      status = statusOf(set)
    } else {
      const since = status.stale?.since ?? new Date().toISOString()
      status = { ...status, stale: { since, faults: outcome.fault.length } }
    }
    onReload?.(outcome)
    return outcome.ok
  }

  const reloadIfChanged = () => {
    const seen = fingerprintOf(folder)
    if (seen === lastSeen) return
    lastSeen = seen
    reload()
  }

  const following = follow(folder, reloadIfChanged, quietMs, pollMs)
  return {
    snapshot: async () => snapshot,
    status: () => status,
    reload,
    close: following.close,
  }
}

/** Loads a folder once; what cannot be read is a fault like any other. */
export function loadFolder(
  folder: string,
  providers: ProviderSchemaTable,
  parse: typeof parseYaml = parseYaml,
): Result<PolicySet, readonly PolicyFault[]> {
  try {
    return loadPolicySet(readPolicyFolder(folder), providers, parse)
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error"
    const path = error instanceof Error && "path" in error ? String(error.path) : folder
    const message = `This cannot be read (${code}): check that it is there.`
    return fail([fault(path, FILE_START, "folder_unreadable", message)])
  }
}

/** Parses a file only when its bytes are others than the last time, so that one changed policy of thousands is cheap. */
function rememberingParser(): typeof parseYaml {
  const remembered = new Map<string, { readonly bytes: Uint8Array; readonly parsed: ReturnType<typeof parseYaml> }>()
  return (file, bytes) => {
    const before = remembered.get(file)
    if (before && Buffer.compare(before.bytes, bytes) === 0) return before.parsed
    const parsed = parseYaml(file, bytes)
    remembered.set(file, { bytes, parsed })
    return parsed
  }
}

/** Calls back when a change was reported and the folder is quiet again, and every `pollMs` in any case. */
function follow(folder: string, changed: () => void, quietMs: number, pollMs: number): { close(): void } {
  let quiet: NodeJS.Timeout | undefined
  const soon = () => {
    clearTimeout(quiet)
    quiet = setTimeout(changed, quietMs).unref()
  }
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(folder, { recursive: true, persistent: false }, soon)
    // A watcher that fails, for want of inotify handles or because the folder was replaced, leaves the poll.
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

/** Null, and thereby unlike any folder, when it cannot be read: loading it then says why. */
function fingerprintOf(folder: string): string | null {
  try {
    return fingerprintPolicyFolder(folder)
  } catch {
    return null
  }
}

function statusOf(set: PolicySet): PolicyStatus {
  return { version: set.version, policies: set.policyCount, loaded_at: new Date().toISOString() }
}

function outcomeKey(outcome: Result<PolicySet, readonly PolicyFault[]>): string {
  return outcome.ok ? outcome.value.version : JSON.stringify(outcome.fault)
}

function faultsAsText(folder: string, faults: readonly PolicyFault[]): string {
  const lines = faults.map(({ file, line, column, message }) => `  ${file}:${line}:${column}: ${message}`)
  return [`The policies in ${folder} cannot be loaded:`, ...lines].join("\n")
}
