import { BrokerError } from "../../core/errors.ts"
import { LeftAliveError, type MintRequest, type ProviderIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { audienceOf } from "../service.ts"
import { ask, type Vault } from "./api.ts"
import type { Connection, Grant } from "./grant.ts"
import { type Holding, handleOf, revokeAll } from "./handle.ts"
import { type Held, hold } from "./hold.ts"
import { accept, buildLogin, type Login, readLogin, revocableTokenOf } from "./session.ts"

export type Request = MintRequest<Connection, Grant>

/**
 * Logs in with the broker's identity token. A token that is refused here is revoked, even if the rest of the answer cannot
 * be read. Transient failures are retried: when an answer was lost, its token is unknown to everyone and expires.
 *
 * @param isHeld the job's credential depends on this login
 * @throws {BrokerError}
 */
export async function logIn(
  vault: Vault,
  request: {
    readonly connection: Pick<Connection, "url" | "audience" | "mount">
    readonly grant: Pick<Grant, "role">
    readonly subject: string
  },
  isHeld: boolean,
  io: ProviderIo,
): Promise<Login> {
  const { connection, grant, subject } = request
  const response = await retryTransient(io, async () => {
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

/** A login that is held for the job, with its expiry. */
export interface HeldLogin extends Held {
  readonly token: Login["token"]
  readonly isRenewable: boolean
  /** A time when the login certainly existed. Vault's own count began earlier. */
  readonly from: Date
  readonly endsAt: Date
}

/** Time reserved to revoke the credentials of a mint that fails, in milliseconds. */
const RESERVE_MS = 3_000

/**
 * Logs in for the job's credential, and passes the login to `use`. When `use` fails, the token is revoked, and Vault
 * revokes all leases that were created with it.
 *
 * @throws {BrokerError} a `LeftAliveError` when the token could not be revoked either
 */
export async function whileHolding<Result>(
  vault: Vault,
  request: Request,
  io: ProviderIo,
  use: (login: HeldLogin, io: ProviderIo) => Promise<Result>,
): Promise<Result> {
  const reservingIo: ProviderIo = { ...io, remainingMs: () => Math.max(0, io.remainingMs() - RESERVE_MS) }
  const login = await logIn(vault, request, true, reservingIo)
  const { token, isRenewable } = login
  let isBoundToAddresses = true
  try {
    const from = io.now()
    // Everything that is minted below ends with this token.
    const handle = handleOf(vault, { token, leases: [], isBoundToAddresses })
    await io.prepare(handle, after(from, Math.max(login.seconds, request.ttlSeconds)))
    const held = await hold(vault, login, request.ttlSeconds, reservingIo)
    isBoundToAddresses = held.isBoundToAddresses
    return await use({ ...held, token, isRenewable, from, endsAt: after(from, held.seconds) }, reservingIo)
  } catch (error) {
    // A renewal may have succeeded although its answer was lost.
    const atTheLatest = after(io.now(), Math.max(login.seconds, request.ttlSeconds))
    throw await afterTakingBack(vault, { token, leases: [], isBoundToAddresses }, atTheLatest, error, io)
  }
}

/**
 * Revokes the credentials of a failed mint.
 *
 * @param endsAt when they expire; null when that is not known
 * @returns the error to throw: `error`, with the credentials that could not be revoked
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

/** Revokes a login that only the broker used and that nothing depends on. When that fails, the login expires. */
export async function giveUp(vault: Vault, { token }: Pick<Login, "token">, io: ProviderIo): Promise<void> {
  await revokeAll(vault, { token, leases: [], isBoundToAddresses: true }, io).catch((_: BrokerError) => undefined)
}

export const after = (start: Date, seconds: number): Date => new Date(start.getTime() + seconds * 1000)
