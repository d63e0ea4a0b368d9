import { forLog } from "./escape.ts"
import { toFailure } from "./failure.ts"
import { memberOf, parseJson } from "./json.ts"
import { info, savedState, saveState } from "./runner.ts"

/** A lease that this step has, or may have. `expiresAt` is null when no answer of the broker has confirmed the lease. */
export interface StepLease {
  readonly id: string
  readonly expiresAt: string | null
}

/** Whom to ask for a revocation. */
export interface LeaseHome {
  readonly broker: string
  readonly audience: string
}

/** Where the ids of leases are kept from before they are asked for. */
export interface LeaseIds {
  ask(id: string): void
  forget(id: string): void
}

/** What revocations need. Nothing in it is secret: it is stored in the runner's state until the job ends. */
export interface SavedLeases extends LeaseHome {
  readonly leases: readonly StepLease[]
}

/**
 * The leases of this step. Every change is saved at once for the post step, which runs even when this process is killed. That
 * step reads no inputs: an input can be an expression whose value has changed.
 */
export class StepLeases {
  readonly #home: LeaseHome
  readonly #leases = new Map<string, StepLease>()

  constructor({ broker, audience }: LeaseHome) {
    this.#home = { broker, audience }
  }

  get all(): readonly StepLease[] {
    return [...this.#leases.values()]
  }

  /**
   * Saves the id of a lease before it is asked for: the broker may mint, and this step never learn of it. Leases that are over
   * are dropped, so that a command that runs for hours does not collect those of its renewals.
   */
  ask(id: string): void {
    for (const lease of this.all) if (isOver(lease)) this.#leases.delete(lease.id)
    this.#leases.set(id, { id, expiresAt: null })
    this.#save()
  }

  /** The broker has opened a lease. */
  confirm(lease: StepLease): void {
    this.#leases.set(lease.id, lease)
    this.#save()
  }

  /**
   * There is nothing to revoke: the lease was refused, or has been revoked. If that cannot be saved, the post step asks once
   * more, which changes nothing.
   */
  forget(id: string): void {
    this.#leases.delete(id)
    try {
      this.#save()
    } catch (thrown) {
      info(`The state of this step could not be written: ${forLog(toFailure(thrown).message)}`)
    }
  }

  #save(): void {
    const saved: SavedLeases = { ...this.#home, leases: this.all }
    saveState("lease", saved.leases.length === 0 ? "" : JSON.stringify(saved))
  }
}

/** True when everything of the lease has expired, whatever the clocks say. */
export function isOver({ expiresAt }: StepLease): boolean {
  return expiresAt !== null && Date.parse(expiresAt) + CLOCK_TOLERANCE_MS < Date.now()
}

const CLOCK_TOLERANCE_MS = 60_000

/** Saves the names of the variables that were set to secrets, for the post step to empty. */
export function saveVariables(names: readonly string[]): void {
  if (names.length > 0) saveState("variables", names.join(","))
}

/** Saves that the lease outlives the job. Called after the delivery: what was never delivered is revoked in any case. */
export function saveKeep(): void {
  saveState("keep", "true")
}

/** Says what `keep` means for a lease. */
export const keptLine = (expiresAt: string): string =>
  `Kept (input \`keep\`): the lease is not revoked when the job ends. What expires lives until ${forLog(expiresAt)} at the latest.`

export function isKept(): boolean {
  return savedState("keep") === "true"
}

/** Saves the folder before files are written to it, so that the post step can remove it. */
export function saveFilesFolder(folder: string): void {
  saveState("files", folder)
}

/** The leases that main saved; null when it saved none. */
export function savedLeases(): SavedLeases | null {
  const state = parseJson(Buffer.from(savedState("lease")))
  const [broker, audience, leases] = ["broker", "audience", "leases"].map((name) => memberOf(state, name))
  if (typeof broker !== "string" || typeof audience !== "string" || !Array.isArray(leases)) return null
  return { broker, audience, leases: leases.filter(isLease) }
}

function isLease(value: unknown): value is StepLease {
  const expiresAt = memberOf(value, "expiresAt")
  return typeof memberOf(value, "id") === "string" && (expiresAt === null || typeof expiresAt === "string")
}

/** The names of the variables that main set to secrets. */
export function savedVariables(): readonly string[] {
  return savedState("variables")
    .split(",")
    .filter((name) => name !== "")
}
