import { describe, expect, it } from "vitest"
import { diffPolicySets } from "../../../analysis/diff/diff.ts"
import { whoCan } from "../../../analysis/who-can/who-can.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { compilePattern } from "../../../broker/core/policy/pattern.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { ISSUER } from "./world.ts"

// `read` and `read_all` reach the same secrets. A diff must say of a ceiling that opens one of them that it opens it.

const DOPPLER = { provider: "doppler", identity: "00000000-0000-4000-8000-000000000001" }

function setOf(...entries: readonly object[]) {
  const organisation = {
    version: 1,
    issuers: { github: { ...ISSUER, repository_policies: true } },
    connections: { shelf: DOPPLER },
    boundaries: [
      {
        name: "acme",
        when: { repository_owner: "acme" },
        allow: entries.map((entry) => ({ connection: "shelf", ...entry })),
      },
    ],
  }
  const loaded = loadPolicySet(
    [{ path: "daypass.yaml", bytes: new TextEncoder().encode(JSON.stringify(organisation)) }],
    PROVIDERS,
  )
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault))
  return loaded.value
}

const READ = { read: "shop/**" }
const ALL = { read_all: "shop/**" }
const BOTH = { ...READ, ...ALL }

describe("of what repositories' own policies could give, a diff says that", () => {
  it.each<readonly [string, readonly object[], readonly object[], boolean, boolean]>([
    ["an entry that also names read_all gives more", [READ], [BOTH], true, false],
    ["an entry that also names read gives more", [ALL], [BOTH], true, false],
    ["one that names both in two entries gives no grant with both", [BOTH], [READ, ALL], false, true],
    ["one that names the other instead gives other things", [READ], [ALL], true, true],
    ["one that names neither gives more", [BOTH], [{}], true, false],
    ["one that names one where none was named gives less", [{}], [READ], false, true],
    ["a wider item gives more", [{ read_all: "shop/prd/" }], [ALL], true, false],
    ["entries in another order give the same", [READ, ALL], [ALL, READ], false, false],
    ["what both already allow is no more", [BOTH, READ], [BOTH], false, false],
  ])("%s", (_, old, next, widens, narrows) => {
    const forth = diffPolicySets(setOf(...old), setOf(...next), { providers: PROVIDERS })
    expect([forth.widens, forth.narrows]).toEqual([widens, narrows])
    const back = diffPolicySets(setOf(...next), setOf(...old), { providers: PROVIDERS })
    expect([back.widens, back.narrows]).toEqual([narrows, widens])
  })
})

describe("who could get it by a policy of their own", () => {
  const rows = (entry: object, ...asked: readonly (readonly [key: string, text: string])[]) => {
    const fields = asked.map(([key, text]) => {
      const pattern = compilePattern(text)
      if (!pattern.ok) throw new Error("no pattern")
      return { key, pattern: pattern.value }
    })
    return whoCan(setOf(entry), { fields }, { providers: PROVIDERS }).rows.length
  }

  it.each<readonly [string, object, readonly (readonly [string, string])[], number]>([
    ["an item, where an entry names it", ALL, [["read_all", "shop/prd/"]], 1],
    ["an item, where an entry names only locators", READ, [["read_all", "shop/prd/"]], 0],
    ["a locator, where an entry names both", BOTH, [["read", "shop/prd/KEY"]], 1],
    [
      "both at once, where an entry names both",
      BOTH,
      [
        ["read", "shop/prd/KEY"],
        ["read_all", "shop/prd/"],
      ],
      1,
    ],
    [
      "both at once, where an entry names one",
      READ,
      [
        ["read", "shop/prd/KEY"],
        ["read_all", "shop/prd/"],
      ],
      0,
    ],
  ])("is asked for %s", (_, entry, asked, count) => {
    expect(rows(entry, ...asked)).toBe(count)
  })
})
