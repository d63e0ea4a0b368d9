import * as z from "zod"
import { OPERATOR_RIGHTS } from "../../core/operator-rights.ts"
import { variable } from "../variable.ts"

const rights = z
  .array(z.enum(OPERATOR_RIGHTS))
  .min(1)
  .refine((names) => new Set(names).size === names.length, "name each right once")

/** The rights that policies may grant. Without the list, every policy could make its jobs operators. */
export const connection = z.strictObject({
  may: rights.meta({ description: "Rights over this broker that grants may name." }),
})

export type Connection = z.infer<typeof connection>

const MAX_IN_SCOPE = 64

const listOf = <Item extends z.ZodType<string>>(item: Item) =>
  z
    .array(item)
    .min(1)
    .max(MAX_IN_SCOPE)
    .refine((names) => new Set(names).size === names.length, "name each once")

const issuerAndId = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,63}:[^\s*\\]{1,256}$/,
    "must be ISSUER:ID, with the issuer's name in the organisation file, for example github:9001",
  )

const connectionName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, "must be the name of a connection: lower-case letters, digits and dashes")

/** A grant of rights over the broker itself. */
export const grant = z.strictObject({
  may: rights.meta({ description: "What the holder may do." }),
  owners: listOf(issuerAndId)
    .optional()
    .meta({ description: "Only for units of these owners, as ISSUER:OWNER_ID. Left out: all." }),
  units: listOf(issuerAndId)
    .optional()
    .meta({ description: "Only for these units, as ISSUER:UNIT_ID; with owners, either is enough. Left out: all." }),
  connections: listOf(connectionName)
    .optional()
    .meta({ description: "Only for what was granted through these connections. Left out: all." }),
  env: variable.optional().meta({ description: "The job's environment variable for the token." }),
})

export type Grant = z.infer<typeof grant>
