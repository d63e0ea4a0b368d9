/** A partition of AWS. Its accounts, roles and credentials are unknown in every other one. */
export interface Partition {
  /** As in ARNs: `aws-cn`. */
  readonly name: string
  /** What the names of its regions look like. */
  readonly regions: RegExp
  /** What the host names of its services end with. */
  readonly dnsSuffix: string
}

/**
 * All partitions. Source: partitions.json of the AWS SDKs, as `@aws-sdk/core` has it; a test compares them.
 *
 * It is written out here because the SDK exports no list, and takes every region that it does not know for one of `aws`: then
 * a misspelled region would only be noticed at the first exchange.
 */
export const PARTITIONS: readonly Partition[] = [
  { name: "aws", regions: /^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/, dnsSuffix: "amazonaws.com" },
  { name: "aws-cn", regions: /^cn-\w+-\d+$/, dnsSuffix: "amazonaws.com.cn" },
  { name: "aws-eusc", regions: /^eusc-(de)-\w+-\d+$/, dnsSuffix: "amazonaws.eu" },
  { name: "aws-iso", regions: /^us-iso-\w+-\d+$/, dnsSuffix: "c2s.ic.gov" },
  { name: "aws-iso-b", regions: /^us-isob-\w+-\d+$/, dnsSuffix: "sc2s.sgov.gov" },
  { name: "aws-iso-e", regions: /^eu-isoe-\w+-\d+$/, dnsSuffix: "cloud.adc-e.uk" },
  { name: "aws-iso-f", regions: /^us-isof-\w+-\d+$/, dnsSuffix: "csp.hci.ic.gov" },
  { name: "aws-us-gov", regions: /^us-gov-\w+-\d+$/, dnsSuffix: "amazonaws.com" },
]

/** Whether a partition has regions with such names. */
export const isRegion = (region: string): boolean => PARTITIONS.some(({ regions }) => regions.test(region))

/** The partition of a region. Only for regions that the schema has let through. */
export function partitionOf(region: string): Partition {
  const found = PARTITIONS.find(({ regions }) => regions.test(region))
  if (!found) throw new TypeError("not a region of AWS")
  return found
}

/** A service's endpoint in a region, where a connection names none of its own. */
export const endpointOf = (service: string, region: string): string =>
  `https://${service}.${region}.${partitionOf(region).dnsSuffix}`

/**
 * What roles of a region's partition are told to trust where nothing else was agreed on: `sts.amazonaws.com.cn` in China, as
 * AWS's own action for GitHub documents it.
 */
export const stsAudienceOf = (region: string): string => `sts.${partitionOf(region).dnsSuffix}`
