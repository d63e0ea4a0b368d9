import { atMost, CALLS_AT_ONCE } from "../at-most.ts"
import { fieldOf } from "../field.ts"
import { withLogin } from "../login.ts"
import type { Minted, ProviderIo } from "../provider.ts"
import { membersOf } from "../read-all.ts"
import { type Located, located } from "../read-grant.ts"
import { readStored } from "../read-stored.ts"
import { retryTransient } from "../retry.ts"
import { versionOf } from "../stored-value.ts"
import { ask, type Vault } from "./api.ts"
import { buildRead, type KvFields, type KvRead, keyOf, leaseIdOf, readSecret, readsFor } from "./kv.ts"
import { type Place, parseLocator, parseWhole } from "./locator.ts"
import { after, afterTakingBack, logIn, type Request } from "./login.ts"
import type { Login } from "./session.ts"

/**
 * Reads stored secrets with the provider's own login: each secret once, even for several of its fields.
 *
 * @throws {BrokerError} as `readSecret`
 */
export async function readSecrets(vault: Vault, request: Request, io: ProviderIo): Promise<Minted> {
  const { connection, grant } = request
  const { side } = vault
  const make = async () => {
    const from = io.now()
    const login = await logIn(vault, request, false, io)
    return { value: login, endsAt: after(from, login.seconds) }
  }
  const secretsOf = (wanted: readonly Located<Place>[]) =>
    withLogin(io, grant.role, make, async (login) => {
      const reads = [...readsFor(wanted, connection.kv)]
      const found = await atMost(CALLS_AT_ONCE, reads, async ([key, one]) => {
        return [key, await readOne(vault, one, login, io)] as const
      })
      const secrets = new Map(found)
      return ({ place }: Located<Place>): KvFields => secrets.get(keyOf(place)) ?? { fields: {} }
    })
  const about = { side, asks: "job", cacheSeconds: connection.cache ?? 0 } as const
  return await readStored(grant, about, io, {
    async locators(locators) {
      const wanted = located(locators, parseLocator)
      const secretOf = await secretsOf(wanted)
      return new Map(
        wanted.map((one) => {
          const secret = secretOf(one)
          const value = fieldOf(side, one.locator, one.place.field, secret.fields)
          return [one.locator, { value, ...versionOf(secret) }]
        }),
      )
    },
    async members(all) {
      const [one] = located([all.from], parseWhole) as [Located<Place>]
      const secret = (await secretsOf([one]))(one)
      return membersOf(side, all, secret.fields).map(([name, stored]) => [name, { ...stored, ...versionOf(secret) }])
    },
  })
}

async function readOne(vault: Vault, read: KvRead, { token, type, seconds }: Login, io: ProviderIo) {
  const response = await retryTransient(io, () => ask(vault, { ...buildRead(read), token }, io))
  try {
    return readSecret(vault, read, response)
  } catch (error) {
    const lease = leaseIdOf(response)
    if (lease === null) throw error
    // The path minted a credential instead of returning a stored secret. Only the broker knows it, so it must be revoked.
    const holding = { token, leases: [lease], isBoundToAddresses: true, isBatch: type === "batch" }
    // It ends with the login, which is not renewed.
    const endsAt = after(io.now(), seconds)
    throw await afterTakingBack(vault, holding, endsAt, error, io)
  }
}
