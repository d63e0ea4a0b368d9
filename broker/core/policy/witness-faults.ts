import { sha256 } from "@noble/hashes/sha2.js"
import { parseTrustPolicy } from "../checkpoint/trust-policy.ts"
import { PLAIN_URL_FORM, parsePlainUrl } from "../url.ts"
import { fault } from "./faults.ts"
import type { PolicyFault } from "./model.ts"
import { nodeAt, type YamlNode } from "./yaml.ts"

/** Faults of the policy of witnesses in an organisation file, whose lines are as c2sp.org/tlog-policy has them. */
export function witnessFaults(file: string, root: YamlNode, text: string | undefined): PolicyFault[] {
  const said = text === undefined ? null : faultOf(text)
  return said === null
    ? []
    : [fault(file, nodeAt(root, ["witnesses"]).at, "value_invalid", `The policy of witnesses is wrong: ${said}.`)]
}

function faultOf(text: string): string | null {
  const policy = parseTrustPolicy(text, sha256)
  if (!policy.ok) return policy.fault
  const { logs, witnesses } = policy.value
  if (logs.length > 0) return "leave out the line of the log, which the broker adds itself"
  if (witnesses.length === 0) return "it names no witness: leave out `witnesses`"
  const without = witnesses.find(({ url }) => url === null || parsePlainUrl(url) === null)
  return without === undefined
    ? null
    : `the witness ${without.name} needs the URL at which it is asked: ${PLAIN_URL_FORM}`
}
