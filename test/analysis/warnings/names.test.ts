import { describe, expect, it } from "vitest"
import { allowing, checked, denying, type Files, organisation, placesOf, policy, roled } from "./checked.ts"

const wide = { repository: "acme/svc-*", environment: "production" }
const exact = { repository: "acme/svc-pay", id: "52", environment: "production" }
const TWO_OWNERS = '{ acme: "9001", umbrella: "9002" }'
const KEEPING = "    repository_policies: true\n"
const boundary = (when: string) => `boundaries:\n  - name: one\n    when: ${when}\n`

type Case = readonly [sentence: string, files: Files | string, places: readonly string[]]

describe("name_without_id", () => {
  const cases: readonly Case[] = [
    ["an actor's name", allowing("{ ref: refs/heads/main, actor: octocat }"), ["p.yaml:6:35"]],
    ["an actor's name beside the id", allowing('{ ref: refs/heads/main, actor: octocat, actor_id: "5" }'), []],
    ["an actor who is denied by name", denying("{ actor: mallory }"), ["p.yaml:6:13"]],
    [
      "an actor who is left out by name",
      allowing("{ ref: refs/heads/main, actor: { not: mallory } }"),
      ["p.yaml:6:35"],
    ],
    ["actors that GitHub keeps", allowing('{ ref: refs/heads/main, actor: { not: "dependabot[bot]" } }'), []],
    [
      "a repository's name in a policy with a pattern",
      allowing("{ ref: refs/heads/main, repository: acme/svc-pay }", wide),
      ["p.yaml:6:35"],
    ],
    [
      "a repository's name beside its id",
      allowing('{ ref: refs/heads/main, repository: acme/svc-pay, repository_id: "52" }', wide),
      [],
    ],
    [
      "the repository's own name, which its policy pins by id",
      allowing("{ ref: refs/heads/main, repository: acme/shop }"),
      [],
    ],
    [
      "a deny by a pattern, that a renamed repository escapes",
      { "p.yaml": policy("deny:\n  - { name: freeze }\n", wide), "q.yaml": roled("x", exact) },
      ["p.yaml:5:5"],
    ],
    [
      "a deny by a pattern, that is about another grant",
      {
        "p.yaml": policy(
          'deny:\n  - { name: freeze, grants: [other] }\ngrants:\n  other: { connection: oidc, audience: "https://vault.example.com" }\n',
          wide,
        ),
        "q.yaml": roled("x", exact),
      },
      [],
    ],
    [
      "a deny by a pattern that no new name leaves",
      {
        "p.yaml": policy("deny:\n  - { name: freeze }\n", { ...wide, repository: "acme/*" }),
        "q.yaml": roled("x", exact),
      },
      [],
    ],
    ["a deny by a pattern, with nothing that is given by id", policy("deny:\n  - { name: freeze }\n", wide), []],
    [
      "a boundary by name, where all policies go by id",
      { "daypass.yaml": organisation(boundary("{ repository: acme/shop }")) },
      [],
    ],
    [
      "a boundary by name, where repositories keep policies",
      { "daypass.yaml": organisation(boundary("{ repository: acme/shop }"), { issuer: KEEPING }) },
      ["daypass.yaml:13:13"],
    ],
    [
      "a boundary by name and id, where repositories keep policies",
      { "daypass.yaml": organisation(boundary('{ repository: acme/shop, repository_id: "41" }'), { issuer: KEEPING }) },
      [],
    ],
    [
      "a boundary by a pattern, beside which no id could stand",
      { "daypass.yaml": organisation(boundary("{ repository: [acme/shop, acme/shop-*] }"), { issuer: KEEPING }) },
      [],
    ],
    [
      "a boundary by name, where a policy's pattern matches it",
      { "daypass.yaml": organisation(boundary("{ repository: acme/svc-pay }")), "p.yaml": roled("x", wide) },
      ["daypass.yaml:12:13"],
    ],
    [
      "an owner's name, where there is one owner",
      { "daypass.yaml": organisation(boundary("{ repository_owner: acme }")) },
      [],
    ],
    [
      "an owner's name, where there are two",
      { "daypass.yaml": organisation(boundary("{ repository_owner: acme }"), { owners: TWO_OWNERS }) },
      ["daypass.yaml:12:13"],
    ],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("name_without_id", files)).toEqual(places))

  it("is a notice for a boundary, and a warning for a rule", () => {
    const { warnings } = checked({
      "daypass.yaml": organisation(boundary("{ repository: acme/shop }"), { issuer: KEEPING }),
      "p.yaml": allowing("{ ref: refs/heads/main, actor: octocat }"),
    })
    expect(warnings.filter(({ code }) => code === "name_without_id").map(({ severity }) => severity)).toEqual([
      "notice",
      "warning",
    ])
  })
})

