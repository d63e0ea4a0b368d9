import { describe, expect, test } from "vitest"
import type { ActionRun } from "../support/runner.ts"
import { granted, play, revoked, unmaskedLines } from "./story.ts"

const TOKEN = "eyJhbGciOiJSUzI1NiJ9.google-claims.google-signature"
const AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/daypass/providers/broker"

const login = (token = TOKEN) => ({
  provider: "google",
  format: "google-federated",
  values: {
    "federated-token": { value: token, secret: true },
    audience: { value: AUDIENCE, secret: false },
    "token-url": { value: "https://sts.googleapis.com/v1/token", secret: false },
    "impersonation-url": { value: "https://iamcredentials.googleapis.com/v1/x:generateAccessToken", secret: false },
    "impersonation-seconds": { value: "1200", secret: false },
    project: { value: "acme-prod", secret: false, env: "GOOGLE_CLOUD_PROJECT" },
  },
})
/** The files that the step left, by the end of their path. */
const textOf = ({ written }: ActionRun, end: string) => {
  const file = Object.entries(written).find(([path]) => path.endsWith(end))?.[1]
  return file && `${file.mode} ${file.bytes.toString("utf8")}`
}
const start = (inputs: Record<string, string>) =>
  play(granted({ google: login() }), { inputs: { grants: "google", ...inputs } })

describe("a login of Google for later steps", () => {
  test("is a file of application default credentials, for libraries and for gcloud, and a file with the token", async () => {
    const { run } = await start({})
    const path = run.env["GOOGLE_APPLICATION_CREDENTIALS"] ?? ""
    expect(Object.keys(run.env)).toEqual([
      "GOOGLE_CLOUD_PROJECT",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    ])
    const [mode, ...text] = textOf(run, "google/credentials-file")?.split(" ") ?? []
    expect(mode).toBe("0600")
    expect(JSON.parse(text.join(" "))).toEqual({
      type: "external_account",
      audience: AUDIENCE,
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      token_url: "https://sts.googleapis.com/v1/token",
      service_account_impersonation_url: "https://iamcredentials.googleapis.com/v1/x:generateAccessToken",
      service_account_impersonation: { token_lifetime_seconds: 1_200 },
      credential_source: { file: path.replace(/credentials-file$/, "federated-token-file") },
    })
    expect(textOf(run, "google/federated-token-file")).toBe(`0600 ${TOKEN}`)
    expect(run.log).toContain("Tools must log in with google within five minutes: this delivery does not renew it.")
    expect(unmaskedLines(run)).not.toContain("google-claims")
    expect(run.files.GITHUB_ENV).not.toContain("google-claims")
  })

  test("is outputs, if the step says so: each value, and the paths of the files", async () => {
    const { run } = await start({ deliver: "outputs" })
    expect(run.env).toEqual({})
    expect(run.outputs).toMatchObject({
      "google-federated-token": TOKEN,
      "google-audience": AUDIENCE,
      "google-credentials-file": expect.stringMatching(/\/google\/credentials-file$/),
    })
    expect(textOf(run, "google/credentials-file")).toContain("external_account")
  })

  test("is not two in one environment: both would be the default", async () => {
    const script = [...granted({ google: login(), other: login(`${TOKEN}2`) }), ...revoked()]
    const { run } = await play(script, { inputs: { grants: "google,other" } })
    expect(run.exitCode).toBe(1)
    expect(run.log).toContain("Two grants set the variable GOOGLE_APPLICATION_CREDENTIALS to different values")
    expect([run.env, run.written]).toEqual([{}, {}])
  })

  test.each(["federated-token", "audience", "token-url", "impersonation-seconds"])(
    "without its %s is refused, and the lease is revoked",
    async (missing) => {
      const values = Object.fromEntries(Object.entries(login().values).filter(([name]) => name !== missing))
      const script = [...granted({ google: { ...login(), values } }), ...revoked()]
      const { run } = await play(script, { inputs: { grants: "google" } })
      expect([run.exitCode, run.env, run.written]).toEqual([1, {}, {}])
      expect(run.log).toContain(`the credential of google has no ${missing}`)
    },
  )
})
