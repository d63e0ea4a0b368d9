import { describe, expect, it } from "vitest"
import { warningsOf } from "../../../analysis/warnings/warnings.ts"
import { loadRepositoryPolicies } from "../../../broker/adapters/github/own-policy-files.ts"
import { compiled, revived } from "../../../broker/core/policy/compiled.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { createPolicyLoader } from "../../../broker/core/policy/policy-loader.ts"
import { keyOf, readUnitPolicies, revivedCurrent } from "../../../broker/core/policy/published.ts"
import { sops } from "../../../broker/providers/sops/provider.ts"
import { MAC_ONLY_ENCRYPTED, SHOP } from "../../../broker/providers/sops/recorded.ts"
import { placesIn, published } from "../../../cli/push/publication.ts"
import { ORGANISATION as BASE, identityOf, policyOf, shown, TEST_PROVIDERS } from "./support.ts"

// Files of secrets that lie beside the policies: they load with them, and go with the grants that name them.

const PROVIDERS = new Map([...TEST_PROVIDERS, ["sops", sops as never]])
const ORGANISATION = BASE.replace(
  "connections:\n",
  "connections:\n  secrets: { provider: sops, key: env:SOPS_AGE_KEY, folder: secrets }\n",
)
const gap = (claim: string) => `$\{${claim}}`

const policy = (read: string, head?: Parameters<typeof policyOf>[1]) =>
  policyOf(
    `allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [db] }
grants:
  db:
    connection: secrets
    read:
      ${read}
`,
    head,
  )
const PASSWORD = policy("DB_PASSWORD: shop.sops.yaml#database/password")

const encode = (text: string) => new TextEncoder().encode(text)
const inputs = (files: Readonly<Record<string, string>>) =>
  Object.entries(files).map(([path, text]) => ({ path, bytes: encode(text) }))
const load = (files: Readonly<Record<string, string>>) =>
  loadPolicySet(inputs({ "daypass.yaml": ORGANISATION, ...files }), PROVIDERS)

function setOf(files: Readonly<Record<string, string>>): PolicySet {
  const loaded = load(files)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault))
  return loaded.value
}

function faultsOf(files: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  const loaded = load(files)
  return loaded.ok ? [] : loaded.fault.map((fault) => [shown(fault), fault.message])
}

const filesOf = (set: PolicySet, id = "41") =>
  Object.fromEntries(
    set.policies
      .filter(({ target }) => target.kind === "unit" && target.id === id)
      .flatMap(({ grants }) => [...grants.values()].flatMap(({ files }) => [...(files ?? [])])),
  )

