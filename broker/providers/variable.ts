import * as z from "zod"
import { isForbiddenVariable } from "../wire/variables.ts"

/** An environment variable that a grant sets. Variables that change how the job's later steps run are refused. */
export const variable = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_]{0,127}$/,
    "a variable's name starts with a letter, continues with letters, digits and _, and has at most 128 characters",
  )
  .refine((name) => !isForbiddenVariable(name), "this variable changes how later steps run; choose another name")
