import * as z from "zod"
import { isForbiddenVariable } from "../wire/variables.ts"

/** An environment variable that a grant puts something into. None that changes how the job's later steps run. */
export const variable = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_]{0,127}$/,
    "a variable's name starts with a letter; letters, digits and _ follow, at most 128 in all",
  )
  .refine((name) => !isForbiddenVariable(name), "this variable changes how later steps run; choose another name")
