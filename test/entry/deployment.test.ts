import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { isExampleHost } from "../../broker/config/example-host.ts"
import { deploymentOf, TRIAL_VARIABLE } from "../../broker/entry/deployment.ts"

const SETTINGS = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8")
const READY = SETTINGS.replaceAll("daypass.example.com", "daypass.acme.dev")
const FROM_KV = READY.replace("[env.production.vars]", '[env.production.vars]\nDAYPASS_POLICIES = "kv"')
const deploying = { WRANGLER_COMMAND: "deploy" }

describe("a deployment", () => {
  it("of the settings as they come, with the examples, is refused for both reasons", () => {
    expect(deploymentOf(deploying, { settings: SETTINGS, hasPolicies: false })).toEqual({
      kind: "refused",
      reasons: [expect.stringContaining("DAYPASS_URL"), expect.stringContaining("no folder policies/")],
    })
  })

  it.each<[string, Parameters<typeof deploymentOf>, string]>([
    ["with a URL and policies", [deploying, { settings: READY, hasPolicies: true }], "with-policies"],
    ["without policies", [deploying, { settings: READY, hasPolicies: false }], "refused"],
    [
      "with a URL, whose policies are in KV",
      [deploying, { settings: FROM_KV, hasPolicies: false }],
      "without-policies",
    ],
    ["with policies and the example's URL", [deploying, { settings: SETTINGS, hasPolicies: true }], "refused"],
    [
      "as a version to be deployed later",
      [{ WRANGLER_COMMAND: "versions upload" }, { settings: SETTINGS, hasPolicies: true }],
      "refused",
    ],
    ["in development", [{ WRANGLER_COMMAND: "dev" }, { settings: SETTINGS, hasPolicies: false }], "with-policies"],
    ["of npm alone", [{}, { settings: SETTINGS, hasPolicies: false }], "with-policies"],
    [
      "on trial",
      [
        { ...deploying, [TRIAL_VARIABLE]: "1" },
        { settings: SETTINGS, hasPolicies: false },
      ],
      "with-policies",
    ],
  ])("%s comes to what it should", (_, [env, from], kind) => {
    expect(deploymentOf(env, from).kind).toBe(kind)
  })

  it.each([
    ["daypass.example.com", true],
    ["example.com", true],
    ["EXAMPLE.ORG", true],
    ["broker.example", true],
    ["myexample.com", false],
    ["example.com.acme.dev", false],
    ["127.0.0.1", false],
  ])("knows that the host %s is an example: %s", (host, is) => {
    expect(isExampleHost(host)).toBe(is)
  })
})

describe("wrangler.toml", () => {
  const environments = ["staging", "production"]
  const section = (name: string) => SETTINGS.split(/^\[/m).find((part) => part.startsWith(`${name}]`)) ?? ""

  it.each(environments)("opens %s at its route only, and names the secret that it needs", (environment) => {
    expect(section(`env.${environment}`)).toMatch(/^routes = .*\nworkers_dev = false$/m)
    expect(section(`env.${environment}.secrets`)).toContain('required = ["DAYPASS_KEK"]')
    const [, host] = /pattern = "([^"]+)"/.exec(section(`env.${environment}`)) ?? []
    expect(section(`env.${environment}.vars`)).toContain(`DAYPASS_URL = "https://${host}"`)
  })

  it("bounds the time that a request may take, and sees jobs that hang up", () => {
    expect(section("limits")).toMatch(/^cpu_ms = \d+$/m)
    expect(SETTINGS).toMatch(/^compatibility_flags = .*"enable_request_signal"/m)
  })
})
