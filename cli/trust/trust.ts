import { givenBy } from "../../analysis/trust/given.ts"
import { readConfig } from "../../broker/config/config.ts"
import { didYouMean, quote } from "../../broker/core/policy/faults.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { impossible, misused } from "../arguments.ts"
import { counted, type Format, formatOf, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { compareWith } from "./against.ts"
import { commandLines } from "./commands.ts"
import { trustAsJson } from "./json.ts"
import { sidesOf } from "./side.ts"
import { terraformLines } from "./terraform.ts"
import { textLines } from "./text.ts"

/** Forms for a shell or for Terraform, which make the other side trust: with them, there is nothing to compare. */
const MAKING = { terraform: terraformLines, commands: commandLines } as const
type Making = keyof typeof MAKING
const isMaking = (format: string | undefined): format is Making => format !== undefined && Object.hasOwn(MAKING, format)

/** `daypass trust`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const { connection, grant, broker, "trusted-by": trustedBy, format: named, json } = given.options as TrustOptions
  const format: Format | Making = isMaking(named) && json !== true ? named : formatOf(given.options)
  const { against } = given.repeated
  const [folder = ""] = given.positionals
  if (trustedBy !== undefined && against === undefined) return misused("--trusted-by goes with --against")
  if (against !== undefined && (connection === undefined || isMaking(format)))
    return misused("--against needs --connection NAME, and prints text, json or github")
  const url = brokerUrlOf(broker, io)
  if (!url.ok) return impossible(url.fault, io)

  const loaded = loadPolicies(folder, io)
  if (typeof loaded === "string") return impossible(loaded, io)
  if (!loaded.result.ok) {
    const findings = findingsOf(loaded)
    const summary = `${counted(findings.length, "error")}: the broker would not load this folder.`
    if (format === "json") printJson({ ok: false, findings }, io)
    else await printReport({ tool: "trust", folder, findings, summary }, format === "github" ? format : "text", io)
    return EXIT.no
  }
  const set = loaded.result.value
  const wrong = misspelled(set, connection, grant)
  if (wrong !== null) return impossible(wrong, io)
  const gives = givenBy(set, {}, { providers: PROVIDERS })
  if (against !== undefined)
    return await compareWith(
      {
        files: against,
        connection: connection ?? "",
        grant,
        trustedBy,
        folder,
        format: isMaking(format) ? "text" : format,
        broker: url.value,
      },
      set,
      gives,
      io,
    )

  const sides = sidesOf(set, gives, { connection, grant })
  if (format === "json") printJson(trustAsJson(sides, set, url.value), io)
  else {
    const lines = (isMaking(format) ? MAKING[format] : textLines)(sides, url.value)
    for (const line of lines) io.out(inert(line))
  }
  return EXIT.ok
}

interface TrustOptions {
  readonly connection?: string
  readonly grant?: string
  readonly broker?: string
  readonly "trusted-by"?: string
  readonly format?: string
  readonly json?: boolean
}

/** The broker's URL in its only spelling, by the broker's own rules. The other side compares it as text. */
function brokerUrlOf(option: string | undefined, io: CliIo): Result<string, string> {
  const text = option ?? io.env["DAYPASS_URL"]
  if (text === undefined || text === "")
    return fail(
      "the broker's URL is not known, and it is the issuer that the other side trusts: pass --broker URL, or set DAYPASS_URL",
    )
  const config = readConfig({ DAYPASS_URL: text })
  if (config.ok) return ok(config.value.url)
  const name = option === undefined ? "DAYPASS_URL" : "--broker"
  return fail(config.fault.map(({ message }) => `${name}: ${message}`).join("\n"))
}

/** Refuses unknown names: for a misspelled one, "nothing has to be trusted" would be true and misleading. */
function misspelled({ organisation, policies }: PolicySet, connection?: string, grant?: string): string | null {
  const connections = [...organisation.connections.keys()]
  const grants = [...new Set(policies.flatMap((policy) => [...policy.grants.keys()]))]
  const say = (what: string, name: string, known: readonly string[]) =>
    `there is no ${what} ${quote(name)}.${didYouMean(name, known) || ` Known: ${known.join(", ") || "none"}.`}`
  if (connection !== undefined && !connections.includes(connection)) return say("connection", connection, connections)
  return grant === undefined || grants.includes(grant) ? null : say("grant", grant, grants)
}
