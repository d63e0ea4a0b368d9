// biome-ignore-all lint/suspicious/noTemplateCurlyInString: gaps of grants are written so
import { describe, expect, it } from "vitest"
import { allowing, checked, denying, type Files, organisation, placesOf, policy } from "./checked.ts"

const OWN = "    repository_policies: true\n"
const CONTROL = "    control_repository: acme/policies\n"
const ABOUT_ALL =
  'boundaries:\n  - name: all\n    when: { repository_owner_id: "9001" }\n    allow: [{ connection: gh }]\n'
const GITHUB = '  gh: { provider: github, app_id: "1", key: env:APP_KEY, owner: acme, owner_id: "9001" }\n'
const DOPPLER =
  "  doppler: { provider: doppler, identity: 2f1c7e1a-5b52-4a8e-9d3c-0e6f4b7a9c15, projects: [shop, bank] }\n"

const world = (issuer: string, boundaries = ABOUT_ALL) => organisation(`${GITHUB}${boundaries}`, { issuer })
const granting = (permissions: string, repositories = "[shop]", head = {}) =>
  policy(
    `allow:\n  - name: main\n    when: { ref: refs/heads/main, event_name: push }\n    grants: [bot]\ngrants:\n  bot: { connection: gh, repositories: ${repositories}, permissions: ${permissions} }\n`,
    head,
  )

describe("grant_changes_policies", () => {
  const PLACE = ["p.yaml:9:48"]
  it.each<[string, string, string, boolean]>([
    ["contents: write on a repository with its own policies", OWN, "{ contents: write }", true],
    ["workflows: write", OWN, "{ workflows: write }", true],
    ["administration: write, which lifts the rules of a branch", OWN, "{ administration: write }", true],
    ["contents: admin", OWN, "{ contents: admin }", true],
    ["contents: read", OWN, "{ contents: read, administration: read }", false],
    ["other permissions", OWN, "{ actions: write, pull_requests: write, issues: write }", false],
    ["contents: write where no repository keeps policies", "", "{ contents: write }", false],
    ["contents: write on another than the control repository", CONTROL, "{ contents: write }", false],
  ])("%s", (_, issuer, permissions, found) => {
    const files = { "daypass.yaml": world(issuer), "p.yaml": granting(permissions) }
    expect(placesOf("grant_changes_policies", files)).toEqual(found ? PLACE : [])
  })

  it("is about the control repository, in any letter case, whether or not repositories keep policies", () => {
    const files = { "daypass.yaml": world(CONTROL, ""), "p.yaml": granting("{ contents: write }", "[shop, Policies]") }
    const { warnings } = checked(files)
    expect(warnings.filter(({ code }) => code === "grant_changes_policies")).toMatchObject([
      {
        message: expect.stringContaining("acme/Policies (contents: write), which issuers.github names as the control"),
      },
    ])
  })

  it("is not about a repository that no boundary is about: its own policies have no effect", () => {
    const about = ABOUT_ALL.replace('repository_owner_id: "9001"', "repository: acme/bank")
    const say = (repositories: string) =>
      placesOf("grant_changes_policies", {
        "daypass.yaml": world(OWN, about),
        "p.yaml": granting("{ contents: write }", repositories),
      }).length
    expect([say("[shop]"), say("[shop, bank]")]).toEqual([0, 1])
  })

  it("sees the job's own repository in a gap", () => {
    const wide = { repository: "acme/svc-*", environment: "production" }
    const files: Files = {
      "daypass.yaml": world(OWN),
      "p.yaml": granting("{ contents: write }", '["${repository_name}"]', wide),
    }
    expect(placesOf("grant_changes_policies", files)).toHaveLength(1)
  })

  it("is not about another account's repositories", () => {
    const foreign = world(OWN).replace('owner_id: "9001" }', 'owner_id: "9002" }')
    const files = { "daypass.yaml": foreign, "p.yaml": granting("{ contents: write }") }
    expect(placesOf("grant_changes_policies", files)).toEqual([])
  })
})

