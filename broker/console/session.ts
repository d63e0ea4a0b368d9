import * as z from "zod"
import { OPERATOR_RIGHTS, OPERATOR_TOKEN_SECONDS } from "../core/operator-rights.ts"
import { parseWith } from "../core/parse-with.ts"
import { Secret } from "../core/secret.ts"
import type { Broker } from "../exchange/broker.ts"
import { auditIdentitySchema, type Operator } from "../operate/operator.ts"
import type { SealContext } from "../signing/sealer.ts"
import { openCookie } from "./cookies.ts"

/** Who is signed in, for as long as the operator token lives: 15 minutes at most. */
export interface Session {
  readonly operator: Operator
  /** The text that every form of this session sends. Another site cannot know it. */
  readonly form: string
}

/** The broker, as far as sealed cookies need it. */
export type CookieBroker = Pick<Broker, "sealer" | "clock" | "url">

const sealed = z.strictObject({
  identity: auditIdentitySchema,
  grant: z.string(),
  may: z.array(z.string()),
  scope: z.strictObject({
    owners: z.array(z.string()).exactOptional(),
    units: z.array(z.string()).exactOptional(),
    connections: z.array(z.string()).exactOptional(),
  }),
  lease: z.string(),
  /** Unix seconds. */
  from: z.int(),
  until: z.int(),
  form: z.string(),
})

const CONTEXT: SealContext = { kind: "console-session", unit: "-", id: "-" }

/** Browsers keep cookies of at most 4096 bytes, name and attributes included, and drop longer ones without a word. */
const MAX_COOKIE_CHARACTERS = 3800

/** The value of the session's cookie; null when it is too long for a cookie. */
export async function sealSession(
  { operator, form }: Session,
  { sealer, clock }: CookieBroker,
): Promise<string | null> {
  const { identity, grant, may, scope, lease, expiresAt } = operator
  const from = Math.floor(clock.now().getTime() / 1000)
  const until = Math.floor(expiresAt.getTime() / 1000)
  const text = JSON.stringify({ identity, grant, may: [...may], scope, lease, from, until, form })
  const value = await sealer.seal(new Secret(text), CONTEXT)
  return value.length > MAX_COOKIE_CHARACTERS ? null : value
}

/** The session of a cookie; null for none, one that is over, and one that this broker did not seal. */
export async function openSession(value: string | null, { sealer, clock }: CookieBroker): Promise<Session | null> {
  const text = await openCookie(value, CONTEXT, sealer)
  const parsed = text && parseWith(sealed, JSON.parse(text.reveal()))
  if (!parsed?.success) return null
  const { identity, grant, may, scope, lease, from, until, form } = parsed.data
  const now = clock.now().getTime() / 1000
  // A clock that was set back must not make a session longer.
  if (now >= until || now < from - 60 || until - from > OPERATOR_TOKEN_SECONDS) return null
  const rights = new Set(OPERATOR_RIGHTS.filter((right) => may.includes(right)))
  return { operator: { identity, grant, may: rights, scope, lease, expiresAt: new Date(until * 1000) }, form }
}
