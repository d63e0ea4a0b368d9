import { describe, expect, it } from "vitest"
import { witness } from "../../../analysis/regions/region.ts"
import { domainsOf } from "../../../analysis/scopes/claim-domains.ts"
import { type Scope, scopeKey, scopesOf } from "../../../analysis/scopes/scope.ts"
import { boundariesOver, regionOfScope, spaceFor } from "../../../analysis/scopes/scope-space.ts"
import { GITHUB_ACTIONS } from "../../../broker/core/families/github-actions.ts"
import { must } from "../patterns.ts"
import { worldOf } from "../world.ts"

const deny = [{ name: "never", when: { ref: "x" } }]
const exact = (repository: string, id: string, environment = "production") => ({
  repository,
  repository_id: id,
  environment,
  deny,
})
const wide = (repository: string, environment = "production") => ({ repository, environment, deny })
const told = (scopes: readonly Scope[]) =>
  scopes.map(({ unit: repository, environment, policies }) => [
    repository,
    environment ?? null,
    policies.map(({ file }) => file.replace(".yaml", "")).sort(),
  ])

describe("the scopes of a set", () => {
  it("are its repositories and environments, with all policies that speak of them", () => {
    const { environment: _, ...none } = exact("acme/shop", "41")
    const set = worldOf({
      policies: [exact("acme/shop", "41"), exact("acme/shop", "41"), exact("acme/shop", "41", "staging"), none],
    })
    expect(told(scopesOf(set))).toEqual([
      ["acme/shop", "production", ["0", "1"]],
      ["acme/shop", "staging", ["2"]],
      ["acme/shop", null, ["3"]],
    ])
  })

  it("take in the wide policies that match the written name, or overlap a wide one", () => {
    const set = worldOf({
      policies: [
        exact("acme/svc-pay", "41"),
        wide("acme/svc-*"),
        wide("acme/*-pay"),
        wide("acme/web-*"),
        wide("acme/svc-*", "staging"),
        wide("umbrella/svc-*"),
      ],
    })
    expect(told(scopesOf(set))).toEqual([
      ["acme/svc-pay", "production", ["0", "1", "2"]],
      ["acme/svc-*", "production", ["1", "2"]],
      ["acme/*-pay", "production", ["1", "2", "3"]],
      ["acme/web-*", "production", ["2", "3"]],
      ["acme/svc-*", "staging", ["4"]],
      ["umbrella/svc-*", "production", ["5"]],
    ])
  })

  it("leave to a repository of its own what a pattern covers by name, in the same environment only", () => {
    const set = worldOf({
      policies: [wide("acme/svc-*"), exact("acme/svc-pay", "41"), exact("acme/svc-web", "42", "staging")],
    })
    const [scope] = scopesOf(set)
    expect([...(scope?.elsewhere ?? [])]).toEqual(["41"])
  })

  it("never let a sample stand for an id that is left to another scope", () => {
    const [sample = ""] = domainsOf(GITHUB_ACTIONS).get("repository_id")?.samples ?? []
    const { organisation, ...set } = worldOf({ policies: [wide("acme/svc-*"), exact("acme/svc-pay", sample)] })
    const [scope] = scopesOf({ organisation, ...set })
    if (!scope) throw new Error("a scope")
    const space = must(spaceFor([{ scope, organisation }]))
    const found = witness(must(regionOfScope(space, scope)))
    expect(found).not.toBeNull()
    expect(found?.["repository_id"]).not.toBe(sample)
    expect(found?.["repository"]).toMatch(/^acme\/svc-[A-Za-z0-9_.-]+$/)
  })

  it("have all names of an id, and those of another set beside", () => {
    const set = worldOf({ policies: [exact("acme/shop", "41"), exact("acme/store", "41", "staging")] })
    const beside = worldOf({ policies: [exact("acme/market", "41")] })
    const [scope] = scopesOf(set, beside)
    expect(scope?.names).toEqual(["acme/shop", "acme/store"])
    expect(scope?.texts.get("repository")).toEqual(["acme/shop", "acme/store", "acme/market"])
  })

  it("have any listed owner where the written one is not listed", () => {
    const [scope] = scopesOf(worldOf({ policies: [exact("elsewhere/shop", "41")] }))
    expect(scope?.texts.get("repository_owner_id")).toEqual(["9001", "9002"])
    expect(scope?.pinned.has("repository_owner_id")).toBe(false)
  })

  it("have a key that is the same in every set, and tells targets and environments apart", () => {
    const policies = [
      exact("acme/shop", "41"),
      exact("acme/shop", "41", "staging"),
      wide("acme/*"),
      wide("acme/*", "x"),
    ]
    const keys = scopesOf(worldOf({ policies })).map(scopeKey)
    expect(new Set(keys).size).toBe(4)
    expect(
      scopesOf(worldOf({ policies: policies.toReversed() }))
        .map(scopeKey)
        .toSorted(),
    ).toEqual(keys.toSorted())
  })
})

describe("the boundaries over a scope", () => {
  it("are those that can be about one of its repositories", () => {
    const boundaries = [
      { name: "named", when: { repository: ["acme/shop", "x/y"] } },
      { name: "others", when: { repository: "acme/web-*" } },
      { name: "not it", when: { repository: { not: "acme/shop" } } },
      { name: "by id", when: { repository_id: "41" } },
      { name: "by another id", when: { repository_id: "42" } },
      { name: "by a claim that it may have", when: { enterprise: "acme", ref: "refs/heads/main" } },
      { name: "by owner", when: { repository_owner_id: "9002" } },
    ].map((one) => ({ ...one, require: { ref: "x" } }))
    const { organisation, ...set } = worldOf({ policies: [exact("acme/shop", "41"), wide("acme/*")], boundaries })
    const [shop, all] = scopesOf({ organisation, ...set }).map((scope) =>
      boundariesOver(scope, organisation.boundaries).map(({ name }) => name),
    )
    expect(shop).toEqual(["named", "by id", "by a claim that it may have"])
    expect(all).toEqual(["named", "others", "not it", "by id", "by another id", "by a claim that it may have"])
  })
})
