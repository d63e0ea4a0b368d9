import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type ActionRun, actionNode, runAction } from "../../support/runner.ts"
import { type Expected, type ScriptedBroker, scriptedBroker } from "../../support/scripted-broker.ts"
import { granted } from "../story.ts"

const HELPER = fileURLToPath(new URL("../../../action/dist/renew.js", import.meta.url))

export const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString()

/** What the provider `aws` mints, each time another one. */
export const session = (number: number, region = "eu-west-1") => ({
  format: "aws-session",
  values: {
    "access-key-id": { value: `ASIASESSION${number}KEYID`, secret: true, env: "AWS_ACCESS_KEY_ID" },
    "secret-access-key": { value: `secret-of-session-${number}`, secret: true, env: "AWS_SECRET_ACCESS_KEY" },
    "session-token": { value: `token-of-session-${number}`, secret: true, env: "AWS_SESSION_TOKEN" },
    region: { value: region, secret: false, env: "AWS_REGION" },
    "default-region": { value: region, secret: false, env: "AWS_DEFAULT_REGION" },
  },
})

/** A token of the broker's for Google. */
export const federated = (number: number) => ({
  provider: "google",
  format: "google-federated",
  values: {
    "federated-token": { value: `eyJhead.body${number}.signature${number}`, secret: true },
    audience: {
      value: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/d",
      secret: false,
    },
    "token-url": { value: "https://sts.googleapis.com/v1/token", secret: false },
    "impersonation-url": {
      value:
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken",
      secret: false,
    },
    "impersonation-seconds": { value: "900", secret: false },
    project: { value: "acme-prod", secret: false, env: "GOOGLE_CLOUD_PROJECT" },
  },
})

export interface Printed {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Job extends AsyncDisposable {
  readonly broker: ScriptedBroker
  readonly temp: string
  readonly main: ActionRun
  /** The step's folder. */
  readonly folder: string
  /** A later step's process that an SDK starts. `signal` kills it. */
  helper(grant: string, more?: { env?: Record<string, string>; signal?: AbortSignal }): Promise<Printed>
  post(): Promise<ActionRun>
}

/**
 * A job: its step with `deliver: files`, processes of later steps, and the post step, against one script. `first` is what
 * the step gets; `later` is what is asked for afterwards.
 */
export async function startJob(
  first: Parameters<typeof granted>[0],
  later: readonly Expected[] = [],
  step: { readonly seconds?: number; readonly temp?: string; readonly inputs?: Record<string, string> } = {},
): Promise<Job> {
  const temp = step.temp ?? mkdtempSync(join(tmpdir(), "daypass-temp-"))
  const script = [...granted(first, { expires_at: inSeconds(step.seconds ?? 3600) }), ...later]
  const broker = await scriptedBroker(script)
  const inputs = { broker: broker.origin, grants: Object.keys(first ?? {}).join(), deliver: "files", ...step.inputs }
  const main = await runAction({ entry: "main", inputs, idToken: broker.idToken, temp })
  const ids = {
    ACTIONS_ID_TOKEN_REQUEST_URL: broker.idToken.url,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: broker.idToken.requestToken,
  }
  return {
    broker,
    temp,
    main,
    folder: main.outputs["folder"] ?? "",
    helper: (grant, { env = ids, signal } = {}) =>
      print([HELPER, join(main.outputs["folder"] ?? "", ".renewal", `grant-${grant}`, "settings.json")], env, signal),
    post: () => runAction({ entry: "post", inputs, idToken: broker.idToken, temp, state: main.state }),
    async [Symbol.asyncDispose]() {
      await broker.close()
      rmSync(temp, { recursive: true, force: true })
    },
  }
}

function print(args: readonly string[], env: Record<string, string>, signal?: AbortSignal): Promise<Printed> {
  return new Promise((resolve, reject) => {
    const child = spawn(actionNode(), args, { env: { PATH: process.env["PATH"] ?? "", ...env }, timeout: 120_000 })
    signal?.addEventListener("abort", () => child.kill("SIGKILL"))
    let [stdout, stderr] = ["", ""]
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("error", reject)
    child.on("close", (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}
