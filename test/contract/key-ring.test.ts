import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { openNodeStore } from "../../broker/adapters/node/ledgers.ts"
import type { NodeStore } from "../../broker/ports/node-store.ts"
import { documentsContract } from "./documents.suite.ts"
import { keyRingContract } from "./key-ring.suite.ts"

const folders: string[] = []
let store: NodeStore | undefined

function open(folder: string): NodeStore {
  store = openNodeStore(folder)
  return store
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "daypass-key-ring-"))
  folders.push(folder)
  return folder
}

const restart = async () => {
  await store?.close()
  open(folders.at(-1) ?? newFolder())
}

keyRingContract("on Node", {
  ring: () => (store ?? open(newFolder())).keyRing,
  clear: async () => {
    await store?.close()
    open(newFolder())
  },
  restart,
})

documentsContract("on Node", { documents: () => (store ?? open(newFolder())).documents, restart })

afterAll(async () => {
  await store?.close()
  for (const folder of folders) rmSync(folder, { recursive: true })
})
