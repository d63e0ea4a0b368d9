import { type Comparable, type Demand, implies, type Lifetime } from "../reach/offers.ts"
import { intersect, isEmpty, type Region, subtract, union } from "../regions/region.ts"
import type { Space } from "../regions/space.ts"
import type { Must } from "../regions/too-complex.ts"

/** What one side gives and the other does not. */
export type Surplus<Given> = { readonly offer: Given; readonly region: Region } & (
  | { readonly kind: "grant"; readonly instead: readonly Given[] }
  | { readonly kind: "lifetime"; readonly other: Given; readonly seconds: number; readonly otherSeconds: number }
  | { readonly kind: "protection"; readonly other: Given; readonly demand: Demand }
)

/**
 * Everything that `more` gives and `less` does not. An undecided job counts as given by `more` and not by `less`, so that
 * no change is missed. With `surely` it is the other way round, so that every reported change is real.
 */
export function surplusOf<Given extends Comparable>(
  { more, less, space, surely }: { more: readonly Given[]; less: readonly Given[]; space: Space; surely: boolean },
  must: Must,
): readonly Surplus<Given>[] {
  const given = (offer: Given) => (surely ? offer.sure : offer.possible)
  const had = (offer: Given) => (surely ? offer.possible : offer.sure)
  return more.flatMap((offer): Surplus<Given>[] => {
    const same = less.filter(({ content }) => content === offer.content)
    const region = must(subtract(given(offer), must(union(space, same.map(had)))))
    const instead = less.filter(
      (other) => other.content !== offer.content && !isEmpty(must(intersect(region, other.possible))),
    )
    const gained: Surplus<Given>[] = isEmpty(region) ? [] : [{ kind: "grant", offer, region, instead }]
    const kept = same.flatMap((other): Surplus<Given>[] => {
      const both = must(intersect(given(offer), had(other)))
      if (isEmpty(both)) return []
      return [...longer(offer, other, both, must), ...freer(offer, other, both, must)]
    })
    return [...gained, ...kept]
  })
}

function longer<Given extends Comparable>(offer: Given, other: Given, both: Region, must: Must): Surplus<Given>[] {
  const within = (lifetimes: readonly Lifetime[], region: Region) =>
    lifetimes.flatMap(({ seconds, region: held }) => {
      const part = must(intersect(region, held))
      return isEmpty(part) ? [] : [{ seconds, region: part }]
    })
  return within(offer.lifetimes, both).flatMap(({ seconds, region }) =>
    within(other.lifetimes, region)
      .filter((before) => before.seconds < seconds)
      .map((before) => ({
        kind: "lifetime" as const,
        offer,
        other,
        region: before.region,
        seconds,
        otherSeconds: before.seconds,
      })),
  )
}

/** The jobs for which the other side demands something of the environment or the run that this side does not. */
function freer<Given extends Comparable>(offer: Given, other: Given, both: Region, must: Must): Surplus<Given>[] {
  return other.demands.flatMap(({ demand, region }): Surplus<Given>[] => {
    const still = offer.demands.filter((one) => implies(one.demand, demand)).map((one) => one.region)
    const demanded = must(intersect(both, region))
    const free = must(subtract(demanded, must(union(both.space, still))))
    return isEmpty(free) ? [] : [{ kind: "protection", offer, other, demand, region: free }]
  })
}
