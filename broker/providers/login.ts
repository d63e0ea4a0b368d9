import { BrokerError } from "../core/errors.ts"
import type { Secret } from "../core/secret.ts"
import type { Login } from "../ports/logins.ts"
import type { ProviderIo } from "./provider.ts"
import { retryPassing } from "./retry.ts"

/**
 * Uses the provider's own login for `scope`, and makes one where there is none.
 *
 * When a login that was kept is refused, the other side may have ended it since: it is forgotten, and the use is tried
 * once more with a fresh one. A fresh login that is refused is a refusal.
 *
 * @throws {BrokerError} what `make` or `use` throws
 */
export async function withLogin<Value, Result>(
  io: ProviderIo,
  scope: string,
  make: () => Promise<Login<Value>>,
  use: (login: Value) => Promise<Result>,
): Promise<Result> {
  const login = await io.login(scope, make)
  try {
    return await use(login.value)
  } catch (error) {
    const isRefusal = error instanceof BrokerError && error.code === "provider_denied"
    if (!login.kept || !isRefusal) throw error
    login.forget()
    return await use((await io.login(scope, make)).value)
  }
}

/**
 * The same with a login that the broker's own token for `audience` is exchanged for. An exchange that is tried again takes a
 * new token: the other side may have used up the first.
 *
 * @throws {BrokerError} what `exchange` or `use` throws
 */
export async function withIdentityLogin<Value, Result>(
  io: ProviderIo,
  audience: string,
  exchange: (token: Secret<string>) => Promise<Login<Value>>,
  use: (login: Value) => Promise<Result>,
): Promise<Result> {
  const make = () => retryPassing(io, async () => exchange(await io.identityToken(audience)))
  return await withLogin(io, "identity", make, use)
}
