// biome-ignore-all lint/suspicious/noTemplateCurlyInString: gaps of grants are written so
import { describe, expect, it } from "vitest"
import { ceiling, checked, type Files, organisation, placesOf, policy, roled } from "./checked.ts"

const production = { environment: "production" }
const wide = { repository: "acme/svc-*", environment: "production" }
const at = (...places: string[]) => places
const KEEPING = "    repository_policies: true\n"

type Case = readonly [sentence: string, files: Files | string, places: readonly string[]]

/** Two grants of roles, and these rules. */
const rules = (text: string, head = production): string =>
  policy(
    `${text}grants:\n  deploy: { connection: aws, role: "arn:aws:iam::111122223333:role/a" }\n  clean: { connection: aws, role: "arn:aws:iam::111122223333:role/b" }\n`,
    head,
  )
const rule = (name: string, when: string, grants: string) => `  - { name: ${name}, when: ${when}, grants: ${grants} }\n`
const MAIN = rule("main", "{ ref: refs/heads/main }", "[deploy, clean]")

describe("grant_unreachable", () => {
  const cases: readonly Case[] = [
    ["no allow names it", rules(`allow:\n${rule("main", "{ ref: refs/heads/main }", "[deploy]")}`), at("p.yaml:9:3")],
    [
      "the only allow wants the event to be missing",
      rules(`allow:\n${MAIN.replace("ref: refs/heads/main", "event_name: { present: false }")}`),
      at("p.yaml:8:3", "p.yaml:9:3"),
    ],
    [
      "the only allow is for another environment",
      rules(`allow:\n${MAIN.replace("ref: refs/heads/main", "ref: refs/heads/main, environment: staging")}`),
      at("p.yaml:8:3", "p.yaml:9:3"),
    ],
    ["a deny refuses all", rules(`allow:\n${MAIN}deny:\n  - { name: freeze }\n`), at("p.yaml:10:3", "p.yaml:11:3")],
    [
      "a deny refuses one of them",
      rules(`allow:\n${MAIN}deny:\n${rule("freeze", "{ run_attempt: { present: true } }", "[clean]")}`),
      at("p.yaml:11:3"),
    ],
    ["a gap that the job's own ref can never fill", roled("${ref}", production), at("p.yaml:10:3")],
    [
      "it is outside of every boundary",
      { "daypass.yaml": ceiling("svc-*"), "p.yaml": roled("shop", production) },
      at("p.yaml:10:3"),
    ],
    [
      "a boundary requires another branch",
      { "daypass.yaml": ceiling("*", "    require: { ref: refs/heads/live }\n"), "p.yaml": roled("shop", production) },
      at("p.yaml:10:3"),
    ],
    [
      "another file's allow names it",
      {
        "p.yaml": rules(`allow:\n${rule("main", "{ ref: refs/heads/main }", "[deploy]")}`),
        "q.yaml": policy(`allow:\n${rule("more", "{ ref: refs/heads/main }", "[clean]")}`, production),
      },
      [],
    ],
    [
      "a policy with a pattern names it",
      {
        "p.yaml": rules(`allow:\n${rule("main", "{ ref: refs/heads/main }", "[deploy]")}`),
        "q.yaml": policy(
          `allow:\n${rule("more", "{ ref: refs/heads/main }", "[clean]")}${'grants:\n  clean: { connection: aws, role: "arn:aws:iam::111122223333:role/b" }\n'}`,
          { repository: "acme/web-*", ...production },
        ),
      },
      at("p.yaml:9:3"),
    ],
    ["somebody gets it", rules(`allow:\n${MAIN}deny:\n${rule("reruns", '{ run_attempt: "2" }', "[clean]")}`), []],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("grant_unreachable", files)).toEqual(places))

  it("names the boundary that refuses it", () => {
    const { warnings } = checked({ "daypass.yaml": ceiling("svc-*"), "p.yaml": roled("shop", production) })
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining('"all" (daypass.yaml:11)')])
  })
})

