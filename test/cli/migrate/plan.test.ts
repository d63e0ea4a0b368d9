import { cpSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { parse } from "yaml"
import { createHttp } from "../../../broker/adapters/web/http.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { saidBy } from "../../../cli/migrate/plan/drafts.ts"
import type { Wish } from "../../../cli/migrate/plan/model.ts"
import { planFor } from "../../../cli/migrate/plan/plan.ts"
import { readPolicy } from "../../../cli/migrate/plan/policy-file.ts"
import { loadPolicies } from "../../../cli/policies.ts"
import { HostedRepository } from "../../support/github-api/model.ts"
import { type SecretRepository, type SecretsApi, startSecrets } from "../../support/github-api/secrets.ts"
import { githubRun, loadedFolder, trailOf } from "../../support/recorded-trail.ts"
import { folderOf, runCli, runScripted, type Script } from "../run-cli.ts"
import { ORGANISATION, PRODUCTION } from "./policies.ts"
import { OFFLINE, PLAN_ARGS, policyFolder, SHA, SHOP, textsIn } from "./world.ts"

const WISH: Wish = {
  ...{ owner: "acme", name: "shop", repositoryId: "41", branch: "main", environment: "production" },
  ...{ broker: "https://daypass.example.com", action: `daypass/daypass@${SHA}`, release: null },
  ...{ store: undefined, locator: undefined, said: saidBy([]) },
}
const FOLDER = await policyFolder()
const LOADED = loadPolicies(FOLDER)

/** The plan for one workflow of a repository, by the same folder for all. */
const planOf = (workflow: string, wish: Partial<Wish> = {}) => planIn(LOADED, workflow, wish)

/** The plan by another folder, and with more files in it. */
function planIn(
  folder: string | typeof LOADED,
  workflow: string,
  wish: Partial<Wish>,
  more: Record<string, string> = {},
) {
  const loaded = typeof folder === "string" ? loadPolicies(folder) : folder
  if (typeof loaded === "string") throw new Error(loaded)
  const further = Object.entries(more).map(([path, text]) => ({ path, bytes: Buffer.from(text) }))
  const inputs = [...loaded.inputs, ...further]
  const set = further.length === 0 ? loaded.result : loadPolicySet(inputs, PROVIDERS)
  if (!set.ok) throw new Error("the folder does not load")
  const files = [{ path: ".github/workflows/w.yml", bytes: Buffer.from(workflow) }]
  const plan = planFor({ ...WISH, ...wish }, files, { set: set.value, inputs })
  if (!plan.ok) throw new Error(JSON.stringify(plan.fault))
  return {
    plan: plan.value,
    text: plan.value.workflows[0]?.after ?? "",
    why: plan.value.left.map(({ why }) => why).join("\n"),
  }
}

const job = (lines: string, head = "on: push\npermissions: { contents: read }\n") =>
  `${head}jobs:\n  a:\n    runs-on: ubuntu-24.04\n    environment: production\n${lines}`
const STEP = `    steps:\n      - run: ./x\n        env: { HOOK: '\${{ secrets.SLACK_WEBHOOK }}' }\n`

describe("daypass migrate plan", () => {
  it("shows the policy, the changed workflows and what stays, for ten workflows", async () => {
    const policies = FOLDER
    const { code, out, err } = await runCli(
      "migrate",
      "plan",
      ...PLAN_ARGS,
      ...OFFLINE,
      "--policies",
      policies,
      "--local",
      SHOP,
    )
    expect([code, err]).toEqual([0, ""])
    await expect(out.replaceAll(policies, "policies")).toMatchFileSnapshot("../../fixtures/migrate/plan.txt")
  })

  it.each<[string, string, RegExp]>([
    [
      "an if",
      job("    steps:\n      - run: x\n        if: secrets.SLACK_WEBHOOK != ''\n"),
      /a step's if cannot be changed safely/,
    ],
    [
      "the matrix",
      job(`    strategy: { matrix: { a: ["\${{ secrets.SLACK_WEBHOOK }}"] } }\n    steps:\n      - run: x\n`),
      /before the job's first step/,
    ],
    [
      "the whole workflow",
      job("    steps: [{ run: x }]\n", `on: push\nenv: { A: '\${{ secrets.SLACK_WEBHOOK }}' }\n`),
      /above the jobs/,
    ],
    ["steps in brackets", job(`    steps: [{ run: 'x \${{ secrets.SLACK_WEBHOOK }}' }]\n`), /written in brackets/],
    ["anchors", job(`    env: &e { A: b }\n${STEP}      - run: y\n        env: *e\n`), /the file has anchors/],
    ["read-all", job(STEP, "on: push\npermissions: read-all\n"), /read-all, to which none can be added/],
    [
      "GITHUB_TOKEN without permissions",
      job(`${STEP}      - run: gh \${{ github.token }}\n`, "on: push\n"),
      /list its permissions first/,
    ],
    [
      "pull requests",
      job(STEP, "on: [push, pull_request]\npermissions: {}\n"),
      /also runs on pull_request, which people without write access/,
    ],
    [
      "issue comments in main",
      job(`    if: github.ref == 'refs/heads/main'\n${STEP}`, "on: [push, issue_comment]\npermissions: {}\n"),
      /issue_comment/,
    ],
    [
      "a caller",
      "on: push\njobs:\n  a:\n    environment: production\n    uses: ./.github/workflows/x.yml\n    secrets: inherit\n",
      /it calls another workflow/,
    ],
    ["a called workflow", job(STEP, "on: { workflow_call: {} }\npermissions: {}\n"), /other workflows call it/],
    [
      "a name that is not in the store",
      job(STEP.replace("SLACK_WEBHOOK", "OTHER")),
      /its value is not in secrets\/acme\/shop\/production\.sops\.yaml yet/,
    ],
    [
      "a variable that changes later steps",
      job(STEP.replace("SLACK_WEBHOOK", "NODE_OPTIONS")),
      /cannot set the variable NODE_OPTIONS/,
    ],
    ["escapes", job(`    steps:\n      - run: "a \\x24{{ secrets.SLACK_WEBHOOK }}"\n`), /written with escapes/],
    [
      "a login of another region",
      job(LOGIN("eu-central-1")),
      /the login is for the region eu-central-1, and the grant aws-deploy sets eu-west-1/,
    ],
    [
      "a login with more inputs",
      job(`${LOGIN("eu-west-1")}          role-chaining: true\n`),
      /has the input role-chaining/,
    ],
    [
      "a login whose outputs are read",
      job(`${LOGIN("eu-west-1", "        id: aws\n")}      - run: echo \${{ steps.aws.outputs.x }}\n`),
      /read outputs of the step aws/,
    ],
  ])("leaves %s alone, and says why", (_, workflow, sentence) => {
    const { plan, why } = planOf(workflow)
    expect([plan.workflows, plan.policy]).toEqual([[], null])
    expect(why).toMatch(sentence)
  })

  it("keeps line endings, comments and order, also without a line feed at the end", async () => {
    const text = job(
      `    permissions:\r\n      packages: write # why\r\n    steps:\r\n\r\n      # about it\r\n      - run: ./x # here\r\n        env:\r\n          HOOK: "\${{ secrets.SLACK_WEBHOOK }}" # hook`,
    ).replace(/(?<!\r)\n/g, "\r\n")
    const { text: after } = planOf(text)
    expect(after.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/)
    expect(after.replaceAll("\r\n", "\n").split("permissions:\n")[1]).toBe(`      packages: write # why
      id-token: write # lets the job prove its identity
    steps:

      - id: daypass
        uses: daypass/daypass@1234567890abcdef1234567890abcdef12345678
        with:
          broker: https://daypass.example.com
          grants: slack-webhook
          deliver: outputs
      # about it
      - run: ./x # here
        env:
          HOOK: "\${{ steps.daypass.outputs.slack-webhook-SLACK_WEBHOOK }}" # hook`)
  })

  it("keeps what follows a text of several lines", async () => {
    const keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(
      (key) => `          ${key}: \${{ secrets.${key} }}\n`,
    )
    const own = `      - env:\n${keys.join("")}          NOTE: |\n            of two\n            lines\n        run: |\n          ./x\n`
    const login = `      - uses: google-github-actions/auth@v2\n        with:\n          credentials_json: |\n            \${{ secrets.GCP_KEY }}\n`
    const stepsOf = (steps: string) => parse(planOf(job(`    steps:\n${steps}      - run: ./y\n`)).text).jobs.a.steps
    const value = (name: string) => `\${{ steps.daypass.outputs.aws-deploy-${name} }}`
    expect(stepsOf(own).slice(1)).toEqual([
      {
        env: {
          AWS_ACCESS_KEY_ID: value("access-key-id"),
          AWS_SECRET_ACCESS_KEY: value("secret-access-key"),
          NOTE: "of two\nlines\n",
          AWS_SESSION_TOKEN: value("session-token"),
        },
        run: "./x\n",
      },
      { run: "./y" },
    ])
    expect(stepsOf(login)).toEqual([
      { uses: WISH.action, with: { broker: WISH.broker, grants: "google-deploy", deliver: "files" } },
      { run: "./y" },
    ])
  })

  it.each<[string, string, unknown]>([
    [
      "the workflow's map",
      "permissions: { contents: read, packages: write }\n",
      { contents: "read", packages: "write", "id-token": "write" },
    ],
    ["an empty map of the workflow", "permissions: {}\n", { "id-token": "write" }],
    ["no permissions at all", "", { contents: "read", "id-token": "write" }],
    ["write-all", "permissions: write-all\n", undefined],
  ])("adds the permission to %s, and keeps the others", async (_, head, expected) => {
    const { text, plan } = planOf(job(STEP, `on: push\n${head}`))
    expect(parse(text).jobs.a.permissions).toEqual(expected)
    const said = plan.notes.some((note: string) => note.includes("keeps contents: read alone"))
    expect(said).toBe(head === "")
  })

  it("writes rules that are never wider than the workflow's own filters, and says what they leave out", async () => {
    const head =
      "on:\n  push: { branches: [main, 'release/*', 'x?'], tags: ['v*'] }\n  schedule: [{ cron: '0 5 * * *' }]\n  merge_group:\npermissions: {}\n"
    const { plan } = planOf(job(STEP, head))
    const [rule] = parse(plan.policy?.text ?? "").allow
    const at = "acme/shop/.github/workflows/w.yml@refs"
    expect(rule.when).toEqual({
      event_name: ["push", "schedule"],
      workflow_ref: [`${at}/heads/main`, `${at}/heads/release/*`, `${at}/tags/v*`],
    })
    expect(plan.notes.join("\n")).toMatch(/"x\?" get nothing by the rule[\s\S]*merge_group get nothing by the rule/)
    const { plan: narrow } = planOf(
      job(
        `    if: github.event_name == 'push' && github.ref == 'refs/heads/main'\n${STEP}`,
        "on: [push, pull_request_target]\npermissions: {}\n",
      ),
    )
    expect(parse(narrow.policy?.text ?? "").allow[0].when).toEqual({
      event_name: "push",
      workflow_ref: `${at}/heads/main`,
    })
  })

  it.each<[string, string[], RegExp]>([
    ["no broker", ["--broker", ""], /needs --broker/],
    ["a tag in place of a commit", ["--action", "v1"], /full commit SHA/],
    ["an environment with a line break", ["--environment", "a\nb"], /--environment must have visible characters/],
    ["a checkout that is not there", ["--local", "/nowhere"], /^daypass: \/nowhere does not exist/],
    ["a checkout without workflows", ["--local", FOLDER], /has no workflows: name the root of a checkout/],
    ["no token to ask GitHub with", ["--branch", ""], /no token in \$GITHUB_TOKEN or \$GH_TOKEN .* With --local/],
  ])("ends with 2 for %s", async (_, args, sentence) => {
    const { code, err } = await runCli(
      "migrate",
      "plan",
      ...PLAN_ARGS,
      ...OFFLINE,
      "--policies",
      FOLDER,
      "--local",
      SHOP,
      ...args,
    )
    expect([code, err]).toEqual([2, expect.stringMatching(sentence)])
  })

  it("takes another store with a locator, and says what it cannot look for there", () => {
    expect(planOf(job(STEP), { store: "doppler-shop" }).why).toMatch(
      /say where doppler-shop has the values, with --locator/,
    )
    expect(planOf(job(STEP), { store: "nowhere" }).why).toMatch(/daypass\.yaml has no store nowhere/)
    const { plan } = planOf(job(STEP), { store: "doppler-shop", locator: "shop/prd/{name}" })
    expect(plan.policy?.text).toContain('read: { SLACK_WEBHOOK: "shop/prd/SLACK_WEBHOOK" }')
    expect(plan.notes.join()).toContain("check that doppler-shop has shop/prd/SLACK_WEBHOOK")
  })

  it("names the release of the action, and never that of the action which was there", async () => {
    const pinned = LOGIN("eu-west-1").replace("@v4", "@0123456789012345678901234567890123456789 # v4.0.2")
    expect(planOf(job(pinned)).text).toContain(`      - uses: daypass/daypass@${SHA}\n`)
    expect(planOf(job(pinned), { release: "v1.2.3" }).text).toContain(`uses: daypass/daypass@${SHA} # v1.2.3\n`)
    expect(planOf(job(pinned.replace("# v4.0.2", "# see v4"))).text).toContain(`daypass@${SHA} # see v4\n`)
    const inBrackets = `    steps:\n      - { uses: aws-actions/configure-aws-credentials@v4, with: { aws-access-key-id: '\${{ secrets.AWS_ACCESS_KEY_ID }}' } }\n`
    expect(planOf(job(inBrackets), { release: "v1.2.3" }).text).toContain(`{ uses: daypass/daypass@${SHA}, with: {`)

    const args = ["migrate", "plan", ...PLAN_ARGS.slice(0, -2), ...OFFLINE, "--policies", FOLDER, "--local", SHOP]
    const asked = (status: number): Script => ({
      http: async ({ url }) => {
        expect(url).toBe("https://api.github.com/repos/daypass/daypass/commits/v1.2.3")
        return releaseAnswer(status)
      },
    })
    expect((await runScripted(asked(200), ...args)).out).toContain(`+        uses: daypass/daypass@${SHA} # v1.2.3`)
    expect(await runScripted(asked(404), ...args)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/commit of v1\.2\.3, .* with --action/),
    })
  })

  it("does not write over a policy file that somebody changed", () => {
    const { plan } = planOf(job(STEP))
    const text = plan.policy?.text ?? ""
    expect(readPolicy("p.yaml", text).ok).toBe(true)
    for (const changed of [
      text.replace("allow:", "# mine\nallow:"),
      text.replace("version: 1", "version: 2"),
      `${text}deny: []\n`,
      "a: [",
      "",
    ])
      expect(readPolicy("p.yaml", changed)).toEqual({
        ok: false,
        fault: expect.stringContaining("p.yaml was changed by hand"),
      })
  })
})

