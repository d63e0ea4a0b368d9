import { call, jsonOf } from "../call.ts"
import { findingOf, PROBE_SUBJECT, type Probe, type ProbeIo, type Reading, refusalIn, trusted } from "../probe.ts"
import { buildExchange, readExchange, sts } from "./api.ts"
import { codesOf } from "./refusals.ts"
import { audienceOf, type LoginSettings } from "./settings.ts"

/** Allows nothing but impersonation, which no account grants to the probe's principal. */
const SCOPES = ["https://www.googleapis.com/auth/iam"]

/** What each code of STS proves. The sentence is that of the refusal, as a job would read it. */
const STATES: Readonly<Record<string, Reading["state"]>> = {
  __proto__: null as never,
  // The attribute condition is looked at after the token was verified.
  unauthorized_client: "trusted",
  // The mapping needs a claim of a job, which the probe lacks. So the pool is there; nothing more is proved.
  invalid_request: "reachable",
  invalid_target: "not_trusted",
  invalid_grant: "not_trusted",
  access_denied: "not_trusted",
  SECURITY_POLICY_VIOLATED: "not_trusted",
  SERVICE_DISABLED: "not_trusted",
}

/** Asks Google's STS for a federated token. */
export const probeGoogle: Probe<LoginSettings> = {
  async ask(connection, settings, io) {
    const pool = settings.workload_identity_provider
    return [await findingOf(pool, () => askSts(connection, settings, io))]
  },
}

async function askSts(connection: string, settings: LoginSettings, io: ProbeIo): Promise<Reading> {
  const side = sts(connection)
  const token = await io.identityToken(audienceOf(settings))
  const response = await call(side, buildExchange(settings, SCOPES, token), io)
  if (response.status === 200) return { state: "trusted", detail: NO_CONDITION }
  const refusal = refusalIn(() => readExchange(side, response, io.now(), PROBE_SUBJECT))
  const code = codesOf(jsonOf(response)).find((known) => STATES[known] !== undefined)
  const state = code === undefined ? undefined : STATES[code]
  if (state === undefined || refusal.code !== "provider_denied") throw refusal
  if (state === "trusted") return trusted("The provider of the pool")
  return { state, detail: state === "reachable" ? NEEDS_CLAIMS : refusal.detail }
}

/** A token of a principal without any right: bindings of IAM decide what it may do. */
const NO_CONDITION =
  "The provider of the pool knows the broker and lets in all of its subjects, so only the bindings of IAM decide who may do what. An attribute condition limits the damage of a wrong binding: daypass trust DIR prints one."

const NEEDS_CLAIMS =
  "The pool and its provider exist. Its attribute mapping needs claims of a job, which this question does not have, so it does not tell whether the provider accepts the broker's tokens."
