import type { ActionRun } from "../runner.ts"

/** The file whose path a variable of the job names, as `0600 TEXT`: its mode and what is in it. Undefined without one. */
export function fileOf({ env, written }: ActionRun, variable: string, as: "utf8" | "hex" = "utf8"): string | undefined {
  const path = env[variable]
  const file = Object.entries(written).find(([name]) => path?.endsWith(`/${name}`))?.[1]
  return file && `${file.mode} ${file.bytes.toString(as)}`
}
