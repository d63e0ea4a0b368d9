import { readdirSync } from "node:fs"
import { join } from "node:path"
import { RECORD_FILE } from "../../action/fingerprints/record.ts"
import { type ActionRun, type ActionStep, runAction } from "../support/runner.ts"
import {
  type Expected,
  exchangeAnswer,
  type Reply,
  type ScriptedBroker,
  scriptedBroker,
} from "../support/scripted-broker.ts"

/** A made-up secret with characters that base64 and base64url write differently. */
export const SECRET = "s3cr3t>>>value???/K7MDENG+bPxRfiCY"

/** What the provider `aws` mints: one public value and one secret. */
export const AWS = {
  values: {
    "access-key-id": { value: "AKIAEXAMPLE", secret: false, env: "AWS_ACCESS_KEY_ID" },
    "secret-access-key": { value: SECRET, secret: true, env: "AWS_SECRET_ACCESS_KEY" },
  },
}

/** An exchange that works: a token, and the encrypted answer. */
export function granted(
  credentials: Parameters<typeof exchangeAnswer>[0] = { "aws-deploy": AWS },
  lease: Parameters<typeof exchangeAnswer>[1] = {},
): Expected[] {
  return [{ on: "token" }, { on: "exchange", reply: { sealed: exchangeAnswer(credentials, lease) } }]
}

/** An exchange with another answer. */
export function answered(reply: Reply): Expected[] {
  return [{ on: "token" }, { on: "exchange", reply }]
}

/** A revocation that works, or one with another answer. */
export function revoked(reply: Reply = REVOKED): Expected[] {
  return [{ on: "token" }, { on: "revoke", reply }]
}

const REVOKED: Reply = {
  status: 200,
  body: {
    lease: "lease-1",
    credentials: { "aws-deploy": { outcome: "expires-only", expires_at: "2031-05-06T07:08:09.000Z" } },
  },
}

export interface Story {
  readonly run: ActionRun
  readonly requests: readonly string[]
  /** Everything that is visible from outside. Placeholders replace what varies between runs. */
  readonly text: string
}

/** Runs one step against a script. Throws when a request is missing or is not in the script. */
export async function play(
  script: readonly Expected[],
  step: Omit<Partial<ActionStep>, "inputs" | "state" | "env"> & {
    readonly inputs?: Record<string, string>
    readonly audience?: string
    /** The job's, for stories of several steps. */
    readonly requestToken?: string
    /** These two depend on the scripted broker's origin, which is known only now. */
    readonly env?: (origin: string) => Record<string, string>
    readonly state?: (origin: string) => Record<string, string>
  } = {},
): Promise<Story> {
  const { audience, requestToken, state, env, inputs, ...rest } = step
  const options = { ...(audience !== undefined && { audience }), ...(requestToken !== undefined && { requestToken }) }
  const broker = await scriptedBroker(script, options)
  try {
    const run = await runAction({
      entry: "main",
      idToken: broker.idToken,
      ...rest,
      inputs: { broker: broker.origin, grants: "aws-deploy", ...inputs },
      ...(state && { state: state(broker.origin) }),
      ...(env && { env: env(broker.origin) }),
    })
    const faults = broker.faults()
    if (faults.length > 0) throw new Error(`not as scripted: ${faults.join("; ")}\n${run.stdout}\n${run.stderr}`)
    const named = (text: string) => withoutVariance(text, broker)
    return { run, requests: broker.requests, text: named(render(run, broker.requests)) }
  } finally {
    await broker.close()
  }
}

/** The state that main saves for post. */
export function savedByMain(origin: string): Record<string, string> {
  const leases = [{ id: "lease-1", expiresAt: "2031-05-06T07:08:09.000Z" }]
  const lease = JSON.stringify({ broker: origin, audience: origin, leases })
  return { lease, variables: "AWS_SECRET_ACCESS_KEY" }
}

/** What a main step saved, for a post step that asks another scripted broker. */
export function savedBy({ state }: ActionRun, origin: string): Record<string, string> {
  const lease = JSON.parse(state["lease"] || "null")
  if (lease === null) return { ...state }
  return { ...state, lease: JSON.stringify({ ...lease, broker: origin, audience: origin }) }
}

/** The state with which a post step finds the folders of a main step. */
export const foldersOf = ({ state }: ActionRun): Record<string, string> =>
  Object.fromEntries(["files", "issued"].map((name) => [name, state[name] ?? ""]))

/** What a step left in the runner's temporary folder, besides folders with its fingerprints and nothing else. */
export function leftIn(temp: string): string[] {
  const isRecord = (name: string) => {
    if (!/^daypass-[0-9a-f-]{36}$/.test(name)) return false
    const files = readdirSync(join(temp, name))
    return files.length > 0 && files.every((file) => RECORD_FILE.test(file))
  }
  return readdirSync(temp).filter((name) => !isRecord(name))
}

/** The files that a step delivered. */
export function deliveredFiles({ written }: ActionRun): ActionRun["written"] {
  return Object.fromEntries(
    Object.entries(written).filter(([path]) => !/^daypass-[0-9a-f-]{36}\/issued[^/]*$/.test(path)),
  )
}

/** The lines that are not mask commands. They must never contain a secret. */
export function unmaskedLines(run: ActionRun): string {
  return run.stdout
    .split("\n")
    .filter((line) => !line.startsWith("::add-mask::"))
    .join("\n")
}

function render(run: ActionRun, requests: readonly string[]): string {
  const sections: [string, string][] = [
    ["exit code", String(run.exitCode)],
    ["requests", requests.join("\n")],
    ["stdout", run.stdout],
    ["stderr", run.stderr],
    ["GITHUB_ENV", run.files.GITHUB_ENV],
    ["GITHUB_OUTPUT", run.files.GITHUB_OUTPUT],
    ["GITHUB_STATE", run.files.GITHUB_STATE],
    ["GITHUB_STEP_SUMMARY", run.summary],
  ]
  const shown = sections.filter(([, text]) => text !== "").map(([name, text]) => `--- ${name}\n${text.trimEnd()}`)
  return `\n${shown.join("\n")}\n`
}

function withoutVariance(text: string, { origin, tokens, leases }: ScriptedBroker): string {
  const inMarkdown = origin.replace(/[^A-Za-z0-9 /-]/g, (character) => `&#${character.codePointAt(0)};`)
  const named = tokens.reduce((rest, token, index) => rest.replaceAll(token, `<token-${index + 1}>`), text)
  return leases
    .reduce((rest, lease, index) => rest.replaceAll(lease, `lease-${index + 1}`), named)
    .replaceAll(origin, "<broker>")
    .replaceAll(inMarkdown, "<broker>")
    .replaceAll(/daypass_[0-9a-f-]{36}/g, "<delimiter>")
    .replaceAll(/\/\S*\/daypass-[0-9a-f-]{36}/g, "<folder>")
}
