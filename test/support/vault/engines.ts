import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto"
import { parameters, type VaultAnswer, type VaultCall, VaultRefusal } from "./answers.ts"
import type { VaultToken } from "./tokens.ts"

/** A role of the database engine. */
export interface DatabaseRole {
  readonly ttlSeconds: number
  readonly maxTtlSeconds: number
}

/** A user of the database, as the engine made it. */
export interface DatabaseUser {
  readonly username: string
  readonly password: string
}

interface Version {
  readonly data: Readonly<Record<string, unknown>>
  readonly createdAt: string
  deletedAt: string
  destroyed: boolean
}

interface Lease extends DatabaseUser {
  readonly id: string
  readonly token: VaultToken
  readonly issuedAt: number
  readonly role: DatabaseRole
  expiresAt: number
}

/** What Google gives for a roleset, whoever asks for less. */
const GOOGLE_TOKEN_SECONDS = 3_599

/**
 * A KV engine of version 2 at `secret`, one of version 1 at `legacy`, a database engine at `database` with its leases, and
 * Google Cloud's at `gcp`, whose tokens have none. A transit engine at `sops`.
 */
export class VaultEngines {
  readonly databaseRoles = new Map<string, DatabaseRole>()
  readonly #versions = new Map<string, Version[]>()
  readonly #secrets = new Map<string, Readonly<Record<string, unknown>>>()
  readonly #transit = new Map<string, Buffer>()
  readonly #leases = new Map<string, Lease>()

  /** Writes the next version of a secret at `secret`. */
  put(path: string, data: Readonly<Record<string, unknown>>): void {
    const version = { data, createdAt: new Date().toISOString(), deletedAt: "", destroyed: false }
    this.#versions.set(path, [...(this.#versions.get(path) ?? []), version])
  }

  /** Deletes a version, or destroys it for good. */
  remove(path: string, version: number, how: "delete" | "destroy"): void {
    const found = this.#versions.get(path)?.[version - 1]
    if (!found) throw new Error(`there is no version ${version} of ${path}`)
    found.deletedAt ||= new Date().toISOString()
    if (how === "destroy") found.destroyed = true
  }

  /** What the transit engine answers to an encryption; makes the key when there is none, as OpenBao does for who may. */
  encryptWith(name: string, plaintext: Uint8Array): string {
    const key = this.#transit.get(name) ?? randomBytes(32)
    this.#transit.set(name, key)
    const iv = randomBytes(12)
    const cipher = createCipheriv("aes-256-gcm", key, iv)
    const sealed = Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
    return `vault:v1:${sealed.toString("base64")}`
  }

