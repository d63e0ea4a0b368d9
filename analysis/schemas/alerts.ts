import * as z from "zod"
import { EVENT_TYPES } from "../../broker/core/events/event-types.ts"
import { EVENT_DATA } from "../../broker/core/events/schema.ts"

/** JSON Schema (draft 2020-12) of the messages that endpoints of alerts get: one form for each type of event. */
export function alertsJsonSchema(): object {
  const forms = EVENT_TYPES.map((type) => {
    const { $schema: _, ...data } = z.toJSONSchema(EVENT_DATA[type])
    return {
      type: "object",
      properties: { type: { const: type }, timestamp: { type: "string", format: "date-time" }, data: open(data) },
      required: ["type", "timestamp", "data"],
    }
  })
  return { $schema: "https://json-schema.org/draft/2020-12/schema", title: "Daypass alert", oneOf: forms }
}

/** Later versions add members, so that a receiver must not refuse them. */
const open = ({ additionalProperties: _, ...schema }: z.core.JSONSchema.BaseSchema) => schema
