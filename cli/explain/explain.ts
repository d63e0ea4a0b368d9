import type { Claims } from "../../broker/core/identity.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { parseStrictJsonObject } from "../../broker/issuers/strict-json.ts"
import { impossible, reasonOf } from "../arguments.ts"
import { findingLine } from "../format.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { isKeyBound, type ReadToken, readSubjectToken } from "../subject-token.ts"
import { askBroker } from "./broker.ts"
import { decideOffline } from "./offline.ts"
import { type Outcome, printExplanation } from "./print.ts"
import { type Question, readQuestion } from "./question.ts"

/** `daypass explain`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const question = readQuestion(given)
  const subject = await readSubject(question, io)
  if (typeof subject === "string") return impossible(subject, io)
  const { claims, token } = subject
  const { broker, folder } = question

  const sends = broker !== undefined && token !== null && !isKeyBound(claims)
  let decided: Decided<Outcome | null> = ok(null)
  if (sends) decided = await viaBroker(broker, token, question, io)
  else if (folder !== undefined) decided = offline(folder, claims, question)
  else if (broker !== undefined) decided = fail([`daypass: ${NOT_SENDABLE} Decide offline instead, with --policies.`])
  if (!decided.ok) {
    for (const line of decided.fault) io.err(inert(line))
    return EXIT.usage
  }
  const outcome = decided.value
  const remarks = broker !== undefined && !sends ? [NOT_SENDABLE] : []
  await printExplanation({ ...question, claims: token === null ? null : claims, outcome, remarks }, io)
  return outcome === null || outcome.decision === "allow" ? EXIT.ok : EXIT.no
}

/** The decision, or lines that say why there is none. */
type Decided<Value> = Result<Value, readonly string[]>

const NOT_SENDABLE =
  "The token was not sent: it is bound to a key that only its job has, so the broker accepts it only from that job."

async function readSubject(
  { file }: Question,
  io: CliIo,
): Promise<{ readonly claims: Claims; readonly token: ReadToken | null } | string> {
  if (file === undefined) {
    const token = await readSubjectToken(io)
    return token.ok ? { claims: token.value.claims, token: token.value } : token.fault
  }
  try {
    const parsed = parseStrictJsonObject(await io.readFile(file))
    return parsed.ok ? { claims: parsed.value, token: null } : `${file} ${parsed.fault}`
  } catch (error) {
    return `${file} cannot be read (${reasonOf(error)})`
  }
}

async function viaBroker(
  broker: URL,
  token: ReadToken,
  { grants, ttl }: Question,
  io: CliIo,
): Promise<Decided<Outcome>> {
  const request = { grants, ...(ttl === undefined ? {} : { ttl: ttl.text }) }
  const answer = await askBroker(broker, token, request, io)
  if (!answer.ok) return answer
  const { decision, code, trace, limits, policy_version: version } = answer.value
  const decided = version === undefined ? [] : [`The policies of version ${version} decided.`]
  const notes = [...decided, ...(answer.value.notes ?? [])]
  return ok({ decidedBy: "broker", decision, code, trace: trace ?? null, limits: limits ?? null, notes })
}

function offline(folder: string, claims: Claims, { grants, ttl }: Question): Decided<Outcome> {
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return fail([`daypass: ${loaded}`])
  if (!loaded.result.ok) return fail(findingsOf(loaded).map((finding) => findingLine(folder, finding)))
  const decided = decideOffline(loaded.result.value, claims, grants, ttl?.seconds)
  return decided.ok ? ok({ decidedBy: "offline", limits: null, ...decided.value }) : fail([`daypass: ${decided.fault}`])
}
