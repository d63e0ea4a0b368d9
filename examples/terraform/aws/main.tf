# The AWS side of a Daypass grant: trust in the broker, and one role for one grant of one environment.
# Explained in docs/get-started.md

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "broker_url" {
  description = "The broker's URL, exactly as in DAYPASS_URL: https, no slash at the end"
  type        = string

  validation {
    condition     = can(regex("^https://[^/?#].*[^/]$", var.broker_url))
    error_message = "The URL starts with https:// and does not end with a slash."
  }
}

variable "repository" {
  description = "owner/name, as in the policy"
  type        = string
}

variable "environment" {
  description = "The job's environment; - for jobs without an environment"
  type        = string
}

variable "grant" {
  description = "The grant's name in the policy"
  type        = string
}

variable "role_name" {
  description = "The role that the grant names"
  type        = string
}

variable "audiences" {
  description = "Further audiences of the broker's tokens in this account, besides that of AWS STS. Add daypass-aws-stores if the broker reads AWS's stores"
  type        = list(string)
  default     = []
}

data "aws_partition" "here" {}

locals {
  # The default of an aws connection: sts.amazonaws.com.cn in China, sts.amazonaws.eu in the European Sovereign Cloud.
  audience = "sts.${data.aws_partition.here.dns_suffix}"

  # IAM names the provider, and the keys of its conditions, by the URL without its scheme.
  broker = trimprefix(var.broker_url, "https://")

  # Environments with characters other than letters, digits and . _ ~ - are percent-encoded: docs/wire.md
  subject = "repository:${var.repository}:environment:${var.environment}:grant:${var.grant}"
}

# One per account. It needs no thumbprint: AWS checks the broker's certificate with the authorities that it trusts.
resource "aws_iam_openid_connect_provider" "daypass" {
  url            = var.broker_url
  client_id_list = distinct(concat([local.audience], var.audiences))
}

data "aws_iam_policy_document" "trust" {
  statement {
    # TagSession, because the broker sends the job's facts as session tags.
    actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.daypass.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.broker}:aud"
      values   = [local.audience]
    }

    # Without this condition, every grant of every repository that uses the broker could assume the role.
    condition {
      test     = "StringEquals"
      variable = "${local.broker}:sub"
      values   = [local.subject]
    }
  }
}

resource "aws_iam_role" "grant" {
  name               = var.role_name
  assume_role_policy = data.aws_iam_policy_document.trust.json

  # The longest lifetime of a grant of this role, in seconds.
  max_session_duration = 3600
}

output "role_arn" {
  description = "Goes into the policy as role:"
  value       = aws_iam_role.grant.arn
}
