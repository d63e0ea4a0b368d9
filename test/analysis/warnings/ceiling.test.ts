// biome-ignore-all lint/suspicious/noTemplateCurlyInString: gaps of grants are written so
import { describe, expect, inject, it } from "vitest"
import type { Inside } from "../../../analysis/warnings/containment.ts"
import { ceiling, checked, type Files, organisation, policy, roled } from "./checked.ts"

const production = { environment: "production" }
const wide = { repository: "acme/svc-*", environment: "production" }
const some = (repository: string): string =>
  organisation(
    `boundaries:\n  - name: some\n    when: { repository: "${repository}" }\n    allow: [{ connection: aws }]\n`,
  )
const TWELVE = "abcdefghijkl".split("").map((letter) => `"**${letter}**"`)
const tangled = roled("x", production).replace(
  "event_name: push",
  `event_name: push, repo_property_x: [${TWELVE.join(", ")}]`,
)

/** The grants' standing, and the codes of what is said of them. */
function stand(files: Files) {
  const { warnings, containment } = checked(files)
  // The tangled rules use a claim without other meaning, a property. Whether it can be edited is another question.
  const others = warnings.filter(({ code }) => code !== "property_editable")
  return [containment.map(({ inside }) => inside), others.map(({ code, severity }) => `${severity} ${code}`)]
}

describe("a grant stands to the ceiling as", () => {
  const cases: readonly (readonly [string, Files, readonly Inside[], readonly string[]])[] = [
    [
      "proved: a boundary allows it to all",
      { "daypass.yaml": ceiling("svc-*"), "p.yaml": roled("svc-x", production) },
      ["proved"],
      [],
    ],
    [
      "proved: its gap is filled from what the boundary's pattern takes",
      { "daypass.yaml": ceiling("svc-*"), "p.yaml": roled("${repository_name}", wide) },
      ["proved"],
      [],
    ],
    [
      "outside for some: its gap takes more than the boundary",
      { "daypass.yaml": ceiling("svc-*"), "p.yaml": roled("${repository_name}", { ...wide, repository: "acme/*" }) },
      ["outside"],
      ["warning ceiling_may_be_exceeded"],
    ],
    [
      "outside for some: a boundary requires more than the policy",
      {
        "daypass.yaml": ceiling("*", "    require: { runner_environment: github-hosted }\n"),
        "p.yaml": roled("x", production),
      },
      ["outside"],
      ["notice ceiling_may_be_exceeded"],
    ],
    [
      "outside for all",
      { "daypass.yaml": ceiling("svc-*"), "p.yaml": roled("x", production) },
      ["outside"],
      ["warning grant_unreachable"],
    ],
    [
      "outside: its provider mints for longer than the boundary allows, to reruns",
      {
        "daypass.yaml": `${ceiling("*")}  - name: short\n    when: { repository_id: "41", run_attempt: "2" }\n    max_ttl: 5m\n`,
        "p.yaml": roled("x", production),
      },
      ["outside"],
      ["warning ceiling_may_be_exceeded"],
    ],
    [
      "outside: a protected environment is demanded, and there is none",
      {
        "daypass.yaml": ceiling("*", "    protected_environment: { required_reviewers: true }\n"),
        "p.yaml": roled("x"),
      },
      ["outside"],
      ["warning grant_unreachable"],
    ],
    [
      "proved: a protected environment is demanded, which is known when a job asks",
      {
        "daypass.yaml": ceiling(
          "*",
          "    protected_environment: { required_reviewers: true, deployment_branches: custom }\n",
        ),
        "p.yaml": roled("x", production),
      },
      ["proved"],
      [],
    ],
    [
      "unproven: several gaps",
      { "daypass.yaml": ceiling("svc-*/push"), "p.yaml": roled("${repository_name}/${event_name}", wide) },
      ["unproven"],
      ["warning ceiling_unproven"],
    ],
    [
      "unproven: too complex below a ceiling",
      { "daypass.yaml": ceiling("*"), "p.yaml": tangled },
      ["unproven"],
      ["notice too_complex", "warning ceiling_unproven"],
    ],
    ["unproven: too complex without any ceiling", { "p.yaml": tangled }, ["unproven"], ["notice too_complex"]],
    [
      "proved: of nobody whom its policy admits",
      {
        "daypass.yaml": ceiling("*"),
        "p.yaml": `${roled("x", production)}  b: { connection: aws, role: "arn:aws:iam::111122223333:role/x" }\n`,
      },
      ["proved", "proved"],
      ["warning grant_unreachable"],
    ],
    ["without a boundary: there are none", { "p.yaml": roled("x", production) }, ["no boundary"], []],
    [
      "without a boundary: they are over others",
      { "daypass.yaml": some("acme/web-*"), "p.yaml": roled("x", production) },
      ["no boundary"],
      ["notice no_boundary"],
    ],
    [
      "without a boundary: they are over some of the repositories",
      { "daypass.yaml": some("acme/svc-a*"), "p.yaml": roled("x", wide) },
      ["no boundary"],
      ["notice no_boundary"],
    ],
    [
      "no boundary over a policy without grants",
      { "daypass.yaml": some("acme/web-*"), "p.yaml": policy("deny:\n  - { name: freeze }\n") },
      [],
      [],
    ],
  ]
  it.each(cases)("%s", (_, files, inside, codes) => expect(stand(files)).toEqual([inside, codes]))

  it("the worst of the scopes that a policy with a pattern is for", () => {
    const files = { "daypass.yaml": ceiling("svc-*"), "p.yaml": roled("${repository_name}", wide) }
    const renamed = policy('deny:\n  - { name: none, when: { run_attempt: "9" } }\n', {
      repository: "acme/svc-9",
      id: "9",
      environment: "production",
    })
    expect(stand({ ...files, "q.yaml": renamed })[0]).toEqual(["proved"])
  })
})

