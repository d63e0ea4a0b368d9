import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { describe, expect, it } from "vitest"
import { SHOP } from "../../broker/providers/sops/recorded.ts"
import { folderOf, ORGANISATION, POLICY, runCli, runScripted, type Script } from "./run-cli.ts"

const BROKER = "https://daypass.example.com"
const SUBJECT = "github:repository:456789:environment:Production:grant:aws-deploy"
const ROLE = "arn:aws:iam::111122223333:role/octo-deploy"
const CONNECTIONS = `  azure: { provider: azure, tenant: 0f0e0d0c-0b0a-4909-8807-060504030201, client_ids: [4b2d3c5e-0f1a-4c6b-9d7e-8a9b0c1d2e3f] }
  google:
    provider: google
    workload_identity_provider: projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker
    service_accounts: ["deploy@acme.iam.gserviceaccount.com"]
  vault: { provider: vault, url: "https://vault.example.com", roles: ["*"] }
  google-secrets:
    provider: google-secret-manager
    project: acme-prod
    workload_identity_provider: projects/123456789012/locations/global/workloadIdentityPools/secrets/providers/broker
    service_account: reader@acme.iam.gserviceaccount.com
  infisical: { provider: infisical, identity_id: 4b2d3c5e-0f1a-4c6b-9d7e-8a9b0c1d2e3f }
  tokens: { provider: identity-token, audiences: ["https://a.example.com"] }
  packages: { provider: github, app_id: "1", key: env:PACKAGES_KEY, owner: acme, owner_id: "9001" }
`
const POLICIES = POLICY.replace(
  "grants: [aws-deploy]",
  "grants: [aws-deploy, az, gcp, gsm, inf, vlt, tok]",
).concat(`  az:
    connection: azure
    client_id: 4b2d3c5e-0f1a-4c6b-9d7e-8a9b0c1d2e3f
    scope: https://management.azure.com/.default
    ttl: 90m
  gcp: { connection: google, service_account: deploy@acme.iam.gserviceaccount.com }
  gsm: { connection: google-secrets, read: { KEY: shop-key } }
  inf: { connection: infisical, read: { KEY: 9f6a/prod/KEY } }
  vlt: { connection: vault, role: shop, read: { KEY: "secret/shop#key" } }
  tok: { connection: tokens, audience: "https://a.example.com", ttl: 5m }
`)
const FOLDER = folderOf({ "daypass.yaml": ORGANISATION + CONNECTIONS, "a.yaml": POLICIES })
const OTHER_ROLE = POLICY.replaceAll("aws-deploy", "aws-other").replace("role/octo-deploy", "role/other")
const TWO_ROLES = folderOf({ "daypass.yaml": ORGANISATION, "a.yaml": POLICY, "b.yaml": OTHER_ROLE })

const trust = (...args: string[]) => runCli("trust", ...args, "--broker", BROKER)
const subjectOf = (grant: string) => SUBJECT.replace("aws-deploy", grant)

/** How a module's type of subjects is written. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  "set,string": ["[", ","],
  "map,string": ["{", ' = "'],
  "map,object": ["{", " = {}"],
}

/** A file with this text, or with this value as JSON. */
function fileOf(value: unknown): string {
  const folder = folderOf({})
  const file = join(folder, "document.json")
  writeFileSync(file, typeof value === "string" || value instanceof Uint8Array ? value : JSON.stringify(value))
  return file
}

/** The JSON objects of an output, which stand between lines of comments. */
const objectsIn = (out: string) => [...out.matchAll(/^\{\n[\s\S]*?^\}$/gm)].map(([text]) => JSON.parse(text) as unknown)

const trustPolicy = (sub: unknown) => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/daypass.example.com" },
      Action: ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
      Condition: { StringLike: { "daypass.example.com:aud": "sts.amazonaws.com", "daypass.example.com:sub": sub } },
    },
  ],
})

