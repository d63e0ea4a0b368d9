import type { RevokeAnswer } from "../broker/wire/exchange.ts"
import { requestRevocation } from "./broker-client.ts"
import { noIdTokenEndpoint, requestIdToken } from "./id-token.ts"
import { memberOf, parseJson } from "./json.ts"
import { boundAudience, thumbprintWithoutKey } from "./key.ts"
import { type Deadline, withRetries } from "./retry.ts"
import { idTokenEndpoint, jobFacts, registerMasks, removeJobFolder, savedState, saveState } from "./runner.ts"

/** What a revocation needs. Nothing in it is secret: it is stored in the runner's state until the job ends. */
export interface SavedLease {
  readonly id: string
  readonly broker: string
  readonly audience: string
  readonly expiresAt: string
}

/** Saves the lease for the post step. That step reads no inputs: an input can be an expression whose value has changed. */
export function saveLease(lease: SavedLease): void {
  saveState("lease", JSON.stringify(lease))
}

/** Removes the saved lease, so that the post step revokes nothing. */
export function forgetLease(): void {
  saveState("lease", "")
}

/** Saves the names of the variables that were set. The post step prints them: they stay set after the revocation. */
export function saveVariables(names: readonly string[]): void {
  saveState("variables", names.join(","))
}

/** Saves the folder before files are written to it, so that the post step can remove it. */
export function saveFilesFolder(folder: string): void {
  saveState("files", folder)
}

/** Removes the files that main wrote, if it wrote any. */
export function removeDeliveredFiles(): void {
  const folder = savedState("files")
  if (folder !== "") removeJobFolder(folder)
}

/** Saves the leases that were opened while a command ran, besides the first one. Replaces the earlier list. */
export function saveRenewedLeases(leases: readonly SavedLease[]): void {
  saveState("renewed", JSON.stringify(leases))
}

/** The leases of renewals that main saved and that can still be alive. */
export function savedRenewedLeases(): readonly SavedLease[] {
  const list = parseJson(Buffer.from(savedState("renewed")))
  if (!Array.isArray(list)) return []
  return list.map(readSavedLease).filter((lease) => lease !== null && !isOver(lease)) as SavedLease[]
}

/** True when everything of the lease has expired, whatever the clocks say. */
export function isOver({ expiresAt }: SavedLease): boolean {
  return Date.parse(expiresAt) + CLOCK_TOLERANCE_MS < Date.now()
}

const CLOCK_TOLERANCE_MS = 60_000

/** The lease that main saved; null when it saved none. */
export function savedLease(): SavedLease | null {
  return readSavedLease(parseJson(Buffer.from(savedState("lease"))))
}

function readSavedLease(state: unknown): SavedLease | null {
  const [id, broker, audience, expiresAt] = ["id", "broker", "audience", "expiresAt"].map((name) =>
    memberOf(state, name),
  )
  if (typeof id !== "string" || typeof broker !== "string") return null
  if (typeof audience !== "string" || typeof expiresAt !== "string") return null
  return { id, broker, audience, expiresAt }
}

/** The names of the variables that main set. */
export function savedVariables(): readonly string[] {
  return savedState("variables")
    .split(",")
    .filter((name) => name !== "")
}

/**
 * Revokes a lease. The subject token is bound to a thumbprint without a key: an attacker who copies the token on the way can
 * revoke this lease, and cannot get credentials.
 * @throws {ActionError}
 */
export async function revokeLease(lease: SavedLease, deadline: Deadline): Promise<Omit<RevokeAnswer, "lease">> {
  const endpoint = idTokenEndpoint()
  if (endpoint === null) throw noIdTokenEndpoint(jobFacts())
  const audience = boundAudience(lease.audience, thumbprintWithoutKey())
  return withRetries(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs())
    await registerMasks([token])
    return requestRevocation(lease.broker, token, lease.id, deadline.attemptMs())
  })
}
