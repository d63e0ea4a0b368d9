import { evictAllDurableObjects, reset } from "cloudflare:test"
import { createCloudflareDocuments, createCloudflareKeyRing } from "../../broker/adapters/cloudflare/ledgers.ts"
import { documentsContract } from "../contract/documents.suite.ts"
import { keyRingContract } from "../contract/key-ring.suite.ts"
import { objects } from "./objects.ts"

keyRingContract("in a Durable Object", {
  ring: () => createCloudflareKeyRing(objects.KEY_RING),
  clear: () => reset(),
  restart: () => evictAllDurableObjects(),
})

documentsContract("in a Durable Object", {
  documents: () => createCloudflareDocuments(objects.KEY_RING),
  restart: () => evictAllDurableObjects(),
})
