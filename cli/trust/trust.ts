import { givenBy } from "../../analysis/trust/given.ts"
import { readConfig } from "../../broker/config/config.ts"
import { didYouMean, quote } from "../../broker/core/policy/faults.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { impossible, misused, readArguments } from "../arguments.ts"
import { counted, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { compareWith } from "./against.ts"
import { commandLines } from "./commands.ts"
import { trustAsJson } from "./json.ts"
import { sidesOf } from "./side.ts"
import { terraformLines } from "./terraform.ts"
import { textLines } from "./text.ts"

const USAGE = `Usage: daypass trust DIR [--connection NAME] [--grant NAME] [--broker URL] [--format text|json|github|terraform|commands] [--json]
       daypass trust DIR --connection NAME --against FILE [--against FILE] [--trusted-by NAME] [--grant NAME] [--broker URL]

Prints what the other side of each connection must trust for the grants of a policy folder: the broker as issuer, the
audience, and the subject of each grant, in the form that the vendor takes. --format terraform prints the inputs of the
modules in examples/terraform, and --format commands those of aws, gcloud, az and vault.
With --against, compares them with what the other side trusts now: a role's trust policy of AWS, a role of Vault, a federated
credential of Azure, a provider or an IAM policy of Google Cloud, as JSON. --against - reads it from standard input. For Google
Cloud, --against can be given twice: a provider and an IAM policy decide together.

  --broker URL        the broker's URL; by default $DAYPASS_URL
  --trusted-by NAME   with --against: the role, client or account whose document it is, if it does not say so itself
Exit codes: 0 printed, or the other side lets in nothing beyond the policies; 3 it lets in more, or that cannot be ruled out;
1 the folder has errors; 2 the arguments are wrong, or a file cannot be read.`

const OPTIONS = {
  format: { type: "string" },
  json: { type: "boolean" },
  connection: { type: "string" },
  grant: { type: "string" },
  broker: { type: "string" },
  against: { type: "string", multiple: true },
  "trusted-by": { type: "string" },
} as const

const FORMATS = ["text", "json", "github", "terraform", "commands"] as const
type TrustFormat = (typeof FORMATS)[number]
const LINES = { text: textLines, terraform: terraformLines, commands: commandLines }
/** They make trust, so there is nothing to compare. */
const FOR_SHELLS: readonly TrustFormat[] = ["terraform", "commands"]

/** `daypass trust`. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const read = readArguments(args, USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const {
    connection,
    grant,
    broker,
    against,
    "trusted-by": trustedBy,
    format: named,
    json,
  } = read.options as TrustOptions
  const format = json === true ? "json" : ((named ?? "text") as TrustFormat)
  if (!FORMATS.includes(format) || (json === true && named !== undefined && named !== "json"))
    return misused(`--format must be one of ${FORMATS.join(", ")}; --json means --format json`, USAGE, io)
  const [folder = "", ...others] = read.positionals
  if (folder === "" || others.length > 0) return misused("trust takes one folder", USAGE, io)
  if (trustedBy !== undefined && against === undefined) return misused("--trusted-by goes with --against", USAGE, io)
  if (against !== undefined && (connection === undefined || FOR_SHELLS.includes(format)))
    return misused("--against needs --connection NAME, and prints text, json or github", USAGE, io)
  const url = brokerUrlOf(broker, io)
  if (!url.ok) return impossible(url.fault, io)

  const loaded = loadPolicies(folder)
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
  const given = givenBy(set, {}, { providers: PROVIDERS })
  if (against !== undefined)
    return await compareWith(
      {
        files: against,
        connection: connection ?? "",
        grant,
        trustedBy,
        folder,
        format: format === "terraform" || format === "commands" ? "text" : format,
        broker: url.value,
      },
      set,
      given,
      io,
    )

  const sides = sidesOf(set, given, { connection, grant })
  if (format === "json") printJson(trustAsJson(sides, set, url.value), io)
  else {
    const lines = LINES[format === "terraform" || format === "commands" ? format : "text"](sides, url.value)
    for (const line of lines) io.out(inert(line))
  }
  return EXIT.ok
}

interface TrustOptions {
  readonly connection?: string
  readonly grant?: string
  readonly broker?: string
  readonly against?: readonly string[]
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