describe("secret_in_two_environments", () => {
  const reading = (read: string, environment: string | undefined, head = {}) =>
    policy(
      `allow:\n  - name: main\n    when: { ref: refs/heads/main, event_name: push }\n    grants: [db]\ngrants:\n  db:\n    connection: doppler\n    read: ${read}\n`,
      { ...(environment === undefined ? {} : { environment }), ...head },
    )
  const say = (first: string, second: string) =>
    placesOf("secret_in_two_environments", { "daypass.yaml": organisation(DOPPLER), "a.yaml": first, "b.yaml": second })
  const SECRET = "{ DB: shop/prd/DB }"
  const whole = (from: string, environment: string) =>
    reading(`{ X: shop/${environment}/X }\n    read_all: { from: "${from}", prefix: X_ }`, environment)

  it.each<[string, string, string, readonly string[]]>([
    ["two environments", reading(SECRET, "production"), reading(SECRET, "staging"), ["b.yaml:12:13"]],
    ["an environment and none", reading(SECRET, undefined), reading(SECRET, "production"), ["b.yaml:12:13"]],
    [
      "another form of delivery",
      reading(SECRET, "production"),
      reading("{ X: { from: shop/prd/DB, as: file } }", "dev"),
      ["b.yaml:12:13"],
    ],
    [
      "one environment in two files",
      reading(SECRET, "production"),
      reading(SECRET, "production").replaceAll("db", "more"),
      [],
    ],
    ["one config as a whole", whole("shop/all/", "prd"), whole("shop/all/", "stg"), ["b.yaml:13:5"]],
    ["two configs as a whole", whole("shop/prd/", "prd"), whole("shop/stg/", "stg"), []],
    [
      "a config as a whole, and one of its secrets",
      whole("shop/prd/", "prd"),
      reading(SECRET, "staging"),
      ["b.yaml:12:13"],
    ],
    ["a secret, and its config as a whole", reading(SECRET, "staging"), whole("shop/prd/", "prd"), ["b.yaml:13:5"]],
    [
      "a config as a whole, and a login with one of its secrets",
      whole("shop/prd/", "prd"),
      reading("{ NPM: { from: shop/prd/NPM_TOKEN, as: npmrc, host: registry.npmjs.org } }", "staging"),
      ["b.yaml:12:13"],
    ],
    [
      "a config as a whole, and a field of one of its secrets",
      whole("shop/prd/", "prd"),
      reading("{ DB: shop/prd/DB#user }", "staging"),
      ["b.yaml:12:13"],
    ],
    [
      "a secret that is a whole item, and one of its fields",
      whole("shop/prd/DB", "prd"),
      reading("{ DB: shop/prd/DB#user }", "staging"),
      ["b.yaml:12:13"],
    ],
    [
      "a secret that is a whole item, and another whose name begins alike",
      whole("shop/prd/DB", "prd"),
      reading("{ DB: shop/prd/DB_TEST }", "staging"),
      [],
    ],
    [
      "a config as a whole in one environment",
      whole("shop/prd/", "prd"),
      reading(SECRET, "prd").replaceAll("db", "more"),
      [],
    ],
    ["two secrets", reading(SECRET, "production"), reading("{ DB: shop/stg/DB }", "staging"), []],
    [
      "two repositories",
      reading(SECRET, "production"),
      reading(SECRET, "staging", { repository: "acme/bank", id: "42" }),
      [],
    ],
    [
      "a gap that the environment fills",
      reading('{ DB: "shop/${environment}/DB" }', "prd"),
      reading('{ DB: "shop/${environment}/DB" }', "stg"),
      [],
    ],
    [
      "another gap",
      reading('{ DB: "shop/prd-${repository_name}/DB" }', "prd"),
      reading('{ DB: "shop/prd-${repository_name}/DB" }', "stg"),
      ["b.yaml:12:13"],
    ],
  ])("%s", (_, first, second, places) => {
    expect(say(first, second)).toEqual(places)
  })
})

describe("property_editable", () => {
  const WORD = "    organisation_properties: [team, tier]\n"
  const WHEN = "{ ref: refs/heads/main, repo_property_team: shop }"

  it.each<[string, string, string, readonly string[]]>([
    ["in an allow", "", allowing(WHEN), ["p.yaml:6:35"]],
    ["in a deny", "", denying("{ repo_property_team: { not: shop } }"), ["p.yaml:6:13"]],
    ["about its presence", "", denying("{ repo_property_team: { present: false } }"), ["p.yaml:6:13"]],
    ["that the organisation says only it can edit", WORD, allowing(WHEN), []],
    ["of which it says nothing, beside others", WORD, allowing(WHEN.replace("team", "Team")), ["p.yaml:6:35"]],
    ["on another claim", "", allowing("{ ref: refs/heads/main, repository_visibility: private }"), []],
  ])("a condition %s", (_, issuer, text, places) => {
    expect(placesOf("property_editable", { "daypass.yaml": organisation("", { issuer }), "p.yaml": text })).toEqual(
      places,
    )
  })

  it("a condition of a boundary", () => {
    const boundaries =
      "boundaries:\n  - name: all\n    when: { repository: acme/shop }\n    allow: [{ connection: oidc }]\n    require: { repo_property_team: shop }\n"
    const files = { "daypass.yaml": organisation(boundaries), "p.yaml": allowing(WHEN) }
    expect(placesOf("property_editable", files)).toEqual(["daypass.yaml:14:16", "p.yaml:6:35"])
  })
})
