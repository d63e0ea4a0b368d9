import { describe, expect, test } from "vitest"
import { exchangeAnswer, problem } from "../support/scripted-broker.ts"
import { AWS, answered, granted, play, revoked, unmaskedLines } from "./story.ts"

const PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n}\nab\n-----END KEY-----\n"

describe("a secret arrives whole, whatever is in it", () => {
  test.each([
    ["several lines", PEM],
    ["Windows line ends", "first-line-of-it\r\nsecond-line-of-it\r\n"],
    ["percent signs and the escapes of the runner", "100%25%0A%0Dsecret"],
    ["commands of the runner", "x::set-env name=PATH::/evil\n::add-mask::y\n##[set-env]z"],
    ["what looks like a delimiter", "ghadelimiter_x\ndaypass_x\nEOF\nA=b\nC<<D"],
    ["leading and trailing spaces", "  padded-secret  "],
    ["other scripts", "пароль-密码-🔑-lösung"],
    ["nothing", ""],
  ])("%s", async (_, value) => {
    const script = granted({ g: { values: { v: { value, secret: true, env: "THE_SECRET" } } } })
    const { run } = await play(script, { inputs: { grants: "g", deliver: "both" } })
    expect(run.exitCode).toBe(0)
    expect(run.env).toEqual({ THE_SECRET: value })
    expect(run.outputs["g-v"]).toBe(value)
    expect(Object.keys(run.outputs)).toEqual(["lease", "expires-at", "g-v"])
    for (const line of value.split(/[\r\n]+/).filter((part) => part.trim().length >= 4)) {
      expect(unmaskedLines(run)).not.toContain(line.trim())
    }
  })

  test("and masks no line of it so short that it would blank out the log", async () => {
    const script = granted({ g: { values: { v: { value: PEM, secret: true, env: "THE_SECRET" } } } })
    const { run } = await play(script, { inputs: { grants: "g" } })
    expect(run.masks.filter((mask) => mask.trim().length < 4 || mask.includes("\n"))).toEqual([])
    expect(run.masks).toContain("MIIEvQIBADANBgkqhkiG9w0B")
    expect(run.log).toBe("Got g, until 2031-05-06T07:08:09.000Z.\n")
  })
})

describe("a delivery that must be refused delivers nothing and revokes the lease at once", () => {
  const withEnv = (env: string, value = "a-value-of-eight") => ({ values: { v: { value, secret: true, env } } })
  const forbidden = [
    "NODE_OPTIONS",
    "LD_PRELOAD",
    "PATH",
    "Path",
    "GITHUB_TOKEN",
    "RUNNER_TEMP",
    "ACTIONS_RUNTIME_URL",
    "BASH_ENV",
    "OPENSSL_CONF",
    "makefiles",
    "CORECLR_PROFILER_PATH",
    "AWS_CONFIG_FILE",
    "CLOUDSDK_PYTHON",
    "PERLLIB",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "TF_CLI_ARGS_apply",
    "ANSIBLE_CONFIG",
    "SBT_OPTS",
    "KUBECONFIG",
    "SSH_ASKPASS",
    "AWS_PAGER",
  ]
  test.each([
    ...forbidden.map((name): [string, Parameters<typeof granted>[0]] => [`the variable ${name}`, { a: withEnv(name) }]),
    ["a variable with a line break", { a: withEnv("A\nPATH") }],
    ["a variable with an equals sign", { a: withEnv("A=B") }],
    ["a variable without a name", { a: withEnv("") }],
    ["a NUL in a value", { a: withEnv("A", "a-value\0of-eight") }],
    ["one variable for two values", { a: withEnv("TOKEN"), b: withEnv("TOKEN", "another-value") }],
    ["one variable in two spellings for two values", { a: withEnv("TOKEN"), b: withEnv("token", "another-value") }],
    ["a grant that has no variable", { a: { values: { v: { value: "a-value-of-eight", secret: true } } } }],
  ])("%s", async (_, credentials) => {
    const grants = Object.keys(credentials ?? {}).join()
    const { run } = await play([...granted(credentials), ...revoked()], { inputs: { grants, deliver: "both" } })
    expect([run.exitCode, run.env, run.outputs]).toEqual([1, {}, {}])
    expect(run.state["lease"]).toBe("")
    expect(run.log).toMatchSnapshot()
  })

  test("two values with the same output name", async () => {
    const credentials = {
      a: { values: { "b-c": { value: "a-value-of-eight", secret: true } } },
      "a-b": { values: { c: { value: "another-of-eight", secret: true } } },
    }
    const { run } = await play([...granted(credentials), ...revoked()], {
      inputs: { grants: "a a-b", deliver: "outputs" },
    })
    expect([run.exitCode, run.outputs]).toEqual([1, {}])
    expect(run.log).toMatchSnapshot()
  })

  test("a value whose output would replace the lease's expiry", async () => {
    const credentials = { expires: { values: { at: { value: "never", secret: false } } } }
    const { run } = await play([...granted(credentials), ...revoked()], {
      inputs: { grants: "expires", deliver: "outputs" },
    })
    expect([run.exitCode, run.outputs]).toEqual([1, {}])
  })

  const whole = exchangeAnswer({ "aws-deploy": AWS }) as { credentials: { "aws-deploy": object } }
  const aws = whole.credentials["aws-deploy"]
  test.each<[string, unknown]>([
    ["an answer without credentials", { ...whole, credentials: undefined }],
    ["an answer without a requested grant", { ...whole, credentials: {} }],
    ["an answer with a grant that was not requested", { ...whole, credentials: { "aws-deploy": aws, other: aws } }],
    [
      "a credential with an unknown revocation",
      { ...whole, credentials: { "aws-deploy": { ...aws, revocation: "maybe" } } },
    ],
    [
      "a credential with an invalid expiry",
      { ...whole, credentials: { "aws-deploy": { ...aws, expires_at: "soon" } } },
    ],
    [
      "a value that is not a string",
      { ...whole, credentials: { "aws-deploy": { ...aws, values: { a: { value: 1, secret: true } } } } },
    ],
    [
      "a value that does not say whether it is secret",
      { ...whole, credentials: { "aws-deploy": { ...aws, values: { a: { value: "x", env: "A" } } } } },
    ],
    [
      "a value with an invalid name",
      { ...whole, credentials: { "aws-deploy": { ...aws, values: { "a\nb=c": { value: "x", secret: true } } } } },
    ],
  ])("%s", async (_, sealed) => {
    const { run } = await play([...answered({ sealed }), ...revoked()])
    expect([run.exitCode, run.env, run.outputs]).toEqual([1, {}, {}])
    expect(run.log).toMatchSnapshot()
  })

  test("and leaves the lease to the post step when the revocation fails", async () => {
    const script = [...granted({ a: withEnv("PATH") }), ...revoked(problem(500, "internal", "The broker failed."))]
    const { run } = await play(script, { inputs: { grants: "a" } })
    expect(run.exitCode).toBe(1)
    expect(JSON.parse(run.state["lease"] ?? "")).toMatchObject({ leases: [{ expiresAt: expect.any(String) }] })
    expect(run.log).toMatchSnapshot()
  })
})

test("two grants may set the same variable to the same value", async () => {
  const region = { value: "eu-west-1", secret: false, env: "AWS_REGION" }
  const { run } = await play(granted({ a: { values: { region } }, b: { values: { region } } }), {
    inputs: { grants: "a b" },
  })
  expect(run.env).toEqual({ AWS_REGION: "eu-west-1" })
})
