import type { TestProject } from "vitest/node"
import { startPostgres } from "../postgres.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of the server's first database, as its administrator. */
    readonly postgres: string
  }
}

/** One server for all files. Each test makes a database of its own in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres({ settings: [] })
  project.provide("postgres", server.url("postgres"))
  return () => server.close()
}