describe("daypass trust of a connection for SOPS", () => {
  const KEYS = `  sops:
    provider: sops
    keys:
      - { connection: aws-prod, role: "arn:aws:iam::111122223333:role/daypass-sops", key: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab" }
      - { connection: aws-prod, role: "arn:aws:iam::111122223333:role/daypass-sops", key: "arn:aws:kms:eu-west-1:111122223333:alias/sops" }
      - { connection: google, key: projects/acme-prod/locations/europe-west3/keyRings/ci/cryptoKeys/sops }
`
  const GRANT = '  sealed: { connection: sops, read: { KEY: "shop.sops.yaml#database/password" } }\n'
  const folder = folderOf({
    "daypass.yaml": ORGANISATION + CONNECTIONS + KEYS,
    "a.yaml": POLICIES.replace("grants: [aws-deploy,", "grants: [aws-deploy, sealed,") + GRANT,
    "shop.sops.yaml": SHOP,
  })

  it("prints what each vendor of its keys must trust, and accepts exactly that", async () => {
    const { code, out, err } = await trust(folder, "--connection", "sops")
    expect([code, err]).toEqual([0, ""])
    expect(out.match(/# The trust policy of .*/g)).toEqual([
      "# The trust policy of arn:aws:iam::111122223333:role/daypass-sops",
    ])
    const [policy] = objectsIn(out)
    expect(policy).toMatchObject({
      Statement: [
        {
          Condition: {
            StringEquals: {
              "daypass.example.com:aud": "daypass-aws-stores",
              "daypass.example.com:sub": subjectOf("sealed"),
            },
          },
        },
      ],
    })
    expect(out).toContain(
      `principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/daypass/subject/${subjectOf("sealed")}`,
    )
    const against = await trust(folder, "--connection", "sops", "--against", fileOf(policy))
    expect([against.code, against.out]).toEqual([0, expect.stringContaining("Proved")])
    const wider = JSON.stringify(policy).replace(subjectOf("sealed"), "*").replace("StringEquals", "StringLike")
    expect((await trust(folder, "--connection", "sops", "--against", fileOf(JSON.parse(wider)))).code).toBe(3)
  })

  it("counts its subjects in the condition of a pool that other connections use, too", async () => {
    const { out } = await trust(folder, "--connection", "google")
    expect(out).toMatch(new RegExp(`assertion\\.sub in \\[.*${subjectOf("sealed")}`))
  })

  it("says where a key is named wrongly, with its line", async () => {
    const wrong = KEYS.replace("connection: google,", "connection: gogle,").replace("role/daypass-sops", "role/x y")
    const { code, out } = await runCli("check", folderOf({ "daypass.yaml": ORGANISATION + CONNECTIONS + wrong }))
    expect(code).toBe(1)
    expect(out).toMatch(/daypass\.yaml:\d+:\d+: error: role: must be the ARN of a role/)
    const other = KEYS.replace("connection: google,", "connection: gogle,")
    const checked = await runCli("check", folderOf({ "daypass.yaml": ORGANISATION + CONNECTIONS + other }))
    expect(checked.out).toMatch(/daypass\.yaml:\d+:23: error: There is no connection "gogle"\. Did you mean "google"\?/)
  })
})

