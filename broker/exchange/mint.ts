import { BrokerError } from "../core/errors.ts"
import type { Identity } from "../core/identity.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import type { Minted, Provider } from "../providers/provider.ts"
import type { Broker } from "./broker.ts"
import { providerIo } from "./provider-io.ts"

/** How long a provider may take to mint, retries included, in milliseconds: well inside the action's own deadline. */
export const MINT_WINDOW_MS = 15_000

/** A credential that exists now, and must be handed out or taken back. */
export interface MintedGrant {
  readonly granted: GrantedGrant
  readonly minted: Minted
  /** Unix milliseconds: when it was minted. */
  readonly at: number
}

export interface MintOutcome {
  readonly minted: readonly MintedGrant[]
  /** The first failure, by the order in which grants were asked for. */
  readonly failure: BrokerError | null
}

/** Asks every provider at the same time, and waits for all of them: a late success must be taken back, not forgotten. */
export async function mintAll(
  grants: readonly GrantedGrant[],
  identity: Identity,
  lease: string,
  broker: Broker,
): Promise<MintOutcome> {
  const outcomes = await Promise.allSettled(grants.map((granted) => mintOne(granted, identity, lease, broker)))
  const minted: MintedGrant[] = []
  let failure: BrokerError | null = null
  outcomes.forEach((outcome, index) => {
    const granted = grants[index]
    if (outcome.status === "fulfilled" && granted)
      minted.push({ granted, minted: outcome.value, at: broker.clock.now().getTime() })
    if (outcome.status === "rejected") failure ??= asBrokerError(outcome.reason)
  })
  return { minted, failure }
}

async function mintOne(granted: GrantedGrant, identity: Identity, lease: string, broker: Broker): Promise<Minted> {
  const { grant, ttlSeconds } = granted
  const provider = providerOf(grant.connection.provider, broker)
  const io = providerIo(broker, { identity, grant: grant.name, connection: grant.connection }, MINT_WINDOW_MS)
  return await provider.mint(
    {
      identity,
      grantName: grant.name,
      connectionName: grant.connection.name,
      connection: grant.connection.settings,
      grant: grant.fields,
      ttlSeconds,
      lease,
      ...(grant.files === undefined ? {} : { files: grant.files }),
    },
    io,
  )
}

/** The provider by name. Policies with an unknown one do not load, so that its absence is a fault of ours. */
export function providerOf(name: string, broker: Broker): Provider {
  const provider = broker.providers.get(name)
  if (!provider) throw new BrokerError("internal", `This broker has no provider ${name}.`)
  return provider
}

/** Providers throw `BrokerError`; whatever else comes out of one is a fault of ours, and its text stays inside. */
function asBrokerError(reason: unknown): BrokerError {
  if (reason instanceof BrokerError) return reason
  return new BrokerError("internal", "A provider of this broker failed in a way it should not.", { cause: reason })
}
