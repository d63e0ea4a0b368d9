import * as z from "zod"
import { ActionError } from "../../action/failure.ts"
import { givenBy } from "../../analysis/trust/given.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import {
  DOCTOR_PATH,
  type DoctorAnswer,
  type DoctorRequest,
  TRUST_STATES,
  type TrustAnswer,
  type TrustState,
} from "../../broker/wire/doctor.ts"
import { counted } from "../format.ts"
import type { OperatorClient } from "../operate/client.ts"
import { sidesOf } from "../trust/side.ts"
import { objectIn } from "./ask.ts"
import { type DoctorFinding, type FindingState, findingsFor } from "./finding.ts"

const doctorAnswer: z.ZodType<DoctorAnswer> = z.object({
  connections: z.array(z.object({ name: z.string(), provider: z.string(), can_be_asked: z.boolean() })),
})
const trustAnswer: z.ZodType<TrustAnswer> = z.object({
  connection: z.string(),
  provider: z.string(),
  findings: z.array(z.object({ about: z.string(), state: z.enum(TRUST_STATES), detail: z.string() })),
})

const STATES: Readonly<Record<TrustState, FindingState>> = {
  trusted: "ok",
  too_open: "fix",
  not_trusted: "fix",
  unreachable: "fix",
  reachable: "note",
  unknown: "note",
}

/** Has the broker ask the other side of each connection, one after the other. @throws {ActionError} */
export async function trustFindings(client: OperatorClient): Promise<readonly DoctorFinding[]> {
  const { connections } = read(await client.call({ method: "GET", path: DOCTOR_PATH }), doctorAnswer)
  const findings: DoctorFinding[] = []
  for (const { name, provider, can_be_asked: canBeAsked } of connections) {
    if (!canBeAsked) {
      findings.push(findingsFor(`trust ${name}`).note(`Nobody to ask: the provider ${provider} calls nobody.`))
      continue
    }
    const json: DoctorRequest = { connection: name }
    const { findings: told } = read(await client.call({ method: "POST", path: DOCTOR_PATH, json }), trustAnswer)
    for (const { about, state, detail } of told) {
      const words = `${about}: ${state.replace("_", " ")}. ${detail}`
      findings.push({ check: `trust ${name}`, state: STATES[state], detail: words })
    }
  }
  return findings
}

/** What other sides must trust by the policies, and how to prove that they let in nothing else. */
export function givenFindings(set: PolicySet, folder: string): readonly DoctorFinding[] {
  const given = givenBy(set, {}, { providers: PROVIDERS })
  const sides = sidesOf(set, given, { connection: undefined, grant: undefined })
  const told = sides.filter(
    ({ audiences, subjects }) => [audiences, ...subjects.map((one) => one.audiences)].flat().length > 0,
  )
  if (told.length === 0) return []
  const counts = told.map(({ connection: { name }, subjects, open }) => {
    const also = open.length === 0 ? "" : ` and ${counted(open.length, "pattern")}`
    return `${name} (${counted(subjects.length, "subject")}${also})`
  })
  return [
    findingsFor("subjects").note(
      `The other sides of these must trust what daypass trust ${folder} lists: ${counts.join(", ")}. With --connection NAME --against FILE it proves that one lets in nothing else.`,
    ),
  ]
}

/** @throws {ActionError} `answer_unusable` */
function read<Answer>(reply: { readonly body: Uint8Array }, form: z.ZodType<Answer>): Answer {
  const parsed = form.safeParse(objectIn(reply))
  if (parsed.success) return parsed.data
  throw new ActionError("answer_unusable", "The broker's answer is not one of a doctor.", {
    change: "Use a command line of the broker's version.",
  })
}
