# The Google Cloud side of reading secrets: a separate pool per project that trusts the broker, and for each grant of one
# environment the right to read some secrets. Explained in broker/providers/google/secret-manager/README.md

terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
  }
}

variable "project" {
  description = "The id of the project that has the secrets, and the pool"
  type        = string
}

variable "broker_url" {
  description = "The broker's URL, exactly as in DAYPASS_URL: https, no slash at the end"
  type        = string

  validation {
    condition     = can(regex("^https://[^/?#].*[^/]$", var.broker_url))
    error_message = "The URL starts with https:// and does not end with a slash."
  }
}

variable "owner_id" {
  description = "The id of the organisation at GitHub, as in owners: of the organisation file"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.owner_id))
    error_message = "The id is a number: names can be taken over."
  }
}

variable "subjects" {
  description = "By the sub of each grant's identity token, as daypass explain prints it: the names of the secrets that the grant reads. Regional secrets are in the region of location"
  type = map(object({
    secrets          = optional(set(string), [])
    regional_secrets = optional(set(string), [])
  }))

  validation {
    condition     = length(var.subjects) > 0 && alltrue([for one in keys(var.subjects) : can(regex("^[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[^:*]+$", one)) && length(one) <= 127])
    error_message = "A subject is ISSUER:repository:ID:environment:NAME:grant:NAME, with the id of the repository and without stars, and google.subject takes at most 127 bytes."
  }
}

variable "location" {
  description = "The region of the regional secrets, as in the connection's location:"
  type        = string
  default     = null
}

locals {
  # The principal of one grant, by the whole subject. A set of principals would also let in other grants.
  principals = {
    for subject in keys(var.subjects) :
    subject => "principal://iam.googleapis.com/${google_iam_workload_identity_pool.secrets.name}/subject/${subject}"
  }

  reads = merge([
    for subject, names in var.subjects :
    { for secret in names.secrets : "${subject}/${secret}" => { secret = secret, principal = local.principals[subject] } }
  ]...)

  regional_reads = merge([
    for subject, names in var.subjects :
    { for secret in names.regional_secrets : "${subject}/${secret}" => { secret = secret, principal = local.principals[subject] } }
  ]...)
}

# One per project, like the pool and its provider.
resource "google_project_service" "apis" {
  for_each = toset(["iam.googleapis.com", "sts.googleapis.com", "secretmanager.googleapis.com"])

  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

# Not the pool of connections with provider: google. Their grants could give this principal to a job.
resource "google_iam_workload_identity_pool" "secrets" {
  project                   = var.project
  workload_identity_pool_id = "daypass-secrets"

  depends_on = [google_project_service.apis]
}

resource "google_iam_workload_identity_pool_provider" "broker" {
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.secrets.workload_identity_pool_id
  workload_identity_pool_provider_id = "broker"

  # Only jobs of this organisation, whatever the bindings below say.
  attribute_condition = "assertion.repository_owner_id == '${var.owner_id}'"
  attribute_mapping   = { "google.subject" = "assertion.sub" }

  # No allowed_audiences: the broker sends the provider's full name as the audience.
  oidc {
    issuer_uri = var.broker_url
  }
}

resource "google_secret_manager_secret_iam_member" "grant" {
  for_each = local.reads

  project   = var.project
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.principal
}

resource "google_secret_manager_regional_secret_iam_member" "grant" {
  for_each = local.regional_reads

  project   = var.project
  location  = var.location
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = each.value.principal
}

output "workload_identity_provider" {
  description = "Goes into the connection as workload_identity_provider:"
  value       = google_iam_workload_identity_pool_provider.broker.name
}
