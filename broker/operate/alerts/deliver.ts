import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { BrokerError } from "../../core/errors.ts"
import type { AlertEndpoint } from "../../core/policy/schema-outbound.ts"
import { nameOf } from "../../core/secret-reference.ts"
import type { QueuedAlert } from "../../ports/alert-queue.ts"
import type { ConnectionSecrets } from "../../ports/connection-secrets.ts"
import { type Http, HttpError } from "../../ports/http.ts"
import { readRetryAfter } from "./schedule.ts"

const TIMEOUT_MS = 15_000
/** The answer's body is thrown away. It is read so far that the connection can be used again. */
const MAX_ANSWER_BYTES = 64 * 1024

/** `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks, "Signature scheme"). */
const SECRET = /^whsec_(?:[A-Za-z0-9+/]{4}){8,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const LONGEST_SECRET = "whsec_".length + 88

/** How one attempt ended. `gone`: the receiver answered 410, and wants no further message. */
export type Attempt =
  | { readonly ended: "delivered" }
  | { readonly ended: "gone" }
  | {
      readonly ended: "failed"
      /** Our own words: a status, or why there was no answer. Never anything that the receiver wrote. */
      readonly why: string
      readonly retryAfterMs: number | null
    }

export interface DeliveryParts {
  readonly secrets: ConnectionSecrets
  /** Refuses addresses that are not public, except for endpoints in a private network. */
  httpFor(endpoint: Pick<AlertEndpoint, "private_network">): Http
}

/**
 * Sends one message, signed by Standard Webhooks with each of the endpoint's secrets. The time that is signed is the
 * attempt's, so that a message which was retried for days passes the receiver's check of old messages.
 *
 * Never throws for what the receiver or the network does.
 */
export async function deliver(
  { id, body }: Pick<QueuedAlert, "id" | "body">,
  endpoint: AlertEndpoint,
  now: Date,
  { secrets, httpFor }: DeliveryParts,
): Promise<Attempt> {
  try {
    const signatures: string[] = []
    for (const reference of endpoint.secret) signatures.push(await sign(nameOf(reference), secrets, { id, body }, now))
    const response = await httpFor(endpoint)({
      method: "POST",
      url: endpoint.url,
      headers: {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
        "webhook-signature": signatures.join(" "),
      },
      body,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    })
    if (response.status >= 200 && response.status < 300) return { ended: "delivered" }
    if (response.status === 410) return { ended: "gone" }
    const retryAfterMs = readRetryAfter(response.header("retry-after"), now.getTime())
    return { ended: "failed", why: `the endpoint answered ${response.status}`, retryAfterMs }
  } catch (error) {
    if (error instanceof HttpError) return { ended: "failed", why: NO_ANSWER[error.reason], retryAfterMs: null }
    if (error instanceof BrokerError) return { ended: "failed", why: error.detail, retryAfterMs: null }
    throw error
  }
}

const NO_ANSWER: Readonly<Record<HttpError["reason"], string>> = {
  unreachable: "the endpoint cannot be reached, or its address is not allowed",
  timeout: `the endpoint did not answer in ${TIMEOUT_MS / 1000} s`,
  "too-large": "the endpoint's answer is too long",
  redirect: "the endpoint redirects, and a redirect is never followed: set its last URL",
}

/** `v1`: base64 of HMAC-SHA256 over id, time and body, joined by dots (Standard Webhooks, "Signature scheme"). */
async function sign(
  name: string,
  secrets: ConnectionSecrets,
  { id, body }: Pick<QueuedAlert, "id" | "body">,
  now: Date,
): Promise<string> {
  const secret = (await secrets.named(name)).reveal()
  if (!SECRET.test(secret) || secret.length > LONGEST_SECRET)
    throw new BrokerError("configuration_invalid", malformed(name))
  const key = Uint8Array.from(atob(secret.slice("whsec_".length)), (character) => character.charCodeAt(0))
  const signed = `${id}.${Math.floor(now.getTime() / 1000)}.${body}`
  return `v1,${btoa(String.fromCharCode(...hmac(sha256, key, new TextEncoder().encode(signed))))}`
}

const malformed = (name: string) =>
  `The secret ${name} of an alert endpoint must be whsec_ and then base64 of 24 to 64 random bytes. Make one with: echo "whsec_$(openssl rand -base64 32)"`
