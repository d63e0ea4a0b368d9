import { toFailure } from "../../action/failure.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { impossible, misused } from "../arguments.ts"
import { changeOf } from "../exec/report.ts"
import { brokerUrl } from "../explain/broker.ts"
import { counted, printJson } from "../format.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, type Command, EXIT } from "../io.ts"
import { openOperator } from "../operate/client.ts"
import { loadPolicies } from "../policies.ts"
import { published } from "../push/publication.ts"
import { get } from "./ask.ts"
import { DISCOVERY_PATH, issuerFinding, keysFinding, signInFindings } from "./documents.ts"
import { type DoctorFinding, findingsFor } from "./finding.ts"
import { healthFindings } from "./health.ts"
import { addressFinding, certificateFindings, clockFinding } from "./reach.ts"
import { ownSight, type Sight } from "./sight.ts"
import { givenFindings, trustFindings } from "./trust.ts"

type Options = Readonly<Record<string, string | boolean | undefined>>

/** `daypass doctor`. */
export const run: Command = (given, io) => doctor(given, io, ownSight)

/** The same with another sight of hosts. */
export async function doctor(given: Arguments, io: CliIo, sight: Sight): Promise<number> {
  const { options } = given
  const [text = ""] = given.positionals
  const url = brokerUrl(text)
  if (url === null) {
    const form = "https, its host in lower case, without a path; http for this machine alone"
    return misused(`${text} is not the URL of a broker: ${form}`)
  }
  const set = policySet(options["policies"])
  if (typeof set === "string") return impossible(set, io)
  const findings = await examine(url, set, options, io, sight)
  return print(url.origin, findings, options["json"] === true, io)
}

async function examine(
  url: URL,
  set: PolicySet | null,
  options: Options,
  io: CliIo,
  sight: Sight,
): Promise<readonly DoctorFinding[]> {
  const broker = url.origin
  const seen = [await addressFinding(url, sight), ...(await certificateFindings(url, io.now(), sight))]
  const discovery = await get(`${broker}${DISCOVERY_PATH}`, io)
  const given = set === null ? [] : givenFindings(set, String(options["policies"]))
  // Nothing else can be asked of a broker that does not answer.
  if (!discovery.ok) return [...seen, findingsFor("http").fix(`${broker} ${discovery.fault}.`), ...given]
  const versions = set === null ? [] : [set.version, published(set, io.now()).current.version]
  return [
    ...seen,
    clockFinding(discovery.value),
    issuerFinding(broker, discovery.value),
    await keysFinding(broker, io),
    ...(await healthFindings(broker, versions, io)),
    ...(await signInFindings(broker, io)),
    ...given,
    ...(options["grant"] === undefined ? [] : await operatorFindings(broker, options, io)),
  ]
}

/** The exchange itself is a check: of the caller's token, the audience, the policies and the ledger. */
async function operatorFindings(broker: string, options: Options, io: CliIo): Promise<readonly DoctorFinding[]> {
  const { policies: _, json: __, ...rest } = options
  const { ok, fix } = findingsFor("exchange")
  const findings: DoctorFinding[] = []
  try {
    const client = await openOperator({ ...rest, broker }, io)
    findings.push(ok(`The broker took a token of yours, and gave the grant ${String(options["grant"])}.`))
    return [...findings, ...(await trustFindings(client))]
  } catch (thrown) {
    const failure = toFailure(thrown)
    return [...findings, fix(`${failure.message} ${changeOf(failure)} [${failure.code}]`)]
  }
}

/** The policies of a folder; null without one, and a sentence when they do not load. */
function policySet(folder: string | boolean | undefined): PolicySet | string | null {
  if (typeof folder !== "string") return null
  const loaded = loadPolicies(folder)
  if (typeof loaded === "string") return loaded
  if (loaded.result.ok) return loaded.result.value
  return `the folder ${folder} has ${counted(loaded.result.fault.length, "error")}: daypass check ${folder}`
}

function print(broker: string, findings: readonly DoctorFinding[], asJson: boolean, io: CliIo): number {
  const wrong = findings.filter(({ state }) => state === "fix").length
  if (asJson) printJson({ ok: wrong === 0, broker, findings }, io)
  else {
    for (const { state, check, detail } of findings) io.out(inert(`${state.padEnd(4)}  ${check}: ${detail}`))
    io.out(wrong === 0 ? "Nothing to fix." : `${counted(wrong, "thing")} to fix.`)
  }
  return wrong === 0 ? EXIT.ok : EXIT.no
}
