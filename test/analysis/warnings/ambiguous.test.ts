import { describe, expect, it } from "vitest"
import { checked, placesOf } from "./checked.ts"

const organisation = (when: string, ghesOwner = "12") => `version: 1
issuers:
  github:
    family: github-actions
    url: https://token.actions.githubusercontent.com
    owners: { acme: "9001" }
  ghes:
    family: github-actions
    url: https://github.example.com/_services/token
    owners: { acme: "${ghesOwner}" }
connections:
  aws: { provider: aws, region: eu-west-1, accounts: ["111122223333"] }
boundaries:
  - name: shop
    when: ${when}
`
const places = (when: string, ghesOwner?: string) =>
  placesOf("issuer_ambiguous", { "daypass.yaml": organisation(when, ghesOwner) })

describe("a boundary that names a unit without its issuer", () => {
  it.each([
    ["a name", "{ repository: acme/shop }"],
    ["a pattern", '{ repository: ["acme/*"] }'],
    ["an id", '{ repository_id: "41" }'],
    ["a name with the names of both owners", "{ repository: acme/shop, repository_owner: acme }"],
  ])("is told of, by %s", (_, when) => {
    expect(places(when)).toEqual(["daypass.yaml:15:13"])
  })

  it.each([
    ["the issuer", '{ repository_id: "41", iss: https://token.actions.githubusercontent.com }'],
    ["an owner of one issuer", '{ repository_id: "41", repository_owner_id: "9001" }'],
    ["no unit", '{ repository_owner_id: ["9001", "12"] }'],
    ["an owner's name that only one lists", "{ repository: elsewhere/shop }"],
    ["what it is not about", "{ repository: { not: acme/shop } }"],
  ])("is not, when it says %s", (_, when) => {
    expect(places(when)).toEqual([])
  })

  it("is told of with an owner's id that both list", () => {
    expect(places('{ repository_id: "41", repository_owner_id: "9001" }', "9001")).toHaveLength(1)
  })

  it("says which issuers, and what to add", () => {
    const { warnings } = checked({ "daypass.yaml": organisation('{ repository_id: "41" }') })
    expect(warnings.filter(({ code }) => code === "issuer_ambiguous").map(({ message }) => message)).toEqual([
      'The boundary "shop" does not say which issuer it is about, and tokens of github and ghes all have the claim repository_id: it is about such jobs of each of them. Add iss with the issuer\'s url.',
    ])
  })
})