function LOGIN(region: string, more = ""): string {
  return `    steps:
      - uses: aws-actions/configure-aws-credentials@v4
${more}        with:
          aws-access-key-id: \${{ secrets.AWS_ACCESS_KEY_ID }}
          aws-region: ${region}
`
}

/** The environment before any of its grants is written. */
function folderWithoutGrants(): Promise<string> {
  const NONE = PRODUCTION.replace(
    /\[aws-deploy, google-deploy, site\]\ngrants:[\s\S]*/,
    "[token]\ngrants: { token: { connection: tokens, audience: 'https://a.example' } }\n",
  )
  const MORE = `  tokens: { provider: identity-token, audiences: ["https://a.example"] }\n  vault: { provider: vault, url: "https://vault.acme.example:8200", roles: ["shop-*"] }\n`
  return policyFolder({ "daypass.yaml": ORGANISATION + MORE, "acme/shop/production.yaml": NONE })
}

describe("a grant that no policy has yet", () => {
  let folder: string
  beforeAll(async () => {
    folder = await folderWithoutGrants()
  })
  const drafted = (workflow: string, said: readonly string[], wish: Partial<Wish> = {}) =>
    planIn(folder, workflow, { said: saidBy(said), ...wish })
  const key = (name: string) =>
    `${LOGIN("eu-west-1")}      - run: x\n        env: { ${name}: '\${{ secrets.${name} }}' }\n`

  it("is drafted as the user says, once, and its other side is named", () => {
    const all = [
      "aws.role=shop-deploy",
      "github.repositories=site docs",
      "github.permission=contents:write pull_requests:write",
    ]
    const { plan } = drafted(job(key("GH_PAT")), all)
    const { allow, grants } = parse(plan.policy?.text ?? "")
    expect(grants).toEqual({
      "aws-deploy": { connection: "aws-prod", role: "arn:aws:iam::111122223333:role/shop-deploy", ttl: "15m" },
      "github-token": {
        connection: "github-acme",
        repositories: ["site", "docs"],
        permissions: { contents: "write", pull_requests: "write" },
        ttl: "15m",
      },
    })
    // Nobody has to write a rule for it.
    expect(allow[0].grants).toEqual(["aws-deploy", "github-token"])
    expect(plan.trust).toEqual([{ connection: "aws-prod", grants: ["aws-deploy"] }])
    // The next time without the options: the migrated policy has it.
    const path = "acme/shop/production-migrated.yaml"
    const inputs = { [path]: plan.policy?.text ?? "" }
    const again = planIn(folder, job(LOGIN("eu-west-1")), {}, inputs)
    expect([again.plan.replaced.length, again.plan.policy, again.plan.trust]).toEqual([1, null, []])
    const other = planIn(folder, job(LOGIN("eu-west-1")), { said: saidBy(["aws.role=another"]) }, inputs)
    expect(other.why).toMatch(/has aws-deploy already, with other settings/)
  })

  it("says which option drafts it, and what an option lacks", () => {
    expect(drafted(job(LOGIN("eu-west-1")), []).why).toMatch(
      /let one be drafted with --with aws\.role=\.\.\. \(IAM role/,
    )
    expect(drafted(job(LOGIN("us-east-1")), ["aws.role=x"]).why).toMatch(
      /for the region us-east-1, and the grant aws-deploy sets eu-west-1/,
    )
    expect(drafted(job(LOGIN("eu-west-1")), ["aws.role=x", "aws.connection=other"]).why).toMatch(
      /no aws connection other/,
    )
    expect(drafted(job(key("GH_PAT")), ["github.repositories=site"]).why).toMatch(/--with github\.permission=/)
    expect(() => saidBy(["aws.rôle=x"])).toThrow(/is not known: give aws\.role=, aws\.connection=/)
    expect(() => saidBy(["aws.role=a b"])).toThrow(
      /--with aws\.role must be the name of a role, without a path, or its ARN/,
    )
    expect(() => saidBy(["google.service_account=x"])).toThrow(/must be the address of a service account/)
    // A role that the connection does not let in is the loader's to refuse.
    expect(() => drafted(job(LOGIN("eu-west-1")), ["aws.role=arn:aws:iam::999999999999:role/a/b"])).toThrow(
      /999999999999/,
    )
  })

  it("is one for all workflows, and another for another secret under the same variable", () => {
    const files = ["A", "B"].map((secret, index) => {
      const text = job(
        `    env: { HOOK: '\${{ secrets.${secret} }}' }\n${STEP}${LOGIN("eu-west-1").replace("    steps:\n", "")}`,
      )
      return { path: `.github/workflows/${index}.yml`, bytes: Buffer.from(text) }
    })
    const wish = {
      ...WISH,
      said: saidBy(["aws.role=x", "vault.role=shop-prod"]),
      store: "vault",
      locator: "secret/{name}#v",
    }
    const loaded = loadPolicies(folder)
    if (typeof loaded === "string" || !loaded.result.ok) throw new Error("the folder does not load")
    const plan = planFor(wish, files, { set: loaded.result.value, inputs: loaded.inputs })
    if (!plan.ok || plan.value.policy === null) throw new Error(JSON.stringify(plan.ok ? plan.value.left : plan.fault))
    const { grants, allow } = parse(plan.value.policy.text)
    expect(Object.keys(grants)).toEqual(["a-as-hook", "aws-deploy", "b-as-hook", "slack-webhook"])
    expect([grants["a-as-hook"].read, grants["b-as-hook"].read]).toEqual([
      { HOOK: "secret/A#v" },
      { HOOK: "secret/B#v" },
    ])
    expect(allow[1].grants).toEqual(["aws-deploy", "b-as-hook", "slack-webhook"])
    const two = [
      {
        path: ".github/workflows/w.yml",
        bytes: Buffer.from(job(key("A_B") + STEP.replace("    steps:\n", "").replace("SLACK_WEBHOOK", "A__B"))),
      },
    ]
    expect(planFor(wish, two, { set: loaded.result.value, inputs: loaded.inputs })).toMatchObject({
      ok: false,
      fault: expect.stringContaining("would have two different grants a-b: write one"),
    })
  })

  it("can be Vault's: a token, and values of its store", () => {
    const steps = `    env: { VAULT_TOKEN: '\${{ secrets.VAULT_TOKEN }}' }\n${STEP}      - uses: hashicorp/vault-action@v3\n        with: { token: '\${{ secrets.VAULT_TOKEN }}', secretId: '\${{ secrets.SID }}' }\n`
    const store = { store: "vault", locator: "secret/shop/{name}#value" }
    expect(drafted(job(steps), [], store).why).toMatch(/--with vault\.role=[\s\S]*which role of Vault reads the values/)
    const { plan, text, why } = drafted(job(steps), ["vault.role=shop-prod"], store)
    expect(parse(plan.policy?.text ?? "").grants).toEqual({
      "slack-webhook": {
        connection: "vault",
        role: "shop-prod",
        read: { SLACK_WEBHOOK: "secret/shop/SLACK_WEBHOOK#value" },
      },
      "vault-token": { connection: "vault", role: "shop-prod", token: true, ttl: "15m" },
    })
    expect(text).toContain(`token: '\${{ steps.daypass.outputs.vault-token-token }}'`)
    expect(why).toBe("no grant gives a secretId of Vault: let the action log in with the input token")
    expect(plan.trust).toEqual([{ connection: "vault", grants: ["slack-webhook", "vault-token"] }])
  })
})

/** What the record has of a job on the default branch that got grants, on a day of November. */
function mintedIn(set: PolicySet, workflow: string, grants: string[], day: string) {
  const ref = {
    workflow_ref: `acme/shop/.github/workflows/${workflow}@refs/heads/main`,
    event_name: "push",
    ref: "refs/heads/main",
  }
  const claims = {
    ...ref,
    repository: "acme/shop",
    repository_id: "41",
    repository_owner: "acme",
    repository_owner_id: "9001",
    environment: "production",
    sub: "repo:acme/shop:environment:production",
  }
  const intended = githubRun(set, claims, { grants, at: `2026-11-${day}T08:00:00.000Z` })
  const { claims: _, ...outcome } = intended
  return [intended, { ...outcome, event: "exchange.minted" as const }]
}

/** What api.github.com says of the commit of a tag. */
const releaseAnswer = (status: number) => ({
  status,
  header: () => null,
  body: Buffer.from(status === 200 ? SHA : "{}"),
})

/** Twelve runs of one workflow. */
function recordOf(folder: string): string {
  const set = loadedFolder(folder)
  const days = [...Array(12).keys()].map((day) => String(day + 10))
  const trail = trailOf(days.flatMap((day) => mintedIn(set, "deploy.yaml", ["slack-webhook"], day)))
  return join(folderOf({ "audit.jsonl": trail }), "audit.jsonl")
}

const PERMISSIONS = [
  ...["secrets", "environments", "actions", "contents", "workflows", "pull_requests", "dependabot_secrets"],
  ...["codespaces_secrets", "organization_secrets", "organization_dependabot_secrets"],
]

describe("docs/migrate.md", () => {
  const page = readFileSync(fileURLToPath(new URL("../../../docs/migrate.md", import.meta.url)), "utf8")
  /** Commands that need GitHub, with what they print. The walk-through of the documentation runs all others. */
  const BLOCK = /^```sh network\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm

  it("shows commands that work in their order with GitHub, and what they print", async () => {
    const api = await startSecrets()
    api.permissions = Object.fromEntries(PERMISSIONS.map((name) => [name, "write"]))
    const { ".github/workflows/aws.yml": deploy = "", ...others } = textsIn(SHOP)
    const shop = api.host(new HostedRepository(41, { login: "acme", id: 9001 }, "shop"))
    shop.push({ ...others, ".github/workflows/deploy.yaml": deploy })
    const folder = await folderWithoutGrants()
    const files = folderOf({})
    const web = createHttp({ userAgent: "daypass/1.2.3" })
    const script: Script = {
      env: { GH_TOKEN: api.token, GITHUB_API_URL: api.url },
      http: async (request) => (request.url.startsWith(api.url) ? web(request) : releaseAnswer(200)),
    }
    const follow = async (line: string) => {
      const kept = (name: string) => join(files, name)
      const [here = "", into] = line
        .replace(/(?<=--record )\S+/, () => recordOf(folder))
        .replace(/(?<=--since )\S+\.json/, kept)
        .split(" > ")
      const [, ...words] = here.split(" ").map((word) => (word === "policies" ? folder : word))
      // What is left out is the reader's folder "policies".
      const inFolder = /migrate (?:plan|apply|verify)/.test(here) ? ["--policies", folder] : []
      const { code, out, err } = await runScripted(script, ...words, ...inFolder)
      expect([line, err]).toEqual([line, ""])
      if (into !== undefined) writeFileSync(kept(into), out)
      return { code, out: out.replaceAll(folder, "policies") }
    }
    try {
      const codes: number[] = []
      for (const [, commands = "", shown = ""] of page.replaceAll("staging", "production").matchAll(BLOCK)) {
        let printed = ""
        for (const line of commands.split("\n").filter((one) => /^daypass migrate (?!import)/.test(one))) {
          const { code, out } = await follow(line)
          codes.push(code)
          printed = out
        }
        expect(printed).toContain(shown.trimEnd())
      }
      // Some workflows have not run yet: the last command has something to wait for.
      expect(codes).toEqual([0, 0, 0, 0, 0, 1])
      const trust = await follow(/daypass trust .*/.exec(page)?.[0] ?? "")
      expect(trust.out).toContain("aws iam create-role --role-name shop-deploy ")
    } finally {
      await api.close()
      api.assertClean()
    }
  })
})

describe("daypass migrate apply and verify", () => {
  let api: SecretsApi
  let shop: SecretRepository
  const run = (...args: string[]) =>
    runScripted(
      { http: createHttp({ userAgent: "daypass/1.2.3" }), env: { GH_TOKEN: api.token, GITHUB_API_URL: api.url } },
      "migrate",
      ...args,
    )

  beforeAll(async () => {
    api = await startSecrets()
    shop = api.host(new HostedRepository(41, { login: "acme", id: 9001 }, "shop"))
    shop.push(textsIn(SHOP))
    const old = { created_at: "2023-01-02T03:04:05Z", updated_at: "2023-01-02T03:04:05Z" }
    shop.environments.set("production", [
      { name: "SLACK_WEBHOOK", ...old },
      { name: "TF_API_TOKEN", ...old },
    ])
    shop.actions.push({ name: "DB_PASSWORD", ...old })
  })
  afterAll(async () => {
    await api.close()
    api.assertClean()
  })

  it("changes a checkout, and nothing the second time", async () => {
    const [checkout, policies] = [folderOf({}), await policyFolder()]
    cpSync(SHOP, checkout, { recursive: true })
    const args = ["migrate", "apply", ...PLAN_ARGS, ...OFFLINE, "--policies", policies, "--local", checkout]
    const first = await runCli(...args)
    expect([first.code, first.err]).toEqual([0, ""])
    expect((await runCli("check", policies, "--strict")).out).toMatch(/no faults/)
    const [files, folder] = [textsIn(checkout), textsIn(policies)]
    const second = await runCli(...args)
    expect(second.out).toMatch(/^Nothing to change/)
    expect([textsIn(checkout), textsIn(policies)]).toEqual([files, folder])
    // A later migration adds to the file, and keeps what it has.
    writeFileSync(join(checkout, ".github/workflows/new.yml"), job(STEP.replace("SLACK_WEBHOOK", "ALGOLIA_KEY")))
    await runCli(...args)
    expect(textsIn(policies)["acme/shop/production-migrated.yaml"]).toMatch(
      /slack-webhook for SLACK_WEBHOOK[\s\S]*new\.yml: algolia-key for ALGOLIA_KEY/,
    )
  })

  it("opens one pull request, whatever fails on the way, and deletes a secret only when nothing names it", async () => {
    const policies = await policyFolder()
    const apply = () => run("apply", ...PLAN_ARGS, "--policies", policies)
    api.permissions = { contents: "write", actions: "read" }
    const refused = await apply()
    expect(refused.err).toMatch(
      /refuses this token for a commit in acme\/shop: give it the permission workflows: write\. The policy file stays: run this again/,
    )
    expect([refused.code, shop.pulls, [...shop.repository.branches.keys()]]).toEqual([2, [], ["main"]])
    api.permissions = { ...api.permissions, workflows: "write", pull_requests: "read" }
    expect((await apply()).err).toMatch(/give it the permission pull_requests: write/)
    expect([...shop.repository.branches.keys()]).toEqual(["main", "daypass/production"])
    api.permissions = { ...api.permissions, pull_requests: "write" }
    expect((await apply()).out).toContain("opened https://github.com/acme/shop/pull/1")
    expect((await apply()).out).toContain("there is already https://github.com/acme/shop/pull/1")
    expect(shop.pulls).toHaveLength(1)
    expect(shop.pulls[0]?.body).toContain("- `SLACK_WEBHOOK` in `.github/workflows/aws.yml`: grant `slack-webhook`")
    expect(shop.text("daypass/production", ".github/workflows/npm.yml")).toBe(
      shop.text("main", ".github/workflows/npm.yml"),
    )
    const changed = Object.fromEntries(
      Object.entries(textsIn(SHOP)).map(([path]) => [path, shop.text("daypass/production", path) ?? ""]),
    )
    shop.push(
      { ...changed, ".github/workflows/aws.yml": "on: push\njobs: { a: { steps: [] } }\n" },
      "daypass/production",
    )
    expect((await apply()).err).toMatch(/has a branch daypass\/production with other changes/)

    const set = loadedFolder(policies)
    const minted = (workflow: string, grants: string[], day: string) => mintedIn(set, workflow, grants, day)
    const lone = minted("docker-hub.yml", ["dockerhub-token"], "05").slice(0, 1)
    const records = [
      ...minted("aws.yml", ["slack-webhook"], "03"),
      ...minted("terraform.yml", ["aws-deploy", "tf-api-token"], "04"),
      ...lone,
    ]
    const record = join(folderOf({ "audit.jsonl": trailOf(records) }), "audit.jsonl")
    const args = ["verify", "acme/shop", "--environment", "production", "--policies", policies, "--record", record]
    const verified = await run(...args)
    expect(verified.code).toBe(1)
    expect(verified.out).toContain(`SLACK_WEBHOOK: used by every workflow
  .github/workflows/aws.yml got slack-webhook 1 time, last on 2026-11-03
  delete it, if it is the environment's: gh secret delete SLACK_WEBHOOK --repo acme/shop --env production`)
    // Intended and never minted: nobody got it.
    expect(verified.out).toContain("DOCKERHUB_TOKEN: 1 workflow to wait for")
    expect(verified.out).toContain("AWS_ACCESS_KEY_ID: 2 workflows to wait for")

    api.permissions = {
      ...api.permissions,
      ...{ secrets: "write", environments: "write", dependabot_secrets: "read", codespaces_secrets: "read" },
    }
    expect((await run(...args, "--delete")).out).toContain(
      "kept SLACK_WEBHOOK: .github/workflows/aws.yml:33 still names it",
    )
    const free = Object.fromEntries(
      Object.entries(textsIn(SHOP)).filter(([path]) => !/(?:aws|matrix|release)\.yml/.test(path)),
    )
    shop.push(free)
    const deleted = await run(...args, "--delete")
    expect(deleted.out).toContain("deleted SLACK_WEBHOOK of the environment production")
    expect(deleted.out).toContain("kept TF_API_TOKEN: .github/workflows/terraform.yml:21 still names it")
    expect(shop.environments.get("production")?.map(({ name }) => name)).toEqual(["TF_API_TOKEN"])
  })
})
