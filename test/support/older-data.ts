import { decodeProtectedHeader } from "jose"
import { expect } from "vitest"
import { DEPLOYMENT, send } from "../flow/world.ts"
import type { startNodeBroker } from "./broker-node.ts"
import type { GitHub } from "./github.ts"

/** For how long a broker that does not know its store takes no token from before its start, and some time more. */
const UNTRUSTED_SECONDS = 120

/** A broker that opened older data serves a job, and signs with the key that it found there. */
export async function expectOldKey(
  broker: Awaited<ReturnType<typeof startNodeBroker>>,
  github: GitHub,
  kid: string,
): Promise<void> {
  await broker.advance(UNTRUSTED_SECONDS)
  const now = Math.floor(Date.now() / 1000) + UNTRUSTED_SECONDS
  const token = await github.mint(DEPLOYMENT, { audience: broker.url, issuedAt: now })
  const { status, json } = await send(broker, "/v1/exchange", { token, body: { grants: ["vault"] } })
  expect([status, json["code"]]).toEqual([200, undefined])
  const issued = (json["credentials"] as { vault: { values: { token: { value: string } } } }).vault.values.token.value
  expect(decodeProtectedHeader(issued).kid).toBe(kid)
}
