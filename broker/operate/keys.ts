import { BrokerError } from "../core/errors.ts"
import type { Broker } from "../exchange/broker.ts"
import type { Directory } from "../ports/directory.ts"
import type { Documents } from "../ports/documents.ts"
import type { KeyRing } from "../ports/key-ring.ts"
import type { RingPorts } from "../signing/change-ring.ts"
import { keepKeys, sealRingAnew } from "../signing/key-keeper.ts"
import { nextStateOf, publishedKeys, publishesNextAt, stateOf } from "../signing/key-states.ts"
import type { KeysReport, ResealPage } from "../wire/keys.ts"
import { type OperatorAct, recordAct, recordOwnAct, requireWhole } from "./act.ts"
import { KEY_CACHES } from "./key-caches.ts"
import { logKeySealedUnder, sealLogKeyAnew } from "./log-state.ts"
import { walkHandles } from "./sealed-handles.ts"

/** The keys of the deployment, and what the settings say of them. */
export interface DeploymentKeys {
  readonly keyRing: KeyRing
  /** With the sealed key of the log of heads. */
  readonly documents: Documents
  /** How long a signing key signs before the broker rotates it by itself; absent: it never does. */
  readonly rotateEverySeconds?: number
  /** The settings that `daypass seal` has sealed. */
  readonly sealedSettings: readonly { readonly name: string; readonly sealed: string }[]
}

/** @throws {BrokerError} `ledger_unavailable` */
export async function listKeys(broker: Broker, parts: DeploymentKeys): Promise<KeysReport> {
  const { keys } = await parts.keyRing.read()
  const now = broker.clock.now()
  const { rotateEverySeconds } = parts
  const due = rotateEverySeconds === undefined ? null : publishesNextAt(keys, now, rotateEverySeconds)
  return {
    keys: publishedKeys(keys, now).map((key) => {
      const next = nextStateOf(key, keys, now)
      return {
        kid: key.kid,
        state: stateOf(key, now),
        created_at: key.createdAt,
        activated_at: key.activatedAt,
        retired_at: key.retiredAt,
        next: next && { state: next.state, at: next.at.toISOString() },
        sealed_under: broker.sealer.sealedUnder(key.sealedPrivateKey),
      }
    }),
    log_key_sealed_under: await logKeySealedUnder({ ...broker, ...parts }),
    rotate_every_seconds: rotateEverySeconds ?? null,
    publishes_next_at: due?.toISOString() ?? null,
    has_previous_kek: broker.sealer.hasPrevious,
    settings: parts.sealedSettings.map(({ name, sealed }) => ({
      name,
      sealed_under: broker.sealer.sealedUnder(sealed),
    })),
    verifiers: await verifiersOf(broker),
  }
}

/** None while no policies can be loaded: an incident must not wait for them. */
async function verifiersOf({ policySource }: Broker): Promise<KeysReport["verifiers"]> {
  const snapshot = await policySource.snapshot().catch(() => null)
  return [...(snapshot?.organisation.connections ?? [])].flatMap(([connection, { provider }]) => {
    const cache = KEY_CACHES.get(provider)
    return cache === undefined ? [] : [{ connection, provider, cache }]
  })
}

/** What the acts of `signing/rotation.ts` need, with the operator's record. */
export const ringPortsOf = (act: OperatorAct, broker: Broker, { keyRing }: DeploymentKeys): RingPorts => ({
  ...{ keyRing, sealer: broker.sealer, clock: broker.clock },
  record: (reason) => recordAct(act, reason, broker, "keys.changed"),
  changed: () => broker.signer.forget(),
})

/** The keys are everybody's: who may act for some units only may not change them. @throws {BrokerError} `not_allowed` */
export const requireWholeScope = (act: OperatorAct): void =>
  requireWhole(act, () => new BrokerError("not_allowed", WHOLE))

const WHOLE = "The keys are those of the whole deployment. This needs a grant without owners, units and connections."

/** @throws {BrokerError} `ledger_unavailable`, `request_malformed`, `configuration_invalid` */
export async function reseal(
  act: OperatorAct,
  broker: Broker,
  parts: DeploymentKeys & { readonly directory: Directory },
  after: string | null,
): Promise<ResealPage> {
  if (!broker.sealer.hasPrevious) throw new BrokerError("request_malformed", NO_PREVIOUS)
  // Once, and not for each page: the operator asked once.
  if (after === null)
    await recordAct(act, "seals anew what is sealed under DAYPASS_KEK_PREVIOUS", broker, "keys.changed")
  const ownKeys =
    after === null
      ? (await sealRingAnew(ringPortsOf(act, broker, parts))) + (await sealLogKeyAnew({ ...broker, ...parts }))
      : 0
  return { own_keys: ownKeys, ...(await walkHandles({ ...broker, directory: parts.directory }, after, true)) }
}

const NO_PREVIOUS =
  "There is nothing to seal anew: DAYPASS_KEK_PREVIOUS is not set. Set it to the old key, and DAYPASS_KEK to the new one, first."

/**
 * What the broker does with its keys by itself, every few minutes: see `keepKeys`. Recorded in the deployment's own ledger.
 * @throws {BrokerError} `ledger_unavailable`, `configuration_invalid`
 */
export async function keepOwnKeys(
  broker: Broker,
  { keyRing, documents, rotateEverySeconds }: Omit<DeploymentKeys, "sealedSettings">,
): Promise<void> {
  const ports = {
    ...{ keyRing, sealer: broker.sealer, clock: broker.clock },
    record: (reason: string) => recordOwnAct("keys.changed", reason, broker),
    changed: () => broker.signer.forget(),
  }
  await keepKeys(ports, rotateEverySeconds)
  if (broker.sealer.hasPrevious) await sealLogKeyAnew({ ...broker, documents })
}
