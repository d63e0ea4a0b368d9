import * as z from "zod"
import { BrokerError } from "../core/errors.ts"
import { parseWith } from "../core/parse-with.ts"
import { Secret } from "../core/secret.ts"
import type { Broker } from "../exchange/broker.ts"
import type { Operator, Operators } from "../operate/operator.ts"
import type { SealContext, Sealer } from "../signing/sealer.ts"
import { openCookie } from "./cookies.ts"

/** Who is signed in, for as long as the operator token lives: 15 minutes at most. */
export interface Session {
  readonly operator: Operator
  /** The text that every form of this session sends. Another site cannot know it. */
  readonly form: string
}

const sealed = z.strictObject({ token: z.string(), form: z.string() })

const CONTEXT: SealContext = { kind: "console-session", unit: "-", id: "-" }

/** Browsers keep cookies of at most 4096 bytes, name and attributes included, and drop longer ones without a word. */
const MAX_COOKIE_CHARACTERS = 3800

/**
 * The value of the session's cookie: the operator token itself, sealed. So a session takes two keys to forge: the deployment's,
 * and the one that signs. A signing key that is taken out of the key set ends its sessions. Null when it is too long for a cookie.
 */
export async function sealSession(
  session: { readonly token: string; readonly form: string },
  sealer: Sealer,
): Promise<string | null> {
  const { token, form } = session
  const value = await sealer.seal(new Secret(JSON.stringify({ token, form })), CONTEXT)
  return value.length > MAX_COOKIE_CHARACTERS ? null : value
}

/** The session of a cookie; null for none, one that is over, and one that this broker did not seal or whose token it did not sign. */
export async function openSession(
  value: string | null,
  { broker, operators }: { readonly broker: Pick<Broker, "sealer">; readonly operators: Pick<Operators, "held"> },
): Promise<Session | null> {
  const text = await openCookie(value, CONTEXT, broker.sealer)
  const parsed = text && parseWith(sealed, JSON.parse(text.reveal()))
  if (!parsed?.success) return null
  const { token, form } = parsed.data
  const operator = await operators.held(token).catch((error: unknown) => {
    if (isAboutToken(error)) return null
    throw error
  })
  return operator && { operator, form }
}

/** Everything else is the broker's own fault, such as a key ring that cannot be read, and must not look like the end of a session. */
const isAboutToken = (error: unknown): boolean => error instanceof BrokerError && error.code.startsWith("token_")