describe("daypass trust", () => {
  it.each(["aws-prod", "azure", "google", "vault"])(
    "prints for %s what the same command accepts",
    async (connection) => {
      const { code, out, err } = await trust(FOLDER, "--connection", connection)
      expect([code, err]).toEqual([0, ""])
      expect(out).toContain("# octo-org/octo-repo (id 456789), environment Production: grant ")
      const documents =
        connection === "google"
          ? [
              {
                role: "roles/iam.workloadIdentityUser",
                members: out.split("\n").filter((line) => line.startsWith("principal://")),
              },
              {
                name: "projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker",
                attributeMapping: { "google.subject": "assertion.sub" },
                attributeCondition: out.split("\n").find((line) => line.startsWith("assertion.sub in ")),
                oidc: { issuerUri: BROKER },
              },
            ]
          : objectsIn(out)
      expect(documents).not.toEqual([])
      for (const document of documents) {
        const compared = await trust(FOLDER, "--connection", connection, "--against", fileOf(document), "--json")
        const { ok, findings } = JSON.parse(compared.out) as { ok: boolean; findings: { code: string }[] }
        expect([compared.code, ok]).toEqual([0, true])
        expect(findings.filter(({ code: found }) => found !== "issuer_unknown")).toEqual([])
      }
    },
  )

  it("prints the plain triple for other services", async () => {
    const { out } = await trust(FOLDER, "--connection", "tokens")
    expect(out.split("\n")).toEqual([
      "== tokens (provider identity-token)",
      `issuer    ${BROKER}`,
      "",
      "# octo-org/octo-repo (id 456789), environment Production: grant tok",
      "audience  https://a.example.com",
      `subject   ${subjectOf("tok")}`,
      "",
      "1 subject.",
    ])
  })

  it("says where nothing has to be trusted", async () => {
    const { code, out } = await trust(FOLDER, "--connection", "packages")
    expect(code).toBe(0)
    expect(out).toContain("No identity token is used by packages")
  })

  it("prints JSON", async () => {
    const { out } = await trust(FOLDER, "--grant", "aws-deploy", "--json")
    const { connections, ...rest } = JSON.parse(out) as { connections: { subjects: unknown[] }[] }
    expect(rest).toMatchObject({ ok: true, broker: BROKER })
    expect(connections[0]).toEqual({
      connection: "aws-prod",
      provider: "aws",
      kind: "aws",
      subjects: [
        {
          subject: SUBJECT,
          audiences: ["sts.amazonaws.com"],
          grant: "aws-deploy",
          issuer: "github",
          unit_kind: "repository",
          unit: "octo-org/octo-repo",
          unit_id: "456789",
          environment: "Production",
          trusted_by: ROLE,
          file: "a.yaml",
          line: 13,
        },
      ],
      open: [],
      unreachable: [],
    })
    expect(connections.slice(1).flatMap(({ subjects }) => subjects)).toEqual([])
  })

  it("prints inputs of Terraform modules that take them", async () => {
    const { code, out } = await trust(FOLDER, "--format", "terraform")
    expect(code).toBe(0)
    const modules = [...out.matchAll(/^module "([a-z0-9-]+)" \{\n([\s\S]*?)^\}$/gm)].map(
      ([, name = "", body = ""]) => ({ name, body }),
    )
    expect(modules.map(({ name }) => name)).toEqual([
      "aws-prod-octo-deploy",
      "azure-4b2d3c5e-0f1a-4c6b-9d7e-8a9b0c1d2e3f",
      "google-deploy",
      "google-secrets-reader",
      "infisical-4b2d3c5e-0f1a-4c6b-9d7e-8a9b0c1d2e3f",
    ])
    for (const { body } of modules) {
      const source = /source\s+= "\.\/(examples\/terraform\/[a-z-]+)"/.exec(body)?.[1] ?? ""
      const main = readFileSync(join(import.meta.dirname, "../..", source, "main.tf"), "utf8")
      const inputs = [...body.matchAll(/^ {2}([a-z_]+)\s+= /gm)].flatMap(([, name = ""]) =>
        name === "source" ? [] : [name],
      )
      expect(inputs).toEqual(expect.arrayContaining(["broker_url", "subjects"]))
      for (const input of inputs) expect(main).toContain(`variable "${input}" {`)
      const variable = /^variable "subjects" \{[\s\S]*?^\}/m.exec(main)?.[0] ?? ""
      const type = /type\s+= (set|map)\((string|object)/.exec(variable)?.slice(1)
      const form = /subjects = (\[|\{)\n\s+"[^"]+"(,| = "| = \{\})/.exec(body)?.slice(1)
      expect([source, form]).toEqual([source, FORMS[String(type)]])
      const valid = new RegExp(/can\(regex\("(.*?)", one\)\)/.exec(variable)?.[1] ?? "")
      const subjects = body.match(/"github:[^"]+"/g) ?? []
      expect(subjects).not.toEqual([])
      for (const subject of subjects) expect(JSON.parse(subject)).toMatch(valid)
    }
    expect(out).toContain(
      `    "${SUBJECT}", # octo-org/octo-repo (id 456789), environment Production: grant aws-deploy`,
    )
    expect(out).toContain("# vault: shop\nlocals {\n  vault-shop = {\n")
  })

  it("takes the broker's URL from DAYPASS_URL, in its only spelling", async () => {
    const env = { DAYPASS_URL: `${BROKER}/` }
    const { code, out } = await runScripted({ env }, "trust", FOLDER, "--connection", "tokens")
    expect([code, out.includes(`issuer    ${BROKER}\n`)]).toEqual([0, true])
  })

  it.each([
    { name: "without a URL", args: [FOLDER], says: "pass --broker URL, or set DAYPASS_URL" },
    { name: "with a URL that is none", args: [FOLDER, "--broker", "daypass"], says: "--broker: must be an https URL" },
    {
      name: "with a URL with a query",
      args: [FOLDER, "--broker", `${BROKER}?x`],
      says: "--broker: must be an https URL",
    },
    { name: "with two folders", args: [FOLDER, FOLDER, "--broker", BROKER], says: "too many arguments" },
    {
      name: "with an unknown connection",
      args: [FOLDER, "--broker", BROKER, "--connection", "aws-prd"],
      says: 'Did you mean "aws-prod"',
    },
    { name: "with an unknown grant", args: [FOLDER, "--broker", BROKER, "--grant", "x"], says: "there is no grant" },
    { name: "with an unknown format", args: [FOLDER, "--format", "yaml"], says: "--format must be one of" },
    { name: "with two formats", args: [FOLDER, "--format", "text", "--json"], says: "--json means --format json" },
    {
      name: "against without a connection",
      args: [FOLDER, "--broker", BROKER, "--against", "x"],
      says: "--against needs --connection",
    },
    {
      name: "against as Terraform",
      args: [FOLDER, "--connection", "vault", "--against", "x", "--format", "terraform"],
      says: "--against needs",
    },
    {
      name: "with --trusted-by alone",
      args: [FOLDER, "--broker", BROKER, "--trusted-by", "x"],
      says: "goes with --against",
    },
    {
      name: "with a folder that is not there",
      args: ["/nowhere", "--broker", BROKER],
      says: "/nowhere does not exist",
    },
  ])("cannot answer $name", async ({ args, says }) => {
    const { code, out, err } = await runCli("trust", ...args)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(says)
  })

  it("has exit code 1 for a folder with errors", async () => {
    const folder = folderOf({ "daypass.yaml": ORGANISATION, "a.yaml": POLICY.replace("ttl: 1h", "ttl: 1y") })
    const { code, out } = await trust(folder)
    expect(code).toBe(1)
    expect(out).toContain("1 error: the broker would not load this folder.")
    expect(JSON.parse((await trust(folder, "--json")).out)).toMatchObject({ ok: false })
  })
})

describe("daypass trust --against", () => {
  const against = (document: unknown, ...args: string[]) =>
    trust(FOLDER, "--connection", "aws-prod", "--against", fileOf(document), ...args)

  it("has exit code 0 when the other side lets in nothing beyond the policies", async () => {
    const { code, out, err } = await against(trustPolicy(SUBJECT))
    expect([code, err]).toEqual([0, ""])
    expect(out).toBe("Proved: a trust policy of AWS lets in nothing beyond the 1 subject that the policies give.")
  })

  it("has exit code 3 and an example when it lets in more", async () => {
    const { code, out } = await against(trustPolicy("github:repository:456789:*"))
    expect(code).toBe(3)
    expect(out.split("\n")).toEqual([
      'the statement: warning: "github:repository:456789:*" also matches subjects that no policy gives, such as "github:repository:456789:environment:another:grant:aws-deploy": name each subject in full. [subject_wildcard]',
      "Not proved: 1 finding. The policies give 1 subject.",
    ])
  })

  it("has exit code 0 and a note when it lets in less", async () => {
    const { code, out } = await against(trustPolicy([]))
    expect(code).toBe(0)
    expect(out).toContain(
      "notice: github:repository:456789:environment:Production:grant:aws-deploy is given by a policy (a.yaml:13)",
    )
  })

  it("prints JSON and annotations", async () => {
    const document = { Role: { Arn: ROLE, AssumeRolePolicyDocument: trustPolicy("*") } }
    const { code, out } = await against(document, "--json")
    expect(code).toBe(3)
    expect(JSON.parse(out)).toMatchObject({
      ok: false,
      broker: BROKER,
      connection: "aws-prod",
      kind: "aws-role",
      name: ROLE,
      subjects: [SUBJECT],
      findings: [
        {
          severity: "warning",
          code: "subject_wildcard",
          place: "the statement",
          example: "github:repository:1:environment:Production:grant:aws-deploy",
        },
      ],
    })
    const annotated = await against(document, "--format", "github")
    expect(annotated.out).toMatch(
      /^::warning file=.*daypass\.yaml,line=1,col=1,title=trust%3A subject_wildcard::the statement: /,
    )
  })

  it("reads standard input", async () => {
    const script: Script = { input: JSON.stringify(trustPolicy(SUBJECT)) }
    const { code } = await runScripted(
      script,
      "trust",
      FOLDER,
      "--broker",
      BROKER,
      "--connection",
      "aws-prod",
      "--against",
      "-",
    )
    expect(code).toBe(0)
  })

  it("compares one role with the grants that name it, and asks whose a document is when it does not say", async () => {
    const run = (document: unknown, ...args: string[]) =>
      trust(TWO_ROLES, "--connection", "aws-prod", "--against", fileOf(document), ...args)
    const plain = trustPolicy(subjectOf("aws-other"))
    const asked = await run(plain)
    expect(asked.code).toBe(2)
    expect(asked.err).toContain("does not say whose it is, and the grants name 2: pass --trusted-by with one of")
    const other = "arn:aws:iam::111122223333:role/other"
    expect((await run(plain, "--trusted-by", other)).code).toBe(0)
    expect((await run(plain, "--grant", "aws-other")).code).toBe(0)
    expect((await run({ Role: { Arn: other, AssumeRolePolicyDocument: plain } })).code).toBe(0)
    const wrong = await run({ Role: { Arn: ROLE, AssumeRolePolicyDocument: plain } })
    expect([wrong.code, wrong.out.includes("[subject_of_another_grant]")]).toEqual([3, true])
    expect((await run({ Role: { Arn: ROLE, AssumeRolePolicyDocument: plain } }, "--trusted-by", other)).code).toBe(2)
  })

  it("takes a provider and an IAM policy of Google Cloud together, and no other two", async () => {
    const provider = fileOf({
      name: "projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker",
      attributeMapping: { "google.subject": "assertion.sub" },
      attributeCondition: "assertion.repository_owner_id == '123456'",
      oidc: { issuerUri: BROKER },
    })
    const member = `principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/daypass/subject/${subjectOf("gcp")}`
    const bindings = fileOf({ bindings: [{ role: "roles/iam.workloadIdentityUser", members: [member] }] })
    const google = (...files: string[]) =>
      trust(FOLDER, "--connection", "google", ...files.flatMap((file) => ["--against", file]))
    expect((await google(provider)).code).toBe(3)
    expect((await google(provider, bindings)).code).toBe(0)
    expect((await google(bindings, provider)).code).toBe(0)
    const twice = await google(provider, provider)
    expect([twice.code, twice.err]).toEqual([
      2,
      "daypass: --against takes two files only for a provider of a Google pool and an IAM policy for its principals",
    ])
  })

  it.each([
    { name: "a file that is not there", document: null, says: "cannot be read (ENOENT)" },
    { name: "text", document: "trust me", says: "is not a JSON object" },
    { name: "nothing", document: "", says: "is not a JSON object" },
    { name: "a number", document: "7", says: "JSON" },
    { name: "another kind of document", document: { a: 1 }, says: "is of no kind that is known here" },
    { name: "a list of something else", document: [1, 2], says: "is of no kind that is known here" },
    { name: "a list that ends the list around it", document: "[]}, {", says: "JSON" },
    { name: "a list and more", document: '[], "x": []', says: "is not JSON" },
    { name: "a key twice", document: '{"Statement":[],"Statement":[]}', says: "twice" },
    { name: "deep JSON", document: `${"[".repeat(100_000)}${"]".repeat(100_000)}`, says: "deep" },
    { name: "a long file", document: new Uint8Array(1024 * 1024 + 1), says: "is longer than 1024 KiB" },
    { name: "bytes that are no text", document: new Uint8Array([0x7b, 0xff, 0x7d]), says: "UTF-8" },
    {
      name: "a role without a policy",
      document: { Role: { AssumeRolePolicyDocument: "x" } },
      says: "AssumeRolePolicyDocument",
    },
    {
      name: "a document of another vendor",
      document: { bound_subject: "x", user_claim: "sub" },
      says: "is a role of Vault, but the connection aws-prod has provider: aws",
    },
  ])("refuses $name", async ({ document, says }) => {
    const file = document === null ? "/nowhere/document.json" : fileOf(document)
    const { code, out, err } = await trust(FOLDER, "--connection", "aws-prod", "--against", file)
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(says)
    expect(err).not.toContain("trust me")
  })

  it("refuses a connection whose other side trusts no token", async () => {
    const { code, err } = await trust(FOLDER, "--connection", "packages", "--against", fileOf(trustPolicy("*")))
    expect([code, err]).toEqual([
      2,
      "daypass: the connection packages uses no identity token of the broker, so its other side trusts none",
    ])
  })

  it("shows no control characters of a document", async () => {
    const { out } = await against(trustPolicy("github:\u001b[31m*\n::add-path::x"))
    expect(out).not.toContain("\u001b")
    expect(out).not.toMatch(/^::/m)
  })
})

it("has every code of a finding on its page, and no other", () => {
  const read = (path: string) => readFileSync(join(import.meta.dirname, "../..", path), "utf8")
  const union = /export type TrustCode =([\s\S]*?)\n\n/.exec(read("analysis/trust/model.ts"))?.[1] ?? ""
  const codes = [...union.matchAll(/\| "([a-z_]+)"/g)].map((match) => match[1] ?? "")
  const page = read("docs/trust.md").split("\n## Findings")[1]?.split("\n## ")[0] ?? ""
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1] ?? "")
  expect(codes.length).toBeGreaterThan(10)
  expect(rows.toSorted()).toEqual(codes.toSorted())
})

