/** A signing key as it is stored. The private half is sealed; nothing here is secret. */
export interface StoredKey {
  readonly kid: string
  /** The public JWK, without `alg`, `use` and `kid`. */
  readonly publicJwk: { readonly kty: "RSA"; readonly n: string; readonly e: string }
  readonly sealedPrivateKey: string
  /** ISO 8601: when it was made, hence first published. */
  readonly createdAt: string
  /** ISO 8601: from when it signs; null while it is `next`. */
  readonly activatedAt: string | null
  /** ISO 8601: when it stopped signing; null until then. */
  readonly retiredAt: string | null
}

export interface StoredKeys {
  /** 0 before anything was stored; grows by one with each change. */
  readonly version: number
  readonly keys: readonly StoredKey[]
}

/** The one place where the deployment's signing keys stand. Strongly consistent. */
export interface KeyRing {
  /** @throws {BrokerError} `ledger_unavailable` */
  read(): Promise<StoredKeys>
  /**
   * Stores `keys` if the ring is still at `expectedVersion`; false when somebody else was first, and then nothing changed.
   * @throws {BrokerError} `ledger_unavailable`
   */
  replace(expectedVersion: number, keys: readonly StoredKey[]): Promise<boolean>
}
