import { toFailure } from "../../action/failure.ts"
import { impossible, misused } from "../arguments.ts"
import { changeOf } from "../exec/report.ts"
import { brokerUrl } from "../explain/broker.ts"
import { counted, printJson } from "../format.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, type Command, EXIT } from "../io.ts"
import { openOperator } from "../operate/client.ts"
import { painted } from "../terminal.ts"
import { get } from "./ask.ts"
import { DISCOVERY_PATH, issuerFinding, keysFinding, signInFindings } from "./documents.ts"
import { type DoctorFinding, findingsFor } from "./finding.ts"
import type { FolderSight } from "./folder.ts"
import { healthFindings } from "./health.ts"
import { addressFinding, certificateFindings, clockFinding } from "./reach.ts"
import { ownSight, type Sight } from "./sight.ts"
import { trustFindings } from "./trust.ts"

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
  const policies = await sightOf(options["policies"], io)
  if (typeof policies === "string") return impossible(policies, io)
  const findings = await examine(url, policies, options, io, sight)
  return print(url.origin, findings, options["json"] === true, io)
}

async function examine(
  url: URL,
  policies: FolderSight,
  options: Options,
  io: CliIo,
  sight: Sight,
): Promise<readonly DoctorFinding[]> {
  const broker = url.origin
  const seen = [await addressFinding(url, sight), ...(await certificateFindings(url, io.now(), sight))]
  const discovery = await get(`${broker}${DISCOVERY_PATH}`, io)
  // Nothing else can be asked of a broker that does not answer.
  if (!discovery.ok) return [...seen, findingsFor("http").fix(`${broker} ${discovery.fault}.`), ...policies.findings]
  return [
    ...seen,
    clockFinding(discovery.value),
    issuerFinding(broker, discovery.value),
    await keysFinding(broker, io),
    ...(await healthFindings(broker, policies.versions, io)),
    ...(await signInFindings(broker, io)),
    ...policies.findings,
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

/** Loaded with its first use: a doctor without a folder needs no policies. */
async function sightOf(folder: string | boolean | undefined, io: CliIo): Promise<FolderSight | string> {
  if (typeof folder !== "string") return { versions: [], findings: [] }
  return (await import("./folder.ts")).folderSight(folder, io.now())
}

const STYLES = { ok: "green", fix: "red", note: null } as const

function shownState(state: DoctorFinding["state"], io: CliIo): string {
  const style = STYLES[state]
  return style === null ? state.padEnd(4) : painted(io, "out", style, state.padEnd(4))
}

function print(broker: string, findings: readonly DoctorFinding[], asJson: boolean, io: CliIo): number {
  const wrong = findings.filter(({ state }) => state === "fix").length
  if (asJson) printJson({ ok: wrong === 0, broker, findings }, io)
  else {
    for (const { state, check, detail } of findings) io.out(`${shownState(state, io)}  ${inert(`${check}: ${detail}`)}`)
    io.out(wrong === 0 ? "Nothing to fix." : `${counted(wrong, "thing")} to fix.`)
  }
  return wrong === 0 ? EXIT.ok : EXIT.no
}
