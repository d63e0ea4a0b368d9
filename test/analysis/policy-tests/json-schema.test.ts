import { describe, expect, it } from "vitest"
import { SAMPLE_NAMES } from "../../../analysis/policy-tests/samples.ts"
import { DENIAL_CODES, policyTestJsonSchema } from "../../../analysis/policy-tests/schema.ts"

describe("the JSON Schema of policy tests", () => {
  it("knows every sample and every code, and refuses keys that it does not know", () => {
    expect(policyTestJsonSchema()).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: "Daypass policy tests",
      additionalProperties: false,
      required: ["version", "tests"],
      properties: {
        version: { const: 1 },
        defaults: { additionalProperties: false, properties: { sample: { enum: SAMPLE_NAMES } } },
        tests: {
          minItems: 1,
          items: {
            additionalProperties: false,
            required: ["name", "expect"],
            properties: { sample: { enum: SAMPLE_NAMES }, code: { enum: [...DENIAL_CODES] } },
          },
        },
      },
    })
  })
})
