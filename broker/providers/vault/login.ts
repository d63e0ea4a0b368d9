import { BrokerError } from "../../core/errors.ts"
import { LeftAliveError, type MintRequest, type ProviderIo } from "../provider.ts"
import { retryPassing } from "../retry.ts"
import { audienceOf } from "../service.ts"
import { ask, type Vault } from "./api.ts"
import type { Connection, Grant } from "./grant.ts"
import { type Holding, handleOf, revokeAll } from "./handle.ts"
import { type Held, hold } from "./hold.ts"
import { accept, buildLogin, type Login, readLogin, revocableTokenOf } from "./session.ts"

export type Request = MintRequest<Connection, Grant>

/**
 * Logs in with the broker's identity token. A token that is refused here is not left behind, be it that the rest of the
 * answer cannot be read. Repeated while it fails of something that passes: a login whose answer was lost is a token that
 * nobody knows, and ends by itself.
 *
 * @param isHeld what the job gets hangs on this login
 * @throws {BrokerError}
 */
export async function logIn(vault: Vault, request: Request, isHeld: boolean, io: ProviderIo): Promise<Login> {
  const { connection, grant, subject } = request
  const response = await retryPassing(io, async () => {
    const jwt = await io.identityToken(audienceOf(connection))
    return await ask(vault, buildLogin(connection.mount, grant.role, jwt), io)
  })
  let endsAt: Date | null = null
  try {
    const login = readLogin(vault, response, { role: grant.role, subject })
    endsAt = after(io.now(), login.seconds)
    accept(vault, grant.role, login, isHeld)
    return login
  } catch (error) {
    const token = revocableTokenOf(response)
    if (token === null) throw error
    throw await afterTakingBack(vault, { token, leases: [], isBoundToAddresses: true }, endsAt, error, io)
  }
}

/** A login that is held for the job, and when it ends by itself. */
export interface HeldLogin extends Held {
  readonly token: Login["token"]
  readonly isRenewable: boolean
  /** When it was there for certain: what Vault counts began before. */
  readonly from: Date
  readonly endsAt: Date
}

/** Kept free for taking back what a mint that fails has made already, in milliseconds. */
const RESERVE_MS = 3_000

/**
 * Logs in for what the job is to get, and hands the login to `use`. When that fails, the token is revoked and with it all
 * that was minted under it: Vault takes back a token's leases with the token.
 *
 * @throws {BrokerError} a `LeftAliveError` when the token could not be revoked either
 */
export async function whileHolding<Result>(
  vault: Vault,
  request: Request,
  io: ProviderIo,
  use: (login: HeldLogin, io: ProviderIo) => Promise<Result>,
): Promise<Result> {
  const hurried: ProviderIo = { ...io, remainingMs: () => Math.max(0, io.remainingMs() - RESERVE_MS) }
  const login = await logIn(vault, request, true, hurried)
  const { token, isRenewable } = login
  let isBoundToAddresses = true
  try {
    const from = io.now()
    const held = await hold(vault, login, request.ttlSeconds, hurried)
    isBoundToAddresses = held.isBoundToAddresses
    return await use({ ...held, token, isRenewable, from, endsAt: after(from, held.seconds) }, hurried)
  } catch (error) {
    // A renewal may have been done and its answer lost.
    const atTheLatest = after(io.now(), Math.max(login.seconds, request.ttlSeconds))
    throw await afterTakingBack(vault, { token, leases: [], isBoundToAddresses }, atTheLatest, error, io)
  }
}

/**
 * Takes back what a mint that failed had made.
 *
 * @param endsAt when that ends by itself; null when nobody knows
 * @returns what is to be thrown: `error`, and along with it what could not be taken back
 */
export async function afterTakingBack(
  vault: Vault,
  holding: Holding,
  endsAt: Date | null,
  error: unknown,
  io: ProviderIo,
): Promise<unknown> {
  try {
    await revokeAll(vault, holding, io)
    return error
  } catch {
    const failure =
      error instanceof BrokerError ? error : new BrokerError("internal", "A mint at Vault failed.", { cause: error })
    return new LeftAliveError(failure, { handle: handleOf(vault, holding), expiresAt: endsAt })
  }
}

/** Revokes a login that nothing hangs on, and that nobody but the broker has had. When that fails, it ends in its time. */
export async function giveUp(vault: Vault, { token }: Pick<Login, "token">, io: ProviderIo): Promise<void> {
  await revokeAll(vault, { token, leases: [], isBoundToAddresses: true }, io).catch((_: BrokerError) => undefined)
}

export const after = (start: Date, seconds: number): Date => new Date(start.getTime() + seconds * 1000)
