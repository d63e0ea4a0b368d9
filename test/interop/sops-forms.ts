import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Secret } from "../../broker/core/secret.ts"
import { readAgeKeys } from "../../broker/providers/sops/age.ts"
import { dataKeyOf } from "../../broker/providers/sops/data-key.ts"
import { readDocument } from "../../broker/providers/sops/document.ts"
import { openDocument } from "../../broker/providers/sops/opened.ts"
import { sops } from "../../broker/providers/sops/provider.ts"
import { job } from "../core/job.ts"
import { makeProviderIo, ScriptedHttp } from "../support/provider-io.ts"
import type { Check } from "./run.ts"
import type { Desk } from "./sops-desk.ts"

const VECTORS = fileURLToPath(new URL("../vectors/sops/", import.meta.url))

const DOCUMENT = {
  text: "correct horse",
  unicode: "grüße, 世界 🎉",
  lines: "one\ntwo\n",
  looks: { like_a_number: "007", like_a_flag: "true", like_null: "~", empty: "" },
  whole: 42,
  negative: -7,
  half: 0.5,
  tiny: 1e-7,
  huge: 1e25,
  flags: [true, false],
  nothing: null,
  nested: [{ a: [1, "two", { b: "three" }] }, "four", [["five"]]],
  region_unencrypted: "eu-west-1",
  open_unencrypted: {
    whole: 1,
    half: 2.5,
    huge: 1e25,
    tiny: 1e-9,
    flag: true,
    nothing: null,
    text: "yes",
    list: ["a", 1],
  },
}
const WHOLE = { user: "shop", port: 5432, flag: true, keys: { live: "sk_1", hosts: ["a"] }, zone_unencrypted: "eu" }
const COMMENTED = `# of the file
database:
    # of the password
    password: correct horse # beside it
    since: 2024-01-02
    octal: 0o14
list:
    - one
    # of an item
    - two: 2
# at the end
`
const DOTENV = '# of the file\nDB_PASSWORD=hun=ter2\nEMPTY=\nLINES=a\\nb\nQUOTED="x y"\nREGION_unencrypted=eu west\n'
/** Unencrypted parts of such files: comments, tabs, any character, and keys that no locator names. */
const CHARACTERS = {
  "": "empty",
  ["k".repeat(200)]: "long",
  "two\nlines": "x",
  note_unencrypted: "all:\n\tmake\n",
  tabbed_unencrypted: "a\tb",
  odd_unencrypted: "\u0001\u00a0\u0085\u2028\ufeff\u200d \u2620\ufe0f",
  deep: [[[[[[[[[[[["x"]]]]]]]]]]]],
  ["__proto__"]: "p",
}
const ODD_DOTENV = "# \u2620\ufe0f\u00a0\nexport TOKEN=a\tb\nNOTE_unencrypted=a\tb\r\nSPACED =\u00a0x\n=empty\n"
const RULED = "kind: Secret\npassword: one\ndata:\n    # sops:mark\n    token: two\n    list: [three, 4, true]\n"

/** Rules of `.sops.yaml`, beside the recipients. */
const RULES = [
  {},
  { mac_only_encrypted: true },
  { encrypted_regex: "^(data|password)$" },
  { unencrypted_regex: "^kind$", mac_only_encrypted: true },
  { encrypted_suffix: "word" },
  { unencrypted_suffix: "ind" },
  { encrypted_comment_regex: "sops:mark" },
  { unencrypted_comment_regex: "sops:mark", mac_only_encrypted: true },
]

