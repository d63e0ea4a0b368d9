import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Check } from "./run.ts"
import { deskWith } from "./sops-desk.ts"
import { everyForm, recordedFiles } from "./sops-forms.ts"
import { thePage } from "./sops-page.ts"
import { installAge } from "./tools.ts"

/** The real sops and age: files that they write are opened alike, and the page about them is followed to its end. */
export async function sopsCase(programs: string, check: Check): Promise<void> {
  await installAge()
  const folder = mkdtempSync(join(tmpdir(), "daypass-sops-"))
  try {
    await everyForm(deskWith(programs, join(folder, "forms")), check)
    await recordedFiles(deskWith(programs, join(folder, "vectors")), check)
    await thePage(deskWith(programs, join(folder, "page")), check)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
