import type { FieldWish, WhoCanQuery } from "../../analysis/who-can/model.ts"
import { whoCan } from "../../analysis/who-can/who-can.ts"
import { didYouMean, quote } from "../../broker/core/policy/faults.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { compilePattern, type Pattern } from "../../broker/core/policy/pattern.ts"
import { knownKeys } from "../../broker/core/policy/schema-faults.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { impossible, misused } from "../arguments.ts"
import { counted, formatOf, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { jsonOf } from "./json.ts"
import { findingsOfWhoCan, linesOf, summaryOf } from "./print.ts"

/** `daypass who-can`. */
export async function run(given: Arguments, io: CliIo): Promise<number> {
  const format = formatOf(given.options)
  const [folder = ""] = given.positionals
  const query = queryOf(given)
  if (typeof query === "string") return misused(query)
  const loaded = loadPolicies(folder, io)
  if (typeof loaded === "string") return impossible(loaded, io)
  if (!loaded.result.ok) {
    const findings = findingsOf(loaded)
    const summary = `${counted(findings.length, "error")}: the broker would not load this folder.`
    if (format === "json") printJson({ ok: false, findings }, io)
    else await printReport({ tool: "who-can", folder, findings, summary }, format, io)
    return EXIT.no
  }
  const set = loaded.result.value
  const unknown = misspelled(query, set)
  if (unknown !== null) return impossible(unknown, io)

  const found = whoCan(set, query, { providers: PROVIDERS })
  const all = given.options["all"] === true
  if (format === "json") printJson(jsonOf(found, set), io)
  else if (format === "text") for (const line of linesOf(found, set, all)) io.out(inert(line))
  else {
    const findings = findingsOfWhoCan(found, set, all)
    await printReport({ tool: "who-can", folder, findings, summary: summaryOf(found, all) }, format, io)
  }
  return found.rows.length + found.unknown.length > 0 ? EXIT.ok : EXIT.no
}

/** The query that the options describe, or a sentence that says what is wrong with them. */
function queryOf({ options, repeated }: Arguments): WhoCanQuery | string {
  const text = (name: string) => (typeof options[name] === "string" ? options[name] : undefined)
  const [connection, grant, environment] = [text("connection"), text("grant"), text("environment")]
  const [named, repository] = [text("unit"), text("repository")]
  if (named !== undefined && repository !== undefined) return "--repository is another name of --unit: use one of them"
  const [option, unit] = repository === undefined ? ["--unit", named] : ["--repository", repository]
  const owned = unit === undefined ? undefined : patternOf(unit)
  if (typeof owned === "string") return `${option}: ${owned}`
  if (repository?.includes("/") === false) return "--repository is OWNER/REPO, such as acme/shop or acme/*"
  const fields: FieldWish[] = []
  for (const wish of repeated["grant-field"] ?? []) {
    const at = wish.indexOf("=")
    if (at < 1 || at === wish.length - 1)
      return "--grant-field is KEY=VALUE, such as role=arn:aws:iam::111122223333:role/*"
    const pattern = patternOf(wish.slice(at + 1))
    if (typeof pattern === "string") return `--grant-field ${wish.slice(0, at)}: ${pattern}`
    fields.push({ key: wish.slice(0, at), pattern })
  }
  return {
    ...(connection === undefined ? {} : { connection }),
    ...(grant === undefined ? {} : { grant }),
    ...(environment === undefined ? {} : { environment }),
    ...(owned === undefined ? {} : { unit: owned }),
    fields,
  }
}

function patternOf(text: string): Pattern | string {
  const pattern = compilePattern(text)
  return pattern.ok ? pattern.value : pattern.fault
}

/** Refuses unknown names: for a misspelled one, the answer "no job can get it" would be true and misleading. */
function misspelled(
  { connection, grant, fields = [] }: WhoCanQuery,
  { organisation, policies }: PolicySet,
): string | null {
  const connections = [...organisation.connections.keys()]
  const grants = [...new Set(policies.flatMap((policy) => [...policy.grants.keys()]))]
  const say = (what: string, name: string, known: readonly string[]) =>
    `there is no ${what} ${quote(name)}.${didYouMean(name, known) || ` Known: ${known.join(", ") || "none"}.`}`
  if (connection !== undefined && !connections.includes(connection)) return say("connection", connection, connections)
  if (grant !== undefined && !grants.includes(grant)) return say("grant", grant, grants)
  const asked = [...organisation.connections.values()].filter(({ name }) => (connection ?? name) === name)
  const keys = [
    ...new Set(
      asked.flatMap(({ provider }) => {
        const schema = PROVIDERS.get(provider)?.grant
        return schema === undefined ? [] : knownKeys(schema, [])
      }),
    ),
  ]
  const wrong = fields.find(({ key }) => !keys.includes(key.split(".")[0] ?? ""))
  return wrong === undefined ? null : say("grant field", wrong.key, keys)
}
