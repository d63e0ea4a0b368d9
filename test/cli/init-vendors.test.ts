import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { planFor } from "../../cli/init/plan.ts"
import { fieldFault, VENDORS } from "../../cli/init/vendors.ts"
import { workflowText } from "../../cli/init/workflow.ts"
import { scalar } from "../../cli/init/yaml-text.ts"

const FACTS = { owner: "acme", name: "shop", id: "41", ownerId: "9001", branch: "main" }
const ISSUER = "https://token.actions.githubusercontent.com"

/** What has no offer: as a person would say it. */
const SAID: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  aws: { account: "111122223333" },
  google: { project: "acme-prod", project_number: "123456789012" },
  azure: {
    tenant: "7c1f0a52-3b6e-4d7a-9c55-2f8e1d0b4a63",
    client_id: "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504",
    subscription: "e5a7c9b1-8d42-4f60-a3b8-17f2c6d90e35",
  },
  vault: { url: "https://vault.acme.example:8200" },
  github: { repositories: "homebrew-tap docs", app_id: "730001" },
  sops: {},
}

describe.each(Object.entries(VENDORS))("the first policy for %s", (name, vendor) => {
  const given: Record<string, string> = { ...SAID[name] }
  for (const field of vendor.fields) given[field.name] ??= field.initial?.("shop", given) ?? ""

  it("loads as it is written, and each answer that is offered is one that is taken", () => {
    expect(vendor.fields.map((field) => fieldFault(field, given[field.name] ?? ""))).toEqual(
      vendor.fields.map(() => null),
    )
    const plan = planFor(null, FACTS, {
      environment: "production",
      connection: undefined,
      issuer: ISSUER,
      vendor: { vendor, given },
    })
    // A file of SOPS is there before the policy that names it, or the broker would refuse the folder.
    if (name === "sops") return expect(JSON.stringify(plan)).toContain("Correct the name, or add it.")
    if (!plan.ok) throw new Error(JSON.stringify(plan.fault))
    expect(plan.value.files.map(({ path }) => path)).toEqual(["daypass.yaml", "acme/shop/production.yaml"])
    expect(plan.value.grant).toBe(vendor.grant)
  })

  it("has a workflow whose last step is its proof, in an environment of any name", () => {
    const environment = 'a: "b" # c'
    const given = {
      broker: "https://a.test",
      grant: vendor.grant,
      branch: "x'y",
      environment,
      action: "a@b",
      proof: vendor.proof,
    }
    const { on, jobs } = parse(workflowText(given))
    expect([on.push.branches, jobs.deploy.environment, jobs.deploy.steps[1].run.trim()]).toEqual([
      ["x'y"],
      environment,
      vendor.proof,
    ])
  })

  it("takes no answer that could become more than a value", () => {
    for (const evil of ["", " ", "a\nb: c", "a # b", '"', "]", "$(id)", "\u202e"])
      for (const field of vendor.fields) expect(fieldFault(field, evil), field.name).toMatch(/^must be /)
  })
})

it("a second policy for a vendor takes the connection of the folder, and is told what to add where there is none", () => {
  const vendor = VENDORS["aws"]
  if (vendor === undefined) throw new Error("no AWS")
  const given = { account: "111122223333", region: "eu-west-1", role: "web-deploy" }
  const wish = { environment: undefined, connection: undefined, issuer: ISSUER, vendor: { vendor, given } }
  const folderWith = (connection: string) => {
    const text = `version: 1
issuers: { github: { family: github-actions, url: ${ISSUER}, owners: { acme: "9001" } } }
connections: { ${connection} }
`
    const inputs = [{ path: "daypass.yaml", bytes: new TextEncoder().encode(text) }]
    return {
      files: 1,
      inputs,
      result: loadPolicySet(inputs, PROVIDERS),
      parse: () => {
        throw new Error("not parsed")
      },
    }
  }
  const ours = planFor(
    folderWith('prod: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }'),
    FACTS,
    wish,
  )
  expect(ours.ok && ours.value.files.map(({ text }) => text).join("")).toContain(
    "connection: prod\n    role: arn:aws:iam::111122223333:role/web-deploy\n",
  )
  const none = planFor(folderWith('oidc: { provider: identity-token, audiences: ["https://a.example"] }'), FACTS, wish)
  expect(none).toMatchObject({
    ok: false,
    fault: expect.stringContaining(
      '\n  aws-prod:\n    provider: aws\n    region: eu-west-1\n    accounts: ["111122223333"]',
    ),
  })
})

it.each(["true", "No", "1", "a: b", "a:", "", "- a", "@a", "x #y"])(
  "%j is text in YAML, whatever it looks like",
  (text) => {
    expect(scalar(text)).toBe(JSON.stringify(text))
  },
)

it("docs/get-started.md shows what init writes for its own answers", () => {
  const page = readFileSync(new URL("../../docs/get-started.md", import.meta.url), "utf8")
  const shown = [...page.matchAll(/^```yaml(?: \w+)?\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => parse(text))
  const vendor = VENDORS["aws"]
  if (vendor === undefined) throw new Error("no AWS")
  const given = { account: "111122223333", region: "eu-west-1", role: "shop-deploy" }
  const plan = planFor(null, FACTS, {
    environment: "production",
    connection: undefined,
    issuer: ISSUER,
    vendor: { vendor, given },
  })
  const workflow = workflowText({
    broker: "https://daypass.example.com",
    grant: "aws-deploy",
    branch: "main",
    environment: "production",
    action: "daypass/daypass@<full commit SHA>",
    proof: vendor.proof,
  })
  const written = plan.ok ? plan.value.files.map(({ text }) => parse(text)) : []
  expect(shown).toEqual([...written, { jobs: parse(workflow).jobs }])
})
