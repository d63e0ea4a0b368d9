import { describe, expect, it } from "vitest"
import * as z from "zod"
import { parseWith } from "../../broker/core/parse-with.ts"
import { parseExchange } from "../../broker/http/request.ts"
import { parseStrictJsonObject } from "../../broker/issuers/strict-json.ts"
import { cryptography } from "../support/cryptography.ts"
import { faultsOf, ORGANISATION, policyFaults } from "./policy/support.ts"

/** As YAML and JSON are parsed here: without prototypes, so that every key is the document's own. */
function parsed(text: string): unknown {
  const value = parseStrictJsonObject(new TextEncoder().encode(text))
  if (!value.ok) throw new Error(value.fault)
  return value.value
}

/** Values of a wrong type that say what their own constructor is called. */
const LIARS = [
  '{"constructor":{"name":{}}}',
  '{"constructor":{"name":"canary"}}',
  '{"constructor":{"name":{"toString":1}}}',
]

describe("a value that names its own constructor", () => {
  it.each(LIARS)("is of a wrong type like any other: %s", (text) => {
    const { success, error } = parseWith(z.object({ a: z.array(z.string()) }), parsed(`{"a":${text}}`))
    expect({ success, messages: error?.issues.map(({ message }) => message) }).toEqual({
      success: false,
      messages: ["expected array"],
    })
  })

  it.each(LIARS)("is a fault wherever it stands in a policy: %s", (text) => {
    for (const key of ["allow", "deny", "grants", "repository", "environment", "protected_environment"]) {
      const faults = policyFaults(`{"version":1,"repository":"acme/shop","repository_id":"41","${key}":${text}}`)
      expect(faults.length).toBeGreaterThan(0)
      expect(JSON.stringify(faults)).not.toContain("canary")
    }
    for (const key of ["connections", "boundaries", "require_bound_token"]) {
      const organisation = `${ORGANISATION.replace(/connections:[\s\S]*/, "")}${key}: ${text}\n`
      expect(faultsOf({ "daypass.yaml": organisation }).length).toBeGreaterThan(0)
    }
  })

  it.each(LIARS)("is a malformed request: %s", async (text) => {
    for (const key of ["grants", "ttl", "key"]) {
      const body = parsed(key === "grants" ? `{"grants":${text}}` : `{"grants":["a"],"${key}":${text}}`)
      const refused = await parseExchange(body, cryptography).catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: "request_malformed", detail: expect.not.stringContaining("canary") })
    }
  })
})
