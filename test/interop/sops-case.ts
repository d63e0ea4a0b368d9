import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Check } from "./run.ts"
import { deskWith } from "./sops-desk.ts"
import { everyForm, recordedFiles } from "./sops-forms.ts"
import { serviceKeys } from "./sops-keys.ts"
import { thePage } from "./sops-page.ts"
import { shares } from "./sops-shares.ts"
import { installAge } from "./tools.ts"

/** The real sops and age: files that they write are opened alike, and the pages about them are followed to their end. */
export async function sopsCase(programs: string, check: Check): Promise<void> {
  await installAge()
  const folder = mkdtempSync(join(tmpdir(), "daypass-sops-"))
  try {
    // The page waits for brokers that start. All settle before the folder goes.
    const parts = [everyForm, recordedFiles, shares, thePage, serviceKeys].map((part) =>
      part(deskWith(programs, join(folder, part.name)), check, programs),
    )
    await Promise.allSettled(parts)
    await Promise.all(parts)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