describe("ceiling_may_be_exceeded", () => {
  const files = {
    "daypass.yaml": ceiling("svc-*"),
    "p.yaml": roled("${repository_name}", { ...wide, repository: "acme/*" }),
  }

  it("names the boundary by its place, and shows a job that is refused", () => {
    const { warnings, containment } = checked(files)
    expect(warnings).toMatchObject([{ file: "p.yaml", line: 9, column: 3 }])
    expect(warnings[0]?.message).toContain('"all" (daypass.yaml:11)')
    expect(warnings[0]?.message).toMatch(/For example: repository=acme\/[^s]\S*, environment=production,/)
    expect(containment).toMatchObject([
      { grant: "deploy", line: 9, boundaries: [{ name: "all", file: "daypass.yaml", line: 11 }] },
    ])
    expect(containment[0]?.witness).toMatchObject({
      environment: "production",
      event_name: "push",
      ref: "refs/heads/main",
    })
  })

  it("says only what is lacking of several requirements", () => {
    const { warnings } = checked({
      "daypass.yaml": ceiling("*", "    require: { runner_environment: github-hosted, ref: refs/heads/main }\n"),
      "p.yaml": roled("x", production),
    })
    expect(warnings[0]?.message).toContain('requires runner_environment github-hosted ("all"')
  })
})

describe("what would take too long", () => {
  /** Patterns of which each can match together with any of the others. */
  const infixes = (count: number, tag: string) =>
    Array.from({ length: count }, (_, index) => `"**${tag}${String.fromCharCode(97 + index)}**"`).join(", ")
  const heavy = (tag: string) =>
    `when: { ref: refs/heads/main, event_name: push, repo_property_x: [${infixes(14, tag)}] }`

  // Only in a deep run: it takes seconds to use up the whole budget.
  it.runIf(inject("share") === 1)(
    "is left out, the heaviest first, and said: what is light is looked at all the same",
    () => {
      const files: Record<string, string> = { "daypass.yaml": ceiling("*") }
      for (let index = 0; index < 40; index++) {
        const head = { repository: `acme/r${index}`, id: `${index + 1}`, environment: "production" }
        const text = roled("x", head)
        files[`${index}.yaml`] =
          index < 3 ? text : text.replace("when: { ref: refs/heads/main, event_name: push }", heavy(`t${index}`))
      }
      const { containment, warnings } = checked(files)
      expect(containment.map(({ inside }) => inside)).toEqual(
        // Files are in the order of their names, and the light ones are 0, 1 and 2.
        Object.keys(files)
          .filter((file) => file !== "daypass.yaml")
          .sort()
          .map((file) => (["0.yaml", "1.yaml", "2.yaml"].includes(file) ? "proved" : "unproven")),
      )
      const count = (code: string) => warnings.filter((one) => one.code === code).length
      expect([count("too_complex"), count("ceiling_unproven")]).toEqual([37, 37])
      expect(warnings.some(({ message }) => message.includes("too many rules that overlap"))).toBe(true)
    },
  )

  it("is said of a folder with hundreds of patterns for the same repositories", () => {
    const files: Record<string, string> = { "daypass.yaml": ceiling("*") }
    for (let index = 0; index < 250; index++) {
      files[`${index}.yaml`] = roled("x", { repository: `acme/s*${index}*`, environment: "production" }, `g${index}`)
    }
    const { containment, warnings } = checked(files)
    expect(new Set(containment.map(({ inside }) => inside))).toEqual(new Set(["unproven"]))
    expect(warnings.filter(({ code }) => code === "too_complex")).toHaveLength(1)
  })
})

describe("the variables of a grant", () => {
  const DOPPLER = "  doppler: { provider: doppler, identity: 2f1c7e1a-5b52-4a8e-9d3c-0e6f4b7a9c15, projects: [shop] }\n"
  const variablesOf = (fields: string) =>
    checked({
      "daypass.yaml": organisation(DOPPLER),
      "p.yaml": policy(
        `allow:\n  - name: main\n    when: { ref: refs/heads/main, event_name: push }\n    grants: [it]\ngrants:\n  it: ${fields}\n`,
      ),
    }).containment.map(({ variables }) => variables)
  const NPM = "NPM: { from: shop/prd/NPM_TOKEN, as: npmrc, host: registry.npmjs.org }"

  it.each<readonly [string, string, readonly string[] | undefined]>([
    ["values and files", "read: { A: shop/prd/A, TLS: { from: shop/prd/TLS, as: file } }", ["A", "TLS"]],
    ["an item as a whole, by its pattern", "read_all: { from: shop/prd/, prefix: SHOP_ }", ["SHOP_*"]],
    ["a login: none", `read: { ${NPM} }`, undefined],
    [
      "all of them at once",
      `read: { A: shop/prd/A, ${NPM} }, read_all: { from: shop/all/, prefix: SHOP_ }`,
      ["A", "SHOP_*"],
    ],
  ])("with %s", (_, fields, variables) => {
    expect(variablesOf(`{ connection: doppler, ${fields} }`)).toEqual([variables])
  })
})
