import { createHash } from "node:crypto"
import { ActionError } from "../../../action/failure.ts"
import { parseNote } from "../../../broker/core/checkpoint/note.ts"
import { parseReportNote } from "../../../broker/core/checkpoint/report-note.ts"
import { parseTrustPolicy } from "../../../broker/core/checkpoint/trust-policy.ts"
import { verifySignatures } from "../../../broker/core/checkpoint/verifier-key.ts"
import { SIGN_REPORT_PATH } from "../../../broker/wire/checkpoints.ts"
import { impossible, reasonOf } from "../../arguments.ts"
import { inert } from "../../inert.ts"
import { type CliIo, EXIT } from "../../io.ts"
import type { OperatorClient } from "../../operate/client.ts"
import { verifyEd25519 } from "../ed25519.ts"
import { sha256 } from "../sha256.ts"

const hashOf = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex")

/**
 * Has the broker sign the hash of a report, as it is printed with its last line feed, and writes the note. Returns a sentence when
 * the note cannot be written.
 *
 * @throws {ActionError}
 */
export async function signReport(
  text: string,
  note: string,
  client: OperatorClient,
  io: CliIo,
): Promise<string | null> {
  const hash = hashOf(`${text}\n`)
  const request = { method: "POST", path: SIGN_REPORT_PATH, json: { sha256: hash }, accept: "text/plain" } as const
  const { body } = await client.call(request)
  const parsed = parseNote(body)
  const said = parsed.ok ? parseReportNote(parsed.value.text) : parsed
  if (!said.ok || said.value.sha256 !== hash) {
    throw new ActionError("answer_unusable", "The broker's answer is not the signature of this report.", {
      change: "Check that the URL is one of a broker of Daypass, of this version or a later one.",
    })
  }
  try {
    await io.createFile(note, body.toString("utf8"))
    return null
  } catch (error) {
    return `the note cannot be written to ${note} (${reasonOf(error)}): name a file that does not exist`
  }
}

/** Verifies that a log of the policy has signed exactly this report. */
export async function checkReport(
  files: { readonly report: string; readonly note: string; readonly policy: string },
  io: CliIo,
): Promise<number> {
  const read: Uint8Array[] = []
  for (const path of [files.report, files.note, files.policy]) {
    try {
      read.push(await io.readFile(path))
    } catch (error) {
      return impossible(`${path} cannot be read: ${reasonOf(error)}`, io)
    }
  }
  const [report, note, policy] = read as [Uint8Array, Uint8Array, Uint8Array]
  const trusted = parseTrustPolicy(new TextDecoder().decode(policy), sha256)
  if (!trusted.ok) return impossible(`${files.policy}: ${trusted.fault}`, io)
  const no = (why: string) => {
    io.out(inert(`${files.note}: ${why}`))
    return EXIT.no
  }
  const parsed = parseNote(note)
  if (!parsed.ok) return no(parsed.fault)
  const { text, signatures } = parsed.value
  const said = parseReportNote(text)
  if (!said.ok) return no(said.fault)
  const { logs } = trusted.value
  const verified = await verifySignatures(text, signatures, logs, verifyEd25519)
  if (!verified.ok) return no(verified.fault)
  if (!verified.value.some(({ key }) => key.name === said.value.origin)) return no("no log of the policy has signed it")
  if (said.value.sha256 !== hashOf(report)) return no(`it is about another report than ${files.report}`)
  io.out(inert(`${files.report} was signed ${said.value.at} by ${said.value.origin}`))
  return EXIT.ok
}
