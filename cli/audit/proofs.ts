import { ActionError } from "../../action/failure.ts"
import { textOfUtf8 } from "../../broker/core/utf8.ts"
import { CHECKPOINT_PROOFS_PATH, type CheckpointProofsAnswer } from "../../broker/wire/checkpoints.ts"
import type { OperatorClient } from "../operate/client.ts"

/**
 * The proofs of the heads of all units' trails, or of one unit's, one after another. Get them before the export: then the export
 * has all records that they prove.
 *
 * @throws {ActionError}
 */
export async function proofsFrom(client: OperatorClient, unit?: string): Promise<string> {
  const pages: string[] = []
  let after: string | null = null
  do {
    const query: Record<string, string> = { ...(unit !== undefined && { unit }), ...(after !== null && { after }) }
    const { body } = await client.call({ method: "GET", path: CHECKPOINT_PROOFS_PATH, query })
    const { proofs, next } = readPage(body)
    pages.push(proofs)
    after = next
  } while (after !== null)
  return pages.join("")
}

function readPage(body: Uint8Array): CheckpointProofsAnswer {
  try {
    const { proofs, next } = JSON.parse(textOfUtf8(body) ?? "") as Record<string, unknown>
    if (typeof proofs === "string" && (typeof next === "string" || next === null)) return { proofs, next }
  } catch {
    // Said below.
  }
  throw new ActionError("answer_unusable", "The broker's answer has no proofs.")
}
