import { createKeptValues } from "../../../broker/adapters/memory/kept-values.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { providerIo } from "../../../broker/exchange/provider-io.ts"
import { CASE_SUBJECT } from "../../../broker/providers/case.ts"
import type { Minted, Provider } from "../../../broker/providers/provider.ts"
import { clockOf } from "../../support/clock.ts"
import { NOW, world } from "../exchange/world.ts"
import { job } from "../job.ts"

/** A store as an exchange asks it, with a memory for values and a clock of its own. `cache`: of its connection. */
export async function mintingFrom<Connection, Grant>(store: Provider<Connection, Grant>, cache?: string) {
  const connection = store.connection.parse(cache === undefined ? {} : { cache })
  const { broker } = await world({ grants: {} })
  let now = NOW.getTime()
  const clock = clockOf(() => new Date(now))
  const own = { ...broker, clock, keptValues: createKeptValues(clock) }
  const mint = (grant: unknown, identity = job()): Promise<Minted> => {
    const about = {
      identity,
      grant: "g",
      holder: null,
      prepare: async () => {},
      connection: { name: "c", provider: store.name, settings: connection, requireBoundToken: false },
    }
    const request = {
      identity,
      grantName: "g",
      subject: CASE_SUBJECT,
      connectionName: "c",
      connection,
      grant: store.grant.parse(grant),
      ttlSeconds: 60,
      lease: "l",
    }
    return store.mint(request, providerIo(own, about, 1_000))
  }
  const pass = (seconds: number) => {
    now += seconds * 1000
  }
  return { mint, pass }
}

export const revealed = ({ values }: Minted) =>
  Object.fromEntries(
    Object.entries(values).map(([name, { value }]) => [name, value instanceof Secret ? value.reveal() : value]),
  )
