import type { Secret } from "../core/secret.ts"

/**
 * Sealed values of stores, by key, only in this instance's memory, each for the time that its connection sets. An
 * implementation may forget a value at any time, because it can be read again.
 */
export interface KeptValues {
  get(key: string): Promise<Secret<string> | undefined>
  keep(key: string, value: Secret<string>, seconds: number): Promise<void>
}
