/** A partition of AWS. Its accounts, roles and credentials are not valid in another partition. */
export interface Partition {
  /** The name in ARNs: `aws-cn`. */
  readonly name: string
  /** Matches the names of its regions. */
  readonly regions: RegExp
  /** The end of the host names of its services. */
  readonly dnsSuffix: string
}

/**
 * All partitions. Source: partitions.json of the AWS SDKs, in the form of `@aws-sdk/core`. A test compares them.
 *
 * The list is repeated here because the SDK does not export it, and assumes the partition `aws` for each unknown region: then
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

/** The partition of a region. Only for regions that passed the schema. */
export function partitionOf(region: string): Partition {
  const found = PARTITIONS.find(({ regions }) => regions.test(region))
  if (!found) throw new TypeError("not a region of AWS")
  return found
}

/** A service's endpoint in a region, for connections that set no other endpoint. */
export const endpointOf = (service: string, region: string): string =>
  `https://${service}.${region}.${partitionOf(region).dnsSuffix}`

/**
 * The default audience in a region's partition: `sts.amazonaws.com.cn` in China, according to the documentation of AWS's own
 * action for GitHub.
 */
export const stsAudienceOf = (region: string): string => `sts.${partitionOf(region).dnsSuffix}`
