import { BrokerError } from "../core/errors.ts"
import type { Secret } from "../core/secret.ts"
import type { HttpResponse } from "../ports/http.ts"
import type { Login } from "../ports/logins.ts"
import { type Call, call, type OtherSide } from "./call.ts"
import type { MintRequest, ProviderIo } from "./provider.ts"
import { retryTransient } from "./retry.ts"
import { audienceOf } from "./service.ts"

/**
 * Calls `use` with the provider's own login for `scope`. Logs in first when there is no cached login.
 *
 * When the service refuses a cached login, it may have ended it. The login is then forgotten, and `use` is called once more
 * with a new one. When the service refuses a new login, the refusal is final.
 *
 * @param of whether the login is for one grant, because its identity token names it, or for all jobs that may use the connection
 * @throws {BrokerError} the errors of `make` and `use`
 */
export async function withLogin<Value, Result>(
  io: ProviderIo,
  scope: string,
  make: () => Promise<Login<Value>>,
  use: (login: Value) => Promise<Result>,
  of: "grant" | "connection" = "grant",
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
 * The same for a service that gives its login in exchange for the broker's identity token, in one call. Each retry uses a new
 * token, because the service may have used up the first one.
 *
 * @param read the login in the answer; `subject` is for the message of a refusal
 * @returns a function that calls `use`, and throws the errors of `read` and `use`
 */
export const loggedInBy =
  <Connection extends Parameters<typeof audienceOf>[0]>(
    build: (settings: Connection, token: Secret<string>) => Call,
    read: (side: OtherSide, response: HttpResponse, subject: string, now: Date) => Login<Secret<string>>,
  ) =>
  <Result>(
    { connection, subject }: Pick<MintRequest<Connection, unknown>, "connection" | "subject">,
    side: OtherSide,
    io: ProviderIo,
    use: (login: Secret<string>) => Promise<Result>,
  ): Promise<Result> => {
    const exchange = async (token: Secret<string>) =>
      read(side, await call(side, build(connection, token), io), subject, io.now())
    const make = () => retryTransient(io, async () => exchange(await io.identityToken(audienceOf(connection))))
    return withLogin(io, "identity", make, use)
  }
