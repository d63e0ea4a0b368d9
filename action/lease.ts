import type { RevokeAnswer } from "../broker/wire/exchange.ts"
import { requestRevocation } from "./broker-client.ts"
import { noIdTokenEndpoint, requestIdToken } from "./id-token.ts"
import { memberOf, parseJson } from "./json.ts"
import { boundAudience, thumbprintOfNoKey } from "./key.ts"
import { type Deadline, persist } from "./patience.ts"
import { idTokenEndpoint, jobFacts, registerMasks, removeJobFolder, savedState, saveState } from "./runner.ts"

/** What is needed to take a lease back, and nothing secret: it stands in the runner's state until the job ends. */
export interface HeldLease {
  readonly id: string
  readonly broker: string
  readonly audience: string
  readonly expiresAt: string
}

/** Keeps the lease for the post step, which reads no inputs: they may be expressions that have changed since. */
export function holdLease(lease: HeldLease): void {
  saveState("lease", JSON.stringify(lease))
}

/** Tells the post step that there is nothing left to take back. */
export function releaseLease(): void {
  saveState("lease", "")
}

/** Keeps which variables were set, for telling so when they stop working. */
export function holdVariables(names: readonly string[]): void {
  saveState("variables", names.join(","))
}

/** Keeps where files are about to be written, so that the post step can remove them. */
export function holdFiles(folder: string): void {
  saveState("files", folder)
}

/** Removes the files that main wrote, if it wrote any. */
export function removeHeldFiles(): void {
  const folder = savedState("files")
  if (folder !== "") removeJobFolder(folder)
}

/** The lease that main left behind; null when there is none. */
export function heldLease(): HeldLease | null {
  const state = parseJson(Buffer.from(savedState("lease")))
  const [id, broker, audience, expiresAt] = ["id", "broker", "audience", "expiresAt"].map((name) =>
    memberOf(state, name),
  )
  if (typeof id !== "string" || typeof broker !== "string") return null
  if (typeof audience !== "string" || typeof expiresAt !== "string") return null
  return { id, broker, audience, expiresAt }
}

/** The names of the variables that main set. */
export function heldVariables(): readonly string[] {
  return savedState("variables")
    .split(",")
    .filter((name) => name !== "")
}

/**
 * Takes a lease back, with a token that is bound to a key that nobody has: whoever copies it on the way can revoke, and
 * never get credentials.
 * @throws {ActionError}
 */
export async function takeBack(lease: HeldLease, deadline: Deadline): Promise<RevokeAnswer["credentials"]> {
  const endpoint = idTokenEndpoint()
  if (endpoint === null) throw noIdTokenEndpoint(jobFacts())
  const audience = boundAudience(lease.audience, thumbprintOfNoKey())
  return persist(deadline, async () => {
    const token = await requestIdToken(endpoint, audience, deadline.attemptMs())
    await registerMasks([token])
    return requestRevocation(lease.broker, token, lease.id, deadline.attemptMs())
  })
}
