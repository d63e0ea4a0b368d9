import type { HandlesPage } from "../../broker/wire/keys.ts"

/** All pages together. */
export interface HandlesTotal {
  readonly current: number
  readonly previous: number
  readonly other: number
  readonly resealed: number
  readonly units: number
}

/** Asks for page after page. `ask` gets `next` of the page before; null for the first one. */
export async function walkPages(ask: (after: string | null) => Promise<HandlesPage>): Promise<HandlesTotal> {
  let total: HandlesTotal = { current: 0, previous: 0, other: 0, resealed: 0, units: 0 }
  let after: string | null = null
  do {
    const { handles, resealed, ledgers, next }: HandlesPage = await ask(after)
    total = {
      current: total.current + handles.current,
      previous: total.previous + handles.previous,
      other: total.other + handles.other,
      resealed: total.resealed + resealed,
      units: total.units + ledgers,
    }
    after = next
  } while (after !== null)
  return total
}
