import * as z from "zod"
import { UNIT_KINDS, UNITS, type UnitKind } from "../families/units.ts"
import { MAX_PATTERN_CHARACTERS } from "./pattern.ts"

/** The id of a unit or an owner. Its form depends on the issuer's family, which the loader knows. */
export const idText = z.string().max(256).regex(/./, 'an id is a text, such as "41", and not empty')

/** The keys that name a unit, of every kind. Which of them a file has depends on its issuer: the loader checks it. */
export const unitKeys = Object.fromEntries(
  UNIT_KINDS.flatMap((kind) => {
    const { one, many, idKey } = UNITS[kind]
    const named = z.string().min(1).max(MAX_PATTERN_CHARACTERS)
    if (idKey === null) return [[kind, named.optional().meta({ description: `The ${one}. Its name decides.` })]]
    const words = `The ${one}, for people: ${idKey} decides. Without ${idKey}, a pattern such as owner/svc-* for several ${many}.`
    const ids = `The ${one}'s id in quotes: names can be taken over, ids cannot. Not allowed with a pattern.`
    return [
      [kind, named.optional().meta({ description: words })],
      [idKey, idText.optional().meta({ description: ids })],
    ]
  }),
) as Readonly<Record<UnitKind, z.ZodOptional<z.ZodString>>>

/** The key of a policy for all people of an issuer, and of what is open to people in the organisation file. */
export const PEOPLE_KEY = "people"

/** All people whose tokens the issuer signs. There is no `people: false`: a policy without it is about one unit. */
export const peopleKey = z
  .literal(true)
  .optional()
  .meta({ description: "All people of an issuer of the family openid or local. Its allows must say which of them." })

const form = (key: string, value: z.core.JSONSchema.BaseSchema): z.core.JSONSchema.BaseSchema => ({
  properties: { [key]: value },
  required: [key],
})

/** Editors demand the id as the loader does: a name without a star does not identify a unit. */
export const unitForms = UNIT_KINDS.flatMap((kind): z.core.JSONSchema.BaseSchema[] => {
  const { idKey } = UNITS[kind]
  if (kind === "person") return [form(idKey ?? kind, { type: "string" }), form(PEOPLE_KEY, { const: true })]
  if (idKey === null) return [{ properties: { [kind]: { type: "string" } }, required: [kind] }]
  return [
    { properties: { [idKey]: { type: "string" } }, required: [kind, idKey] },
    { properties: { [kind]: { type: "string", pattern: "\\*" } }, required: [kind] },
  ]
})
