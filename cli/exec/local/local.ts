import { join } from "node:path"
import { ActionError } from "../../../action/failure.ts"
import { invalid } from "../../../action/inputs.ts"
import { registerMasks, warn } from "../../../action/runner.ts"
import type { FixedTokens } from "../../../action/subject-tokens.ts"
import { LOCAL } from "../../../broker/core/families/local.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import type { Log } from "../../../broker/ports/log.ts"
import { counted, findingLine } from "../../format.ts"
import type { CliIo } from "../../io.ts"
import { stateFolder } from "../../login/stored-login.ts"
import { findingsOf, loadPolicies } from "../../policies.ts"
import { findAgeKeys, KEY_VARIABLES } from "./age-keys.ts"
import { localTokens } from "./session.ts"

export interface LocalCaller {
  readonly tokens: FixedTokens
  /** Names of variables that do not reach the command. */
  readonly withheld: readonly string[]
}

/**
 * Decides by a policy folder on this machine, and records in the person's own folder. Prints the faults of a folder that does not
 * load.
 * @throws {ActionError} `input_invalid`, `policy_invalid`, `id_token_unavailable`
 */
export async function openLocal(folder: string, io: CliIo): Promise<LocalCaller> {
  const set = loadSet(folder, io)
  const issuer = [...set.organisation.issuers.values()].find(({ family }) => family === LOCAL.name)
  if (issuer === undefined) {
    throw invalid(
      "policies",
      "names a folder that is about no person's own machine: add an issuer to its daypass.yaml, such as laptop: { family: local }",
    )
  }
  const keys = await findAgeKeys(io)
  await registerMasks(keys.identities.reveal())
  const record = join(stateFolder(io), "local")
  return { tokens: await localTokens({ set, issuer, keys, folder: record, log }), withheld: KEY_VARIABLES }
}

/** Requests are in the record. What the storage says is for the person, who is its operator. */
const log: Log = (event) => {
  if ("event" in event && event.event.startsWith("ledger.")) warn(`The local record: ${event.detail}`)
}

function loadSet(folder: string, io: Pick<CliIo, "err">): PolicySet {
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") throw invalid("policies", `cannot be used: ${loaded}`)
  if (loaded.result.ok) return loaded.result.value
  const findings = findingsOf(loaded)
  for (const finding of findings) io.err(findingLine(folder, finding))
  throw new ActionError("policy_invalid", `The policy folder has ${counted(findings.length, "error")}.`, {
    change: "Correct what the lines above name; daypass check shows it too.",
  })
}