describe("a file of secrets", () => {
  it("goes with the grants that name it, still encrypted, and with no other", () => {
    const set = setOf({
      "secrets/shop.sops.yaml": SHOP,
      "secrets/bank.sops.yaml": MAC_ONLY_ENCRYPTED,
      "p.yaml": PASSWORD,
      "q.yaml": policyOf("grants:\n  note: { connection: notes }\n", { id: "42" }),
    })
    expect(filesOf(set)).toEqual({ "secrets/shop.sops.yaml": SHOP })
    expect(filesOf(set, "42")).toEqual({})
    const decision = decide({
      organisation: set.organisation,
      policies: set.policies,
      identity: identityOf(),
      grants: ["db"],
    })
    const files = decision.outcome === "allow" ? decision.grants[0]?.grant.files : undefined
    expect([...(files ?? [])]).toEqual([["secrets/shop.sops.yaml", SHOP]])
    expect(JSON.stringify(decision.trace)).not.toContain("ENC[")
  })

  it("counts for the version, as sha256sum would have it in the order of paths", () => {
    const files = {
      "secrets/shop.sops.yaml": SHOP,
      "p.yaml": PASSWORD,
      "z.yaml": policyOf("grants:\n  n: { connection: notes }\n"),
    }
    const changed = {
      ...files,
      "secrets/shop.sops.yaml": SHOP.replace("# ", "#  ").replace("version: 3.11.0", "version: 3.11.1"),
    }
    expect(setOf(files).version).not.toBe(setOf(changed).version)
    expect(setOf(files).version).toBe(setOf(Object.fromEntries(Object.entries(files).reverse())).version)
  })

  it("is none where it is SOPS's own settings", () => {
    const set = setOf({ ".sops.yaml": "creation_rules: []\n", "secrets/.sops.yaml": "creation_rules: []\n" })
    expect(set.version).toBe(setOf({}).version)
  })

  it.each<[string, Record<string, string>, string[], RegExp]>([
    [
      "a file that is not there",
      { "p.yaml": policy("A: shop.sops.yml#a"), "secrets/shop.sops.yaml": SHOP },
      ["p.yaml:11:10 secrets_unknown"],
      /db names the file "secrets\/shop\.sops\.yml", which is not in the policy folder\. Did you mean "secrets\/shop\.sops\.yaml"\?/,
    ],
    [
      "a file that is not there, twice",
      { "p.yaml": policy('A: { from: x.sops.yaml#a, as: file }\n      B: "x.sops.yaml#b"') },
      ["p.yaml:11:18 secrets_unknown", "p.yaml:12:10 secrets_unknown"],
      /Correct the name, or add it/,
    ],
    [
      "a key that is not there",
      { "p.yaml": policy("A: shop.sops.yaml#database/pasword"), "secrets/shop.sops.yaml": SHOP },
      ["p.yaml:11:10 secrets_unknown"],
      /db names the value "database\/pasword" of secrets\/shop\.sops\.yaml, which that file does not have\. Did you mean "database\/password"\?/,
    ],
    [
      "a map",
      { "p.yaml": policy("A: shop.sops.yaml#database"), "secrets/shop.sops.yaml": SHOP },
      ["p.yaml:11:10 secrets_unknown"],
      /which that file does not have/,
    ],
    [
      "a file whose name has a gap",
      {
        "p.yaml": policy(`A: ${gap("repository_name")}.sops.yaml#user`),
        "secrets/x.sops.yaml": SHOP,
        "secrets/shop.sops.yaml": SHOP,
      },
      ["p.yaml:11:10 gap_unfillable"],
      /db has a gap in a file's name/,
    ],
    [
      "a file by a name with a gap, beside the very file that a sample makes of it",
      {
        "p.yaml": policy(`A: x.sops.yaml#database/user\n      B: ${gap("repository_name")}.sops.yaml#database/user`),
        "secrets/x.sops.yaml": SHOP,
      },
      ["p.yaml:12:10 gap_unfillable"],
      /write the full name/,
    ],
    [
      "what lies in the clear",
      { "secrets/shop.sops.yaml": "database:\n  password: hunter2\n", "p.yaml": PASSWORD },
      ["secrets/shop.sops.yaml:2:13 secret_plaintext"],
      /This file is not encrypted/,
    ],
    [
      "what lies in the clear and nobody names",
      { "somewhere/else.sops.env": "A=b\nPASSWORD=hunter2\n" },
      ["somewhere/else.sops.env:1:1 secret_plaintext"],
      /encrypt it with sops/,
    ],
    [
      "a name in other letters",
      { "secrets/shop.SOPS.yaml": SHOP },
      ["secrets/shop.SOPS.yaml:1:1 file_name"],
      /rename this file/,
    ],
    [
      "a name that sops knows and the broker does not",
      { "secrets/shop.sops.ini": "password = hunter2\n" },
      ["secrets/shop.sops.ini:1:1 file_name"],
      /end in \.sops\.yaml, \.sops\.yml, \.sops\.json or \.sops\.env/,
    ],
  ])("is refused with its place: %s", (_, files, places, message) => {
    const faults = faultsOf(files)
    expect(faults.map(([place]) => place)).toEqual(places)
    expect(faults[0]?.[1]).toMatch(message)
    expect(JSON.stringify(faults)).not.toContain("hunter2")
  })

  it("may be chosen from by a claim behind the #, in one key and no further", () => {
    const set = setOf({
      "p.yaml": policy(`A: "shop.sops.yaml#database/${gap("actor")}"`),
      "secrets/shop.sops.yaml": SHOP,
    })
    const ask = (actor: string) => {
      const { organisation, policies } = set
      const decision = decide({ organisation, policies, identity: identityOf({ actor }), grants: ["db"] })
      return decision.outcome === "allow" ? decision.grants[0]?.grant.fields : decision.outcome
    }
    expect(ask("user")).toEqual({ read: { A: "shop.sops.yaml#database/user" } })
    expect(ask("a.b")).toEqual({ read: { A: "shop.sops.yaml#database/a.b" } })
    for (const actor of ["a/b", "..", "#x", "a#b"]) expect(ask(actor), actor).toBe("deny")
  })

  it("cannot be named by what a repository keeps for itself, nor lie there", () => {
    const set = setOf({ "secrets/shop.sops.yaml": SHOP })
    const host = { issuer: "github", repository: "acme/shop", repositoryId: "41" }
    const keep = (files: Readonly<Record<string, string>>) => {
      const loaded = loadRepositoryPolicies(inputs(files), host, set.organisation, PROVIDERS)
      return loaded.ok ? loaded.value : loaded.fault.map((fault) => [shown(fault), fault.message])
    }
    expect(keep({ ".github/daypass/p.yaml": PASSWORD, ".github/daypass/shop.sops.yaml": SHOP })).toEqual([
      [".github/daypass/p.yaml:11:20 grant_conflict", expect.stringContaining("move the grant there")],
      [".github/daypass/shop.sops.yaml:1:1 file_refused", expect.stringContaining("the organisation's policy folder")],
    ])
  })

  it("is a fault where no provider reads such files", () => {
    const loaded = loadPolicySet(inputs({ "daypass.yaml": BASE, "a.sops.yaml": SHOP }), TEST_PROVIDERS)
    expect(loaded.ok ? [] : loaded.fault.map(shown)).toEqual(["a.sops.yaml:1:1 secrets_unusable"])
  })
})

