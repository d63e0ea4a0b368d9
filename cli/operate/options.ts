import { OPERATOR_OPTIONS } from "../commands/shared.ts"
import type { Options } from "../exec/options.ts"

/** Those of a command's options with which an operator signs in, and no other. */
export const operatorOptions = (options: Options): Options =>
  Object.fromEntries(
    Object.keys(OPERATOR_OPTIONS).flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  )
