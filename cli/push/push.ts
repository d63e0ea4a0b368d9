import { diffPolicySets } from "../../analysis/diff/diff.ts"
import type { PolicyDiff } from "../../analysis/diff/model.ts"
import { explainDiff } from "../../analysis/diff/words.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { impossible, misused, readArguments } from "../arguments.ts"
import { diffAsJson } from "../diff/json.ts"
import { counted, FORMAT_OPTIONS, type Format, fails, formatOf, printJson, printReport } from "../format.ts"
import { inert } from "../inert.ts"
import { type CliIo, EXIT } from "../io.ts"
import { findingsOf, loadPolicies } from "../policies.ts"
import { changesBetween, linesOf, type PolicyChanges } from "./changes.ts"
import { type Pushed, PushRefusal, planPush, publish } from "./publish.ts"
import { signerFor } from "./sign.ts"
import { createKvStore, type NamespaceChoice, StoreError } from "./store.ts"
import { installedWrangler, type Wrangler } from "./wrangler.ts"

const USAGE = `Usage: daypass push DIR [--binding NAME] [--namespace-id ID] [--env NAME] [--config FILE] [--local] [--persist-to DIR] [--sign FILE] [--all] [--dry-run] [--format text|json|github] [--json]

Checks and compiles a policy folder, prints what changes, and publishes the folder to Workers KV through wrangler, for
brokers at the edge. Writes only what changed. The old policies stay in force until everything is written.
--binding names the KV namespace by its binding in wrangler.toml (default: POLICIES); --env and --config are wrangler's
options. --namespace-id names it by id instead. --local uses the namespace of wrangler dev, and --persist-to its folder.
--sign signs with an Ed25519 private key (PEM); without it, the key in DAYPASS_PUBLISHER_KEY signs, if it is set.
--all writes every key, to repair damage. --dry-run only prints the changes.
Exit codes: 0 published, or nothing to publish, 1 the folder has errors, or another push published at the same time,
2 it failed: the arguments are wrong, the folder cannot be read, or wrangler reports an error.`

const OPTIONS = {
  ...FORMAT_OPTIONS,
  binding: { type: "string" },
  "namespace-id": { type: "string" },
  env: { type: "string" },
  config: { type: "string" },
  local: { type: "boolean" },
  "persist-to": { type: "string" },
  sign: { type: "string" },
  all: { type: "boolean" },
  "dry-run": { type: "boolean" },
} as const

const DEFAULT_BINDING = "POLICIES"

/** `daypass push`. */
export function run(args: readonly string[], io: CliIo): Promise<number> {
  return push(args, io, installedWrangler(io))
}

/** The command with a wrangler of the caller's choice. */
export async function push(args: readonly string[], io: CliIo, wrangler: Wrangler): Promise<number> {
  const read = readArguments(args, USAGE, OPTIONS, io)
  if (typeof read === "number") return read
  const format = formatOf(read.options, USAGE, io)
  if (typeof format === "number") return format
  const [folder, ...others] = read.positionals
  if (folder === undefined || folder === "" || others.length > 0) return misused("push takes one folder", USAGE, io)
  const choice = choiceOf(read.options)
  if (typeof choice === "string") return misused(choice, USAGE, io)
  const { sign: file } = read.options
  const sign = await signerFor(typeof file === "string" ? file : undefined, io)
  if (typeof sign === "string") return impossible(sign, io)
  const loaded = loadPolicies(folder)
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
      all: read.options["all"] === true,
    })
    const changes = { ...changesBetween(plan.older, set), diff: diffFrom(plan.older, set) }
    for (const note of plan.notes) io.err(inert(`daypass: ${note}`))
    if (!plan.needed) return await out.end({ changes, dryRun: false, pushed: null })
    out.show(changes)
    if (read.options["dry-run"] === true) return await out.end({ changes, dryRun: true, pushed: null })
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
  io.err(inert(`daypass: ${message}`))
  for (const line of said
    .split(/\r?\n/)
    .filter((text) => text.trim() !== "")
    .slice(-MAX_SAID_LINES))
    io.err(inert(line))
}

const MAX_SAID_LINES = 20
