import { BrokerError } from "../../core/errors.ts"
import type { WrappedKey } from "../key-service.ts"
import { type AgeKey, openWithAge } from "./age.ts"
import type { KeyEntry } from "./key-entries.ts"
import type { Metadata } from "./metadata.ts"
import { joinShares } from "./shamir.ts"

/** A key of a vendor's service that the connection may use. */
export interface ServiceOpener {
  /** The provider of the connection to the service. */
  readonly of: string
  /** The key's name, as files write it. */
  readonly key: string
  /** @throws {BrokerError} `provider_*` */
  open(wrapped: WrappedKey): Promise<Uint8Array>
}

export interface Openers {
  readonly age: readonly AgeKey[]
  readonly services: readonly ServiceOpener[]
}

/** The key that a file's values are encrypted with. */
export interface DataKey {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The keys that opened it, by their public names: a recipient of age, an ARN. One for each group. */
  readonly openedBy: readonly string[]
}

const DATA_KEY_BYTES = 32

/** One way to open a group with a key of the connection. */
interface Attempt {
  readonly by: string
  readonly isLocal: boolean
  open(): Promise<Uint8Array | null>
}

/**
 * Decrypts the key of a file, with as few calls as possible: keys of age come first, and of a vendor's keys the next is only
 * tried when the one before failed.
 *
 * `foreign`: the connection has no key for it, and nobody was asked. `damaged`: it names one, but cannot be decrypted.
 * @throws {BrokerError} the first failure of a service, when no other key opened the group
 */
export async function dataKeyOf(
  { groups, threshold }: Pick<Metadata, "groups" | "threshold">,
  openers: Openers,
): Promise<DataKey | "foreign" | "damaged"> {
  const openable = groups
    .map((group) => attemptsAt(group, openers))
    .filter((attempts) => attempts.length > 0)
    .toSorted((a, b) => Number(b[0]?.isLocal) - Number(a[0]?.isLocal))
  if (openable.length < threshold) return "foreign"
  const bytes = groups.length > 1 ? DATA_KEY_BYTES + 1 : DATA_KEY_BYTES
  const parts: Uint8Array[] = []
  const openedBy: string[] = []
  let failure: BrokerError | null = null
  for (const attempts of openable) {
    const opened = await firstOf(attempts, bytes)
    if (opened instanceof BrokerError) failure ??= opened
    else if (opened !== null) {
      parts.push(opened.part)
      openedBy.push(opened.by)
    }
    if (parts.length < threshold) continue
    const whole = groups.length > 1 ? joinShares(parts) : new Uint8Array(parts[0] ?? [])
    return whole === null ? "damaged" : { bytes: whole, openedBy }
  }
  if (failure !== null) throw failure
  return "damaged"
}

/** The part of a file's key that a group protects; null when it is damaged, or the first failure of a service. */
async function firstOf(attempts: readonly Attempt[], bytes: number) {
  let failure: BrokerError | null = null
  for (const { by, open } of attempts) {
    try {
      const part = await open()
      if (part?.length === bytes) return { by, part }
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      failure ??= error
    }
  }
  return failure
}

function attemptsAt(group: readonly KeyEntry[], { age, services }: Openers): readonly Attempt[] {
  const attempts = group.flatMap((entry): readonly Attempt[] => {
    if (entry.of === "age") {
      const key = age.find(({ recipient }) => recipient === entry.recipient)
      return key === undefined ? [] : [{ by: key.recipient, isLocal: true, open: () => openWithAge(key, entry.enc) }]
    }
    const { key: name, version } = entry.wrapped
    const service = services.find(({ of, key }) => of === entry.of && (key === name || key === `${name}/${version}`))
    return service === undefined ? [] : [{ by: service.key, isLocal: false, open: () => service.open(entry.wrapped) }]
  })
  // A file that repeats an entry must not cause a call for each.
  const once = attempts.filter(({ by, isLocal }, at) => isLocal || attempts.findIndex((one) => one.by === by) === at)
  return once.toSorted((a, b) => Number(b.isLocal) - Number(a.isLocal))
}
