import { BrokerError } from "../core/errors.ts"
import type { Identity } from "../core/identity.ts"
import type { GrantedGrant } from "../core/policy/decide.ts"
import type { Secret } from "../core/secret.ts"
import { LeftAliveError, type Minted, outlives, type Provider } from "../providers/provider.ts"
import { identityTokenSubject } from "../wire/subject.ts"
import type { Broker } from "./broker.ts"
import { limitOf } from "./one-call.ts"
import { providerIo } from "./provider-io.ts"

/**
 * How long a provider may take to mint, retries included, in milliseconds. Together with the revocation of the other
 * credentials, it fits into the 15 s that the action allows for one try. So the job learns what failed, instead of a
 * timeout.
 */
export const MINT_WINDOW_MS = 10_000

/** A credential that exists now, and must be handed out or revoked. */
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

/** Whether the broker alone mints a grant, in its memory. */
export const isLocal = ({ grant }: GrantedGrant, broker: Broker): boolean =>
  broker.providers.get(grant.connection.provider)?.local?.(grant.fields, grant.connection.settings) ?? false

/** How long what an interrupted exchange minted for these grants may live, in seconds; 0 when nothing can. */
export const unrecordedSeconds = (grants: readonly GrantedGrant[], broker: Broker): number =>
  Math.max(
    0,
    ...grants.map((granted) => {
      const { grant, ttlSeconds } = granted
      const provider = broker.providers.get(grant.connection.provider)
      if (isLocal(granted, broker)) return 0
      return provider?.unrecordedSeconds?.(grant.fields, ttlSeconds) ?? ttlSeconds
    }),
  )

/** The outcome of every grant, in the order of the request. */
export interface MintOutcome {
  /** Includes credentials that a failed mint left alive. */
  readonly minted: readonly MintedGrant[]
  /** The job receives the first one as its error. */
  readonly failures: readonly MintFailure[]
}

/** For whom, and on which lease, an exchange mints. */
export interface MintedFor {
  readonly identity: Identity
  readonly lease: string
  /** RFC 7638 thumbprint of the key that the exchange proved; null when it had none. */
  readonly holder: string | null
}

/** Records durably what can revoke what is about to be minted for a grant. */
export type Prepare = (granted: GrantedGrant, handle: Secret<string>, expiresAt: Date | null) => Promise<void>

/** Calls all providers in parallel, and waits for all of them: a late success must be revoked, not forgotten. */
export async function mintAll(
  grants: readonly GrantedGrant[],
  of: MintedFor,
  prepare: Prepare,
  broker: Broker,
): Promise<MintOutcome> {
  const mint = (granted: GrantedGrant) => mintOne(granted, of, prepare, broker)
  const limit = limitOf(broker)
  let failed = false
  const outcomes = await Promise.all(
    grants.map((granted) =>
      limit(async (): Promise<Outcome> => {
        // All grants or none: what is minted after another grant has failed would only be revoked.
        if (failed) return {}
        const outcome = await tryToMint(granted, mint, broker)
        failed ||= outcome.failure !== undefined
        return outcome
      }),
    ),
  )
  return {
    minted: outcomes.flatMap(({ minted }) => minted ?? []),
    failures: outcomes.flatMap(({ failure }) => failure ?? []),
  }
}

/** Has both members when a mint failed and left a credential alive. */
interface Outcome {
  readonly minted?: MintedGrant
  readonly failure?: MintFailure
}

async function tryToMint(
  granted: GrantedGrant,
  mint: (granted: GrantedGrant) => Promise<Minted>,
  broker: Broker,
): Promise<Outcome> {
  const told = (outcome: string) =>
    broker.metrics.count("provider_calls", { provider: granted.grant.connection.provider, outcome })
  try {
    const minted = await mint(granted)
    const now = broker.clock.now()
    refuseLongerThanGranted(granted, minted, now)
    told("minted")
    return { minted: { granted, minted, at: now.getTime() } }
  } catch (reason) {
    const failure = { granted, error: asBrokerError(reason) }
    told(failure.error.code)
    if (!(reason instanceof LeftAliveError)) return { failure }
    return { failure, minted: { granted, minted: leftover(reason), at: broker.clock.now().getTime() } }
  }
}

/** The credential that a failed mint left alive. It has no values, and is only there to be revoked. */
const leftover = ({ left: { handle, expiresAt } }: LeftAliveError): Minted => ({
  values: {},
  expiresAt,
  revocation: "revocable",
  handle,
})

/**
 * Defence in depth, because each provider checks this itself. A credential that only expires cannot be revoked, so it must
 * not live longer than was granted.
 *
 * @throws {BrokerError} `provider_response_invalid`
 */
function refuseLongerThanGranted({ grant, ttlSeconds }: GrantedGrant, minted: Minted, now: Date): void {
  if (minted.revocation === "revocable" || minted.expiresAt === null) return
  if (!outlives(minted.expiresAt, now, ttlSeconds)) return
  const message = `The credential from connection ${grant.connection.name} lives longer than was granted. It was not handed out.`
  throw new BrokerError("provider_response_invalid", message)
}

/**
 * When the broker revokes a credential at the latest, in Unix milliseconds: at the end of the granted time, even if the
 * vendor lets it live longer. Null for a credential that only expires.
 */
export function grantedUntil({ granted, minted, at }: MintedGrant): number | null {
  return minted.handle ? at + granted.ttlSeconds * 1000 : null
}

async function mintOne(
  granted: GrantedGrant,
  { identity, lease, holder }: MintedFor,
  prepare: Prepare,
  broker: Broker,
): Promise<Minted> {
  const { grant, ttlSeconds } = granted
  const provider = providerOf(grant.connection.provider, broker)
  const about = {
    identity,
    grant: grant.name,
    connection: grant.connection,
    holder,
    prepare: (handle: Secret<string>, expiresAt: Date | null) => prepare(granted, handle, expiresAt),
  }
  const io = providerIo(broker, about, MINT_WINDOW_MS)
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

/** The provider by name. Policies with an unknown provider do not load, so its absence is a fault in our code. */
function providerOf(name: string, broker: Broker): Provider {
  const provider = broker.providers.get(name)
  if (!provider) throw new BrokerError("internal", `This broker has no provider ${name}.`)
  return provider
}

/** Providers throw `BrokerError`. Any other error is a fault in our code, and its text is not shown. */
function asBrokerError(reason: unknown): BrokerError {
  if (reason instanceof BrokerError) return reason
  return new BrokerError("internal", "A provider of this broker failed with an unexpected error.", { cause: reason })
}
