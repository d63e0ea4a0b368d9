import * as z from "zod"
import { ActionError } from "../../action/failure.ts"
import {
  DOCTOR_PATH,
  type DoctorAnswer,
  type DoctorRequest,
  TRUST_STATES,
  type TrustAnswer,
  type TrustState,
} from "../../broker/wire/doctor.ts"
import type { OperatorClient } from "../operate/client.ts"
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
      findings.push(
        findingsFor(`trust ${name}`).note(
          `Nobody to ask: the provider ${provider} calls others only through other connections.`,
        ),
      )
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

/** @throws {ActionError} `answer_unusable` */
function read<Answer>(reply: { readonly body: Uint8Array }, form: z.ZodType<Answer>): Answer {
  const parsed = form.safeParse(objectIn(reply))
  if (parsed.success) return parsed.data
  throw new ActionError("answer_unusable", "The broker's answer is not one of a doctor.", {
    change: "Use a command line of the broker's version.",
  })
}
