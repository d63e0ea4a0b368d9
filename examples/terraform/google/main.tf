# The Google Cloud side of a Daypass grant: trust in the broker, and one service account for one grant of one
# environment, or for a few.
# Explained in broker/providers/google/README.md

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
  description = "The project's id"
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
  description = "The sub of the identity token of each grant that this is for, as daypass explain prints it"
  type        = set(string)

  validation {
    condition     = length(var.subjects) > 0 && alltrue([for one in var.subjects : can(regex("^[a-z][a-z0-9-]*:repository:[0-9]+:environment:[^:*]+:grant:[^:*]+$", one)) && length(one) <= 127])
    error_message = "A subject is ISSUER:repository:ID:environment:NAME:grant:NAME, with the id of the repository and without stars, and google.subject takes at most 127 bytes."
  }
}

variable "account_id" {
  description = "The service account that the grant names: the part before the @"
  type        = string
}

# One per project, like the pool and its provider.
resource "google_project_service" "apis" {
  for_each = toset(["iam.googleapis.com", "sts.googleapis.com", "iamcredentials.googleapis.com"])

  project            = var.project
  service            = each.value
  disable_on_destroy = false
}

# A separate pool for the broker: everyone else who can log in to a pool is also a principal of it.
resource "google_iam_workload_identity_pool" "daypass" {
  project                   = var.project
  workload_identity_pool_id = "daypass"

  depends_on = [google_project_service.apis]
}

resource "google_iam_workload_identity_pool_provider" "broker" {
  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.daypass.workload_identity_pool_id
  workload_identity_pool_provider_id = "broker"

  # Only jobs of this organisation, whatever the bindings below say.
  attribute_condition = "assertion.repository_owner_id == '${var.owner_id}'"

  attribute_mapping = {
    "google.subject"          = "assertion.sub"
    "attribute.repository_id" = "assertion.repository_id"
  }

  # No allowed_audiences: the broker sends the provider's full name as the audience.
  oidc {
    issuer_uri = var.broker_url
  }
}

resource "google_service_account" "grant" {
  project    = var.project
  account_id = var.account_id
}

resource "google_service_account_iam_member" "grant" {
  for_each = var.subjects

  service_account_id = google_service_account.grant.name
  role               = "roles/iam.workloadIdentityUser"

  # The whole subject. A set of principals would also let in other grants of the repository.
  member = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.daypass.name}/subject/${each.value}"
}

output "workload_identity_provider" {
  description = "Goes into the connection as workload_identity_provider:"
  value       = google_iam_workload_identity_pool_provider.broker.name
}

output "service_account" {
  description = "Goes into the connection's service_accounts: and into the policy as service_account:"
  value       = google_service_account.grant.email
}
