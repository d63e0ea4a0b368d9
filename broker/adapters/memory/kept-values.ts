import type { CryptoKey } from "jose"
import { Secret } from "../../core/secret.ts"
import type { Clock } from "../../ports/clock.ts"
import type { KeptValues } from "../../ports/kept-values.ts"
import { createBoundedCache } from "./bounded-cache.ts"

interface Sealed {
  readonly key: CryptoKey
  readonly iv: Uint8Array<ArrayBuffer>
  readonly text: ArrayBuffer
  /** On `Clock.elapsed()`. */
  readonly until: number
}

const MAX_VALUES = 1_000
const MAX_BYTES = 8 * 1024 * 1024
const KEY_BYTES = 32
const IV_BYTES = 12

/**
 * Encrypts each value under its own key (AES-256-GCM), which cannot be exported, and binds it to its place. So a heap dump,
 * a core file or a stray reference does not show the plain value. Keeps at most a thousand values and 8 MiB, and removes
 * the least recently used first.
 */
export function createKeptValues(clock: Clock): KeptValues {
  const values = createBoundedCache<Sealed>(MAX_VALUES, MAX_BYTES)
  const boundTo = (place: string) => new TextEncoder().encode(place)

  return {
    async get(place) {
      const sealed = values.get(place)
      if (sealed === undefined) return undefined
      if (clock.elapsed() >= sealed.until) {
        values.delete(place)
        return undefined
      }
      const { key, iv, text } = sealed
      const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: boundTo(place) }, key, text)
      return new Secret(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(opened))
    },

    async keep(place, value, seconds) {
      const until = clock.elapsed() + seconds * 1000
      const random = crypto.getRandomValues(new Uint8Array(KEY_BYTES))
      const key = await crypto.subtle.importKey("raw", random, "AES-GCM", false, ["encrypt", "decrypt"])
      random.fill(0)
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
      const plain = new TextEncoder().encode(value.reveal())
      const text = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: boundTo(place) }, key, plain)
      values.set(place, { key, iv, text, until }, text.byteLength)
    },
  }
}