describe("daypass trust --format commands", () => {
  it("prints what a shell hands to each vendor's program as the other formats have it", async () => {
    const { code, out } = await trust(FOLDER, "--format", "commands")
    expect(code).toBe(0)
    // Each program tells its arguments, and what it gets on standard input.
    const tell =
      '#!/bin/sh\nprintf "%s\\0" "$(basename "$0")" "$@" | tr "\\0" "\\t"; [ ! -p /dev/stdin ] || cat; echo\n'
    const programs = folderOf(Object.fromEntries(["aws", "gcloud", "az", "vault"].map((name) => [name, tell])))
    const env = { PATH: [programs, process.env["PATH"]].join(delimiter) }
    const said = execFileSync("sh", ["-ec", `chmod +x ${programs}/*\n${out}`], { env, encoding: "utf8", stdio: "pipe" })
    const calls = said
      .trim()
      .split("\n")
      .map((line) => line.split("\t"))
    const call = (...start: string[]) =>
      calls.find((words) => start.every((word, index) => words[index] === word)) ?? []
    const optionOf = (words: readonly string[], option: string) => words[words.indexOf(option) + 1] ?? ""

    const role = call("aws", "iam", "create-role")
    expect(optionOf(role, "--role-name")).toBe("octo-deploy")
    expect(JSON.parse(optionOf(role, "--assume-role-policy-document"))).toEqual(
      jsonIn((await trust(FOLDER, "--grant", "aws-deploy")).out),
    )
    const credential = JSON.parse(optionOf(call("az", "ad", "app", "federated-credential", "create"), "--parameters"))
    expect(credential).toMatchObject({ issuer: BROKER, subject: subjectOf("az") })
    const pool = call("gcloud", "iam", "workload-identity-pools", "providers", "create-oidc")
    expect(optionOf(pool, "--attribute-condition")).toBe(`assertion.sub in ['${subjectOf("gcp")}']`)
    expect(optionOf(call("gcloud", "iam", "service-accounts"), "--member")).toMatch(
      new RegExp(`/subject/${subjectOf("gcp")}$`),
    )
    const vault = calls.find((words) => words.includes("auth/jwt/role/shop")) ?? []
    expect(JSON.parse(vault.at(-1) ?? "")).toMatchObject({ role_type: "jwt", bound_subject: subjectOf("vlt") })
  })

  it("is refused with --against, which compares and makes nothing", async () => {
    const { code, err } = await trust(
      FOLDER,
      "--connection",
      "aws-prod",
      "--against",
      fileOf({}),
      "--format",
      "commands",
    )
    expect([code, err]).toEqual([2, expect.stringContaining("--against needs --connection NAME")])
  })
})

/** The JSON object in an output. */
const jsonIn = (out: string): unknown => JSON.parse(/^\{[\s\S]*?^\}/m.exec(out)?.[0] ?? "null")