/** Files of every form, by every rule, and changed in every way. */
export async function everyForm(desk: Desk, check: Check): Promise<void> {
  await desk.run("age-keygen -o key.txt; age-keygen -o other.txt")
  const key = readFileSync(join(desk.folder, "key.txt"), "utf8")
  const env = { SOPS_AGE_KEY: key }
  const recipients = (await desk.run("age-keygen -y other.txt; age-keygen -y key.txt")).trim().split("\n").join()
  const encrypt = async (name: string, text: string, rule: object) => {
    desk.write(".sops.yaml", JSON.stringify({ creation_rules: [{ age: recipients, ...rule }] }))
    desk.write(name, text)
    await desk.run(`sops encrypt --in-place ${name}`)
  }
  const files: readonly (readonly [string, string, object?])[] = [
    ["all.sops.json", JSON.stringify(DOCUMENT)],
    ["all.sops.yaml", JSON.stringify(DOCUMENT)],
    ["all.sops.yml", JSON.stringify(DOCUMENT)],
    ["characters.sops.json", JSON.stringify(CHARACTERS)],
    ["characters.sops.yaml", `# \u2620\ufe0f\u00a0\n${JSON.stringify(CHARACTERS)}`],
    ["open-comments.sops.yaml", `# \u2620\ufe0f\u00a0\ta\n${RULED}`, { encrypted_regex: "^data$" }],
    ["odd.sops.env", ODD_DOTENV],
    ["commented.sops.yaml", COMMENTED],
    ["plain.sops.env", DOTENV],
    ...RULES.map((rule, index) => [`rule-${index}.sops.yaml`, RULED, rule] as const),
    ["rule.sops.env", DOTENV, { mac_only_encrypted: true, unencrypted_regex: "QUOTED" }],
  ]
  for (const [name, text, rule = {}] of files) {
    await check(`${name} by ${JSON.stringify(rule)} opens as sops opens it`, async () => {
      await encrypt(name, text, rule)
      await opensAlike(desk, name, key, env)
    })
  }
  await check("so does one that sops set, unset, rotated and gave to others since", async () => {
    await desk.run(
      `sops set all.sops.yaml '["looks"]["empty"]' '{"new": [1, 0.25, "x"]}'
       sops set all.sops.yaml '["text"]' '"another"'
       sops unset all.sops.yaml '["nested"][1]'
       sops rotate --in-place --rm-age "$(age-keygen -y other.txt)" all.sops.yaml`,
      env,
    )
    await opensAlike(desk, "all.sops.yaml", key, env)
  })
  await check("as a whole, a file and what is below a key are what sops opens", async () => {
    await encrypt("whole.sops.yaml", JSON.stringify({ stripe: WHOLE, other: "x" }), {})
    const theirs = flat(JSON.parse(await desk.run("sops decrypt --output-type json whole.sops.yaml", env)))
    const files = new Map([["whole.sops.yaml", readFileSync(join(desk.folder, "whole.sops.yaml"), "utf8")]])
    const named = (place: string) => `W_${place.replaceAll(/[^A-Za-z0-9]+/g, "_").toUpperCase()}`
    assert.deepEqual(
      await readWhole("whole.sops.yaml", key, files),
      Object.fromEntries([...theirs].map(([place, value]) => [named(place), String(value)])),
    )
    assert.deepEqual(await readWhole("whole.sops.yaml#stripe/keys", key, files), { W_LIVE: "sk_1", W_HOSTS_0: "a" })
  })
  await check("a file that sops finds changed does not open either", () => bothRefuse(desk, "all.sops.json", key, env))
}

/** Every value of a file, ours against what `sops decrypt` makes of it. */
async function opensAlike(desk: Desk, name: string, key: string, env: Readonly<Record<string, string>>): Promise<void> {
  const theirs = flat(JSON.parse(await desk.run(`sops decrypt --output-type json ${name}`, env)))
  const ours = await open(name, readFileSync(join(desk.folder, name)), key)
  assert.ok(ours instanceof Map, `${name}: ${ours}`)
  assert.deepEqual([...ours.keys()], [...theirs.keys()])
  for (const [place, value] of theirs) {
    const own: string | null | undefined = ours.get(place)
    const typed: unknown = typeof value === "number" ? Number(own) : typeof value === "boolean" ? own === "true" : own
    assert.deepEqual(typed, value, `${name}#${place}`)
  }
}

/** What a grant with `read_all` gets, from the provider itself. */
async function readWhole(from: string, key: string, files: ReadonlyMap<string, string>) {
  const minted = await sops.mint(
    {
      identity: job(),
      grantName: "g",
      subject: "s",
      connectionName: "c",
      connection: sops.connection.parse({ key: "env:SOPS_KEY" }),
      grant: sops.grant.parse({ read_all: { from, prefix: "W_" } }),
      ttlSeconds: 60,
      lease: "l",
      files,
    },
    makeProviderIo({ http: new ScriptedHttp([]).http, secrets: { SOPS_KEY: key } }),
  )
  return Object.fromEntries(
    Object.entries(minted.values).map(([name, { value }]) => [name, value instanceof Secret ? value.reveal() : value]),
  )
}

