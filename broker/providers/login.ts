import { BrokerError } from "../core/errors.ts"
import type { Secret } from "../core/secret.ts"
import type { Login } from "../ports/logins.ts"
import type { ProviderIo } from "./provider.ts"
import { retryTransient } from "./retry.ts"

/**
 * Calls `use` with the provider's own login for `scope`. Logs in first when there is no cached login.
 *
 * When the service refuses a cached login, it may have ended it. The login is then forgotten, and `use` is called once more
 * with a new one. When the service refuses a new login, the refusal is final.
 *
 * @param of whether the login is for one grant, because its identity token names it, or for all grants of a job
 * @throws {BrokerError} the errors of `make` and `use`
 */
export async function withLogin<Value, Result>(
  io: ProviderIo,
  scope: string,
  make: () => Promise<Login<Value>>,
  use: (login: Value) => Promise<Result>,
  of: "grant" | "job" = "grant",
): Promise<Result> {
  const login = await io.login(scope, make, of)
  try {
    return await use(login.value)
  } catch (error) {
    const isRefusal = error instanceof BrokerError && error.code === "provider_denied"
    if (!login.kept || !isRefusal) throw error
    login.forget()
    return await use((await io.login(scope, make, of)).value)
  }
}

/**
 * The same with a login that the service gives in exchange for the broker's identity token for `audience`. Each retry uses
 * a new token, because the service may have used up the first one.
 *
 * @throws {BrokerError} the errors of `exchange` and `use`
 */
export async function withIdentityLogin<Value, Result>(
  io: ProviderIo,
  audience: string,
  exchange: (token: Secret<string>) => Promise<Login<Value>>,
  use: (login: Value) => Promise<Result>,
): Promise<Result> {
  const make = () => retryTransient(io, async () => exchange(await io.identityToken(audience)))
  return await withLogin(io, "identity", make, use)
}
