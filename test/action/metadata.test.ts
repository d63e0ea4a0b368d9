// What GitHub demands of action.yml before it lists an action in the Marketplace, where nothing but the publishing page says so.
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { buildAction } from "../../action/build.ts"

interface Metadata {
  readonly name: string
  readonly description: string
  readonly author: string
  readonly branding: { readonly icon: string; readonly color: string }
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly required?: boolean }>>
  readonly outputs: Readonly<Record<string, { readonly description: string }>>
  readonly runs: Readonly<Record<"using" | "main" | "post" | "post-if", string>>
}

const metadata = parse(readFileSync(new URL("../../action.yml", import.meta.url), "utf8")) as Metadata

/** The form refuses 125 characters and more. */
const MAX_DESCRIPTION = 124
/** https://docs.github.com/actions/reference/workflows-and-actions/metadata-syntax#brandingcolor */
const COLOURS = ["white", "black", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark"]
/** Feather 4.28 has them, the Marketplace does not: "Omitted icons" of #brandingicon there. */
const OMITTED =
  "coffee columns divide-circle divide-square divide frown hexagon key meh mouse-pointer smile tool x-octagon"
/** Of the others, those that a credential's broker could choose. */
const FITTING = ["lock", "unlock", "shield", "user-check", "log-in"]

const review = parse(readFileSync(new URL("../../action/review/action.yml", import.meta.url), "utf8")) as Metadata

describe("action.yml, as the Marketplace wants it", () => {
  it("has a name, an author and a description that fits on the card", () => {
    expect(metadata.name).toMatch(/^[A-Z][\w ]{1,49}$/)
    expect(metadata.author).not.toBe("")
    expect(metadata.description.length).toBeLessThanOrEqual(MAX_DESCRIPTION)
    expect(metadata.description).not.toMatch(/\n/)
  })

  it("has an icon and a colour that the Marketplace has", () => {
    expect(COLOURS).toContain(metadata.branding.color)
    expect(OMITTED.split(" ")).not.toContain(metadata.branding.icon)
    expect(FITTING).toContain(metadata.branding.icon)
  })

  it("runs what is built, on Node 24, and its post step always", async () => {
    const built = [...(await buildAction()).keys()].map((name) => `action/dist/${name}`)
    expect(metadata.runs.using).toBe("node24")
    expect(built).toEqual(expect.arrayContaining([metadata.runs.main, metadata.runs.post]))
    expect(metadata.runs["post-if"]).toBe("always()")
  })

  it("describes every input and output, in one line", () => {
    for (const { inputs, outputs } of [metadata, review]) {
      for (const [name, { description }] of Object.entries({ ...inputs, ...outputs })) {
        expect(name).toMatch(/^[a-z]+(?:-[a-z]+)*$/)
        expect(description.trim(), name).toMatch(/^\S.{10,}$/)
      }
    }
    const required = Object.entries(metadata.inputs).filter(([, { required }]) => required === true)
    expect(required.map(([name]) => name)).toEqual(["broker", "grants"])
  })

  // A session of an AWS role, and an access token of Google or Entra, live until they expire: no call ends one of them alone.
  it("does not say that everything is revoked", () => {
    const texts = [metadata.description, ...Object.values(metadata.inputs).map(({ description }) => description)]
    for (const text of texts) {
      expect(text).not.toMatch(
        /\b(?:all|they|credentials) (?:are|is|get) revoked|revokes (?:them|all|the credentials)/i,
      )
    }
    expect(metadata.description).toContain("what can be revoked")
  })
})
