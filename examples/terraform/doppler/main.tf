# The Doppler side of a Daypass grant: a service account that may read one environment of one project.
# Explained in broker/providers/doppler/README.md, which also makes the identity that admits the broker's token: Doppler's
# Terraform provider has no resource for identities.

terraform {
  required_version = ">= 1.5"
  required_providers {
    doppler = {
      source = "DopplerHQ/doppler"
    }
  }
}

variable "name" {
  description = "The service account's name: one for each grant"
  type        = string
}

variable "project" {
  description = "The project that the grant reads"
  type        = string
}

variable "environments" {
  description = "The project's environments that the grant reads, for example prd"
  type        = list(string)

  validation {
    condition     = length(var.environments) > 0
    error_message = "Name the environments: without any, the account may read all of them."
  }
}

resource "doppler_service_account" "daypass" {
  name                  = var.name
  workplace_permissions = []
}

resource "doppler_project_member_service_account" "daypass" {
  project              = var.project
  service_account_slug = doppler_service_account.daypass.slug
  role                 = "viewer"
  environments         = var.environments
}

output "service_account" {
  description = "The page on which you create the identity"
  value       = doppler_service_account.daypass.slug
}
