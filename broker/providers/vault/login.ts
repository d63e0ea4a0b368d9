import type { BrokerError } from "../../core/errors.ts"
import type { MintRequest, ProviderIo } from "../provider.ts"
import { retryPassing } from "../retry.ts"
import { ask, type Vault } from "./api.ts"
import type { Connection, Grant } from "./grant.ts"
import { takeBack } from "./handle.ts"
import { accept, buildLogin, type Held, hold, type Login, readLogin } from "./session.ts"

export type Request = MintRequest<Connection, Grant>

/**
 * Logs in with the broker's identity token. A token that is refused here is not left behind. Repeated while it fails of
 * something that passes: a login whose answer was lost is a token that nobody knows, and ends by itself.
 *
 * @param isHeld what the job gets hangs on this login
 * @throws {BrokerError}
 */
export async function logIn(vault: Vault, request: Request, isHeld: boolean, io: ProviderIo): Promise<Login> {
  const { connection, grant, subject } = request
  const jwt = await io.identityToken(connection.audience ?? connection.url)
  const asked = buildLogin(connection.mount, grant.role, jwt)
  const login = await retryPassing(io, async () =>
    readLogin(vault, await ask(vault, asked, io), { role: grant.role, subject }),
  )
  try {
    accept(vault, grant.role, login, isHeld)
    return login
  } catch (error) {
    if (login.type === "service") await giveUp(vault, login, io)
    throw error
  }
}

/** A login that is held for the job, and when it ends by itself. */
export interface HeldLogin extends Held {
  readonly token: Login["token"]
  readonly endsAt: Date
}

/** Kept free for taking back what a mint that fails has made already, in milliseconds. */
const RESERVE_MS = 3_000

/**
 * Logs in for what the job is to get, and hands the login to `use`. When that fails, the token is revoked and with it all
 * that was minted under it: Vault takes back a token's leases with the token.
 *
 * @throws {BrokerError}
 */
export async function whileHolding<Result>(
  vault: Vault,
  request: Request,
  io: ProviderIo,
  use: (login: HeldLogin, io: ProviderIo) => Promise<Result>,
): Promise<Result> {
  const hurried: ProviderIo = { ...io, remainingMs: () => Math.max(0, io.remainingMs() - RESERVE_MS) }
  const login = await logIn(vault, request, true, hurried)
  try {
    const from = io.now().getTime()
    const held = await hold(vault, login, request.ttlSeconds, hurried)
    return await use({ ...held, token: login.token, endsAt: new Date(from + held.seconds * 1000) }, hurried)
  } catch (error) {
    await giveUp(vault, login, io)
    throw error
  }
}

/** Revokes a login that nothing is handed out of. When that fails too, it ends when its time is over. */
export async function giveUp(vault: Vault, { token }: Pick<Login, "token">, io: ProviderIo): Promise<void> {
  await takeBack(vault, { token, leases: [], isBoundToAddresses: true }, io).catch((_: BrokerError) => undefined)
}
