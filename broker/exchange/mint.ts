import type { CacheUse } from "../core/audit-record.ts"
import { BrokerError } from "../core/errors.ts"
import type { Identity } from "../core/identity.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import { LeftAliveError, type Minted, outlives, type Provider } from "../providers/provider.ts"
import { identityTokenSubject } from "../signing/identity-token.ts"
import type { Broker } from "./broker.ts"
import { providerIo } from "./provider-io.ts"

/**
 * How long a provider may take to mint, retries included, in milliseconds. With what it takes to take back the others, inside
 * the 15 s that the action gives one try: a job is to learn what failed, and not that time ran out.
 */
export const MINT_WINDOW_MS = 10_000

/** A credential that exists now, and must be handed out or taken back. */
export interface MintedGrant {
  readonly granted: GrantedGrant
  readonly minted: Minted
  /** Unix milliseconds: when it was minted. */
  readonly at: number
}

/** A grant that could not be minted, and why. */
export interface MintFailure {
  readonly granted: GrantedGrant
  readonly error: BrokerError
}

/** How every grant came out, in the order in which they were asked for. */
export interface MintOutcome {
  /** What a failed one left alive is among them. */
  readonly minted: readonly MintedGrant[]
  /** The first is what the job is told. */
  readonly failures: readonly MintFailure[]
}

/** Asks every provider at the same time, and waits for all of them: a late success must be taken back, not forgotten. */
export async function mintAll(
  grants: readonly GrantedGrant[],
  identity: Identity,
  lease: string,
  broker: Broker,
): Promise<MintOutcome> {
  const outcomes = await Promise.all(grants.map((granted) => tryToMint(granted, identity, lease, broker)))
  return {
    minted: outcomes.flatMap(({ minted }) => minted ?? []),
    failures: outcomes.flatMap(({ failure }) => failure ?? []),
  }
}

/** Both, when a mint failed and left something alive. */
interface Outcome {
  readonly minted?: MintedGrant
  readonly failure?: MintFailure
}

async function tryToMint(granted: GrantedGrant, identity: Identity, lease: string, broker: Broker): Promise<Outcome> {
  try {
    const minted = await mintOne(granted, identity, lease, broker)
    const now = broker.clock.now()
    refuseLongerThanGranted(granted, minted, now)
    return { minted: { granted, minted, at: now.getTime() } }
  } catch (reason) {
    const failure = { granted, error: asBrokerError(reason) }
    if (!(reason instanceof LeftAliveError)) return { failure }
    return { failure, minted: { granted, minted: leftover(reason), at: broker.clock.now().getTime() } }
  }
}

/** What a failed mint left alive, as a credential that nobody is handed: it is there to be taken back. */
const leftover = ({ left: { handle, expiresAt } }: LeftAliveError): Minted => ({
  values: {},
  expiresAt,
  revocation: "revocable",
  handle,
})

/**
 * Defence in depth, for each provider looks at this itself: nobody could take back what only expires, so that it must not
 * live longer than was granted.
 *
 * @throws {BrokerError} `provider_response_invalid`
 */
function refuseLongerThanGranted({ grant, ttlSeconds }: GrantedGrant, minted: Minted, now: Date): void {
  if (minted.revocation === "revocable" || minted.expiresAt === null) return
  if (!outlives(minted.expiresAt, now, ttlSeconds)) return
  const message = `What connection ${grant.connection.name} gave lives longer than was granted. Nothing of it was handed out.`
  throw new BrokerError("provider_response_invalid", message)
}

/** Which of them came out of the broker's memory, by grant: only of those whose connection keeps any. */
export const cachesOf = (minted: readonly MintedGrant[]): ReadonlyMap<string, CacheUse> =>
  new Map(
    minted.flatMap(({ granted, minted: { cache } }) => (cache === undefined ? [] : [[granted.grant.name, cache]])),
  )

/**
 * When the broker takes a credential back at the latest, Unix milliseconds: when the time is over that was granted, however
 * long its vendor lets it live. Null for what only expires.
 */
export function grantedUntil({ granted, minted, at }: MintedGrant): number | null {
  return minted.handle ? at + granted.ttlSeconds * 1000 : null
}

async function mintOne(granted: GrantedGrant, identity: Identity, lease: string, broker: Broker): Promise<Minted> {
  const { grant, ttlSeconds } = granted
  const provider = providerOf(grant.connection.provider, broker)
  const io = providerIo(broker, { identity, grant: grant.name, connection: grant.connection }, MINT_WINDOW_MS)
  return await provider.mint(
    {
      identity,
      grantName: grant.name,
      subject: identityTokenSubject(identity, grant.name),
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
function providerOf(name: string, broker: Broker): Provider {
  const provider = broker.providers.get(name)
  if (!provider) throw new BrokerError("internal", `This broker has no provider ${name}.`)
  return provider
}

/** Providers throw `BrokerError`; whatever else comes out of one is a fault of ours, and its text stays inside. */
function asBrokerError(reason: unknown): BrokerError {
  if (reason instanceof BrokerError) return reason
  return new BrokerError("internal", "A provider of this broker failed in a way it should not.", { cause: reason })
}
