import type * as z from "zod"
import type { ConnectionAudiences } from "../core/policy/provider-schemas.ts"
import type { SubjectLimit } from "../wire/subject.ts"
import type { MintRequest, ProviderIo } from "./provider.ts"

/** The part of a file that only a vendor's service can decrypt. Its author wrote all of it. */
export interface WrappedKey {
  /** The name of the key, as the vendor's own tools and `.sops.yaml` write it. */
  readonly key: string
  /** The version of the key, where the file names one. */
  readonly version?: string
  /** As the file has it: base64, or the vendor's own text. */
  readonly ciphertext: string
  /** AWS's encryption context. */
  readonly context?: Readonly<Record<string, string>>
}

/** A key that an organisation allows, with the connection through which the broker uses it. */
export interface KeyThrough<Entry, Settings> {
  readonly entry: Entry
  /** The settings of the connection that the entry names. */
  readonly settings: Settings
}

/** A key with everything that is needed to use it. */
export interface NamedKey extends KeyThrough<{ readonly key: string }, unknown> {
  /** The connection to the vendor, and its provider. */
  readonly name: string
  readonly of: string
}

export type KeyRequest = Pick<MintRequest<unknown, unknown>, "identity" | "grantName" | "connectionName" | "subject">

/**
 * A service that decrypts with keys that never leave it. The organisation names each key; a file beside the policies cannot
 * choose a key, an address or a login.
 */
export interface KeyService<Entry = unknown, Settings = unknown> {
  /** Its name in errors: `AWS KMS`. */
  readonly title: string
  /** What an entry says besides its connection. */
  readonly entry: z.ZodType<Entry>
  /** Why an entry does not fit its connection; null when it fits. The end of a sentence that begins with the key. */
  check(through: KeyThrough<Entry, Settings>): string | null
  audiences(settings: Settings): ConnectionAudiences
  readonly subjectLimit?: SubjectLimit
  /** What trusts the broker's token: a role's ARN, a client's id; null for the job's own principal. */
  door(entry: Entry): string | null
  /**
   * Decrypts with exactly this key: one login, which is cached, and one call, which is repeated after transient failures.
   *
   * @throws {BrokerError} `provider_*`
   */
  unwrap(
    wrapped: WrappedKey,
    through: KeyThrough<Entry, Settings>,
    request: KeyRequest,
    io: ProviderIo,
  ): Promise<Uint8Array<ArrayBuffer>>
}
