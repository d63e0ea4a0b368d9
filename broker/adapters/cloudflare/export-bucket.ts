import { BrokerError } from "../../core/errors.ts"
import type { ExportSink } from "../../ports/export-sink.ts"

/** Objects in a bucket of R2, by a binding of the Worker. A put is whole or not at all. */
export function createBucketSink(bucket: R2Bucket, binding: string, prefix: string | undefined): ExportSink {
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