describe("names_differ_in_case", () => {
  const shop = (environment: string) => roled("x", { environment })
  const cases: readonly Case[] = [
    [
      "two environments of one repository",
      { "p.yaml": shop("production"), "q.yaml": shop("Production") },
      ["q.yaml:4:14"],
    ],
    [
      "environments of two repositories",
      {
        "p.yaml": shop("production"),
        "q.yaml": roled("x", { environment: "Production", repository: "acme/web", id: "42" }),
      },
      [],
    ],
    [
      "two repositories",
      { "p.yaml": roled("x"), "q.yaml": roled("x", { repository: "acme/Shop", id: "42" }) },
      ["q.yaml:2:13"],
    ],
    [
      "one repository, written in two ways",
      { "p.yaml": shop("a"), "q.yaml": roled("x", { repository: "acme/SHOP", environment: "b" }) },
      ["q.yaml:2:13"],
    ],
    ["a repository's owner", roled("x", { repository: "Acme/shop" }), ["p.yaml:2:13"]],
    [
      "two owners",
      { "daypass.yaml": organisation("", { owners: '{ acme: "9001", ACME: "9002" }' }) },
      ["daypass.yaml:6:35"],
    ],
    [
      "two refs of one policy",
      policy(
        'allow:\n  - name: a\n    when: { ref: [refs/heads/main, refs/heads/Main] }\n    grants: [token]\ngrants:\n  token: { connection: oidc, audience: "https://vault.example.com" }\n',
      ),
      ["p.yaml:6:36"],
    ],
    [
      "refs of two repositories",
      {
        "p.yaml": allowing("{ ref: refs/heads/main }"),
        "q.yaml": allowing("{ ref: refs/heads/Main }", { repository: "acme/web", id: "42" }),
      },
      [],
    ],
    [
      "a boundary's repository",
      { "daypass.yaml": organisation(boundary("{ repository: [acme/Shop, acme/x-*] }")), "p.yaml": roled("x") },
      ["daypass.yaml:12:26"],
    ],
    [
      "a boundary's environment",
      {
        "daypass.yaml": organisation(boundary('{ repository_id: "41", environment: Production }')),
        "p.yaml": shop("production"),
      },
      ["daypass.yaml:12:47"],
    ],
    [
      "a boundary's environment that some policy writes alike",
      {
        "daypass.yaml": organisation(boundary('{ repository_id: "41", environment: Production }')),
        "p.yaml": shop("production"),
        "q.yaml": roled("x", { environment: "Production", repository: "acme/web", id: "42" }),
      },
      [],
    ],
    ["names that differ in more", { "p.yaml": shop("production"), "q.yaml": shop("production-eu") }, []],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("names_differ_in_case", files)).toEqual(places))
})

describe("owner_unlisted", () => {
  const cases: readonly Case[] = [
    ["an owner that is not listed", roled("x", { repository: "acme-labs/shop" }), ["p.yaml:2:13"]],
    ["an owner that is listed", roled("x"), []],
    ["an owner that is listed in another case, which is another warning", roled("x", { repository: "ACME/shop" }), []],
  ]
  it.each(cases)("%s", (_, files, places) => expect(placesOf("owner_unlisted", files)).toEqual(places))
})
