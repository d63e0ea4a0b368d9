import type { CliIo } from "../../../io.ts"
export async function importTrust(_f: readonly string[], _o: object, _u: string, _io: CliIo): Promise<number> {
  return 2
}
