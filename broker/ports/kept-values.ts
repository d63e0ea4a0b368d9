import type { Secret } from "../core/secret.ts"

/**
 * Values of stores by key, sealed, in this instance's memory only, each for as long as its connection says. Forgets whatever
 * it likes to: a value can always be read again.
 */
export interface KeptValues {
  get(key: string): Promise<Secret<string> | undefined>
  keep(key: string, value: Secret<string>, seconds: number): Promise<void>
}
