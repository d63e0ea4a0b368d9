import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { openPolicyFolder, type PolicyFolder } from "../../broker/adapters/node/policy-folder.ts"
import type { PolicyFault } from "../../broker/core/policy/model.ts"
import { ORGANISATION, policyOf, TEST_PROVIDERS } from "../core/policy/support.ts"

const GOOD = policyOf("allow:\n  - { name: a, grants: [note] }\ngrants:\n  note: { connection: notes }\n")
const MIB = 1024 * 1024

const LAUGHS = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
for (let depth = 1; depth < 10; depth++) {
  LAUGHS.push(
    `a${depth}: &a${depth} [${Array(9)
      .fill(`*a${depth - 1}`)
      .join(", ")}]`,
  )
}
const rules = (count: number, grant = "note") =>
  Array.from({ length: count }, (_, index) => `  - { name: r${index}, grants: [${grant}] }`).join("\n")

/** What a folder could be given by mistake or by malice, with the fault that names it and where it stands. */
const BAD: readonly [what: string, text: string | Uint8Array, place: string][] = [
  ["10 MiB of YAML", `# ${"x".repeat(10 * MIB)}\n${GOOD}`, "1:1 file_too_large"],
  ["10 MiB of nothing", new Uint8Array(10 * MIB), "1:1 file_too_large"],
  ["100,000 rules", policyOf(`allow:\n${rules(100_000)}\n`), "1:1 file_too_large"],
  [
    "as many rules as fit, all of one grant that is not there",
    policyOf(`allow:\n${rules(1_500, "nope")}\n`),
    "grant_unknown",
  ],
  ["lists in lists in lists", `a: ${"[".repeat(30_000)}${"]".repeat(30_000)}`, "yaml_too_deep"],
  [
    "maps in maps in maps",
    Array.from({ length: 240 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
    "yaml_too_deep",
  ],
  ["a billion laughs", LAUGHS.join("\n"), "1:5 yaml_feature"],
  [
    "a pattern of stars",
    policyOf('allow:\n  - { name: a, when: { ref: "****" }, grants: [note] }\n'),
    "6:29 value_invalid",
  ],
  [
    "a pattern longer than any claim",
    policyOf(`allow:\n  - { name: a, when: { ref: "${"*a".repeat(129)}" }, grants: [note] }\n`),
    "6:29 value_invalid",
  ],
  [
    "a look-alike owner in a pattern",
    "version: 1\nrepository: аcme/svc-*\ngrants: { a: { connection: notes } }\n",
    "2:13 value_invalid",
  ],
  ["a byte order mark", `\ufeff${GOOD}`, "1:1 character_forbidden"],
  ["a carriage return by itself", GOOD.replace("\n", "\r"), "1:11 character_forbidden"],
  ["a NUL", `${GOOD}# \u0000`, "9:3 character_forbidden"],
  ["tabs", GOOD.replace("  -", "\t-"), "6:1 character_forbidden"],
  ["Latin-1", Buffer.from(GOOD.replace("name: a", "name: Größe"), "latin1"), "6:15 not_utf8"],
  ["UTF-16", Buffer.from(GOOD, "utf16le"), "1:2 character_forbidden"],
]

let folder: string
let source: PolicyFolder | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "daypass-bad-input-"))
  write("daypass.yaml", ORGANISATION)
  write("acme/shop/production.yaml", GOOD)
})
afterEach(() => {
  source?.close()
  rmSync(folder, { recursive: true, force: true })
})

function write(path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

async function faultsAfter(path: string, text: string | Uint8Array): Promise<readonly PolicyFault[]> {
  let faults: readonly PolicyFault[] = []
  source = await openPolicyFolder(folder, TEST_PROVIDERS, {
    onReload: (outcome) => {
      faults = outcome.ok ? [] : outcome.fault
    },
    pollMs: 3_600_000,
    quietMs: 0,
    isWatching: false,
  })
  const before = await source.snapshot()
  write(path, text)
  expect(await source.reload()).toBe(false)
  const after = await source.snapshot()
  expect(after.version).toBe(before.version)
  expect(source.status().stale?.faults).toBe(faults.length)
  return faults
}

const placed = ({ line, column, code }: PolicyFault) => `${line}:${column} ${code}`

describe("a folder with", () => {
  it.each(BAD)("%s as a policy keeps the last good set in force and says where", async (_, text, place) => {
    const faults = (await faultsAfter("acme/shop/other.yaml", text)).filter(
      ({ file }) => file === "acme/shop/other.yaml",
    )
    expect(placed(faults[0] as PolicyFault)).toContain(place)
  })

  it.each(BAD.slice(0, 2))("%s as its organisation file keeps the ceiling that was", async (_, text, place) => {
    const faults = await faultsAfter("daypass.yaml", text)
    expect(placed(faults[0] as PolicyFault)).toContain(place)
  })

  it("Windows' line ends is as good as any", async () => {
    write("acme/shop/production.yaml", GOOD.replaceAll("\n", "\r\n"))
    source = await openPolicyFolder(folder, TEST_PROVIDERS, { quietMs: 0 })
    expect(source.status().policies).toBe(1)
  })
})
