import { randomUUID } from "node:crypto"
import { CompactSign, exportJWK, generateKeyPair } from "jose"
import { ActionError } from "../../../action/failure.ts"
import type { HttpReply } from "../../../action/http.ts"
import { boundAudience, makeJobKey } from "../../../action/key.ts"
import { refusalIn } from "../../../action/refusal.ts"
import { revocationIn } from "../../../action/revocation-answer.ts"
import type { FixedTokens } from "../../../action/subject-tokens.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import type { IssuerConfig, PolicySet } from "../../../broker/core/policy/model.ts"
import { policySet } from "../../../broker/core/policy/policy-set.ts"
import { type PublicKey, readPublicKey } from "../../../broker/core/public-key.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { newLeaseId } from "../../../broker/wire/lease-id.ts"
import type { AgeKeys } from "./age-keys.ts"
import { type Door, type LocalBrokerOptions, withLocalBroker } from "./broker.ts"

const TOKEN_SECONDS = 60

export interface LocalSession extends Pick<LocalBrokerOptions, "folder" | "log"> {
  readonly set: PolicySet
  /** The issuer of the family `local`. */
  readonly issuer: IssuerConfig
  readonly keys: AgeKeys
}

/**
 * The calls of a person on their own machine. Each shows a new token to a broker in this process. The tokens are signed with a
 * key that only this process has, and the broker takes them for no longer than the process lives.
 */
export async function localTokens({ set, issuer, keys, folder, log }: LocalSession): Promise<FixedTokens> {
  const { url } = issuer
  const signer = await makeSigner()
  const here = { ...issuer, keys: { by: "list" as const, list: [signer.publicKey] } }
  const organisation = { ...set.organisation, issuers: new Map([[issuer.name, here]]) }
  const options: LocalBrokerOptions = {
    set: policySet(set.version, organisation, set.policies),
    ageKeys: new Secret(keys.identities.reveal().join("\n")),
    url,
    folder,
    log,
  }
  const headers = async (audience: string) => ({
    authorization: `Bearer ${await signer.token({ iss: url, sub: keys.person, aud: audience })}`,
    "content-type": "application/json",
  })

  return {
    canChooseAudience: false,
    exchange: ({ grants, ttl }, leases) =>
      callBroker(options, async (door) => {
        const key = makeJobKey()
        const lease = newLeaseId(new Date(), randomUUID())
        leases.ask(lease)
        const body = JSON.stringify({ grants, ...(ttl !== undefined && { ttl }), key: key.publicJwk, lease })
        const bound = await headers(boundAudience(url, key.thumbprint))
        const reply = await ask(
          door,
          new Request(new URL("/v1/exchange", url), { method: "POST", headers: bound, body }),
        )
        return key.open(reply.body.toString("latin1"))
      }),
    revoke: (lease) =>
      callBroker(options, async (door) => {
        const path = `/v1/leases/${encodeURIComponent(lease)}`
        const request = new Request(new URL(path, url), { method: "DELETE", headers: await headers(url) })
        return revocationIn(url, await ask(door, request))
      }),
  }
}

/** @throws {ActionError} also for what stands in the way of the record */
async function callBroker<Value>(options: LocalBrokerOptions, act: (door: Door) => Promise<Value>): Promise<Value> {
  try {
    return await withLocalBroker(options, act)
  } catch (thrown) {
    throw thrown instanceof BrokerError ? new ActionError(thrown.code, `${upperFirst(thrown.detail)}.`) : thrown
  }
}

const upperFirst = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1).replace(/\.$/, "")

/** @throws {ActionError} what the broker refused with */
async function ask(door: Door, request: Request): Promise<HttpReply> {
  const response = await door(request)
  const reply = {
    status: response.status,
    mediaType: (response.headers.get("content-type") ?? "").split(";", 1).join("").trim(),
    retryAfter: response.headers.get("retry-after") ?? undefined,
    body: Buffer.from(await response.arrayBuffer()),
  }
  if (response.ok) return reply
  throw refusalIn(new URL(request.url).origin, reply)
}

interface TokenSigner {
  readonly publicKey: PublicKey
  token(claims: Readonly<Record<string, string>>): Promise<string>
}

async function makeSigner(): Promise<TokenSigner> {
  const { publicKey, privateKey } = await generateKeyPair("ES256")
  const kid = randomUUID()
  const read = readPublicKey({ ...(await exportJWK(publicKey)), kid })
  if (!read.ok) throw new Error("unreachable: the key is new")
  return {
    publicKey: read.value,
    token(claims) {
      const iat = Math.floor(Date.now() / 1000)
      const payload = { ...claims, iat, exp: iat + TOKEN_SECONDS, jti: randomUUID() }
      return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
        .setProtectedHeader({ alg: "ES256", kid, typ: "JWT" })
        .sign(privateKey)
    },
  }
}
