import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import type { Secret } from "../../core/secret.ts"
import { followed } from "../../operate/followed.ts"
import { reportLeak } from "../../operate/leaks.ts"
import { GITHUB_HOOK_PATH, type HookAnswer } from "../../wire/hooks.ts"
import { parseJson, readJsonBytes } from "../body.ts"
import { type Incoming, incomingOf } from "../incoming.ts"
import type { OperateRoutes } from "./routing.ts"

/** An alert with its repository, its organisation and its people is some 20 KiB. */
const MAX_DELIVERY_BYTES = 256 * 1024

/** The members that we use of GitHub's event `secret_scanning_alert`. The value is not among its members. */
const delivery = z.object({
  action: z.string(),
  alert: z.object({ number: z.int().positive() }),
  repository: z.object({
    id: z.int().positive(),
    full_name: z.string().regex(/^[A-Za-z0-9_.-]{1,100}\/[A-Za-z0-9_.-]{1,100}$/),
  }),
})

/** Each says that a value is readable where it must not be. Others say what became of an alert. */
const ACTIONS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  created: "found it",
  publicly_leaked: "found it in public",
  reopened: "has it open again",
}

/**
 * `POST /v1/hooks/github`: GitHub tells of a secret that it found. There is no such path without a secret of the webhook. Whose
 * signature is not right gets no answer about anything.
 */
export const gitHubHookRoutes: OperateRoutes = ({ app, broker, index, documents, gitHubHook, sweepSoon }) => {
  if (!gitHubHook) return
  app.post(GITHUB_HOOK_PATH, async (context) => {
    const incoming = incomingOf(context.req.raw)
    const body = await readJsonBytes(incoming, MAX_DELIVERY_BYTES)
    if (!(await isSigned(incoming, body, gitHubHook.secrets))) throw new BrokerError("not_allowed", UNSIGNED)
    // GitHub shows a delivery that is answered with an error as failed, and a webhook may be subscribed to more than it should.
    if (incoming.headers.get("x-github-event") !== "secret_scanning_alert") return answer(0)
    const parsed = delivery.safeParse(parseJson(body))
    if (!parsed.success)
      throw new BrokerError("request_malformed", "This is no secret scanning alert of GitHub's form.")
    const { action, alert, repository } = parsed.data
    const said = ACTIONS[action]
    if (said === undefined) return answer(0)
    const desk = { broker, index: followed(index), documents, ...(sweepSoon && { sweepSoon }) }
    const { number } = alert
    const value = await gitHubHook.values.valueOf({
      ...{ repositoryId: String(repository.id), repository: repository.full_name, number },
    })
    const where = `GitHub ${said}: secret scanning alert ${number} of ${repository.full_name} (${repository.id})`
    return answer(await reportLeak({ value, where, requestId: context.env.event.request_id }, desk))
  })
}

const answer = (leases: number): Response => Response.json({ leases } satisfies HookAnswer)

/**
 * Whether one of the secrets has signed these bytes (HMAC-SHA256, `X-Hub-Signature-256`). WebCrypto compares in constant time, and
 * all secrets are tried.
 */
async function isSigned({ headers }: Incoming, body: Uint8Array, secrets: readonly Secret<string>[]): Promise<boolean> {
  const [, hex = ""] = /^sha256=([0-9a-f]{64})$/.exec(headers.get("x-hub-signature-256") ?? "") ?? []
  const signature = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
  const algorithm = { name: "HMAC", hash: "SHA-256" }
  const fits = await Promise.all(
    secrets.map(async (secret) => {
      const bytes = new TextEncoder().encode(secret.reveal())
      const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["verify"])
      return await crypto.subtle.verify("HMAC", key, signature, new Uint8Array(body))
    }),
  )
  return fits.includes(true)
}

const UNSIGNED =
  "The delivery is not signed with a secret of this webhook. The secret in GitHub's settings must be one of DAYPASS_GITHUB_HOOK_SECRET."