describe("allow_always_denied", () => {
  const NIGHTLY = rule("nightly", "{ ref: refs/heads/main, event_name: schedule }", "[deploy, clean]")
  const denied = (deny: string) => rules(`allow:\n${MAIN}${NIGHTLY}deny:\n${deny}`)
  const cases: readonly Case[] = [
    ["a deny covers it", denied("  - { name: no, when: { event_name: schedule } }\n"), at("p.yaml:7:5")],
    [
      "two denies cover it together",
      denied(
        '  - { name: a, when: { run_attempt: "1", event_name: schedule } }\n  - { name: b, when: { run_attempt: { not: "1" }, event_name: schedule } }\n',
      ),
      at("p.yaml:7:5"),
    ],
    [
      "a deny covers one of its grants",
      denied("  - { name: no, when: { event_name: schedule }, grants: [clean] }\n"),
      at("p.yaml:7:5"),
    ],
    ["a deny covers a part of it", denied('  - { name: no, when: { event_name: schedule, run_attempt: "2" } }\n'), []],
    [
      "a deny of another file covers it",
      {
        "p.yaml": rules(`allow:\n${MAIN}${NIGHTLY}`),
        "q.yaml": policy("deny:\n  - { name: no, when: { event_name: schedule } }\n", production),
      },
      at("p.yaml:7:5"),
    ],
    [
      "a deny of another environment covers it",
      {
        "p.yaml": rules(`allow:\n${MAIN}${NIGHTLY}`),
        "q.yaml": policy("deny:\n  - { name: no }\n", { environment: "staging" }),
      },
      [],
    ],
    [
      "it matches nobody in any case",
      denied("  - { name: no, when: { event_name: push } }\n").replace(
        "event_name: schedule }, grants",
        "event_name: { present: false } }, grants",
      ),
      [],
    ],
    [
      "a pattern denies some repositories of an allow with a pattern",
      {
        "p.yaml": roled("x", wide),
        "q.yaml": policy("deny:\n  - { name: no }\n", { ...wide, repository: "acme/svc-a*" }),
      },
      [],
    ],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("allow_always_denied", files)).toEqual(places))

  it("names the deny, and the grants when it is not all of them", () => {
    const { warnings } = checked({
      "p.yaml": denied("  - { name: no, when: { event_name: schedule }, grants: [clean] }\n"),
    })
    expect(warnings.map(({ message }) => message)).toEqual([
      'The allow "nightly" gives clean to no job: the deny "no" (p.yaml:9) refuses every job that it matches. Narrow the deny, or remove the grant from the allow.',
    ])
  })
})

describe("grant_overlap", () => {
  const svc = (repository: string, name = "deploy", environment = "production") =>
    roled("x", { repository, environment }, name)
  const cases: readonly Case[] = [
    ["a name matches both patterns", { "p.yaml": svc("acme/svc-*"), "q.yaml": svc("acme/*-api") }, at("q.yaml:9:3")],
    ["no name matches both", { "p.yaml": svc("acme/svc-*"), "q.yaml": svc("acme/web-*") }, []],
    ["the grants have other names", { "p.yaml": svc("acme/svc-*"), "q.yaml": svc("acme/*-api", "other") }, []],
    [
      "the environments are others",
      { "p.yaml": svc("acme/svc-*"), "q.yaml": svc("acme/*-api", "deploy", "staging") },
      [],
    ],
    [
      "three meet",
      { "p.yaml": svc("acme/a*"), "q.yaml": svc("acme/*b"), "r.yaml": svc("acme/*c") },
      at("q.yaml:9:3", "r.yaml:9:3"),
    ],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("grant_overlap", files)).toEqual(places))

  it("shows a name that both match", () => {
    const { warnings } = checked({ "p.yaml": svc("acme/svc-*"), "q.yaml": svc("acme/*-api") })
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining("such as acme/svc-api, and both define deploy"),
    ])
  })
})

describe("gap_unknown_claim", () => {
  const cases: readonly Case[] = [
    ["a misspelled claim", roled("${repositry_name}", wide), at("p.yaml:11:11")],
    ["the repository's name", roled("${repository_name}", wide), []],
    ["a custom property", roled("${repo_property_team}", wide), []],
    [
      "what stands for itself",
      roled("$${anything}", wide).replace(
        "role/$${anything}",
        () => 'role/x\n    session_policy: { Version: "2012-10-17", Statement: [{ Resource: "$${anything}" }] }',
      ),
      [],
    ],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("gap_unknown_claim", files)).toEqual(places))
})

describe("gaps_adjacent", () => {
  const cases: readonly Case[] = [
    ["side by side", roled("${repository_name}${event_name}", wide), at("p.yaml:11:11")],
    ["with a dash between", roled("${repository_name}-${event_name}", wide), at("p.yaml:11:11")],
    ["with a slash between", roled("${repository_name}/${event_name}", wide), []],
    ["with what is fixed between", roled("${repository_name}-${environment}-${event_name}", wide), at("p.yaml:11:11")],
    ["one of which the environment fixes", roled("${repository_name}-${environment}", wide), []],
    ["one of which the repository fixes", roled("${repository_name}-${event_name}", production), []],
    ["one of which has digits only, and a dash", roled("${repository_id}-${event_name}", wide), []],
    ["one of which has digits only, and nothing", roled("${event_name}${run_id}", wide), at("p.yaml:11:11")],
    ["the same twice", roled("${event_name}-${event_name}", wide), []],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("gaps_adjacent", files)).toEqual(places))
})

describe("repository_policies_open", () => {
  const open = (entry: string, issuer = KEEPING, when = '{ repository_owner_id: "9001" }') => ({
    "daypass.yaml": organisation(`boundaries:\n  - name: all\n    when: ${when}\n    allow:\n      - ${entry}\n`, {
      issuer,
    }),
  })
  const cases: readonly Case[] = [
    ["a role is left open", open("{ connection: aws }"), at("daypass.yaml:15:9")],
    ["a role may be anything", open('{ connection: aws, role: "**" }'), at("daypass.yaml:15:9")],
    ["a role has a form", open('{ connection: aws, role: "arn:aws:iam::111122223333:role/ci/*" }'), []],
    ["repositories keep no policies", open("{ connection: aws }", ""), []],
    [
      "the boundary is about another issuer",
      open("{ connection: aws }", KEEPING, "{ iss: https://other.example.com }"),
      [],
    ],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("repository_policies_open", files)).toEqual(places))
})