  /** POST sops/decrypt/NAME. @throws {VaultRefusal} */
  decryptWith(name: string, call: VaultCall): VaultAnswer {
    const { ciphertext } = parameters(call, { ciphertext: "text" }, ["ciphertext"])
    const key = this.#transit.get(name)
    if (key === undefined) throw new VaultRefusal(400, "encryption key not found")
    const [, version, text] = /^vault:v(\d+):(.+)$/.exec(String(ciphertext)) ?? []
    if (text === undefined) throw new VaultRefusal(400, "invalid ciphertext: no prefix")
    if (version !== "1") throw new VaultRefusal(400, "invalid ciphertext: version is too new")
    const sealed = Buffer.from(text, "base64")
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12))
      decipher.setAuthTag(sealed.subarray(-16))
      const plain = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])
      return { data: { plaintext: plain.toString("base64") } }
    } catch {
      throw new VaultRefusal(400, "cipher: message authentication failed")
    }
  }

  /** Writes a secret at `legacy`. */
  putLegacy(path: string, data: Readonly<Record<string, unknown>>): void {
    this.#secrets.set(path, data)
  }

  readVersioned(
    path: string,
    { query }: VaultCall,
  ): VaultAnswer | { readonly status: 404; readonly answer: VaultAnswer } {
    const [asked = "0", ...rest] = query.getAll("version")
    const strange = [...query.keys()].some((name) => name !== "version")
    if (strange || rest.length > 0 || !/^[0-9]+$/.test(asked))
      throw new VaultRefusal(400, "the query is a version alone")
    const versions = this.#versions.get(path) ?? []
    const number = Number(asked) || versions.length
    const version = versions[number - 1]
    if (!version) throw new VaultRefusal(404)
    const isGone = version.deletedAt !== "" || version.destroyed
    const answer = {
      data: {
        data: isGone ? null : version.data,
        metadata: {
          created_time: version.createdAt,
          custom_metadata: null,
          deletion_time: version.deletedAt,
          destroyed: version.destroyed,
          version: number,
        },
      },
    }
    return isGone ? { status: 404, answer } : answer
  }

  readLegacy(path: string, call: VaultCall): VaultAnswer {
    parameters(call, {})
    const data = this.#secrets.get(path)
    if (!data) throw new VaultRefusal(404)
    return { lease_duration: 2_764_800, data }
  }

  mint(name: string, call: VaultCall, token: VaultToken): VaultAnswer {
    parameters(call, {})
    const role = this.databaseRoles.get(name)
    if (!role) throw new VaultRefusal(400, `unknown role: ${name}`)
    const now = Date.now()
    const lease: Lease = {
      id: `database/creds/${name}/${randomBytes(18).toString("base64url")}`,
      token,
      issuedAt: now,
      role,
      expiresAt: now + role.ttlSeconds * 1000,
      username: `v-jwt-${name}-${randomBytes(12).toString("base64url")}`,
      password: randomBytes(15).toString("base64url"),
    }
    this.#leases.set(lease.id, lease)
    const { username, password } = lease
    return { lease_id: lease.id, renewable: true, lease_duration: role.ttlSeconds, data: { username, password } }
  }

  /** A token of Google Cloud's: no lease, and no parameter that would shorten it. */
  giveGoogleToken(call: VaultCall): VaultAnswer {
    parameters(call, {})
    const ends = Math.floor(Date.now() / 1000) + GOOGLE_TOKEN_SECONDS
    const token = `ya29.${randomBytes(24).toString("base64url")}`
    return { data: { token, token_ttl: GOOGLE_TOKEN_SECONDS, expires_at_seconds: ends } }
  }

  renew(call: VaultCall): VaultAnswer {
    const { lease_id: id, increment } = parameters(call, { lease_id: "text", increment: "number" }, ["lease_id"])
    this.#expire()
    const lease = this.#leases.get(String(id))
    if (!lease) throw new VaultRefusal(400, "lease not found")
    const now = Date.now()
    const most = Math.floor((lease.issuedAt + lease.role.maxTtlSeconds * 1000 - now) / 1000)
    const seconds = Math.min(Number(increment ?? lease.role.ttlSeconds), most)
    lease.expiresAt = now + seconds * 1000
    return { lease_id: lease.id, renewable: true, lease_duration: seconds }
  }

  /** Succeeds for a lease that is not there, as Vault does. */
  revoke(call: VaultCall): VaultAnswer {
    const { lease_id: id } = parameters(call, { lease_id: "text", sync: "flag" }, ["lease_id"])
    this.#leases.delete(String(id))
    return null
  }

  /** A token's leases end with it. */
  endOf(token: VaultToken): void {
    for (const lease of this.#leases.values()) if (lease.token === token) this.#leases.delete(lease.id)
  }

  /** Whether the database lets this user in now. */
  letsIn({ username, password }: Partial<DatabaseUser>): boolean {
    this.#expire()
    return [...this.#leases.values()].some((lease) => lease.username === username && lease.password === password)
  }

  /** Leases that have not ended, by how many seconds each has left. */
  get leases(): readonly number[] {
    this.#expire()
    return [...this.#leases.values()].map(({ expiresAt }) => Math.ceil((expiresAt - Date.now()) / 1000))
  }

  /** A lease ends with its token, too, when that is earlier. */
  #expire(): void {
    const now = Date.now()
    for (const { id, expiresAt, token } of this.#leases.values())
      if (Math.min(expiresAt, token.expiresAt) <= now) this.#leases.delete(id)
  }
}