describe("a loader that remembers", () => {
  it("takes a changed file of secrets in, with a policy that did not change", () => {
    const loader = createPolicyLoader(PROVIDERS)
    const files = inputs({ "daypass.yaml": ORGANISATION, "p.yaml": PASSWORD, "secrets/shop.sops.yaml": SHOP })
    const again = (text: string | null) => [
      ...files.slice(0, 2),
      ...(text === null ? [] : inputs({ "secrets/shop.sops.yaml": text })),
    ]
    const outcome = (text: string | null) => {
      const loaded = loader.load(again(text))
      const fresh = loadPolicySet(again(text), PROVIDERS)
      expect(loaded.ok ? compiled(loaded.value) : loaded).toEqual(fresh.ok ? compiled(fresh.value) : fresh)
      return loaded.ok ? filesOf(loaded.value)["secrets/shop.sops.yaml"] : loaded.fault.map(shown)
    }
    const other = SHOP.replace("eu-west-1", "eu-west-2")
    expect(outcome(SHOP)).toBe(SHOP)
    expect(outcome(other)).toBe(other)
    expect(outcome(null)).toEqual(["p.yaml:11:20 secrets_unknown"])
    expect(outcome("a: b\n")).toEqual(["secrets/shop.sops.yaml:1:4 secret_plaintext"])
    expect(outcome(SHOP)).toBe(SHOP)
  })
})

describe("compiled and published", () => {
  const WORLD = {
    "secrets/shop.sops.yaml": SHOP,
    "secrets/bank.sops.yaml": MAC_ONLY_ENCRYPTED,
    "p.yaml": policy("A: shop.sops.yaml#database/password\n      B: shop.sops.yaml#database/user"),
    "q.yaml": policy("A: bank.sops.yaml#password", { id: "42", repository: "acme/bank" }),
    "wide.yaml": `version: 1
repository: acme/svc-*
environment: production
allow: [{ name: services, when: { ref: refs/heads/main }, grants: [db] }]
grants:
  db: { connection: secrets, read: { A: "bank.sops.yaml#password" } }
`,
  }

  it("comes back as it was, each text once a policy", () => {
    const set = setOf(WORLD)
    const text = JSON.stringify(compiled(set))
    expect(text.split("k4tjqf5").length - 1).toBe(1)
    const again = revived(JSON.parse(text), PROVIDERS)
    expect(again.policies).toEqual(set.policies)
    expect(() => revived(JSON.parse(text.replaceAll('secrets/shop.sops.yaml":', 'x":')), PROVIDERS)).toThrow(TypeError)
  })

  it("goes to the repository whose grants name it, and to no other", () => {
    const set = setOf(WORLD)
    const { current, entries } = published(set, new Date(0))
    const [shop, bank] = ["41", "42"].map((id) => placesIn(current).find(({ unitId }) => unitId === id))
    if (!shop || !bank) throw new Error("not published")
    const texts = [entries.get(keyOf(shop)) ?? "", entries.get(keyOf(bank)) ?? "", JSON.stringify(current)]
    expect(texts.map((text) => text.includes("k4tjqf5"))).toEqual([true, false, false])
    // What any job of several repositories may get stands where every job's policies are read.
    expect(texts.map((text) => text.includes("D+n/E3g694"))).toEqual([false, true, true])
    const read = revivedCurrent(current, PROVIDERS)
    if (!read.ok) throw new Error(read.fault)
    const policies = readUnitPolicies(texts[0] ?? "", shop, read.value.organisation, PROVIDERS)
    expect(policies.ok && policies.value).toEqual(set.policies.filter(({ file }) => file === "p.yaml"))
  })

  it("is another text when a file changed, so that a push sees it", () => {
    const keys = (files: Record<string, string>) => [...published(setOf(files), new Date(0)).entries.keys()]
    const before = keys(WORLD)
    const after = keys({ ...WORLD, "secrets/shop.sops.yaml": SHOP.replace("eu-west-1", "eu-west-2") })
    expect(after.filter((key) => before.includes(key))).toHaveLength(1)
  })
})