async function open(
  name: string,
  bytes: Uint8Array,
  key: string,
): Promise<ReadonlyMap<string, string | null> | string> {
  const document = readDocument(name, new Uint8Array(bytes))
  if (!document.ok) return document.fault[0]?.message ?? "refused"
  const keys = await readAgeKeys({ name: "SOPS", connection: "c" }, "env:K", new Secret(key))
  const dataKey = await dataKeyOf(document.value.metadata, { age: keys, services: [] })
  if (typeof dataKey === "string") return dataKey
  const opened = await openDocument(document.value, dataKey.bytes)
  if (opened.outcome !== "opened") return opened.outcome
  return new Map(
    opened.values.map(({ leaf, value }) => [
      leaf.name?.includes("/") ? leaf.name : leaf.keys.join("/"),
      value === null ? null : new TextDecoder().decode(value.reveal()),
    ]),
  )
}

function flat(value: unknown, way: readonly string[] = []): ReadonlyMap<string, unknown> {
  if (typeof value !== "object" || value === null) return new Map([[way.join("/"), value]])
  return new Map(Object.entries(value).flatMap(([key, member]) => [...flat(member, [...way, key])]))
}

/** Changes a file in every way that there is, and holds our refusal against sops' own. */
async function bothRefuse(desk: Desk, name: string, key: string, env: Readonly<Record<string, string>>): Promise<void> {
  const text = readFileSync(join(desk.folder, name), "utf8")
  const [one = "", two = ""] = text.split("\n").filter((line) => /^\t"\w+": "ENC/.test(line))
  const sealedIn = (line: string) => /"ENC[^"]*"/.exec(line)?.[0] ?? ""
  const swap = (a: string, b: string) => text.replace(a, "\0").replace(b, a).replace("\0", b)
  const changes: Readonly<Record<string, string>> = {
    "a value": text.replace(/data:./, (found) => (found === "data:A" ? "data:B" : "data:A")),
    "a key": text.replace(one, one.replace('\t"', '\t"x')),
    "two values": swap(sealedIn(one), sealedIn(two)),
    "the order": swap(one, two),
    "an entry less": text.replace(`${one}\n`, ""),
    "the MAC": text.replace(/"mac": "ENC\[AES256_GCM,data:..../, '"mac": "ENC[AES256_GCM,data:AAAA'),
    "the time": text.replace(/"lastmodified": "20../, '"lastmodified": "2099'),
    "a value in the clear": text.replace("eu-west-1", "eu-west-2"),
    "the scope of the MAC": text.replace('"version":', '"mac_only_encrypted": true, "version":'),
  }
  for (const [what, changed] of Object.entries(changes)) {
    assert.notEqual(changed, text, what)
    desk.write("changed.sops.json", changed)
    await assert.rejects(desk.run("sops decrypt changed.sops.json", env), `sops takes a file with ${what} changed`)
    assert.equal(typeof (await open("changed.sops.json", Buffer.from(changed), key)), "string", what)
  }
}

/** That what the unit tests go by is what this sops makes of those files, too. */
export async function recordedFiles(desk: Desk, check: Check): Promise<void> {
  await check("the recorded files open as it was recorded", async () => {
    const recorded = JSON.parse(readFileSync(join(VECTORS, "opened.json"), "utf8"))
    const env = { SOPS_AGE_KEY: readFileSync(join(VECTORS, "test-only.age-key.txt"), "utf8") }
    const names = readdirSync(VECTORS).filter((name) => name.includes(".sops.") && Object.hasOwn(recorded, name))
    assert.ok(names.length > 10)
    for (const name of names.filter((each) => !each.startsWith("binary"))) {
      const text = await desk.run(`sops decrypt --output-type json '${join(VECTORS, name)}'`, env)
      assert.deepEqual(Object.fromEntries(flat(JSON.parse(text))), recorded[name], name)
    }
    const binary = join(VECTORS, "binary.sops.json")
    const base64 = await desk.run(`sops decrypt --input-type binary --output-type binary '${binary}' | base64 -w0`, env)
    assert.equal(base64, recorded["binary.sops.json"].data.base64)
  })
}
