/** A signing key as stored. The private half is sealed, so nothing here is secret. */
export interface StoredKey {
  readonly kid: string
  /** The public JWK, without `alg`, `use` and `kid`. */
  readonly publicJwk: { readonly kty: "RSA"; readonly n: string; readonly e: string }
  readonly sealedPrivateKey: string
  /** ISO 8601: when it was made, which is when it was first published. */
  readonly createdAt: string
  /** ISO 8601: when it starts to sign; null while it is `next`. */
  readonly activatedAt: string | null
  /** ISO 8601: when it stopped signing; null before that. */
  readonly retiredAt: string | null
}

export interface StoredKeys {
  /** 0 before the first change; grows by one with each change. */
  readonly version: number
  readonly keys: readonly StoredKey[]
}

/** The only storage of the deployment's signing keys. Strongly consistent. */
export interface KeyRing {
  /** @throws {BrokerError} `ledger_unavailable` */
  read(): Promise<StoredKeys>
  /**
   * Stores `keys` if the ring is still at `expectedVersion`. Returns false, and changes nothing, when another writer was
   * first.
   * @throws {BrokerError} `ledger_unavailable`
   */
  replace(expectedVersion: number, keys: readonly StoredKey[]): Promise<boolean>
}
