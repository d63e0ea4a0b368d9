import { diffPolicySets } from "../../analysis/diff/diff.ts"
import type { PolicyDiff } from "../../analysis/diff/model.ts"
import { explainDiff } from "../../analysis/diff/words.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { complain, impossible, misused } from "../arguments.ts"
import { diffAsJson } from "../diff/json.ts"
import { counted, type Format, fails, formatOf, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import { type Arguments, type CliIo, EXIT } from "../io.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { changesBetween, linesOf, type PolicyChanges } from "./changes.ts"
import { type Pushed, PushRefusal, planPush, publish } from "./publish.ts"
import { signerFor } from "./sign.ts"
import { createKvStore, type NamespaceChoice, StoreError } from "./store.ts"
import { installedWrangler, type Wrangler } from "./wrangler.ts"

const DEFAULT_BINDING = "POLICIES"

/** `daypass push`. */
export function run(given: Arguments, io: CliIo): Promise<number> {
  return push(given, io, installedWrangler(io))
}

/** The command with a wrangler of the caller's choice. */
export async function push(given: Arguments, io: CliIo, wrangler: Wrangler): Promise<number> {
  const format = formatOf(given.options)
  const [folder = ""] = given.positionals
  const choice = choiceOf(given.options)
  if (typeof choice === "string") return misused(choice)
  const { sign: file } = given.options
  const sign = await signerFor(typeof file === "string" ? file : undefined, io)
  if (typeof sign === "string") return impossible(sign, io)
  const loaded = loadPolicies(folder, io)
  if (typeof loaded === "string") return impossible(loaded, io)

  const findings = findingsOf(loaded)
  const out = outputFor(folder, format, io)
  if (!loaded.result.ok || fails(findings, false)) {
    const errors = findings.filter(({ severity }) => severity === "error")
    const summary = `${counted(errors.length, "error")}: nothing was published.`
    if (format === "json") printJson({ ok: false, published: false, reason: summary, findings: errors }, io)
    else await printReport({ tool: "push", folder, findings: errors, summary }, format, io)
    return EXIT.no
  }
  const set = loaded.result.value
  try {
    const store = createKvStore(wrangler, choice)
    const plan = await planPush(store, set, {
      providers: PROVIDERS,
      now: io.now(),
      sign,
      all: given.options["all"] === true,
    })
    const changes = { ...changesBetween(plan.older, set), diff: diffFrom(plan.older, set) }
    for (const note of plan.notes) complain(note, io)
    if (!plan.needed) return await out.end({ changes, dryRun: false, pushed: null })
    out.show(changes)
    if (given.options["dry-run"] === true) return await out.end({ changes, dryRun: true, pushed: null })
    const pushed = await publish(store, plan, (text) => io.err(text))
    if (pushed.leftover !== null)
      reportFailure(
        `${pushed.leftover.message}; unused keys are left, and a later push deletes them`,
        pushed.leftover,
        io,
      )
    return await out.end({ changes, dryRun: false, pushed })
  } catch (error) {
    if (error instanceof PushRefusal) return await out.refuse(error.message)
    if (!(error instanceof StoreError)) throw error
    reportFailure(error.message, error, io)
    return EXIT.usage
  }
}

/** Which jobs get more and less by the push; null when no policies are in force to compare with. */
function diffFrom(older: PolicySet | null, set: PolicySet): PolicyDiff | null {
  return older === null ? null : diffPolicySets(older, set, { providers: PROVIDERS })
}

/** The diff as lines; a long one is cut to its beginning and its summary. */
function linesOfDiff(diff: PolicyDiff): readonly string[] {
  const lines = explainDiff(diff)
  if (lines.length <= MAX_DIFF_LINES) return lines
  const more = `... ${lines.length - MAX_DIFF_LINES} lines more: daypass diff prints all`
  return [...lines.slice(0, MAX_DIFF_LINES - 1), more, "", ...lines.slice(-1)]
}

const MAX_DIFF_LINES = 200

function choiceOf(options: Readonly<Record<string, string | boolean | undefined>>): NamespaceChoice | string {
  const text = (name: string) => (typeof options[name] === "string" ? options[name] : undefined)
  const empty = Object.entries(options).find(([, value]) => value === "")
  if (empty !== undefined) return `--${empty[0]} needs a value`
  const [binding, namespaceId, env, config, persistTo] = ["binding", "namespace-id", "env", "config", "persist-to"].map(
    text,
  )
  const local = options["local"] === true
  if (binding !== undefined && namespaceId !== undefined)
    return "--binding and --namespace-id each name a namespace: give only one"
  if (persistTo !== undefined && !local) return "--persist-to is the folder of --local: add --local"
  return {
    binding: binding ?? DEFAULT_BINDING,
    local,
    ...(namespaceId === undefined ? {} : { namespaceId }),
    ...(env === undefined ? {} : { env }),
    ...(config === undefined ? {} : { config }),
    ...(persistTo === undefined ? {} : { persistTo }),
  }
}

type Changes = PolicyChanges & { readonly diff: PolicyDiff | null }

interface Outcome {
  readonly changes: Changes
  readonly dryRun: boolean
  /** Null when nothing was written. */
  readonly pushed: Pushed | null
}

/** Prints what a push does. JSON is one object, at the end. */
function outputFor(folder: string, format: Format, io: CliIo) {
  const report = async (summary: string) => {
    if (format !== "json") await printReport({ tool: "push", folder, findings: [], summary }, format, io)
  }
  return {
    show(changes: Changes): void {
      if (format === "json") return
      const { diff } = changes
      for (const line of [...linesOf(changes), ...(diff === null ? [] : ["", ...linesOfDiff(diff), ""])])
        io.out(inert(line))
    },
    async end({ changes, dryRun, pushed }: Outcome): Promise<number> {
      if (format === "json") {
        const diff = changes.diff === null ? null : diffAsJson(changes.diff)
        const keys = { written: pushed?.written ?? 0, deleted: pushed?.deleted ?? 0 }
        printJson({ ok: true, published: pushed !== null, dry_run: dryRun, ...changes, diff, keys, findings: [] }, io)
      }
      await report(summaryOf({ changes, dryRun, pushed }))
      return EXIT.ok
    },
    async refuse(reason: string): Promise<number> {
      if (format === "json") printJson({ ok: false, published: false, reason, findings: [] }, io)
      await report(reason)
      return EXIT.no
    },
  }
}

function summaryOf({ changes, dryRun, pushed }: Outcome): string {
  if (dryRun) return "Nothing was published: this was a dry run."
  if (pushed === null) return `Version ${changes.version} is already in force: there is nothing to publish.`
  const { written, deleted } = pushed
  return `Published version ${changes.version}: ${counted(written, "key")} written, ${deleted} deleted. Brokers usually use it within 90 seconds.`
}

/** Shows wrangler's own output, only if it failed: the output names accounts. */
function reportFailure(message: string, { said }: StoreError, io: CliIo): void {
  complain(message, io)
  for (const line of said
    .split(/\r?\n/)
    .filter((text) => text.trim() !== "")
    .slice(-MAX_SAID_LINES))
    io.err(inert(line))
}

const MAX_SAID_LINES = 20
