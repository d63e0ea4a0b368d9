import { evictAllDurableObjects, reset } from "cloudflare:test"
import { createCloudflareKeyRing } from "../../broker/adapters/cloudflare/ledgers.ts"
import { keyRingContract } from "../contract/key-ring.suite.ts"
import { objects } from "./objects.ts"

keyRingContract("in a Durable Object", {
  ring: () => createCloudflareKeyRing(objects.KEY_RING),
  clear: () => reset(),
  restart: () => evictAllDurableObjects(),
})
