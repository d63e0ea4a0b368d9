import * as z from "zod"
import { isForbiddenFileVariable, isForbiddenVariable } from "../wire/variables.ts"

const named = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9_]{0,127}$/,
    "a variable's name starts with a letter, continues with letters, digits and _, and has at most 128 characters",
  )

/** An environment variable that a grant sets. Variables that change how the job's later steps run are refused. */
export const variable = named.refine(
  (name) => !isForbiddenVariable(name),
  "this variable changes how later steps run; choose another name",
)

/**
 * A variable for a value or for the path of a file. Some variables name a tool's configuration file, such as KUBECONFIG.
 * They are accepted here, and `valueFaultOf` refuses them for values.
 */
export const variableOrFile = named.refine(
  (name) => !isForbiddenFileVariable(name),
  "this variable changes how later steps run; choose another name",
)

/** Why a variable cannot contain a value itself; null when it can. Only for variables that `variableOrFile` accepts. */
export const valueFaultOf = (name: string): string | null =>
  isForbiddenVariable(name)
    ? "this variable names a configuration file, which changes how later steps run: deliver the file itself, with as: file"
    : null
