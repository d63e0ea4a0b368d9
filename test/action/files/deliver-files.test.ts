import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { deliveredFiles, granted, play, revoked, unmaskedLines } from "../story.ts"
import { federated, inSeconds, session } from "./job.ts"

let temp = ""
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), "daypass-temp-"))
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

type Credentials = NonNullable<Parameters<typeof granted>[0]>

async function delivered(
  credentials: Credentials,
  step: { seconds?: number; env?: Record<string, string>; inputs?: Record<string, string>; refused?: boolean } = {},
) {
  const expires_at = inSeconds(step.seconds ?? 3600)
  const script = [...granted(credentials, { expires_at }), ...(step.refused ? revoked() : [])]
  const { run } = await play(script, {
    temp,
    env: () => step.env ?? {},
    inputs: { grants: Object.keys(credentials).join(), deliver: "files", ...step.inputs },
  })
  const folder = run.outputs["folder"] ?? ""
  const text = (path: string) => run.written[join(basename(folder), path)]?.bytes.toString("utf8")
  const named = (shown: string) =>
    shown
      .replaceAll(folder, "<folder>")
      .replaceAll(basename(folder), "<folder>")
      .replaceAll(expires_at, "<end>")
      .replaceAll(/[^\s"]*\/node_modules\/(?:\S*\/)?node(?:\.exe)?\b/g, "<node>")
      .replaceAll(/[^\s"]*\/action\/dist\//g, "<action>/")
  const written = Object.keys(deliveredFiles(run)).map(named).sort()
  return { run, folder, text, named, written }
}

/** All that a step wrote where a later step or a person looks: not its files. */
const visible = ({ run }: Awaited<ReturnType<typeof delivered>>) =>
  [unmaskedLines(run), run.stderr, ...Object.values(run.files), run.summary].join("\n")

const token = { value: "vault-token-of-it", secret: true, env: "VAULT_TOKEN" }
const address = { value: "https://vault.example.com", secret: false, env: "VAULT_ADDR" }

describe("AWS", () => {
  test("gets one profile for one grant, which is selected, and no key in the environment", async () => {
    const it = await delivered({ "aws-deploy": session(1) })
    expect(it.run.exitCode).toBe(0)
    expect([dirname(it.folder), it.run.state["files"]]).toEqual([temp, it.folder])
    expect(it.run.env).toEqual({
      AWS_CONFIG_FILE: join(it.folder, "aws", "config"),
      AWS_SHARED_CREDENTIALS_FILE: join(it.folder, "aws", "credentials"),
      AWS_SDK_LOAD_CONFIG: "1",
      AWS_PROFILE: "aws-deploy",
      AWS_DEFAULT_PROFILE: "aws-deploy",
      AWS_REGION: "eu-west-1",
      AWS_DEFAULT_REGION: "eu-west-1",
    })
    expect(visible(it)).not.toMatch(/SESSION1KEYID|of-session-1/)
    expect(it.written).toEqual([
      "<folder>/.renewal/grant-aws-deploy/kept.json",
      "<folder>/.renewal/grant-aws-deploy/settings.json",
      "<folder>/.renewal/leases",
      "<folder>/aws/config",
      "<folder>/aws/credentials",
    ])
    expect(Object.values(deliveredFiles(it.run)).map(({ mode }) => mode)).toEqual(Array(5).fill("0600"))
    expect(it.named(it.text("aws/config") ?? "")).toMatchSnapshot()
    expect(it.text("aws/credentials")).toBe("")
    expect(it.text(".renewal/grant-aws-deploy/settings.json")).not.toMatch(/SESSION|of-session/)
    expect(it.named(it.run.log)).toMatchSnapshot()
    expect(it.named(it.run.summary)).toMatchSnapshot()
  })

  test("gets a profile for each of several grants with its own region, and none is selected", async () => {
    const it = await delivered({ build: session(1), deploy: session(2, "us-east-2"), default: session(3) })
    expect(it.run.exitCode).toBe(0)
    expect(Object.keys(it.run.env)).toEqual(["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_SDK_LOAD_CONFIG"])
    expect(it.named(it.text("aws/config") ?? "")).toMatchSnapshot()
    expect(it.named(it.run.log)).toMatchSnapshot()
  })

  test("keeps a session of less than 30 minutes in the credentials file, and says what to change", async () => {
    const it = await delivered({ "aws-deploy": session(1) }, { seconds: 900 })
    expect(it.text("aws/config")).toBe("[profile aws-deploy]\nregion = eu-west-1\n")
    expect(it.text("aws/credentials")).toBe(
      "[aws-deploy]\naws_access_key_id = ASIASESSION1KEYID\naws_secret_access_key = secret-of-session-1\naws_session_token = token-of-session-1\n",
    )
    expect(it.written).toEqual(["<folder>/aws/config", "<folder>/aws/credentials"])
    expect(it.run.log).toContain("Give the grant a ttl of 30m or more, or use the input `run`.")
    expect(visible(it)).not.toMatch(/SESSION1KEYID|of-session-1/)
  })

  test("is warned of variables of the job that SDKs would take instead", async () => {
    const env = {
      AWS_ACCESS_KEY_ID: "AKIAOLD",
      AWS_WEB_IDENTITY_TOKEN_FILE: "/old",
      AWS_CONFIG_FILE: "/old",
      AWS_PROFILE: "old",
    }
    const it = await delivered({ "aws-deploy": session(1) }, { env })
    expect(it.run.log.match(/^::warning .*/gm)).toMatchSnapshot()
    const both = await delivered({ a: session(1), b: session(2) }, { env: { AWS_PROFILE: "old", AWS_REGION: "x" } })
    expect(both.run.log.match(/^::warning .*/gm)).toMatchSnapshot()
  })

  test.each([
    ["a key that would add a line to the file", { "access-key-id": "ASIA\n[default]" }, 900],
    ["a key with a blank", { "secret-access-key": "a b" }, 900],
    ["a session that is not complete", { "session-token": "" }, 3600],
  ])("gets nothing from %s", async (_, changed, seconds) => {
    const { values, ...rest } = session(1)
    const other = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        { ...value, value: (changed as Record<string, string>)[name] ?? value.value },
      ]),
    )
    const it = await delivered({ "aws-deploy": { ...rest, values: other } }, { seconds, refused: true })
    expect([it.run.exitCode, it.run.env, it.run.written]).toEqual([1, {}, {}])
  })

  test("gets nothing beside another grant's variable of the same name", async () => {
    const other = { values: { p: { value: "other", secret: false, env: "AWS_PROFILE" } } }
    const it = await delivered({ "aws-deploy": session(1), other }, { refused: true })
    expect([it.run.exitCode, it.run.env, it.run.written]).toEqual([1, {}, {}])
    expect(it.run.log).toContain("Two grants set the variable AWS_PROFILE to different values.")
  })

  test.each(["constructor", "con", "aws", "values"])("takes a grant with the name %s as any other", async (grant) => {
    const it = await delivered({ [grant]: session(1) })
    expect([it.run.exitCode, it.run.env["AWS_PROFILE"]]).toEqual([0, grant])
    expect(it.text("aws/config")).toContain(`[profile ${grant}]\n`)
  })
})

describe("the folder", () => {
  test("with a blank in its path is quoted for the programs that split the command", async () => {
    rmSync(temp, { recursive: true })
    temp = mkdtempSync(join(tmpdir(), "daypass temp-"))
    const it = await delivered({ "aws-deploy": session(1), g: federated(1) })
    expect(it.text("aws/config")).toContain(` '${it.folder}/.renewal/grant-aws-deploy/settings.json'\n`)
    // Google's libraries for Go know no quotes.
    expect(JSON.parse(it.text("google/g.json") ?? "").credential_source).toEqual({
      file: `${it.folder}/google/g.token`,
    })
    expect(it.run.env).not.toHaveProperty("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES")
    expect(it.run.log).toContain("Later steps cannot renew g: the path")
  })

  test("with a quote in its path leaves the session in the credentials file", async () => {
    rmSync(temp, { recursive: true })
    temp = mkdtempSync(join(tmpdir(), "daypass'temp-"))
    const it = await delivered({ "aws-deploy": session(1) })
    expect(it.text("aws/config")).not.toContain("credential_process")
    expect(it.text("aws/credentials")).toContain("ASIASESSION1KEYID")
    expect(it.run.log).toContain("characters that AWS's SDKs read differently")
  })

  test("is gone after a failure, and the lease is revoked", async () => {
    const bad = { values: { v: { value: "a-value-of-eight", secret: true, env: "PATH" } } }
    const it = await delivered({ "aws-deploy": session(1), bad }, { refused: true })
    expect([it.run.exitCode, it.run.env, readdirSync(temp)]).toEqual([1, {}, []])
  })
})

describe("Google", () => {
  test("gets an external account that renews its token, and one that reads it from a file", async () => {
    const it = await delivered({ g: federated(1) })
    expect(it.run.env).toEqual({
      GOOGLE_APPLICATION_CREDENTIALS: join(it.folder, "google", "g.json"),
      CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: join(it.folder, "google", "g.json"),
      GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: "1",
      GOOGLE_CLOUD_PROJECT: "acme-prod",
    })
    expect(it.named(it.text("google/g.json") ?? "")).toMatchSnapshot()
    expect(JSON.parse(it.text("google/g.file.json") ?? "").credential_source).toEqual({
      file: `${it.folder}/google/g.token`,
    })
    expect(it.text("google/g.token")).toBe("eyJhead.body1.signature1")
    expect(visible(it)).not.toContain("eyJhead.body1")
    expect(it.named(it.run.log)).toMatchSnapshot()
  })

  test("gets a file for each of several grants, and none is selected", async () => {
    const it = await delivered({ a: federated(1), b: federated(2) })
    expect([it.run.exitCode, it.run.env]).toEqual([0, {}])
    expect(it.written.filter((path) => path.startsWith("<folder>/google/"))).toHaveLength(6)
  })

  test("gets an access token as gcloud's file, and the log says who cannot use it", async () => {
    const access = {
      provider: "google",
      values: {
        "access-token": { value: "ya29.of-an-account", secret: true, env: "GOOGLE_OAUTH_ACCESS_TOKEN" },
        "cloudsdk-access-token": { value: "ya29.of-an-account", secret: true, env: "CLOUDSDK_AUTH_ACCESS_TOKEN" },
        project: { value: "acme-prod", secret: false, env: "GOOGLE_CLOUD_PROJECT" },
      },
    }
    const it = await delivered({ g: access })
    expect(it.run.env).toEqual({
      CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: join(it.folder, "google", "g.access-token"),
      GOOGLE_CLOUD_PROJECT: "acme-prod",
    })
    expect(it.text("google/g.access-token")).toBe("ya29.of-an-account")
    expect(it.text("values.env")).toContain("GOOGLE_OAUTH_ACCESS_TOKEN=ya29.of-an-account\n")
    expect(it.run.log).toContain("need `hand_over: federated-token` in the policy")
  })

  test("gets nothing from a token that is not complete", async () => {
    const { audience: _, ...values } = federated(1).values
    const it = await delivered({ g: { ...federated(1), values } }, { refused: true })
    expect([it.run.exitCode, it.run.env, it.run.written]).toEqual([1, {}, {}])
  })
})

test("Azure gets its token as a file, and the log says that nothing renews it", async () => {
  const azure = {
    provider: "azure",
    format: "azure-federated",
    values: {
      "federated-token": { value: "eyJazure.body.signature", secret: true, env: "ARM_OIDC_TOKEN" },
      "federated-token-file": {
        value: "eyJazure.body.signature",
        secret: true,
        env: "AZURE_FEDERATED_TOKEN_FILE",
        file: { mode: "0600" },
      },
      "use-oidc": { value: "true", secret: false, env: "ARM_USE_OIDC" },
      "authority-host": { value: "https://login.microsoftonline.com/", secret: false, env: "AZURE_AUTHORITY_HOST" },
      "client-id": { value: "client-1", secret: false, env: "AZURE_CLIENT_ID" },
      "arm-client-id": { value: "client-1", secret: false, env: "ARM_CLIENT_ID" },
      "tenant-id": { value: "tenant-1", secret: false, env: "AZURE_TENANT_ID" },
      "arm-tenant-id": { value: "tenant-1", secret: false, env: "ARM_TENANT_ID" },
      "subscription-id": { value: "subscription-1", secret: false, env: "AZURE_SUBSCRIPTION_ID" },
    },
  }
  const it = await delivered({ az: azure })
  const path = join(it.folder, "azure", "az.token")
  expect(it.run.env).toEqual({
    AZURE_TENANT_ID: "tenant-1",
    AZURE_CLIENT_ID: "client-1",
    AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com/",
    AZURE_FEDERATED_TOKEN_FILE: path,
    ARM_OIDC_TOKEN_FILE_PATH: path,
    ARM_CLIENT_ID: "client-1",
    ARM_TENANT_ID: "tenant-1",
    ARM_USE_OIDC: "true",
    AZURE_SUBSCRIPTION_ID: "subscription-1",
  })
  expect(it.text("azure/az.token")).toBe("eyJazure.body.signature")
  expect(it.run.log).toContain("Later steps cannot renew az: Azure's programs must log in before the token ends.")
  expect(visible(it)).not.toContain("eyJazure.body")
})

describe("what has no format of its own", () => {
  test("is in values.env and values.json, and only public values are variables", async () => {
    const single = { value: "-----KEY-----", secret: true, env: "TLS_KEY", file: { mode: "0400" } }
    const unnamed = { value: "has-no-variable", secret: true }
    const it = await delivered({ vault: { values: { token, address, single, unnamed } } })
    expect(it.run.env).toEqual({
      VAULT_ADDR: "https://vault.example.com",
      TLS_KEY: join(it.folder, "files", "vault", "single"),
    })
    expect(it.text("values.env")).toBe("VAULT_TOKEN=vault-token-of-it\nVAULT_ADDR=https://vault.example.com\n")
    expect(JSON.parse(it.text("values.json") ?? "")).toEqual({
      vault: { token: "vault-token-of-it", address: "https://vault.example.com", unnamed: "has-no-variable" },
    })
    expect(it.run.written[join(basename(it.folder), "files/vault/single")]?.mode).toBe("0400")
    expect(visible(it)).not.toMatch(/vault-token|has-no-variable/)
    expect(it.named(it.run.summary)).toMatchSnapshot()
  })

  test("sets no half of an AWS key", async () => {
    const id = { value: "AKIASTATICKEYID", secret: false, env: "AWS_ACCESS_KEY_ID" }
    const key = { value: "static-secret-key", secret: true, env: "AWS_SECRET_ACCESS_KEY" }
    const it = await delivered({ s3: { values: { id, key } } })
    expect(it.run.env).toEqual({})
    expect(it.text("values.env")).toBe("AWS_ACCESS_KEY_ID=AKIASTATICKEYID\nAWS_SECRET_ACCESS_KEY=static-secret-key\n")
  })

  test.each<[string, Credentials]>([
    ["a variable that changes later steps", { a: { values: { v: { ...token, env: "LD_PRELOAD" } } } }],
    [
      "one variable for two values",
      { a: { values: { token } }, b: { values: { t: { ...token, value: "another-value" } } } },
    ],
    ["a value that dotenv cannot hold", { a: { values: { v: { ...token, value: `it's "$5"` } } } }],
  ])("refuses %s", async (_, credentials) => {
    const it = await delivered(credentials, { refused: true })
    expect([it.run.exitCode, it.run.env, it.run.written]).toEqual([1, {}, {}])
    expect(it.run.log).toMatchSnapshot()
  })

  test("says which values are in quotes", async () => {
    const it = await delivered({ a: { values: { v: { ...token, value: "a password#1" } } } })
    expect(it.text("values.env")).toBe("VAULT_TOKEN='a password#1'\n")
    expect(it.run.log).toContain("In values.env, VAULT_TOKEN is in quotes.")
  })
})

test("with `run`, files are refused as every delivery", async () => {
  const { run } = await play([], { inputs: { deliver: "files", run: "true" } })
  expect([run.exitCode, run.log]).toEqual([1, expect.stringContaining("cannot be used with `run`")])
})