describe("a file of secrets that a grant reads as a whole", () => {
  const whole = (from: string, more = "") =>
    policyOf(`allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [db] }
grants:
  db:
    connection: secrets
    read_all: { from: "${from}", prefix: DB_ }
${more}`)
  const file = { "secrets/shop.sops.yaml": SHOP }
  const rowsOf = (files: Readonly<Record<string, string>>) =>
    warningsOf({ set: setOf(files), files: [], providers: PROVIDERS }).containment

  it.each([
    ["a key that it has", "shop.sops.yaml#hosts"],
    ["all of it", "shop.sops.yaml"],
    ["a key that a claim chooses", `shop.sops.yaml#${gap("actor")}`],
  ])("loads with %s, and goes with the grant", (_, from) => {
    const set = setOf({ ...file, "p.yaml": whole(from) })
    expect(filesOf(set)).toEqual(file)
    expect(filesOf(revived(JSON.parse(JSON.stringify(compiled(set))), PROVIDERS))).toEqual(file)
  })

  it.each([
    ["a key that it lacks", "shop.sops.yaml#none", "", "secrets_unknown", "which that file does not have"],
    ["a key that is a single value", "shop.sops.yaml#carriage", "", "secrets_unknown", "which that file does not have"],
    ["a file that is not there", "none.sops.yaml", "", "secrets_unknown", "which is not in the policy folder"],
    ["a file that a claim would choose", `${gap("actor")}.sops.yaml`, "", "gap_unfillable", "must not choose the file"],
    [
      "a variable that read has",
      "shop.sops.yaml#hosts",
      "    read: { DB_1_NAME: shop.sops.yaml#database/user }\n",
      "grant_conflict",
      "has a second field for DB_1_NAME",
    ],
  ])("does not load with %s", (_, from, more, code, holds) => {
    const [[at = "", message = ""] = []] = faultsOf({ ...file, "p.yaml": whole(from, more) })
    expect([at.split(" ")[1], message]).toEqual([code, expect.stringContaining(holds)])
  })

  it("does not load where two keys, or one that is forbidden, become variables", () => {
    const faults = (keys: Readonly<Record<string, string>>) => {
      const added = Object.entries(keys).map(([key, from]) => {
        const sealed = new RegExp(`${from}: (ENC.*)`).exec(SHOP)?.[1] ?? ""
        return `${key}: ${sealed}\n`
      })
      const files = { "secrets/shop.sops.yaml": `${added.join("")}${SHOP}` }
      return faultsOf({ ...files, "p.yaml": whole("shop.sops.yaml") }).map(([, message]) => message)
    }
    expect(faults({ "api-key": "user", api_key: "password" })[0]).toContain("a second field for DB_API_KEY")
    expect(faults({ EDITOR: "user" })[0]).toContain("DB_EDITOR, which changes how later steps run")
    expect(faults({ other: "user" })).toEqual([])
  })

  it("says before the merge which variables it sets, and the pattern where only a claim knows", () => {
    const variables = (from: string, more?: string) => rowsOf({ ...file, "p.yaml": whole(from, more) })[0]?.variables
    expect(variables("shop.sops.yaml#hosts")).toEqual(["DB_0", "DB_1_NAME"])
    expect(variables("shop.sops.yaml#hosts", "    read: { A: shop.sops.yaml#database/user }\n")).toEqual([
      "A",
      "DB_0",
      "DB_1_NAME",
    ])
    expect(variables(`shop.sops.yaml#${gap("actor")}`)).toEqual(["DB_*"])
  })
})
