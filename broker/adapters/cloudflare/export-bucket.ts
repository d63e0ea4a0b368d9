import { BrokerError } from "../../core/errors.ts"
import type { ExportSink } from "../../ports/export-sink.ts"

/** What is used of a binding of R2. */
export interface Bucket {
  put(
    key: string,
    value: Uint8Array,
    options: { readonly httpMetadata: { readonly contentType: string } },
  ): Promise<unknown>
}

/** Objects in a bucket of R2, by a binding of the Worker. A put is whole or not at all. */
export function createBucketSink(bucket: Bucket, binding: string, prefix: string | undefined): ExportSink {
  return {
    async put({ name, bytes, contentType }) {
      try {
        const key = prefix === undefined ? name : `${prefix}/${name}`
        await bucket.put(key, bytes, { httpMetadata: { contentType } })
      } catch (cause) {
        throw new BrokerError("provider_unavailable", `The bucket of the binding ${binding} cannot be written.`, {
          cause,
        })
      }
    },
  }
}
