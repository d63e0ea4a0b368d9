package main

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/config"
)

// awsSteps asks the SDK's own chain for credentials, by the files and variables that Daypass set.
func awsSteps(settings) steps {
	return steps{
		"session": func() (any, error) {
			loaded, err := config.LoadDefaultConfig(context.Background())
			if err != nil {
				return nil, err
			}
			found, err := loaded.Credentials.Retrieve(context.Background())
			if err != nil {
				return nil, err
			}
			return map[string]any{"key": found.AccessKeyID, "region": loaded.Region, "expires": found.CanExpire}, nil
		},
	}
}
